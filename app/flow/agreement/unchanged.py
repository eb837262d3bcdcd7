"""Unchanged clocks: the stored ones of tickets that nothing has changed since their last evaluation.

An evaluation holds until the ticket's `next_at`. So the stored clocks of a ticket that is evaluated, not parked and not
due by an instant are those that another evaluation by the same versions would give at that instant, and reading them is
cheaper by far. Only an allowance gives other clocks than the evaluation does. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from app.flow.query.merge_graph import MergeGraph
from app.sla.agreement.agreement import Kind
from app.sla.clock.transition import State
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import clocks, schedule
from app.store.tickets.clocks import StoredClock


class UnchangedClock(NamedTuple):
    """What a preview compares of a clock."""

    kind: Kind
    state: State
    due_at: Micros | None
    breached_at: Micros | None


UnchangedClocks = Mapping[tuple[str, int], UnchangedClock]
"""By commitment and number of the cycle, from 1 on in the order of opening."""


def unchanged(
    conn: Connection, graph: MergeGraph, tickets: Sequence[str], now: Micros, at: Micros
) -> dict[str, UnchangedClocks]:
    """The clocks at an instant of those of these tickets whose stored ones hold then, as was known `now`."""
    subjects = {Subject.parse(ticket): ticket for ticket in tickets if _holds(graph, ticket, now, at)}
    for subject in schedule.parked(conn, graph.desk, subjects):
        del subjects[subject]
    stored = clocks.clocks(conn, graph.desk, subjects)
    return {
        ticket: dict(_numbered(stored[subject].values())) if subject in stored else {}
        for subject, ticket in subjects.items()
    }


def _holds(graph: MergeGraph, ticket: str, now: Micros, at: Micros) -> bool:
    row = graph.rows.get(ticket)
    if row is None or not row.is_reported or row.evaluated_at > now:
        return False
    return row.next_at is None or row.next_at > at


def _numbered(stored: Iterable[StoredClock]) -> Iterator[tuple[tuple[str, int], UnchangedClock]]:
    numbers: dict[str, int] = {}
    for each in sorted(stored, key=lambda clock: clock.cycle):
        number = numbers[each.commitment] = numbers.get(each.commitment, 0) + 1
        clock = UnchangedClock(Kind(each.kind), State(each.state), each.due_at, each.breached_at)
        yield (each.commitment, number), clock
