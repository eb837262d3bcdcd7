"""Queueing: the wait intervals of tickets and of their duplicates, and the signals of what changed.

Wait intervals are derived for whole duplicate groups, so an event of one ticket may move another: that one's place is
stored and recorded as well. The rules of the desk's latest version hold for a whole queue, since a queue has one order.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping

from app.flow.judge.emit import Emitter
from app.flow.query.answer import QueueAnswer
from app.flow.query.merge_graph import MergeGraph, gather_logs
from app.flow.query.positions import QueuePositions
from app.sla.agreement.agreement import Agreement
from app.sla.clock.evaluation import Evaluation
from app.sla.queue.duplicate import group_key
from app.sla.queue.signals import QueueSignal, queue_signals, queue_transitions
from app.sla.queue.waiting import WaitInterval, wait_intervals
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import queues
from app.store.tickets.recorded import RecordedSignals
from app.store.tickets.signals import NewSignal


class Queueing:
    """The wait intervals of one desk's tickets in one transaction."""

    def __init__(self, conn: Connection, now: Micros, merge_graph: MergeGraph, agreement: Agreement) -> None:
        self._conn, self._now, self._desk, self._agreement = conn, now, merge_graph.desk, agreement
        self._merge_graph = merge_graph
        self._rows = merge_graph.rows
        self._stored: dict[str, tuple[WaitInterval, ...]] = {}
        self.keys: dict[str, str | None] = {}
        """The duplicate group of each evaluated ticket."""
        self.wait_intervals: dict[str, tuple[WaitInterval, ...]] = {}
        """The wait intervals of each ticket whose group could be derived."""

    def groups(self, judged: Mapping[str, Evaluation]) -> list[list[str]]:
        """The duplicate groups that these tickets were in and are in now, with all of their members."""
        self.keys = {name: group_key(e.ticket.fields, self._agreement) for name, e in judged.items()}
        before = {self._rows[name].group_key for name in judged if name in self._rows}
        wanted = {key for key in before | set(self.keys.values()) if key is not None}
        stored = queues.group_members(self._conn, self._desk, sorted(wanted)) if wanted else {}
        members: dict[str, list[str]] = {}
        for name, key in {**stored, **self.keys}.items():
            members.setdefault(f"={name}" if key is None else key, []).append(name)
        everyone = sorted(name for group in members.values() for name in group)
        gather_logs(self._conn, self._merge_graph, everyone)
        self._stored = queues.wait_intervals(self._conn, self._desk, everyone)
        return list(members.values())

    def derive(self, group: list[str]) -> None:
        """Derive the wait intervals of one group."""
        logs = {name: self._merge_graph.whole_log(name, self._now) for name in group}
        faulty = [name for name in group if self._merge_graph.fault(name) is not None]
        self.wait_intervals |= wait_intervals(
            logs,
            self._agreement.queue,
            self._now,
            reply_ends_pending=self._agreement.customer_reply_ends_pending,
            faulty_merges=faulty,
        )

    def leave_out(self, failed: Iterable[str]) -> None:
        """Leave these tickets as they are stored: they could not be evaluated."""
        for name in failed:
            self.wait_intervals.pop(name, None)

    def write(
        self, positions: QueuePositions, emitter: Emitter, recorded: Mapping[Subject, RecordedSignals]
    ) -> list[NewSignal]:
        """Store the wait intervals. Returns the signals of what changed."""
        known = [row for name in self.wait_intervals for row in recorded[Subject.parse(name)].queues]
        changes = queue_signals(
            known, queue_transitions(each for own in self.wait_intervals.values() for each in own)
        )
        before = self._positions_of(positions, self._stored, changes)
        for name, own in self.wait_intervals.items():
            if self._stored.get(name, ()) != own:
                positions.change(self._conn, self._desk, name, own)
        queues.write(self._conn, self._desk, self._stored, self.wait_intervals)
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
