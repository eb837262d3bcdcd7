"""What came in and could not be read, and what could not be judged; and trying both again.

An event of an unknown type is kept. When a newer version of the service knows the type, running again gives it its
effect, with everything that it would have told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.flow.assess import Assessor
from app.sla.span import Micros
from app.store import inspection, ledger, schedule
from app.store.database import Connection
from app.store.inspection import TicketKey, UnreadEvent
from app.store.schedule import Parked

LISTED: Final = 100
"""Unread events that are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits for somebody. `counts` has every unread event by (desk, type), `events` the latest of them."""

    counts: Mapping[tuple[str, str], int]
    events: Sequence[UnreadEvent]
    parked: Sequence[Parked]


def inbox(conn: Connection) -> Inbox:
    """What could not be read or judged so far."""
    return Inbox(
        ledger.unknown_types(conn), inspection.unread_events(conn, LISTED), schedule.all_parked(conn)
    )


def to_run_again(conn: Connection) -> list[TicketKey]:
    """The tickets that running again concerns."""
    parked = [(row.desk, row.ticket) for row in schedule.all_parked(conn)]
    return list(dict.fromkeys([*parked, *inspection.tickets_with_unread_events(conn)]))


def run_again(conn: Connection, now: Micros, assessor: Assessor, tickets: Sequence[TicketKey]) -> int:
    """Judge these tickets anew. Returns how many of them still cannot be judged."""
    inspection.learn_types(conn)
    touched: dict[str, list[str]] = {}
    for desk, ticket in tickets:
        touched.setdefault(desk, []).append(ticket)
    return len(assessor.assess(conn, now, touched).failed)
