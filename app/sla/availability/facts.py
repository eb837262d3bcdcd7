"""The facts of one service: its outages, announced maintenance and exclusions, read from its events.

Any order and repetition of the events gives the same facts; withdrawn events are as if they had never been. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from app.sla.availability.exclusion import Exclusion, Window, read_exclusions, read_windows
from app.sla.availability.outage import EVERY_RESOURCE, Outage, read_outages, text_of
from app.sla.event import Event, EventType, in_order, withdrawals_of_unknown
from app.sla.fields import casefolded
from app.sla.span import Micros, Span

WITHDRAWAL_OF_UNKNOWN: Final = "withdrawal_of_unknown"

_REPORTS: Final = frozenset(
    {
        EventType.OUTAGE_STARTED,
        EventType.OUTAGE_ENDED,
        EventType.OUTAGE_VERIFIED,
        EventType.MAINTENANCE_ANNOUNCED,
        EventType.EXCLUSION_GRANTED,
    }
)


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

    def within(self, span: Span) -> "ServiceFacts":
        """Those that touch a span. Resources and flags stay."""
        return replace(
            self,
            outages=tuple(o for o in self.outages if o.start < span.end and o.lasts_after(span.start)),
            windows=tuple(each for each in self.windows if _touch(each.span, span)),
            exclusions=tuple(each for each in self.exclusions if _touch(each.span, span)),
            reports=tuple(each for each in self.reports if each[0] in span),
        )


def read_facts(service: str, events: Iterable[Event]) -> ServiceFacts:
    """The facts that a service's events state."""
    log = list(events)
    ordered = in_order(log)
    outages, faulty_outages = read_outages(ordered)
    windows, faulty_windows = read_windows(ordered)
    exclusions, faulty_exclusions = read_exclusions(ordered)
    reports = [event for event in ordered if event.type in _REPORTS]
    unknown = [f"{WITHDRAWAL_OF_UNKNOWN}:{event_id}" for event_id in withdrawals_of_unknown(log)]
    return ServiceFacts(
        service=service,
        outages=tuple(outages),
        windows=tuple(windows),
        exclusions=tuple(exclusions),
        resources=_resources(reports),
        reports=tuple((event.at, casefolded(event.data.get("resource"))) for event in reports),
        flags=(*unknown, *faulty_outages, *faulty_windows, *faulty_exclusions),
    )


def _resources(reports: Iterable[Event]) -> dict[str, str]:
    found: dict[str, str] = {}
    for event in reports:
        if (named := text_of(event, "resource")) is not None:
            found.setdefault(casefolded(named), named)
    found.pop(EVERY_RESOURCE, None)
    return found


def _touch(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
