"""The facts of one service: its outages, announced maintenance and exclusions, read from its events.

Any order and repetition of the events gives the same facts; withdrawn events are as if they had never been. Instants are
microseconds UTC.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from app.sla.availability.exclusion import Exclusion, Window, read_exclusions, read_windows
from app.sla.availability.outage import EVERY_RESOURCE, Outage, read_outages, text_of
from app.sla.event import Event, EventType, in_order, withdrawals_of_unknown
from app.sla.fields import casefolded
from app.sla.span import Micros, Span

_Item = TypeVar("_Item")

WITHDRAWAL_OF_UNKNOWN: Final = "withdrawal_of_unknown"

REPORTS: Final = frozenset(
    {
        EventType.OUTAGE_STARTED,
        EventType.OUTAGE_ENDED,
        EventType.OUTAGE_VERIFIED,
        EventType.MAINTENANCE_ANNOUNCED,
        EventType.EXCLUSION_GRANTED,
    }
)
"""The types of the facts of a service."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What is known of one service. Resources are casefolded."""

    service: str
    outages: tuple[Outage, ...] = ()
    windows: tuple[Window, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    resources: Mapping[str, str] = field(default_factory=dict[str, str])
    """Every resource that was ever named, and how it was first written."""
    reports: tuple[tuple[Micros, str], ...] = ()
    """The instant and the resource of each fact, in order."""
    flags: tuple[str, ...] = ()
    flagged_at: tuple[Micros, ...] = ()
    """The instant of each flag's fact."""

    def within(self, span: Span) -> "ServiceFacts":
        """Those that touch a span, and the flags of facts in it. Resources stay."""
        flagged = [n for n, at in enumerate(self.flagged_at) if at in span]
        return replace(
            self,
            outages=tuple(o for o in self.outages if o.start < span.end and o.lasts_after(span.start)),
            windows=tuple(each for each in self.windows if _touch(each.span, span)),
            exclusions=tuple(each for each in self.exclusions if _touch(each.span, span)),
            reports=tuple(each for each in self.reports if each[0] in span),
            flags=tuple(self.flags[n] for n in flagged),
            flagged_at=tuple(self.flagged_at[n] for n in flagged),
        )

    def by_resource(self) -> "FactsByResource":
        """The same, found by resource."""
        return FactsByResource(self)


class FactsByResource:
    """The facts of one service, found by resource in one step: a service may have thousands."""

    def __init__(self, facts: ServiceFacts) -> None:
        self._facts = facts
        self._outages = _grouped(facts.outages, lambda each: each.resource)
        self._windows = _grouped(facts.windows, lambda each: each.resource)
        self._exclusions = _grouped(facts.exclusions, lambda each: each.resource)
        self._reports = _grouped(facts.reports, lambda each: each[1])
        self.named = frozenset({*self._outages, *self._windows, *self._exclusions})
        """The resources that a fact names, and "" where one names none."""

    def of(self, *resources: str) -> ServiceFacts:
        """What concerns these resources: their own facts, and those of the whole service."""
        keys = dict.fromkeys((EVERY_RESOURCE, *resources))
        return replace(
            self._facts,
            outages=tuple(each for key in keys for each in self._outages.get(key, ())),
            windows=tuple(each for key in keys for each in self._windows.get(key, ())),
            exclusions=tuple(each for key in keys for each in self._exclusions.get(key, ())),
            reports=tuple(each for key in keys for each in self._reports.get(key, ())),
        )


def _grouped(items: Iterable[_Item], key: Callable[[_Item], str]) -> dict[str, list[_Item]]:
    found: dict[str, list[_Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def read_facts(service: str, events: Iterable[Event]) -> ServiceFacts:
    """The facts that a service's events state."""
    log = list(events)
    ordered = in_order(log)
    outages, faulty_outages = read_outages(ordered)
    windows, faulty_windows = read_windows(ordered)
    exclusions, faulty_exclusions = read_exclusions(ordered)
    reports = [event for event in ordered if event.type in REPORTS]
    unknown = [f"{WITHDRAWAL_OF_UNKNOWN}:{event_id}" for event_id in withdrawals_of_unknown(log)]
    flags = (*unknown, *faulty_outages, *faulty_windows, *faulty_exclusions)
    return ServiceFacts(
        service=service,
        outages=tuple(outages),
        windows=tuple(windows),
        exclusions=tuple(exclusions),
        resources=_resources(reports),
        reports=tuple((event.at, casefolded(event.data.get("resource"))) for event in reports),
        flags=flags,
        flagged_at=_instants(flags, log) if flags else (),
    )


def _instants(flags: Iterable[str], log: Sequence[Event]) -> tuple[Micros, ...]:
    """The instant of each flag's fact, which the flag ends with; of an unknown fact that of its withdrawal."""
    known: dict[str, Micros] = {}
    for event in log:
        if event.type == EventType.EVENT_WITHDRAWN:
            known.setdefault(str(event.data.get("id")), event.at)
    known |= {event.id: event.at for event in log}
    return tuple(known[flag.partition(":")[2]] for flag in flags)


def _resources(reports: Iterable[Event]) -> dict[str, str]:
    found: dict[str, str] = {}
    for event in reports:
        if (named := text_of(event, "resource")) is not None:
            found.setdefault(casefolded(named), named)
    found.pop(EVERY_RESOURCE, None)
    return found


def _touch(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
