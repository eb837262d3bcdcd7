"""Announced maintenance as JSON, with whether downtime within it counts, and why."""

from collections.abc import Iterable

from app.flow.query.reasons import detail, text
from app.flow.query.serialize import Json, instant_text
from app.sla.agreement.availability import AvailabilityRule
from app.sla.availability.exclusion import Window
from app.sla.availability.explanation import why_window
from app.sla.availability.facts import ServiceFacts
from app.sla.availability.outage import EVERY_RESOURCE
from app.sla.availability.uptime import Who
from app.sla.period import Period
from app.sla.span import Micros


def announced(
    rule: AvailabilityRule,
    concerned: Iterable[tuple[ServiceFacts, Who]],
    period: Period,
    at: Micros,
    most: int,
) -> list[Json]:
    """The windows of an object that touch a period and, while it runs, those that lie ahead of it: the first of them.

    In order of their beginnings. A window that two terms of a contract share is listed once.
    """
    found: dict[tuple[str, Window], Json] = {}
    for facts, who in concerned:
        named = who.parts(facts) | {EVERY_RESOURCE}
        for window in facts.windows:
            if window.resource in named and _is_due(window, period, at):
                found[facts.service, window] = _document(rule, facts, window)
    ordered = sorted(found, key=lambda key: (key[1].span, key[0], key[1].event))
    return [found[key] for key in ordered[:most]]


def _is_due(window: Window, period: Period, at: Micros) -> bool:
    return window.span.end > period.start and (window.span.start < period.end or at < period.end)


def _document(rule: AvailabilityRule, facts: ServiceFacts, window: Window) -> Json:
    reason = why_window(rule, window)
    return {
        "service": facts.service,
        "resource": facts.resources.get(window.resource, window.resource) or None,
        "from": instant_text(window.span.start),
        "to": instant_text(window.span.end),
        "announced_at": instant_text(window.span.start - window.notice),
        "emergency": window.emergency,
        "counted": not window.is_exempt(rule.maintenance),
        "reason": text(reason),
        "reason_detail": detail(reason),
        "event": window.event,
    }
