"""Queueing: the wait intervals of tickets and of their duplicates, and the signals of what changed.

Wait intervals are derived for a ticket and those next to it in its duplicate group, since an event of one may move the
others: their places are stored and recorded as well. The rules of the desk's latest version hold for a whole queue,
since a queue has one order. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from app.flow.judge.emit import Emitter
from app.flow.query.answer import QueueAnswer
from app.flow.query.duplicates import AdjacentTickets, adjacent_tickets
from app.flow.query.merge_graph import MergeGraph, gather_logs
from app.flow.query.positions import QueuePositions
from app.sla.agreement.agreement import Agreement
from app.sla.clock.evaluation import Evaluation
from app.sla.queue.duplicate import group_key
from app.sla.queue.signals import QueueSignal, queue_signals, queue_transitions
from app.sla.queue.waiting import LoneWait, WaitInterval, wait_intervals
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import queues
from app.store.tickets.queues import Member
from app.store.tickets.recorded import RecordedSignals
from app.store.tickets.signals import NewSignal

NOT_YET: Final = -(1 << 62)
"""Before every instant."""


class Queueing:
    """The wait intervals of one desk's tickets in one transaction."""

    def __init__(
        self,
        conn: Connection,
        now: Micros,
        merge_graph: MergeGraph,
        agreement: Agreement,
        *,
        long: Collection[str],
        kept: int,
    ) -> None:
        """`long` are tickets of which a checkpoint is made, with `kept` of their latest wait intervals."""
        self._long, self._kept = long, kept
        self._conn, self._now, self._desk, self._agreement = conn, now, merge_graph.desk, agreement
        self._merge_graph = merge_graph
        self._rows = merge_graph.rows
        self.stored: dict[str, tuple[WaitInterval, ...]] = {}
        """The wait intervals of these tickets as they were stored before."""
        self.keys: dict[str, str | None] = {}
        """The duplicate group of each evaluated ticket."""
        self.wait_intervals: dict[str, tuple[WaitInterval, ...]] = {}
        """The wait intervals of each ticket whose group could be derived."""
        self.capped: set[str] = set()
        """The tickets with more duplicates before them than they move."""
        self.lone: dict[str, LoneWait] = {}
        """The waiting of each long ticket that no other moves: it goes on from there the next time."""

    def groups(self, judged: Mapping[str, Evaluation]) -> list[AdjacentTickets]:
        """The tickets whose wait intervals may change, and those beside them that decide it."""
        self.keys = {name: group_key(e.ticket, self._agreement) for name, e in judged.items()}
        places: dict[Member, bool] = {}
        for name, evaluation in judged.items():
            key, row = self.keys[name], self._rows.get(name)
            if key is not None and evaluation.ticket.created_at is not None:
                places[key, evaluation.ticket.created_at, name] = True
            if row is not None and row.group_key is not None and row.created_at is not None:
                places.setdefault((row.group_key, row.created_at, name), False)
        alone = [
            AdjacentTickets((name,), frozenset({name})) for name, key in self.keys.items() if key is None
        ]
        count = self._agreement.queue.duplicates_max
        found = alone + (adjacent_tickets(self._conn, self._desk, places, judged, count) if places else [])
        self.capped = {n for each in found for n in each.tickets[count + 1 :] if n in judged}
        self.lone = {
            each.tickets[0]: wait
            for each in found
            if len(each.tickets) == 1 and (wait := self._resumed_wait(each.tickets[0])) is not None
        }
        self._read(found)
        return found

    def _read(self, groups: Iterable[AdjacentTickets]) -> None:
        """Read the logs of these tickets, and the wait intervals of those that may change."""
        read = {name for each in groups for name in each.tickets} - self.lone.keys()
        for name in self._merge_graph.resumed.keys() & read:
            self._merge_graph.read_whole(self._conn, name)
        gather_logs(self._conn, self._merge_graph, sorted(read))
        changing = {name for each in groups for name in each.within} - self.lone.keys()
        stored = changing - self._merge_graph.never_evaluated
        self.stored = queues.wait_intervals(self._conn, self._desk, sorted(stored))

    def _resumed_wait(self, name: str) -> LoneWait | None:
        """The waiting of a ticket that goes on from a checkpoint, if it is in the duplicate group that it was in."""
        resumed = self._merge_graph.resumed.get(name)
        row = self._rows.get(name)
        same = row is not None and row.group_key == self.keys.get(name)
        return resumed.checkpoint.wait if resumed is not None and same else None

    def derive(self, group: AdjacentTickets) -> None:
        """Derive the wait intervals of the tickets of a group that may change."""
        first = group.tickets[0]
        if first in self.lone:
            self._go_on(first)
        elif len(group.tickets) == 1 and first in self._long:
            self._begin(first)
        else:
            self._derive_whole(group)

    def _go_on(self, name: str) -> None:
        """Derive the wait intervals of a lone ticket from its checkpoint and the later events."""
        wait = self.lone[name]
        wait.leave_out_all_but(self._kept)
        self.stored[name] = wait.wait_intervals
        wait.advance(self._merge_graph.resumed[name].later)
        self.wait_intervals[name] = wait.wait_intervals

    def _begin(self, name: str) -> None:
        """Derive the wait intervals of a lone ticket from its whole log, and keep how it waits."""
        rules, ends_pending = self._agreement.queue, self._agreement.customer_reply_ends_pending
        log, finder = self._merge_graph.logs[name], self._merge_graph.contract_finder(self._agreement)
        wait = LoneWait.begin(name, log, rules, reply_ends_pending=ends_pending, finder=finder)
        if wait is not None:
            self.lone[name] = wait
            self.wait_intervals[name] = wait.wait_intervals

    def _derive_whole(self, group: AdjacentTickets) -> None:
        logs = {name: self._merge_graph.whole_log(name, self._now) for name in group.tickets}
        faulty = [name for name in group.tickets if self._merge_graph.fault(name) is not None]
        derived = wait_intervals(
            logs,
            self._agreement.queue,
            self._now,
            reply_ends_pending=self._agreement.customer_reply_ends_pending,
            faulty_merges=faulty,
            finder=self._merge_graph.contract_finder(self._agreement),
        )
        self.wait_intervals |= {name: own for name, own in derived.items() if name in group.within}

    def known_since(self, name: str) -> Micros:
        """The instant after which all moves of a lone ticket are known: its first interval says not how it began."""
        wait = self.lone[name]
        return wait.wait_intervals[0].from_at if wait.left_out else NOT_YET

    def left_out(self, name: str) -> int:
        """How many of a ticket's first wait intervals are stored and not derived again."""
        return self.lone[name].left_out if name in self.lone else 0

    def moved_since(self, name: str) -> dict[str, Micros]:
        """The queues in which a lone ticket's moves are compared, and after which instant."""
        wait = self.lone[name]
        return {interval.queue: self.known_since(name) for interval in wait.wait_intervals}

    def leave_out(self, failed: Iterable[str]) -> None:
        """Leave these tickets as they are stored: they could not be evaluated."""
        for name in failed:
            self.wait_intervals.pop(name, None)

    def write(
        self, positions: QueuePositions, emitter: Emitter, recorded: Mapping[Subject, RecordedSignals]
    ) -> list[NewSignal]:
        """Store the wait intervals. Returns the signals of what changed."""
        known = [row for name in self.wait_intervals for row in recorded[Subject.parse(name)].queues]
        transitions = queue_transitions(each for own in self.wait_intervals.values() for each in own)
        since = {name: self.known_since(name) for name in self.lone}
        changes = queue_signals(known, (t for t in transitions if t.at > since.get(t.ticket, t.at - 1)))
        before = self._positions_of(positions, self.stored, changes)
        for name, own in self.wait_intervals.items():
            if self.stored.get(name, ()) != own:
                positions.change(self._conn, self._desk, name, own)
        left_out = {name: self.left_out(name) for name in self.lone}
        queues.write(self._conn, self._desk, self.stored, self.wait_intervals, left_out)
        after = self._positions_of(positions, self.wait_intervals, changes)
        return [
            emitter.queue_signal(self._desk, change, before.get(change.ticket), after.get(change.ticket))
            for change in changes
        ]

    def place(self, positions: QueuePositions, name: str) -> QueueAnswer | None:
        """Where a ticket waits after `write`."""
        rules = self._agreement.queue
        return positions.place(self._conn, self._desk, self.wait_intervals.get(name, ()), rules, self._now)

    def _positions_of(
        self,
        positions: QueuePositions,
        intervals: Mapping[str, tuple[WaitInterval, ...]],
        changes: Iterable[QueueSignal],
    ) -> dict[str, int]:
        found: dict[str, int] = {}
        for change in changes:
            own = intervals.get(change.ticket, ())
            if own and own[-1].to_at is None and own[-1].queue == change.queue:
                order = positions.order(self._conn, self._desk, change.queue)
                found[change.ticket] = order.position(own[-1].key)
        return found
