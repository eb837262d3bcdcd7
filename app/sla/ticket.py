"""What happened to a ticket, and what the ticket is because of it.

An `Event` is a stored fact and is never changed. `Ticket` is the fold of a ticket's events in their one total order:
time, creation first, the source's sequence, a fixed rank by type, the id as text. Arrival plays no part, so any order
of arrival and any repetition fold to the same ticket. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.sla.fields import TICKET_FIELDS
from app.sla.span import Micros


class EventType(StrEnum):
    """The vocabulary, whatever the source calls it. An event of another type is kept and moves nothing."""

    TICKET_CREATED = "ticket.created"
    TICKET_UPDATED = "ticket.updated"
    CUSTOMER_REPLIED = "customer.replied"
    AGENT_REPLIED = "agent.replied"
    NOTE_ADDED = "note.added"
    STATUS_CHANGED = "status.changed"
    CALL_REGISTERED = "call.registered"
    REQUEST_READ = "request.read"
    ANOMALY_DETECTED = "anomaly.detected"
    INTERVENTION_STARTED = "intervention.started"
    PROGRESS_REPORTED = "progress.reported"
    PART_REPLACED = "part.replaced"
    SERVICE_RESTORED = "service.restored"
    CLAIM_FILED = "claim.filed"
    CLAIM_ANSWERED = "claim.answered"
    TICKET_MERGED = "ticket.merged"
    TICKET_DELETED = "ticket.deleted"
    EXCLUSION_GRANTED = "exclusion.granted"
    EVENT_WITHDRAWN = "event.withdrawn"
    CALL_OFFERED = "call.offered"
    CALL_ANSWERED = "call.answered"
    OUTAGE_STARTED = "outage.started"
    OUTAGE_ENDED = "outage.ended"
    OUTAGE_VERIFIED = "outage.verified"
    MAINTENANCE_ANNOUNCED = "maintenance.announced"


KNOWN_TYPES: Final = frozenset(t.value for t in EventType)


class Status(StrEnum):
    """Where a ticket stands. `solved` and `closed` are shut; leaving them is a reopen."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    SOLVED = "solved"
    CLOSED = "closed"


STATUSES: Final = frozenset(s.value for s in Status)
SHUT: Final = frozenset({"solved", "closed"})

_FIELD_SET: Final = frozenset(TICKET_FIELDS)

Value = object
"""A field's value as it was sent: text, a number, a list of texts (tags) or null."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `at` is when it happened, `received_at` when the service durably had it (0: not yet)."""

    id: str
    type: str
    subject: str
    at: Micros
    data: Mapping[str, Value] = field(default_factory=dict[str, Value])
    sequence: int = 0
    received_at: Micros = 0

    @property
    def human(self) -> bool:
        """Whether a person is behind it: not marked automatic, not written by the system."""
        return not self.data.get("automatic") and self.data.get("author") != "system"


_STARTS_OR_STOPS: Final = frozenset(
    {
        "customer.replied",
        "agent.replied",
        "call.registered",
        "request.read",
        "anomaly.detected",
        "intervention.started",
        "progress.reported",
        "part.replaced",
        "service.restored",
        "claim.filed",
        "claim.answered",
        "outage.started",
        "outage.ended",
        "outage.verified",
        "call.offered",
        "call.answered",
    }
)
_RANK_OF_TYPE: Final = dict.fromkeys(_STARTS_OR_STOPS, 2) | {"ticket.merged": 4, "ticket.deleted": 4}
_RANK_OF_STATUS: Final = {"pending": 1, "on_hold": 1, "solved": 2, "closed": 3}

OrderKey = tuple[Micros, int, int, int, str]


def order_key(event: Event) -> OrderKey:
    """The one total order of a ticket's events: (time, creation first, sequence, rank, id)."""
    rank = _RANK_OF_TYPE.get(event.type, 0)
    if rank == 0 and (status := event.data.get("status")) and event.type in _SETS_FIELDS:
        rank = _RANK_OF_STATUS.get(str(status), 0)
    return (event.at, 0 if event.type == "ticket.created" else 1, event.sequence, rank, event.id)


_SETS_FIELDS: Final = frozenset({"ticket.created", "ticket.updated", "status.changed"})


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events once each, withdrawn ones and second creations left out, in their total order.

    A withdrawal takes its event back whenever it was received; a withdrawn withdrawal takes nothing back.
    """
    unique = {event.id: event for event in events}
    gone = _withdrawn(unique)
    ordered = sorted(unique.values(), key=order_key)
    creations = sum(event.type == "ticket.created" for event in ordered)
    if not gone and creations <= 1:
        return ordered
    kept: list[Event] = []
    created = False
    for event in ordered:
        if event.id in gone or (created and event.type == "ticket.created"):
            continue
        created = created or event.type == "ticket.created"
        kept.append(event)
    return kept


def _withdrawn(events: Mapping[str, Event]) -> frozenset[str]:
    takers: dict[str, list[str]] = {}
    for event in events.values():
        if event.type == "event.withdrawn":
            takers.setdefault(str(event.data.get("id")), []).append(event.id)
    if not takers:
        return frozenset()

    def stands(event_id: str, asked: frozenset[str]) -> bool:
        # Two withdrawals that name each other: the one asked first finds the other standing and falls.
        if event_id in asked:
            return True
        return not any(stands(taker, asked | {event_id}) for taker in takers.get(event_id, ()))

    return frozenset(target for target in takers if not stands(target, frozenset()))


def withdrawals_of_unknown(events: Iterable[Event]) -> list[str]:
    """Ids that withdrawals name and that the log does not hold, sorted: shown as a flag, never swallowed."""
    events = list(events)
    named = {str(e.data.get("id")) for e in events if e.type == "event.withdrawn"}
    return sorted(named.difference(event.id for event in events)) if named else []


@dataclass(slots=True)
class Ticket:
    """A ticket as its events so far make it. Mutable only while it is being folded.

    `fields` holds what was last said of each field; `status` is `new` until something else is said.
    """

    fields: dict[str, Value] = field(default_factory=dict[str, Value])
    status: str = "new"
    previous_status: str = "new"
    created_at: Micros | None = None
    ended_by: Event | None = None
    """The merge or deletion that ended it, if any."""

    def apply(self, event: Event, *, reply_reopens_pending: bool = True) -> None:
        """Take one event in. Events must come in their total order.

        `reply_reopens_pending` is false where the agreement says that a customer's message leaves `pending` alone, or
        where the source itself named a status at the same instant.
        """
        self.previous_status = self.status
        kind = event.type
        if kind in _SETS_FIELDS:
            self._set_fields(event)
        elif (
            kind == "customer.replied" and reply_reopens_pending and self.status == "pending" and event.human
        ):
            self.status = "open"
        elif kind in ("ticket.merged", "ticket.deleted") and self.ended_by is None:
            self.ended_by = event

    def _set_fields(self, event: Event) -> None:
        for name, value in event.data.items():
            if name in _FIELD_SET:
                self.fields[name] = value
        if event.type == "ticket.created":
            self.created_at = event.at
            self.fields["author"] = event.data.get("author") or "customer"
        if status := event.data.get("status"):
            self.status = str(status)

    @property
    def reopened(self) -> bool:
        """Whether the last event led from solved or closed back to work; nothing else is a reopen."""
        return self.previous_status in SHUT and self.status not in SHUT and self.status != "on_hold"


def status_instants(events: Iterable[Event]) -> frozenset[Micros]:
    """Instants at which the source itself names a status: there, a message changes none."""
    return frozenset(e.at for e in events if e.type in _SETS_FIELDS and e.data.get("status"))
