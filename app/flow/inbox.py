"""What came in and could not be read, and what could not be judged; and trying it all again.

A delivery that was not understood, or in which a word is not mapped, is read again by the mapping that is in force by
then. An event of an unknown type is kept; when a newer version of the service knows the type, running again gives it
its effect, with everything that it would have told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.flow.assess import Assessor
from app.flow.wire import moment
from app.sla.span import Micros
from app.store import hooks, inspection, ledger, schedule
from app.store.database import EVERY_DESK, Connection
from app.store.hooks import StoredHook
from app.store.inspection import TicketKey, UnreadEvent
from app.store.schedule import Parked

LISTED: Final = 100
"""Deliveries and unread events that are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits for somebody.

    `deliveries` are the latest that were kept unread or have warnings, `delivery_counts` has them all by (desk, system,
    state). `counts` has every event of an unknown type by (desk, type), `events` the latest of them.
    """

    deliveries: Sequence[StoredHook]
    delivery_counts: Mapping[tuple[str, str, str], int]
    counts: Mapping[tuple[str, str], int]
    events: Sequence[UnreadEvent]
    parked: Sequence[Parked]

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not (self.delivery_counts or self.counts or self.parked)


def inbox(conn: Connection, desk: str = EVERY_DESK) -> Inbox:
    """What could not be read or judged so far, of a desk or of all."""

    def wanted(name: str) -> bool:
        return desk in (EVERY_DESK, name)

    return Inbox(
        hooks.inbox(conn, LISTED, desk),
        hooks.inbox_counts(conn, desk),
        {key: count for key, count in ledger.unknown_types(conn).items() if wanted(key[0])},
        [event for event in inspection.unread_events(conn, LISTED) if wanted(event.desk)],
        [row for row in schedule.all_parked(conn) if wanted(row.desk)],
    )


def to_run_again(conn: Connection, desk: str = EVERY_DESK) -> list[TicketKey]:
    """The tickets that running again concerns."""
    parked = [(row.desk, row.ticket) for row in schedule.all_parked(conn)]
    found = dict.fromkeys([*parked, *inspection.tickets_with_unread_events(conn)])
    return [key for key in found if desk in (EVERY_DESK, key[0])]


def run_again(conn: Connection, now: Micros, assessor: Assessor, tickets: Sequence[TicketKey]) -> int:
    """Judge these tickets anew. Returns how many of them still cannot be judged."""
    inspection.learn_types(conn)
    touched: dict[str, list[str]] = {}
    for desk, ticket in tickets:
        touched.setdefault(desk, []).append(ticket)
    return len(assessor.assess(conn, now, touched).failed)


def inbox_json(found: Inbox) -> dict[str, Any]:
    """The inbox as it looks outside."""
    return {
        "deliveries": [delivery_json(hook) for hook in found.deliveries],
        "waiting": [
            {"desk": desk, "system": system, "state": state, "deliveries": count}
            for (desk, system, state), count in sorted(found.delivery_counts.items())
        ],
        "unknown": [
            {"desk": desk, "type": kind, "events": count}
            for (desk, kind), count in sorted(found.counts.items())
        ],
        "events": [
            {
                "desk": event.desk,
                "id": event.id,
                "type": event.type,
                "subject": event.subject,
                "ticket": event.ticket,
                "time": moment(event.at),
                "received_at": moment(event.received_at),
            }
            for event in found.events
        ],
        "parked": [
            {
                "desk": row.desk,
                "ticket": row.ticket,
                "error": row.error,
                "times": row.times,
                "first_at": moment(row.first_at),
                "last_at": moment(row.last_at),
                "retry_at": moment(row.retry_at),
            }
            for row in found.parked
        ],
    }


def delivery_json(hook: StoredHook) -> dict[str, Any]:
    """A delivery without its body."""
    return {
        "id": hook.id,
        "desk": hook.desk,
        "system": hook.system,
        "state": hook.state.value,
        "reason": hook.reason,
        "warnings": list(hook.warnings),
        "received_at": moment(hook.received_at),
        "interpreted_at": moment(hook.interpreted_at),
        "bytes": len(hook.body),
    }


def whole_delivery_json(hook: StoredHook) -> dict[str, Any]:
    """A delivery with the headers that were kept and its body; bytes that are no UTF-8 are shown as marks."""
    return delivery_json(hook) | {
        "headers": dict(hook.headers),
        "body": hook.body.decode("utf-8", errors="replace"),
    }
