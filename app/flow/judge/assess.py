"""Assessment: evaluate subjects anew, record the difference as signals, and store how they stand.

Receiving, sweeping and applying all end here, in their own transaction. No rule is known here: the core judges. Two
rules it guards: a subject whose evaluation fails is parked and harms no other, and no subject is evaluated at an instant
before its last evaluation. Instants are microseconds UTC.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from app.flow import metrics
from app.flow.judge.averages import AveragesCase
from app.flow.judge.contract_case import ContractCase
from app.flow.judge.emit import Emitter
from app.flow.judge.judges import SubjectJudge, judges
from app.flow.judge.locking import lock_merge_graph
from app.flow.judge.parking import Backoff, park_failed
from app.flow.judge.subject_logs import SubjectLogs
from app.flow.judge.subjects import SubjectCase
from app.flow.judge.tickets import TicketCase
from app.flow.judge.turn import Case, Judged, Turn
from app.flow.query.answer import TicketAnswer
from app.flow.query.checkpoints import CheckpointLimits, Checkpoints
from app.flow.query.long_replays import LongReplayLimits, LongReplays
from app.flow.query.positions import QueuePositions
from app.settings import Settings
from app.sla.span import Micros, length_of
from app.sla.subject import Subject, SubjectKey, SubjectKind
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, after_commit, memoized
from app.store.engine.notify import announce
from app.store.outbound import outbox
from app.store.tickets import signals as stream
from app.store.tickets.clocks import TicketKey
from app.store.tickets.signals import NewSignal, Published
from app.store.tickets.subjects import mark_due

_log = structlog.stdlib.get_logger()

_STREAM_END: Final = "end of the stream before this transaction"


@dataclass(frozen=True, slots=True)
class Assessed:
    """What an assessment came to."""

    answers: Mapping[TicketKey, TicketAnswer] = field(default_factory=dict[TicketKey, TicketAnswer])
    """The views of the tickets that were evaluated."""
    failed: Mapping[SubjectKey, str] = field(default_factory=dict[SubjectKey, str])
    """The subjects that could not be evaluated, with their errors."""
    recorded: Sequence[Published] = ()
    next_at: Micros | None = None
    """The least instant at which one of the subjects must be evaluated again."""
    outgoing: int = 0
    """The number of deliveries that were written with the signals."""


Listener = Callable[[Assessed], None]
"""Called with every assessment once it is durable, in the thread that writes: it must be quick and must not fail."""


class Assessor:
    """Assesses subjects. Used by the thread that writes, within its transactions.

    `of_kinds` are the judges of subjects beside tickets; None: those of the service.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        of_kinds: Mapping[SubjectKind, SubjectJudge] | None = None,
    ) -> None:
        self.catalogue = catalogue
        self._judges = judges(settings) if of_kinds is None else of_kinds
        self.kinds: Collection[SubjectKind] = {
            SubjectKind.TICKET,
            SubjectKind.CALL,
            SubjectKind.CONTRACT,
            SubjectKind.DESK,
            *self._judges,
        }
        """The kinds of subjects that are evaluated. Events of others are stored only."""
        self._positions = QueuePositions()
        self.long_replays = LongReplays(
            LongReplayLimits(
                settings.long_replay_min_events,
                settings.long_replay_duty_cycle,
                settings.long_replay_max_wait.total_seconds(),
            )
        )
        self._checkpoints = Checkpoints(
            CheckpointLimits(
                events=settings.checkpoint_min_events,
                entries=settings.checkpoint_cache_size,
                kept=settings.answer_cycles + 1,
            ),
            self.long_replays,
        )
        self._subject_logs = SubjectLogs(settings.subject_log_cache_events)
        self._recent = length_of(settings.delivery_max_age)
        self._notice_wait = length_of(settings.notification_group_wait)
        self._backoff = Backoff(
            length_of(settings.evaluation_backoff_initial), length_of(settings.evaluation_backoff_max)
        )
        self._contracts_batch = settings.sweep_contracts_batch_size
        self._listeners: list[Listener] = []
        self._durable = True

    def on_commit(self, listener: Listener) -> None:
        """Register a listener for every assessment that became durable."""
        self._listeners.append(listener)

    def assess(
        self,
        conn: Connection,
        now: Micros,
        touched: Mapping[str, Iterable[Subject]],
        *,
        deliver: bool = True,
        traces: Mapping[SubjectKey, str] | None = None,
        contracts: int | None = None,
    ) -> Assessed:
        """Evaluate these subjects, by desk, and the others that they concern; write what changed.

        `traces`: the id of the request because of which each is evaluated, or of the sweep's batch.
        `contracts`: how many at most where all of a desk are due; None: as the settings have it.
        """
        self._follow_positions(conn, touched)
        cases = self._cases(conn, now, touched, contracts or self._contracts_batch)
        # After waiting for a row lock our timestamp may be older than the holder's; use the later. Else what the holder
        # evaluated at its instant would be recorded before its time.
        at = max([now, *(case.evaluated_at for case in cases)])
        emitter = Emitter(at, self._recent, deliver, traces or {})
        turn = Turn(conn, now, at, emitter, self._positions, self._backoff)
        found = self._recorded(conn, at, [case.judge(turn) for case in cases])
        after_commit(conn, lambda: self._committed(found))
        return found

    def publish(self, conn: Connection, now: Micros, signals: Sequence[NewSignal]) -> None:
        """Record signals that no evaluation gives, and fill the outbox: the last work of the caller's transaction."""
        self._follow_positions(conn, ())
        found = self._recorded(conn, now, [Judged(signals=list(signals))])
        after_commit(conn, lambda: self._committed(found))

    def _follow_positions(self, conn: Connection, desks: Iterable[str]) -> None:
        # What this transaction records itself is followed after the commit.
        self._positions.follow(conn, memoized(conn, _STREAM_END, lambda: self._begin(conn)), desks)

    def _begin(self, conn: Connection) -> int:
        """The first assessment of a transaction. Returns the last place in the stream."""
        if not self._durable:
            self._positions.forget()  # a transaction was rolled back
        self._durable = False
        return stream.end(conn)

    def _cases(
        self, conn: Connection, now: Micros, touched: Mapping[str, Iterable[Subject]], contracts: int
    ) -> list[Case]:
        """What is to be evaluated, read and locked: of all desks the tickets first, in one order for all processes."""
        tickets: list[Case] = []
        others: list[Case] = []
        latest = self.catalogue.settled(conn)
        for desk in sorted(touched):
            by_kind: dict[SubjectKind, list[Subject]] = {}
            for subject in touched[desk]:
                by_kind.setdefault(subject.kind, []).append(subject)
            names = [subject.id for subject in by_kind.pop(SubjectKind.TICKET, [])]
            if names:
                graph = lock_merge_graph(conn, self.catalogue, desk, names, now, self._checkpoints)
                versions = self.catalogue.timeline(conn, desk, latest.get(desk))
                tickets.append(TicketCase(graph, versions, self._checkpoints))
            measured = by_kind.pop(SubjectKind.CALL, []) + by_kind.pop(SubjectKind.DESK, [])
            for kind, subjects in sorted(by_kind.items()):
                versions = self.catalogue.timeline(conn, desk, latest.get(desk))
                if kind is SubjectKind.CONTRACT:
                    case = ContractCase.locked(
                        conn, self.catalogue, desk, subjects, versions, now=now, batch_size=contracts
                    )
                    others.append(case)
                    continue
                others.append(
                    SubjectCase.locked(
                        conn, desk, subjects, versions, self._judges.get(kind), self._subject_logs
                    )
                )
            if measured:
                versions = self.catalogue.timeline(conn, desk, latest.get(desk))
                others.append(AveragesCase.locked(conn, desk, measured, versions))
        return tickets + others

    def _recorded(self, conn: Connection, at: Micros, judged: Sequence[Judged]) -> Assessed:
        # Before the stream is locked: that lock is the last one, and every other writer waits for its end.
        marked_at = self._mark(conn, at, judged)
        recorded = stream.append(conn, [signal for each in judged for signal in each.signals])
        found = Assessed(
            answers={key: answer for each in judged for key, answer in each.answers.items()},
            failed={key: error for each in judged for key, error in each.failed.items()},
            recorded=recorded,
            next_at=min(
                (each for each in (*(case.next_at for case in judged), marked_at) if each is not None),
                default=None,
            ),
            outgoing=outbox.fill(conn, recorded, at, self._notice_wait),
        )
        last = recorded[-1].seq if recorded else None
        announce(conn, last, found.next_at, has_deliveries=found.outgoing > 0)
        return found

    @staticmethod
    def _mark(conn: Connection, at: Micros, judged: Sequence[Judged]) -> Micros | None:
        """Make the subjects that are concerned due, for the sweep. Returns when they are.

        That is one microsecond later, so that an evaluation of this instant does not count as one that knew the fact.
        """
        concerned: dict[str, set[Subject]] = {}
        for each in judged:
            for desk, subjects in each.concerned.items():
                concerned.setdefault(desk, set()).update(subjects)
        for desk, subjects in sorted(concerned.items()):
            mark_due(conn, desk, subjects, at + 1)
        return at + 1 if any(concerned.values()) else None

    def _committed(self, found: Assessed) -> None:
        self._durable = True
        self._positions.followed([recorded.seq for recorded in found.recorded])
        metrics.EVALUATIONS.inc(len(found.answers))
        for (desk, kind), count in Counter((each.desk, each.kind) for each in found.recorded).items():
            metrics.SIGNALS.labels(desk, kind).inc(count)
        for recorded in found.recorded:
            if recorded.kind in stream.LATE and recorded.deliver:
                _log.info(
                    "breach recorded",
                    id=recorded.id,
                    kind=recorded.kind,
                    desk=recorded.desk,
                    subject=recorded.subject.text,
                    trace=recorded.trace,
                )
        for listener in self._listeners:
            listener(found)

    def park(self, conn: Connection, key: SubjectKey, error: str, now: Micros) -> None:
        """Park a subject whose evaluation cannot be stored."""
        desk, subject = key
        park_failed(conn, desk, [subject], {subject: error}, self._backoff, now)
