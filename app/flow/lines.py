"""At which position does a ticket wait right now, and when can it expect a reply?

The lines of the queues are kept in memory, so that a push need not count a table. They are built from the stored
stints when first needed and follow every change. The rule it guards: a line says what is durable; after a transaction
that did not become so, or a write by another process, all lines are built anew. Only the thread that writes uses them.
"""

from collections.abc import Iterable
from typing import Final

from app.flow.answer import QueueAnswer
from app.sla.agreement import QueueRules
from app.sla.compiled import NeverOpen, UncoveredYear
from app.sla.forecast import Pace, pace, start_of_last_days
from app.sla.line import Line
from app.sla.queue import Stint, moves
from app.sla.span import MINUTE, Micros
from app.store import ledger, waiting
from app.store.database import Connection

_PACE_LASTS: Final = MINUTE
"""A queue's pace is the mean of days: asking once a minute is often enough."""


class Lines:
    """The lines of all queues, and how fast each is served."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Line] = {}
        self._paces: dict[tuple[str, str], tuple[Micros, Pace]] = {}

    def forget(self) -> None:
        """Build every line anew when it is needed next."""
        self._lines.clear()

    def line(self, conn: Connection, desk: str, queue: str) -> Line:
        """The line of a queue as it is stored, with what this transaction has changed so far."""
        held = self._lines.get((desk, queue))
        if held is None:
            held = self._lines[desk, queue] = Line(waiting.line(conn, desk, queue))
        return held

    def change(self, conn: Connection, desk: str, before: Iterable[Stint], after: Iterable[Stint]) -> None:
        """Let the open stints of `before` wait no longer and those of `after` wait."""
        for stint in before:
            if stint.to_at is None:
                self.line(conn, desk, stint.queue).discard(stint.key)
        for stint in after:
            if stint.to_at is None:
                self.line(conn, desk, stint.queue).add(stint.key)

    def place(
        self, conn: Connection, desk: str, stints: Iterable[Stint], rules: QueueRules, now: Micros
    ) -> QueueAnswer | None:
        """Where a ticket with these stints waits; none when it does not."""
        stints = tuple(stints)
        if not stints or stints[-1].to_at is not None:
            return None
        last = stints[-1]
        line = self.line(conn, desk, last.queue)
        position = line.position(last.key)
        reply_at, reason = self.pace(conn, desk, last.queue, rules, now).reply_at(position, now)
        return QueueAnswer(
            last.queue, position, line.length, last.joined_at, tuple(moves(stints)), reply_at, reason
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
