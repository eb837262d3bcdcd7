"""The one road: whatever happened to a ticket, evaluate it anew, tell the difference, store how it stands.

Receiving, sweeping and applying all end here, in their own transaction. No rule is known here: the core judges. Two
rules it guards: an evaluation that fails parks its ticket and harms no other, and a ticket is never judged at an instant
before the one it was last judged at. Instants are microseconds UTC.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from app.flow import metrics
from app.flow.judge.emit import Emitter
from app.flow.judge.locking import TicketKey, lock_merge_graph
from app.flow.judge.queueing import Queueing
from app.flow.query.answer import TicketAnswer
from app.flow.query.merge_graph import MergeGraph
from app.flow.query.positions import QueuePositions
from app.settings import Settings
from app.sla.clock.evaluation import Evaluation, NothingKnown, Version, evaluate
from app.sla.clock.signals import LATE_KINDS, signals
from app.sla.event import Event
from app.sla.fields import COLUMNS_AS_SENT
from app.sla.queue.duplicate import queue_of
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros, length_of
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, after_commit
from app.store.engine.notify import announce
from app.store.outbound import outbox
from app.store.tables import NEVER
from app.store.tickets import archive, clocks, schedule
from app.store.tickets import signals as stream
from app.store.tickets.clocks import ClockChange, ClockKey, StoredClock, StoredTicket
from app.store.tickets.schedule import Parked
from app.store.tickets.signals import Published, RecordedSignals

_log = structlog.stdlib.get_logger()


@dataclass(slots=True)
class Assessed:
    """What an assessment found. `answers` lacks the tickets that could not be judged; those are in `failed`."""

    answers: dict[TicketKey, TicketAnswer] = field(default_factory=dict[TicketKey, TicketAnswer])
    failed: dict[TicketKey, str] = field(default_factory=dict[TicketKey, str])
    recorded: list[Published] = field(default_factory=list[Published])
    next_at: Micros | None = None
    """The least instant at which one of these tickets must be looked at again."""
    outgoing: int = 0
    """Deliveries that were written with the signals."""


class StandsStill(RuntimeError):
    """An evaluation asked to be repeated at once, for ever. The ticket is parked, so that the sweep goes on."""


Listener = Callable[[Assessed], None]
"""Hears of every assessment once it is durable, in the thread that writes: must be quick and must not fail."""


class Assessor:
    """Takes tickets down the one road. Used by the thread that writes, within its transactions."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.lines = QueuePositions()
        self._settings = settings
        self._listeners: list[Listener] = []
        self._durable = True

    def on_commit(self, listener: Listener) -> None:
        """Have a listener hear of every assessment that became durable."""
        self._listeners.append(listener)

    def assess(
        self,
        conn: Connection,
        now: Micros,
        touched: Mapping[str, Iterable[str]],
        *,
        deliver: bool = True,
        traces: Mapping[TicketKey, str] | None = None,
    ) -> Assessed:
        """Judge these tickets, by desk, and whichever others that concerns; write and tell what changed.

        `traces`: the request because of which each is judged, or the pass of the sweep.
        """
        if not self._durable:
            self.lines.forget()  # a transaction was rolled back
        self.lines.follow(conn, stream.last(conn))
        self._durable = False
        families = [
            lock_merge_graph(conn, self.catalogue, desk, touched[desk], now) for desk in sorted(touched)
        ]
        # Whoever had to wait for a ticket took the time before whoever went first: it judges and tells at no earlier
        # instant than that one did, else what was judged there would be told before its time.
        at = max([now, *(row.evaluated_at for merge_graph in families for row in merge_graph.rows.values())])
        emitter = Emitter(at, length_of(self._settings.delivery_max_age), deliver, traces or {})
        found = Assessed()
        latest = self.catalogue.settled(conn)
        for merge_graph in families:
            versions = self.catalogue.versions(conn, merge_graph.desk, latest.get(merge_graph.desk))
            _Pass(self, conn, at, now, merge_graph, versions, emitter, found).run()
        found.recorded = emitter.write(conn)
        found.outgoing = outbox.fill(
            conn, found.recorded, at, length_of(self._settings.notification_group_wait)
        )
        announce(conn, found.recorded[-1].seq if found.recorded else None, found.next_at)
        after_commit(conn, lambda: self._committed(found))
        return found

    def _committed(self, found: Assessed) -> None:
        self._durable = True
        self.lines.followed([recorded.seq for recorded in found.recorded])
        metrics.EVALUATIONS.inc(len(found.answers))
        for recorded in found.recorded:
            metrics.SIGNALS.labels(recorded.desk, recorded.kind).inc()
        for recorded in found.recorded:
            if recorded.kind in stream.LATE and recorded.deliver:
                _log.info(
                    "told",
                    id=recorded.id,
                    kind=recorded.kind,
                    desk=recorded.desk,
                    ticket=recorded.ticket,
                    trace=recorded.trace,
                )
        for listener in self._listeners:
            listener(found)

    def park(self, conn: Connection, key: TicketKey, error: str, now: Micros) -> None:
        """Set a ticket aside that cannot be stored."""
        desk, ticket = key
        before = schedule.parked(conn, desk, [ticket]).get(ticket)
        schedule.park(conn, [self.parked(before, key, error, now)])
        metrics.FAILURES.labels(desk).inc()

    def parked(self, before: Parked | None, key: TicketKey, error: str, now: Micros) -> Parked:
        """A failed ticket's row: tried again after a time that doubles with every failure."""
        times = 1 if before is None else before.times + 1
        first, longest = (
            length_of(self._settings.evaluation_backoff_initial),
            length_of(self._settings.evaluation_backoff_max),
        )
        # The exponent is bounded: far beyond any sensible setting, and no number of failures makes it overflow.
        wait = min(first * 2 ** min(times - 1, 32), longest)
        return Parked(*key, error, before.first_at if before else now, now, times, now + wait)


class _Pass:
    """One desk's tickets on their way."""

    def __init__(
        self,
        assessor: Assessor,
        conn: Connection,
        now: Micros,
        received_at: Micros,
        merge_graph: MergeGraph,
        versions: tuple[Version, ...],
        emitter: Emitter,
        found: Assessed,
    ) -> None:
        self.assessor, self.conn, self.now = assessor, conn, now
        self.received_at = received_at
        """The time of what this transaction has taken in."""
        self.merge_graph, self.versions, self.emitter, self.found = merge_graph, versions, emitter, found
        self.desk = merge_graph.desk
        self.judged: dict[str, Evaluation] = {}
        self.unborn: list[str] = []
        self.queueing = Queueing(conn, now, merge_graph, versions[-1].agreement)

    def run(self) -> None:
        names = sorted(name for name in self.merge_graph.concerned if self.merge_graph.logs[name])
        for name in names:
            self._guarded([name], self._judge)
        groups = self.queueing.groups(self.judged)
        for group in groups:
            self._guarded(group, lambda _, group=group: self.queueing.derive(group))
        said = stream.recorded(self.conn, self.desk, {*names, *(name for group in groups for name in group)})
        before = clocks.clocks(self.conn, self.desk, names)
        for name in list(self.judged):
            self._guarded([name], lambda name: self._tell(name, said[name], before.get(name, {})))
        self.queueing.leave_out(name for desk, name in self.found.failed if desk == self.desk)
        self.queueing.write(self.assessor.lines, self.emitter, said)
        self._store(before)
        self._park(names)
        for name in self.judged:
            key = (self.desk, name)
            place = self.queueing.place(self.assessor.lines, name)
            self.found.answers[key] = replace(self.found.answers[key], queue=place)

    def _guarded(self, names: Sequence[str], work: Callable[[str], object]) -> None:
        """Whatever a ticket's own content makes fail is that ticket's matter: it is parked, and nobody else waits."""
        try:
            work(names[0])
        except Exception as error:  # noqa: BLE001 - parked, logged, counted and shown
            _log.exception("evaluation failed", desk=self.desk, ticket=names[0])
            for name in names:
                if self.judged.pop(name, None) is not None or name == names[0]:
                    self.found.answers.pop((self.desk, name), None)
                    self.found.failed[self.desk, name] = f"{type(error).__name__}: {error}"

    def _judge(self, name: str) -> None:
        merge_graph, row = self.merge_graph, self.merge_graph.rows.get(name)
        at = self.now if row is None else max(self.now, row.evaluated_at)
        try:
            evaluation = evaluate(
                merge_graph.logs[name],
                self.versions,
                at,
                absorbed=merge_graph.absorbed(name, at),
                merge_fault=merge_graph.fault(name),
            )
        except NothingKnown:
            self.unborn.append(name)  # all that was said of it lies ahead
            return
        if evaluation.next_at is not None and evaluation.next_at <= at:
            raise StandsStill(f"it is to be looked at again at {evaluation.next_at}, which is not after {at}")
        self.judged[name] = evaluation

    def _tell(self, name: str, said: RecordedSignals, before: Mapping[ClockKey, StoredClock]) -> None:
        evaluation, row = self.judged[name], self.merge_graph.rows.get(name)
        revision = 1 if row is None else row.revision + 1
        last = {key: clock.last_recorded for key, clock in before.items()}
        recorded = signals(said.clocks, last, evaluation, revision=revision, because=self._learnt(name))
        detected = said.detected
        for signal in recorded:
            if signal.kind in LATE_KINDS:
                detected[signal.commitment, signal.cycle] = self.now
        answer = TicketAnswer(self.desk, name, evaluation, self.now, detected)
        self.emitter.emit_clocks(answer, None if row is None else row.evaluated_at, recorded)
        self.found.answers[self.desk, name] = answer

    def _learnt(self, name: str) -> Reason | None:
        """What is known now that was not when the ticket was judged before; none when only time passed."""
        new = [event for event in self.merge_graph.logs[name] if event.received_at == self.received_at]
        if new:
            return Reason(ReasonCode.EVENT_RECEIVED, new[-1].id, {"type": new[-1].type})
        row, latest = self.merge_graph.rows.get(name), self.versions[-1].number
        if row is None or row.version == latest:
            return None
        return Reason(ReasonCode.VERSION_APPLIED, latest)

    def _store(self, before: Mapping[str, Mapping[ClockKey, StoredClock]]) -> None:
        rows = [self._row(name, evaluation) for name, evaluation in self.judged.items()]
        rows += [self._row_ahead(name) for name in self.unborn]
        ended = [
            name for name, row in self.merge_graph.rows.items() if row.status == "closed" or row.merged_into
        ]
        archive.restore(self.conn, self.desk, ended)
        clocks.write_tickets(self.conn, rows)
        clocks.write_clocks(
            self.conn,
            [
                ClockChange(
                    self.desk,
                    name,
                    before.get(name, {}),
                    {(c.commitment, c.cycle_id): StoredClock.of(c) for c in evaluation.clocks},
                )
                for name, evaluation in self.judged.items()
            ],
        )
        coming = [row.next_at for row in rows if row.next_at is not None]
        self.found.next_at = min([*coming, *filter(None, (self.found.next_at,))], default=None)

    def _row(self, name: str, evaluation: Evaluation) -> StoredTicket:
        before, ticket = self.merge_graph.rows.get(name), evaluation.ticket
        merge = self.merge_graph.merges.get(name)
        return StoredTicket(
            desk=self.desk,
            ticket=name,
            revision=1 if before is None else before.revision + 1,
            evaluated_at=evaluation.at,
            next_at=evaluation.next_at,
            due_at=clocks.least_due(evaluation.clocks),
            version=self.versions[-1].number,
            status=ticket.status,
            created_at=ticket.created_at,
            merged_into=None if merge is None else str(merge.data.get("into")),
            queue=queue_of(ticket.fields),
            group_key=self.queueing.keys[name],
            known_since=_known_since(self.merge_graph.logs[name]),
            **{field: _text(ticket.fields.get(field)) for field in COLUMNS_AS_SENT},
        )

    def _row_ahead(self, name: str) -> StoredTicket:
        """A ticket of which nothing has happened, or nothing that stands: it waits for what will, if anything will."""
        before = self.merge_graph.rows.get(name)
        return StoredTicket(
            desk=self.desk,
            ticket=name,
            revision=1 if before is None else before.revision + 1,
            evaluated_at=self.now,
            next_at=min((e.at + 1 for e in self.merge_graph.logs[name] if e.at >= self.now), default=None),
            due_at=NEVER,
            version=self.versions[-1].number,
            status="new",
            created_at=None,
            merged_into=None,
            queue=None,
            group_key=None,
            known_since=_known_since(self.merge_graph.logs[name]),
            **dict.fromkeys(COLUMNS_AS_SENT),
        )

    def _park(self, names: Iterable[str]) -> None:
        before = schedule.parked(self.conn, self.desk, names)
        failed = {name: error for (desk, name), error in self.found.failed.items() if desk == self.desk}
        rows = [
            self.assessor.parked(before.get(name), (self.desk, name), error, self.now)
            for name, error in failed.items()
        ]
        schedule.park(self.conn, rows)
        schedule.unpark(self.conn, self.desk, before.keys() - failed.keys())
        if rows:
            metrics.FAILURES.labels(self.desk).inc(len(rows))
            retries = [row.retry_at for row in rows]
            self.found.next_at = min([*retries, *filter(None, (self.found.next_at,))])


def _known_since(log: Sequence[Event]) -> Micros | None:
    return min((event.received_at for event in log), default=None)


def _text(value: object) -> str | None:
    """A field's value as lists filter by it. A server's texts hold no NUL; the fact itself keeps it."""
    return None if value is None else str(value).replace("\0", "\ufffd")
