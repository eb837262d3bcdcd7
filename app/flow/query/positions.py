"""Queue positions: at which position a ticket waits now, and when a reply can be expected.

The orders of the queues are kept in memory, so that a push need not count a table. Each is built from the stored wait
intervals when first needed and follows every change: this process's own as they are made, another's by the signals of
the stream. An order equals what is durable: after a transaction that was rolled back all are built anew. Only the thread
that writes uses them.
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

_PACE_LIFETIME: Final = MINUTE
"""How long a queue's pace is cached: it is the mean of days."""

_MANY_MOVES: Final = 1000
"""Signals of other processes beyond which building the orders anew is faster than following."""


class QueuePositions:
    """The orders of all queues, and how fast each is served."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str, str], QueueOrder] = {}
        self._waits: dict[tuple[str, str], tuple[str, Key]] = {}
        """Where each ticket, (desk, ticket), of an order that is kept waits: (queue, key)."""
        self._paces: dict[tuple[str, str], tuple[Micros, Pace]] = {}
        self._last = self._last_of_others = -1
        """The last place in the stream that is known, and the last that another process has written."""
        self._followed: dict[str, int] = {}
        """Up to which place the orders of each desk contain what other processes have changed."""

    def forget(self) -> None:
        """Build every order anew when it is needed next."""
        self._orders.clear()
        self._waits.clear()

    def follow(self, conn: Connection, last: int, desks: Iterable[str]) -> None:
        """Apply what other processes have changed of these desks up to this place, the last in the stream."""
        if last > self._last:
            self._last = self._last_of_others = last
        behind = {desk for desk in desks if self._followed.get(desk, -1) < self._last_of_others}
        if kept := behind & {desk for desk, _ in self._orders}:
            self._apply(conn, min(self._followed.get(desk, -1) for desk in kept), kept)
        self._followed.update(dict.fromkeys(behind, self._last_of_others))

    def _apply(self, conn: Connection, after: int, desks: set[str]) -> None:
        if self._last_of_others - after > _MANY_MOVES:
            self._orders = {key: order for key, order in self._orders.items() if key[0] not in desks}
            self._waits = {key: waits for key, waits in self._waits.items() if key[0] not in desks}
            return
        for desk, tickets in signals.moved(conn, after, desks).items():
            stored = queues.wait_intervals(conn, desk, tickets)
            for ticket in tickets:
                self._put(conn, desk, ticket, stored.get(ticket, ()))

    def followed(self, recorded: Sequence[int]) -> None:
        """These places in the stream are this process's own: its orders contain them already."""
        if recorded and recorded[0] == self._last + 1:
            self._last = recorded[-1]

    def order(self, conn: Connection, desk: str, queue: str) -> QueueOrder:
        """The order of a queue as it is stored, with what this transaction has changed so far."""
        order = self._orders.get((desk, queue))
        if order is None:
            keys = queues.waiting(conn, desk, queue)
            order = self._orders[desk, queue] = QueueOrder(keys)
            self._waits.update(((desk, key[-1]), (queue, key)) for key in keys)
        return order

    def change(
        self, conn: Connection, desk: str, ticket: str, wait_intervals: Sequence[WaitInterval]
    ) -> None:
        """Let a ticket wait where the last of its wait intervals is, if that is open, and nowhere else."""
        last = _open_interval(wait_intervals)
        if last is not None:
            self.order(conn, desk, last.queue)
        self._put(conn, desk, ticket, wait_intervals)

    def _put(self, conn: Connection, desk: str, ticket: str, wait_intervals: Sequence[WaitInterval]) -> None:
        """`change` in the orders that are kept; the others are read as stored when needed."""
        waited = self._waits.pop((desk, ticket), None)
        if waited is not None:
            queue, key = waited
            self.order(conn, desk, queue).discard(key)
        last = _open_interval(wait_intervals)
        if last is not None and (desk, last.queue) in self._orders:
            self._orders[desk, last.queue].add(last.key)
            self._waits[desk, ticket] = (last.queue, last.key)

    def place(
        self,
        conn: Connection,
        desk: str,
        wait_intervals: Iterable[WaitInterval],
        rules: QueueRules,
        now: Micros,
    ) -> QueueAnswer | None:
        """Where a ticket with these wait intervals waits; none when it does not."""
        wait_intervals = tuple(wait_intervals)
        last = _open_interval(wait_intervals)
        if last is None:
            return None
        order = self.order(conn, desk, last.queue)
        position = order.position(last.key)
        reply_at, reason = self.pace(conn, desk, last.queue, rules, now).reply_at(position, now)
        return QueueAnswer(
            name=last.queue,
            position=position,
            length=order.length,
            joined_at=last.joined_at,
            moves=tuple(moves(wait_intervals)),
            expected_reply_at=reply_at,
            reason=reason,
        )

    def pace(self, conn: Connection, desk: str, queue: str, rules: QueueRules, now: Micros) -> Pace:
        """How fast the queue is served."""
        cached = self._paces.get((desk, queue))
        if cached is not None:
            counted_at, found = cached
            if counted_at <= now < counted_at + _PACE_LIFETIME:
                return found
        found = pace_of(conn, desk, queue, rules, now)
        self._paces[desk, queue] = (now, found)
        return found


def _open_interval(wait_intervals: Sequence[WaitInterval]) -> WaitInterval | None:
    return wait_intervals[-1] if wait_intervals and wait_intervals[-1].to_at is None else None


def pace_of(conn: Connection, desk: str, queue: str, rules: QueueRules, now: Micros) -> Pace:
    """The pace of a queue, from the desk's human replies of its last working days."""
    return pace(replies_of(conn, desk, queue, rules, now), rules, rules.calendar, now)


def replies_of(conn: Connection, desk: str, queue: str, rules: QueueRules, now: Micros) -> list[Micros]:
    """The instants of those replies; none where the calendar does not cover the days."""
    if rules.calendar is None:
        return []
    try:
        since = start_of_last_days(rules.calendar, rules.forecast_days, now)
    except (UncoveredYear, NeverOpen):
        return []
    return [] if since is None else ledger.human_replies(conn, desk, queue, since, now)
