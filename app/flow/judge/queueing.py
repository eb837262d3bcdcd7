"""Where do these tickets, and the duplicates that they move, wait now, and what of it is told?

Stints are derived for whole duplicate groups, so one ticket's event may move another ticket: that one's place is stored
and told as well. The rules of the desk's latest version hold for the whole line, since one line has one order. Instants
are microseconds UTC.
"""

from collections.abc import Iterable, Mapping

from app.flow.judge.emit import Emitter
from app.flow.query.answer import QueueAnswer
from app.flow.query.merge_graph import MergeGraph
from app.flow.query.positions import QueuePositions
from app.sla.agreement.agreement import Agreement
from app.sla.clock.evaluation import Evaluation
from app.sla.event import Event
from app.sla.queue.duplicate import group_key
from app.sla.queue.signals import QueueSignal, queue_signals, queue_transitions
from app.sla.queue.waiting import WaitInterval, wait_intervals
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.tickets import ledger, queues
from app.store.tickets.signals import RecordedSignals


class Queueing:
    """The waiting of one desk's tickets in one transaction."""

    def __init__(self, conn: Connection, now: Micros, merge_graph: MergeGraph, agreement: Agreement) -> None:
        self._conn, self._now, self._desk, self._agreement = conn, now, merge_graph.desk, agreement
        self._merge_graph = merge_graph
        self._rows, self._logs = merge_graph.rows, dict[str, list[Event]](merge_graph.logs)
        self._stored: dict[str, tuple[WaitInterval, ...]] = {}
        self.keys: dict[str, str | None] = {}
        """The duplicate group of each ticket that is judged."""
        self.wait_intervals: dict[str, tuple[WaitInterval, ...]] = {}
        """The stints of each ticket whose group could be derived."""

    def groups(self, judged: Mapping[str, Evaluation]) -> list[list[str]]:
        """The duplicate groups that these tickets were in and are in now, with all of their members."""
        self.keys = {name: group_key(e.ticket.fields, self._agreement) for name, e in judged.items()}
        before = {self._rows[name].group_key for name in judged if name in self._rows}
        wanted = {key for key in before | set(self.keys.values()) if key is not None}
        stored = queues.group_members(self._conn, self._desk, sorted(wanted)) if wanted else {}
        members: dict[str, list[str]] = {}
        for name, key in {**stored, **self.keys}.items():
            members.setdefault(f"={name}" if key is None else key, []).append(name)
        mates = sorted(name for group in members.values() for name in group if name not in self._logs)
        if mates:
            self._logs |= ledger.logs(self._conn, self._desk, mates)
        everyone = sorted(name for group in members.values() for name in group)
        self._stored = queues.wait_intervals(self._conn, self._desk, everyone)
        return list(members.values())

    def derive(self, group: list[str]) -> None:
        """Derive the stints of one group."""
        logs = {name: self._logs[name] for name in group}
        faulty = [name for name in group if self._merge_graph.fault(name) is not None]
        self.wait_intervals |= wait_intervals(
            logs,
            self._agreement.queue,
            self._now,
            reply_ends_pending=self._agreement.customer_reply_ends_pending,
            faulty_merges=faulty,
        )

    def leave_out(self, failed: Iterable[str]) -> None:
        """Let these stand as they are stored: they could not be judged."""
        for name in failed:
            self.wait_intervals.pop(name, None)

    def write(self, lines: QueuePositions, emitter: Emitter, said: Mapping[str, RecordedSignals]) -> None:
        """Store the stints and tell what changed."""
        recorded = [row for name in self.wait_intervals for row in said[name].queues]
        transitions = queue_transitions(
            wait_interval for own in self.wait_intervals.values() for wait_interval in own
        )
        news = queue_signals(recorded, transitions)
        before = self._positions(lines, self._stored, news)
        for name, own in self.wait_intervals.items():
            if self._stored.get(name, ()) != own:
                lines.change(self._conn, self._desk, name, own)
        queues.write(self._conn, self._desk, self._stored, self.wait_intervals)
        after = self._positions(lines, self.wait_intervals, news)
        for signal in news:
            emitter.emit_queue(self._desk, signal, before.get(signal.ticket), after.get(signal.ticket))

    def place(self, lines: QueuePositions, name: str) -> QueueAnswer | None:
        """Where a ticket waits after `write`."""
        rules = self._agreement.queue
        return lines.place(self._conn, self._desk, self.wait_intervals.get(name, ()), rules, self._now)

    def _positions(
        self, lines: QueuePositions, of: Mapping[str, tuple[WaitInterval, ...]], news: Iterable[QueueSignal]
    ) -> dict[str, int]:
        found: dict[str, int] = {}
        for signal in news:
            own = of.get(signal.ticket, ())
            if own and own[-1].to_at is None and own[-1].queue == signal.queue:
                line = lines.line(self._conn, self._desk, signal.queue)
                found[signal.ticket] = line.position(own[-1].key)
        return found
