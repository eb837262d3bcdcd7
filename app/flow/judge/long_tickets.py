"""Long tickets: those that go on from a checkpoint, and those of which one is made.

Instants are microseconds UTC.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.flow.judge.turn import Failures
from app.flow.query.checkpoints import Checkpoints, TicketCheckpoint
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

    def evaluation(self, conn: Connection, name: str, at: Micros) -> Evaluation:
        """Evaluate a ticket, from its checkpoint where it has one. Raises NothingKnown."""
        graph, limits = self._graph, self._checkpoints.limits
        resumed = graph.resumed.get(name)
        if resumed is not None:
            replay = resumed.checkpoint.clocks
            self._checkpoints.drop(graph.desk, name)
            if replay.accepts(resumed.later, self._versions, at, graph.contracts):
                self.replays[name] = replay
                return replay.advance(resumed.later, at, cycles=limits.kept)
            graph.read_whole(conn, name)
        log = graph.logs[name]
        if len(log) < limits.events or name in graph.children or name in graph.merges:
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
