"""Events: the stored facts about a ticket, their vocabulary and their total order.

An event is immutable. A ticket's events are ordered by instant, creation first, the source's sequence (a number, or a
text, which comes after all numbers), a fixed rank by type, and the id as text. The order of arrival plays no part: any
order of arrival and any repetition give the same evaluation. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Final

from app.sla.span import Micros, micros


class EventType(StrEnum):
    """The event types of every source. An event of another type is stored and changes no clock."""

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
    CREDIT_REQUESTED = "credit.requested"
    CREDIT_GRANTED = "credit.granted"
    CREDIT_REFUSED = "credit.refused"


KNOWN_TYPES: Final = frozenset(t.value for t in EventType)
SETS_FIELDS: Final = frozenset({"ticket.created", "ticket.updated", "status.changed"})
"""Types whose data sets ticket fields."""

Value = object
"""A field's value as it was sent: text, a number, a list of texts (tags) or null."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `at` is when it happened, `received_at` when the service stored it (0: not stored yet).

    `sequence` orders the facts of one instant: numbers by value, and after them texts by their characters.
    `attributes` are the sender's further ones, as extensions of CloudEvents; no clock reads them.
    """

    id: str
    type: str
    subject: str
    at: Micros
    data: Mapping[str, Value] = field(default_factory=dict[str, Value])
    sequence: int | str = 0
    received_at: Micros = 0
    attributes: Mapping[str, Value] | None = None

    @property
    def human(self) -> bool:
        """Whether a person caused it: not marked automatic, not written by the system."""
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
        "credit.granted",
        "credit.refused",
    }
)
_RANK_OF_TYPE: Final = dict.fromkeys(_STARTS_OR_STOPS, 2) | {"ticket.merged": 4, "ticket.deleted": 4}
_RANK_OF_STATUS: Final = {"pending": 1, "on_hold": 1, "solved": 2, "closed": 3}
_AT: Final = attrgetter("at")

SequenceKey = tuple[int, int, str]
OrderKey = tuple[Micros, int, SequenceKey, int, str]
BEFORE_EVENTS: Final[SequenceKey] = (0, 0, "")
AFTER_EVENTS: Final[SequenceKey] = (3, 0, "")
"""What is no event stands before or after all events of its instant but the creation."""


def order_key(event: Event) -> OrderKey:
    """The total order of a ticket's events: (instant, creation first, sequence, rank, id)."""
    rank = _RANK_OF_TYPE.get(event.type, 0)
    if rank == 0 and (status := event.data.get("status")) and event.type in SETS_FIELDS:
        rank = _RANK_OF_STATUS.get(str(status), 0)
    return (
        event.at,
        0 if event.type == "ticket.created" else 1,
        _in_sequence(event.sequence),
        rank,
        event.id,
    )


def _in_sequence(sequence: int | str) -> SequenceKey:
    """The place of a sequence: numbers first, a text of digits among them, then texts."""
    if isinstance(sequence, int):
        return (1, sequence, "")
    digits = sequence.removeprefix("-")
    if digits.isascii() and digits.isdigit():
        return (1, int(sequence), "")
    return (2, 0, sequence)


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events in their total order, each once, without withdrawn events and second creations.

    A withdrawal cancels its event whenever it was received; a withdrawn withdrawal cancels nothing.
    """
    unique = {event.id: event for event in events}
    ordered = sorted(unique.values(), key=_AT)
    # Most logs have few equal instants: the whole key is computed only where two events share one.
    if len({event.at for event in ordered}) < len(ordered):
        ordered.sort(key=order_key)
    types = [event.type for event in ordered]
    if types.count("ticket.created") <= 1 and "event.withdrawn" not in types:
        return ordered
    withdrawn = _withdrawn(unique)
    creations = [event for event in ordered if event.type == "ticket.created" and event.id not in withdrawn]
    dropped = withdrawn.union(event.id for event in creations[1:])
    return [event for event in ordered if event.id not in dropped]


def _withdrawn(events: Mapping[str, Event]) -> frozenset[str]:
    """The ids of the events that a withdrawal in force names."""
    withdrawals: dict[str, list[str]] = {}
    for event in events.values():
        if event.type == "event.withdrawn":
            withdrawals.setdefault(str(event.data.get("id")), []).append(event.id)
    if not withdrawals:
        return frozenset()

    def stands(event_id: str, visited: frozenset[str]) -> bool:
        # In a cycle of withdrawals the event that is examined first counts as not withdrawn: the search ends there.
        if event_id in visited:
            return True
        return not any(stands(each, visited | {event_id}) for each in withdrawals.get(event_id, ()))

    return frozenset(target for target in withdrawals if not stands(target, frozenset()))


def withdrawals_of_unknown(events: Sequence[Event]) -> list[str]:
    """Sorted ids that withdrawals name and that the log does not contain. They become flags of the ticket."""
    named = {str(event.data.get("id")) for event in events if event.type == "event.withdrawn"}
    return sorted(named.difference(event.id for event in events)) if named else []


def status_instants(events: Iterable[Event]) -> frozenset[Micros]:
    """Instants at which the source itself reports a status. A message at such an instant changes no status."""
    return frozenset([event.at for event in events if event.type in SETS_FIELDS and event.data.get("status")])


def exclusion_span(event: Event) -> tuple[Micros, Micros] | None:
    """The span that an `exclusion.granted` excludes; none where it cannot be read."""
    try:
        start, end = (micros(datetime.fromisoformat(str(event.data[key]))) for key in ("from", "to"))
    except (KeyError, ValueError):
        return None
    return start, end
