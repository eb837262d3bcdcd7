"""Long tickets: those that go on from a checkpoint, and those of which one is made.

Instants are microseconds UTC.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import thread_time

from app.flow.judge.turn import Failures
from app.flow.query.checkpoints import Checkpoints, TicketCheckpoint
from app.flow.query.long_replays import Postponed
from app.flow.query.merge_graph import MergeGraph, judge
from app.sla.clock.checkpoint import Checkpoint, begin
from app.sla.clock.evaluation import Evaluation, Version
from app.sla.queue.waiting import LoneWait
from app.sla.span import DAY, Micros
from app.store.engine.database import Connection
from app.store.tickets import ledger
from app.store.tickets.clocks import StoredTicket


class LongTickets:
    """The checkpoints of one desk's tickets in one transaction."""

    def __init__(self, graph: MergeGraph, versions: Sequence[Version], checkpoints: Checkpoints) -> None:
        self._graph, self._versions, self._checkpoints = graph, versions, checkpoints
        self.replays: dict[str, Checkpoint] = {}
        """The replay of each long ticket, up to its last event."""
        self._began: float | None = None
        """When the first replay of a long ticket began, by the thread's processor time."""
        self._taken = 0.0

    def evaluation(self, conn: Connection, name: str, at: Micros) -> Evaluation:
        """Evaluate a ticket, from its checkpoint where it has one. Raises NothingKnown, and Postponed."""
        graph, limits = self._graph, self._checkpoints.limits
        resumed = graph.resumed.get(name)
        if resumed is not None:
            replay = resumed.checkpoint.clocks
            if replay.accepts(resumed.later, self._versions, at, graph.contracts):
                self._checkpoints.drop(graph.desk, name)
                self.replays[name] = replay
                return replay.advance(resumed.later, at, cycles=limits.kept)
            self._check_wait(name)
            self._checkpoints.drop(graph.desk, name)
            graph.read_whole(conn, name)
        if name in graph.postponed:
            raise Postponed(graph.postponed[name])
        if not self._checkpoints.replays.check(graph.desk, name, len(graph.logs[name])):
            return self._replayed(name, at)
        began = thread_time()
        if self._began is None:
            self._began = began
        evaluation = self._replayed(name, at)
        self._took(thread_time() - began)
        return evaluation

    def judged(self) -> None:
        """These tickets are judged: what that has taken since the first of these replays, beside them, is added."""
        if self._began is not None:
            self._took(max(0.0, thread_time() - self._began - self._taken))

    def _took(self, seconds: float) -> None:
        self._taken += seconds
        self._checkpoints.replays.took(self._graph.desk, seconds)

    def _check_wait(self, name: str) -> None:
        replays = self._checkpoints.replays
        if replays.is_long(self._graph.desk, name) and (wait := replays.wait(self._graph.desk)):
            raise Postponed(wait)

    def _replayed(self, name: str, at: Micros) -> Evaluation:
        """Evaluate a ticket by its whole log, and keep its replay where it is to have a checkpoint."""
        graph, log = self._graph, self._graph.logs[name]
        if len(log) < self._checkpoints.limits.events or name in graph.children or name in graph.merges:
            return judge(graph, name, self._versions, at)
        evaluation, begun = begin(log, self._versions, at, graph.contracts)
        if begun is not None:
            self.replays[name] = begun
        return evaluation

    def whole(self, conn: Connection, at: Micros, name: str, versions: Sequence[Version]) -> Evaluation:
        """Evaluate a ticket by its whole log under these versions, which are the ticket's own: without a checkpoint."""
        if name in self._graph.resumed:
            self._graph.read_whole(conn, name)
        self.replays.pop(name, None)
        row = self._graph.rows.get(name)
        return judge(self._graph, name, versions, at if row is None else max(at, row.evaluated_at))

    def kept(
        self,
        conn: Connection,
        rows: Iterable[StoredTicket],
        waits: Mapping[str, LoneWait],
        failures: Failures,
    ) -> Callable[[], None]:
        """What keeps the checkpoints of these tickets, once their rows are durable."""
        failed = {subject.text for subject in failures.errors}
        made = {
            row.ticket: self._checkpoint(conn, row, waits.get(row.ticket))
            for row in rows
            if row.ticket in self.replays and row.ticket not in failed
        }

        def keep() -> None:
            for name, checkpoint in made.items():
                self._checkpoints.put(self._graph.desk, name, checkpoint)

        return keep

    def _checkpoint(self, conn: Connection, row: StoredTicket, wait: LoneWait | None) -> TicketCheckpoint:
        resumed = self._graph.resumed.get(row.ticket)
        seq = resumed.seq if resumed is not None else self._last_seq(conn, row)
        return TicketCheckpoint(row.revision, seq, row.evaluated_at, self.replays[row.ticket], wait)

    @staticmethod
    def _last_seq(conn: Connection, row: StoredTicket) -> int:
        since = 0 if row.known_since is None else row.known_since - DAY
        return ledger.last_seq(conn, row.desk, row.ticket, since)
