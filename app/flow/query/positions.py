"""At which position does a ticket wait right now, and when can it expect a reply?

The lines of the queues are kept in memory, so that a push need not count a table. They are built from the stored
stints when first needed and follow every change: this process's own as they are made, another's by what the stream says
has moved. The rule it guards: a line says what is durable; after a transaction that did not become so all lines are
built anew. Only the thread that writes uses them.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from app.flow.query.answer import QueueAnswer
from app.sla.agreement.agreement import QueueRules
from app.sla.calendar.compiled import NeverOpen, UncoveredYear
from app.sla.queue.forecast import Pace, pace, start_of_last_days
from app.sla.queue.position import Key, QueueOrder
from app.sla.queue.waiting import WaitInterval, moves
from app.sla.span import MINUTE, Micros
from app.store.engine.database import Connection
from app.store.tickets import ledger, queues, signals

_PACE_LASTS: Final = MINUTE
"""A queue's pace is the mean of days: asking once a minute is often enough."""


_MANY_MOVES: Final = 1000
"""Signals of others beyond which building the lines anew is quicker than following."""


class QueuePositions:
    """The lines of all queues, and how fast each is served."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], QueueOrder] = {}
        self._waits: dict[tuple[str, str], tuple[str, Key]] = {}
        """Where each ticket, (desk, ticket), of a line that is held waits: (queue, key)."""
        self._paces: dict[tuple[str, str], tuple[Micros, Pace]] = {}
        self._upto = -1

    def forget(self) -> None:
        """Build every line anew when it is needed next."""
        self._lines.clear()
        self._waits.clear()

    def follow(self, conn: Connection, last: int) -> None:
        """Take in what others have changed up to this place in the stream."""
        if last - self._upto > _MANY_MOVES:
            self.forget()
        elif last > self._upto and self._lines:
            for desk, tickets in signals.moved(conn, self._upto).items():
                stored = queues.wait_intervals(conn, desk, tickets)
                for ticket in tickets:
                    self._put(conn, desk, ticket, stored.get(ticket, ()))
        self._upto = last

    def followed(self, recorded: Sequence[int]) -> None:
        """These places in the stream are this process's own, and its lines know what they tell."""
        if recorded and recorded[0] == self._upto + 1:
            self._upto = recorded[-1]

    def line(self, conn: Connection, desk: str, queue: str) -> QueueOrder:
        """The line of a queue as it is stored, with what this transaction has changed so far."""
        held = self._lines.get((desk, queue))
        if held is None:
            keys = queues.line(conn, desk, queue)
            held = self._lines[desk, queue] = QueueOrder(keys)
            self._waits.update(((desk, key[-1]), (queue, key)) for key in keys)
        return held

    def change(
        self, conn: Connection, desk: str, ticket: str, wait_intervals: Sequence[WaitInterval]
    ) -> None:
        """Let a ticket wait where the last of its stints says, and nowhere else."""
        last = wait_intervals[-1] if wait_intervals and wait_intervals[-1].to_at is None else None
        if last is not None:
            self.line(conn, desk, last.queue)
        self._put(conn, desk, ticket, wait_intervals)

    def _put(self, conn: Connection, desk: str, ticket: str, wait_intervals: Sequence[WaitInterval]) -> None:
        """`change` in the lines that are held; the others will be read as they are stored."""
        waited = self._waits.pop((desk, ticket), None)
        if waited is not None:
            self.line(conn, desk, waited[0]).discard(waited[1])
        last = wait_intervals[-1] if wait_intervals and wait_intervals[-1].to_at is None else None
        if last is not None and (desk, last.queue) in self._lines:
            self._lines[desk, last.queue].add(last.key)
            self._waits[desk, ticket] = (last.queue, last.key)

    def place(
        self,
        conn: Connection,
        desk: str,
        wait_intervals: Iterable[WaitInterval],
        rules: QueueRules,
        now: Micros,
    ) -> QueueAnswer | None:
        """Where a ticket with these stints waits; none when it does not."""
        wait_intervals = tuple(wait_intervals)
        if not wait_intervals or wait_intervals[-1].to_at is not None:
            return None
        last = wait_intervals[-1]
        line = self.line(conn, desk, last.queue)
        position = line.position(last.key)
        reply_at, reason = self.pace(conn, desk, last.queue, rules, now).reply_at(position, now)
        return QueueAnswer(
            last.queue, position, line.length, last.joined_at, tuple(moves(wait_intervals)), reply_at, reason
        )

    def pace(self, conn: Connection, desk: str, queue: str, rules: QueueRules, now: Micros) -> Pace:
        """How fast the queue is served."""
        held = self._paces.get((desk, queue))
        if held is not None and held[0] <= now < held[0] + _PACE_LASTS:
            return held[1]
        found = pace_of(conn, desk, queue, rules, now)
        self._paces[desk, queue] = (now, found)
        return found


def pace_of(conn: Connection, desk: str, queue: str, rules: QueueRules, now: Micros) -> Pace:
    """The pace of a queue, from the desk's human replies of its last working days."""
    return pace(replies_of(conn, desk, queue, rules, now), rules, rules.calendar, now)


def replies_of(conn: Connection, desk: str, queue: str, rules: QueueRules, now: Micros) -> list[Micros]:
    """The instants of those replies; none where the calendar cannot tell the days."""
    if rules.calendar is None:
        return []
    try:
        since = start_of_last_days(rules.calendar, rules.forecast_days, now)
    except (UncoveredYear, NeverOpen):
        return []
    return [] if since is None else ledger.human_replies(conn, desk, queue, since, now)
