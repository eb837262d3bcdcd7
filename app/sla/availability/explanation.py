"""Explanation of an uptime: each outage with its spans, what counts and what does not, and why.

Spans are adjacent and cover the outage within the period, up to the instant asked for. Pure; instants are microseconds
UTC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from app.sla.agreement.availability import AvailabilityRule
from app.sla.availability.exclusion import Exclusion, Window
from app.sla.availability.facts import ServiceFacts
from app.sla.availability.outage import EVERY_RESOURCE, Outage
from app.sla.availability.uptime import Who
from app.sla.budget import charge
from app.sla.fields import casefolded
from app.sla.reason import Reason, ReasonCode
from app.sla.span import SECOND, Micros, Span


@dataclass(frozen=True, slots=True)
class OutageSpan:
    """A part of an outage that counts, or does not, throughout."""

    span: Span
    counted: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class ExplainedOutage:
    """An outage as it concerns one object in a period."""

    service: str
    outage: Outage
    spans: tuple[OutageSpan, ...]

    @property
    def counted(self) -> Micros:
        """How much of it counts. What overlaps with another outage counts once in the uptime."""
        return sum(each.span.length for each in self.spans if each.counted)


def explain(
    rule: AvailabilityRule, facts: ServiceFacts, who: Who, within: Iterable[Span]
) -> Iterator[ExplainedOutage]:
    """The outages of an object within these spans, in order of their starts."""
    parts = who.parts(facts)
    spans = list(within)
    for outage in facts.outages:
        concerned = sorted(part for part in parts if outage.concerns(part))
        pieces = [piece for span in spans if (piece := outage.span & span).length]
        if concerned and pieces:
            # Of all resources that a general outage concerns, one that no fact names decides for all.
            judged = [EVERY_RESOURCE] if EVERY_RESOURCE in concerned else concerned
            found = [each for piece in pieces for each in _spans(rule, facts, outage, judged, piece)]
            yield ExplainedOutage(facts.service, outage, tuple(_joined(found)))


def _spans(
    rule: AvailabilityRule, facts: ServiceFacts, outage: Outage, parts: list[str], span: Span
) -> Iterator[OutageSpan]:
    if casefolded(outage.cause) in rule.excluded_causes:
        yield OutageSpan(span, counted=False, reason=Reason(ReasonCode.EXCLUDED_CAUSE, outage.cause))
        return
    windows = [each for each in facts.windows if (each.span & span).length]
    exclusions = [each for each in facts.exclusions if each.is_for(rule.id) and (each.span & span).length]
    edges = {span.start, span.end}
    for each in (*windows, *exclusions):
        edges |= {max(each.span.start, span.start), min(each.span.end, span.end)}
    ordered = sorted(edges)
    for start, end in pairwise(ordered):
        charge()
        here_windows = [each for each in windows if start in each.span]
        here = [each for each in exclusions if start in each.span]
        yield _of(rule, outage, parts, Span(start, end), here_windows, here)


def _of(
    rule: AvailabilityRule,
    outage: Outage,
    parts: list[str],
    span: Span,
    windows: list[Window],
    exclusions: list[Exclusion],
) -> OutageSpan:
    """One span in which the same windows and exclusions hold: it counts where they leave out any of the resources."""
    excuses = [
        _excuse(
            rule,
            [each for each in windows if each.resource in (EVERY_RESOURCE, part)],
            [each for each in exclusions if each.resource in (EVERY_RESOURCE, part)],
        )
        for part in parts
    ]
    found = [excuse for excuse in excuses if excuse is not None]
    if len(found) < len(parts):
        of_it = [each for each in windows if each.resource in (EVERY_RESOURCE, *parts)]
        return OutageSpan(span, counted=True, reason=_why_counted(rule, outage, of_it))
    return OutageSpan(span, counted=False, reason=found[0])


def _excuse(rule: AvailabilityRule, windows: list[Window], exclusions: list[Exclusion]) -> Reason | None:
    for exclusion in exclusions:
        given = {"author": exclusion.author, "reason": exclusion.reason}
        params = {name: value for name, value in given.items() if value is not None}
        return Reason(ReasonCode.EXCLUSION, exclusion.event, params)
    return next((why_window(rule, window) for window in windows if window.is_exempt(rule.maintenance)), None)


def _why_counted(rule: AvailabilityRule, outage: Outage, windows: list[Window]) -> Reason:
    """Announced maintenance that counts says why; else it is the outage's cause."""
    for window in windows:
        if not window.is_exempt(rule.maintenance):
            return why_window(rule, window)
    if outage.cause is None:
        return Reason(ReasonCode.CAUSE_NOT_STATED)
    return Reason(ReasonCode.OUTAGE_CAUSE, outage.cause)


def why_window(rule: AvailabilityRule, window: Window) -> Reason:
    """Why downtime within announced maintenance is excluded, or why it counts."""
    if rule.maintenance is None:
        return Reason(ReasonCode.MAINTENANCE_COUNTS, window.event)
    if window.is_exempt(rule.maintenance):
        return Reason(ReasonCode.MAINTENANCE, window.event, {"emergency": window.emergency})
    needed = rule.maintenance.needed(emergency=window.emergency)
    params = {"notice_seconds": window.notice / SECOND, "needed_seconds": needed / SECOND}
    return Reason(ReasonCode.SHORT_NOTICE, window.event, params)


def _joined(spans: Iterable[OutageSpan]) -> list[OutageSpan]:
    found: list[OutageSpan] = []
    for each in spans:
        last = found[-1] if found else None
        if last is not None and (last.counted, last.reason, last.span.end) == (
            each.counted,
            each.reason,
            each.span.start,
        ):
            found[-1] = OutageSpan(Span(last.span.start, each.span.end), last.counted, last.reason)
        else:
            found.append(each)
    return found
