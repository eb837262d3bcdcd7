"""Uptime: how much of a period a service was up, and the instant at which the commitment was broken.

Downtime is the union of the outages that concern what is judged, less what is excluded, cut to the period and to the
instant that is asked for. It is compiled once and then asked for many periods. Shares are exact fractions, lengths and
instants are microseconds; no float takes part.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Final

from app.sla.agreement.availability import AvailabilityRule, UptimeTarget
from app.sla.availability.covered import Covered
from app.sla.availability.facts import ServiceFacts
from app.sla.availability.outage import EVERY_RESOURCE
from app.sla.fields import casefolded
from app.sla.period import Period
from app.sla.span import Micros, Span

_PERCENT: Final = 100
_DECIMALS: Final = 4


class UptimeState(StrEnum):
    """How a commitment on uptime stands at an instant."""

    RUNNING = "running"
    KEPT = "kept"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class Who:
    """What of a service is judged: `resources` (casefolded); None: the service with every resource that it has."""

    resources: frozenset[str] | None = None

    @classmethod
    def of(cls, *resources: str) -> "Who":
        """These resources. None at all: only what concerns the whole service counts."""
        return cls(frozenset(map(casefolded, resources)))

    def parts(self, facts: ServiceFacts) -> frozenset[str]:
        """The resources whose downtime makes the object's; "" stands for one that no fact names."""
        if self.resources is None:
            return frozenset({EVERY_RESOURCE, *facts.resources})
        return self.resources or frozenset({EVERY_RESOURCE})


ALL: Final = Who()


@dataclass(frozen=True, slots=True)
class Uptime:
    """The uptime of one object in one period, at an instant. Lengths are microseconds."""

    period: Period
    at: Micros
    total: Micros
    """The real length of the period."""
    downtime: Micros
    """What counts, up to `at`."""
    excluded: Micros
    """All outages of the object in the period, up to `at`, less the downtime."""
    share: Fraction
    """Uptime by the total."""
    counted: tuple[Span, ...]
    allowance: Micros
    """The downtime that the period may have, in whole microseconds."""
    state: UptimeState
    breached_at: Micros | None
    warnings: tuple[tuple[int, Micros], ...]
    """Per cent of the allowance, and when it was reached, in that order; up to `at`."""
    next_at: Micros | None
    """The next instant at which something changes though nothing is reported; None when the period is over."""
    nothing_reported: bool

    @property
    def remaining(self) -> Micros:
        """What is left of the allowance."""
        return max(0, self.allowance - self.downtime)

    @property
    def text(self) -> str:
        """The uptime in per cent, rounded down to four decimals, so that what is broken never reads as kept."""
        return percent_text(self.share)


def percent_text(share: Fraction) -> str:
    """A share in per cent with four decimals, rounded down."""
    scaled = floor(share * _PERCENT * 10**_DECIMALS)
    return f"{scaled // 10**_DECIMALS}.{scaled % 10**_DECIMALS:0{_DECIMALS}d}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a target allows a period of some length. Downtime is a whole number of microseconds."""

    allowance: Micros
    breach: Micros
    """The least downtime with which the period cannot be kept."""
    warnings: tuple[tuple[int, Micros], ...]
    """Per cent of the allowance, with the least downtime that reaches it; only what lies before the breach."""

    @classmethod
    def of(cls, target: UptimeTarget, warn_at: Iterable[int], total: Micros) -> "Limits":
        """The limits of a period of this length."""
        exact = (1 - target.share) * total
        breach = ceil(exact) if target.strict else floor(exact) + 1
        reached = ((percent, ceil(exact * percent / _PERCENT)) for percent in sorted(set(warn_at)))
        warnings = tuple((percent, least) for percent, least in reached if 0 < least < breach)
        return cls(floor(exact), breach, warnings)


@dataclass(frozen=True, slots=True)
class Downtime:
    """The compiled downtime of one object. `counted` and `all` are its outages, without and with what is excluded."""

    rule: AvailabilityRule
    counted: Covered
    all: Covered
    announced: Covered
    reports: tuple[Micros, ...]

    def uptime(self, period: Period, at: Micros) -> Uptime:
        """The uptime of a period at an instant."""
        total = period.span.length
        until = min(max(at, period.start), period.end)
        so_far = Span(period.start, until)
        downtime = self.counted.within(so_far)
        limits = Limits.of(self.rule.target, self.rule.warn_at, total)
        breach_at = self._reached(period, limits.breach)
        warnings = [(percent, self._reached(period, least)) for percent, least in limits.warnings]
        breached = breach_at is not None and breach_at <= at
        return Uptime(
            period=period,
            at=at,
            total=total,
            downtime=downtime,
            excluded=self.all.within(so_far) - downtime,
            share=Fraction(total - downtime, total) if total else Fraction(1),
            counted=self.counted.cut(so_far),
            allowance=limits.allowance,
            state=_state(breached=breached, over=at >= period.end),
            breached_at=breach_at if breached else None,
            warnings=tuple((percent, when) for percent, when in warnings if when is not None and when <= at),
            next_at=_next(at, [breach_at, *(when for _, when in warnings), period.end]),
            nothing_reported=not self._is_reported(period.span),
        )

    def _reached(self, period: Period, downtime: Micros) -> Micros | None:
        """The instant of the period by which it has had this much downtime; its end is the last one."""
        found = self.counted.reached(period.start, downtime)
        return found if found is not None and found <= period.end else None

    def _is_reported(self, span: Span) -> bool:
        index = bisect_left(self.reports, span.start)
        reported = index < len(self.reports) and self.reports[index] < span.end
        return reported or bool(self.all.within(span) or self.announced.within(span))


def compile_downtime(
    rule: AvailabilityRule,
    services: Iterable[ServiceFacts],
    who: Who = ALL,
    *,
    within: Sequence[Span] | None = None,
) -> Downtime:
    """The downtime of an object by a rule: of one service, or of the services of a contract.

    `within`: only outages in these spans are the object's, as those in which a contract is valid; None: all.
    """
    counted: list[Span] = []
    outages: list[Span] = []
    announced: list[Span] = []
    reports: list[Micros] = []
    for facts in services:
        parts = who.parts(facts)
        named = parts | {EVERY_RESOURCE}
        counted += _counted(rule, facts, parts)
        outages += (outage.span for outage in facts.outages if outage.resource in named)
        announced += (window.span for window in facts.windows if window.resource in named)
        reports += (at for at, resource in facts.reports if resource in named)
    both = Covered.of(counted), Covered.of(outages)
    if within is not None:
        valid = Covered.of(within)
        both = both[0].common(valid), both[1].common(valid)
    return Downtime(rule, *both, Covered.of(announced), tuple(sorted(reports)))


def _counted(rule: AvailabilityRule, facts: ServiceFacts, parts: frozenset[str]) -> list[Span]:
    """What counts of the outages of each resource: its own and the whole service's, less its own exclusions and the
    whole service's."""
    causes = [outage for outage in facts.outages if casefolded(outage.cause) not in rule.excluded_causes]
    exclusions = [
        (window.resource, window.span) for window in facts.windows if window.is_exempt(rule.maintenance)
    ]
    exclusions += [(each.resource, each.span) for each in facts.exclusions if each.is_for(rule.id)]
    excluded: dict[str, list[Span]] = {}
    for resource, span in exclusions:
        excluded.setdefault(resource, []).append(span)
    for_all = excluded.get(EVERY_RESOURCE, [])
    by_part: dict[str, list[Span]] = {part: [] for part in parts}
    general = [outage.span for outage in causes if outage.resource == EVERY_RESOURCE]
    for outage in causes:
        if outage.resource != EVERY_RESOURCE and outage.resource in by_part:
            by_part[outage.resource].append(outage.span)
    # Where the whole service is judged, its own outages need no second count with each resource.
    whole = EVERY_RESOURCE in parts
    found: list[Span] = []
    for part, own in by_part.items():
        down = own if whole and part != EVERY_RESOURCE else [*general, *own]
        if down:
            own_excluded = excluded.get(part, []) if part != EVERY_RESOURCE else []
            found += Covered.of(down).less(Covered.of([*for_all, *own_excluded])).spans
    return found


def uptime(
    rule: AvailabilityRule,
    services: Iterable[ServiceFacts],
    who: Who,
    period: Period,
    at: Micros,
    *,
    within: Sequence[Span] | None = None,
) -> Uptime:
    """The uptime of an object in a period at an instant. For many periods compile the downtime once."""
    return compile_downtime(rule, services, who, within=within).uptime(period, at)


def _state(*, breached: bool, over: bool) -> UptimeState:
    if breached:
        return UptimeState.BREACHED
    return UptimeState.KEPT if over else UptimeState.RUNNING


def _next(at: Micros, instants: Iterable[Micros | None]) -> Micros | None:
    return min((each for each in instants if each is not None and each > at), default=None)
