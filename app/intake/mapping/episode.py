"""Episodes of what a monitor watches: from the first firing to the next resolution, one ticket or outage each.

A monitor names the thing that fires, and no ticket. Each report is a mark on the thing's timeline: it fired, or it was
over. Marks stand in one order, never that of arrival, and a firing while an episode is open continues it: a monitor that
restarts dates its alert anew. A mark's events depend on the episode that it begins or ends, so
`app.flow.inbound.episode_chain` derives them again when an earlier mark arrives late. Announcements of planned work are
marks of a series of their own, of which each that differs from the one before it is an event. Instants are microseconds
UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.intake.mapping.events import digest, happened, without_absent
from app.intake.mapping.rule import Change, rule_events
from app.intake.mapping.source import Source
from app.intake.mapping.value import table, text
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

_ANNOUNCED: Final = "announced"

FIRING: Final = "firing"
RESOLVED: Final = "resolved"

_MILLISECOND: Final[Micros] = 1000
_ENDS_EARLIER: Final = "0"
_FIRES: Final = "1"
_ENDS_AT_ONCE: Final = "2"
"""The order of marks of one instant. An end comes before a firing, which then begins the next episode; but an end that
is dated like its own beginning comes after it, or it would end nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A thing fired, or was over, or work on it was announced, at an instant.

    `series` identifies the thing in all its episodes. `state` of a firing: `ticket` (the desk's ticket that it names, if
    any), `ticketless` (none is opened), `fields` (of the ticket that it opens), `outage` (the data of the service's
    outage that it is), `looked_at` (values of the fields that rules test); of an end: `status` (of the ticket then); of
    an announcement: `announced` (the data of its event).
    """

    system: str
    series: str
    at: Micros
    state: Mapping[str, Value] = field(compare=False)
    digest: str

    @classmethod
    def firing(
        cls,
        system: str,
        series: str,
        at: Micros,
        fields: Mapping[str, Value],
        *,
        ticket: str | None = None,
        opens_ticket: bool = True,
        outage: Mapping[str, Value] | None = None,
        looked_at: Mapping[str, list[str]] | None = None,
    ) -> "Mark":
        """The mark of a firing. `outage` has the `service` that is down, and perhaps a `resource` and a `cause`."""
        known: dict[str, Value | None] = {
            "fields": dict(fields),
            "ticket": ticket,
            "ticketless": None if opens_ticket or ticket else True,
            "outage": None if outage is None else dict(outage),
            "looked_at": looked_at,
        }
        return cls._of(system, series, at, _FIRES, without_absent(known))

    @classmethod
    def announcement(cls, system: str, series: str, at: Micros, data: Mapping[str, Value]) -> "Mark":
        """The mark of planned work as it was announced at this instant: its `service`, `from`, `to`, `reference`."""
        return cls._of(system, series, at, _FIRES, {_ANNOUNCED: dict(data)})

    @classmethod
    def end(cls, system: str, series: str, began_at: Micros, ended_at: Micros, status: str | None) -> "Mark":
        """The mark of an end. One that is dated before its beginning counts as an end at the beginning."""
        kind = _ENDS_EARLIER if began_at < ended_at else _ENDS_AT_ONCE
        return cls._of(system, series, max(began_at, ended_at), kind, without_absent({"status": status}))

    @classmethod
    def _of(cls, system: str, series: str, at: Micros, kind: str, state: Mapping[str, Value]) -> "Mark":
        return cls(system, series, at, state, f"{kind}-{digest([series, state])}")

    @property
    def fires(self) -> bool:
        """Whether it is a firing."""
        return self.digest.startswith(_FIRES)

    @property
    def place(self) -> tuple[Micros, str]:
        """Its sort key among the marks of its series."""
        return (self.at, self.digest)

    @property
    def key(self) -> str:
        """The id of the episode that begins with it."""
        return f"{self.series}-{self.at // _MILLISECOND}"

    @property
    def ticket(self) -> str | None:
        """The ticket of the episode that begins with it: the one that it names, else one of its own, if it opens any."""
        if self.state.get("ticketless"):
            return None
        return text(self.state.get("ticket")) or self.key

    @property
    def announced(self) -> Mapping[str, Value] | None:
        """What it announces; None for a firing and an end."""
        return None if _ANNOUNCED not in self.state else table(self.state[_ANNOUNCED])


def is_mark(stored_digest: str) -> bool:
    """Whether this digest is a mark's, and not a snapshot's."""
    return stored_digest[1:2] == "-"


def ends_episode(stored_digest: str) -> bool:
    """Whether the mark of this digest ends an episode."""
    return not stored_digest.startswith(_FIRES)


def episode_events(marks: Sequence[Mark], source: Source) -> Iterator[tuple[Mark, tuple[Event, ...]]]:
    """What each of these marks of a series reports, in their order; no episode is open before the first."""
    head: Mark | None = None
    latest: Mapping[str, Value] | None = None
    for mark in sorted(marks, key=lambda each: each.place):
        if mark.announced is not None:
            yield mark, () if mark.announced == latest else (_announcement(mark, mark.announced),)
            latest = mark.announced
        elif mark.fires:
            yield mark, () if head is not None else tuple(_begun(mark, source))
            head = head or mark
        else:
            yield mark, () if head is None else tuple(_ended(head, mark, source))
            head = None


def _begun(head: Mark, source: Source) -> Iterable[Event]:
    if (ticket := head.ticket) is not None:
        if ticket == head.key:
            yield _created(head, ticket)
        yield _fact(head, head, ticket, EventType.ANOMALY_DETECTED)
        yield from _seen_by_rules(head, head, ticket, source)
    yield from _outage(head, head, EventType.OUTAGE_STARTED)


def _ended(head: Mark, end: Mark, source: Source) -> Iterable[Event]:
    if (ticket := head.ticket) is not None:
        yield _fact(head, end, ticket, EventType.SERVICE_RESTORED)
        yield from _seen_by_rules(head, end, ticket, source)
        # A ticket of the desk is the desk's to solve; one that only the alert opened is over with it.
        if ticket == head.key and (status := end.state.get("status")) is not None:
            yield _happened(head, end, ticket, EventType.STATUS_CHANGED, {"status": status})
    yield from _outage(head, end, EventType.OUTAGE_ENDED)


def _created(head: Mark, ticket: str) -> Event:
    data = table(head.state.get("fields"))
    # Of several contents under one instant the log may see several creations: each content has its own id.
    key = f"{EventType.TICKET_CREATED}:{digest(data)}"
    return happened(head.system, ticket, EventType.TICKET_CREATED, head.at, key, data)


def _happened(head: Mark, mark: Mark, subject: str, kind: EventType, data: Mapping[str, Value]) -> Event:
    return happened(head.system, subject, kind, mark.at, f"{head.key}:{mark.at}:{kind}", data)


def _fact(head: Mark, mark: Mark, ticket: str, kind: EventType) -> Event:
    return _happened(head, mark, ticket, kind, {"author": "system", "reference": head.key})


def _outage(head: Mark, mark: Mark, kind: EventType) -> tuple[Event, ...]:
    """The start or end of the service's outage, if the alert is one. The episode is its reference."""
    data = table(head.state.get("outage"))
    service = text(data.get("service"))
    if service is None:
        return ()
    # The latest fact of an outage states its cause. An end states none, so that a person's correction stands.
    cause = data.get("cause") if kind is EventType.OUTAGE_STARTED else None
    about = without_absent({**data, "cause": cause, "reference": head.key, "ticket": head.ticket})
    return (_happened(head, mark, f"service:{service}", kind, about),)


def _announcement(mark: Mark, data: Mapping[str, Value]) -> Event:
    kind = EventType.MAINTENANCE_ANNOUNCED
    subject = f"service:{data.get('service')}"
    return happened(mark.system, subject, kind, mark.at, f"{mark.series}:{mark.at}:{digest(data)}", data)


def _seen_by_rules(head: Mark, mark: Mark, ticket: str, source: Source) -> tuple[Event, ...]:
    fields = table(mark.state.get("looked_at"))
    change = Change(status=FIRING if mark.fires else RESOLVED, fields=fields)
    return rule_events(head.system, ticket, mark.at, f"{head.key}:{mark.at}", source.rules, change)
