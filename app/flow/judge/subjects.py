"""Assessment of subjects beside tickets: each is evaluated by its own log. Instants are microseconds UTC."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.flow.judge.concerned import ALL_CONTRACTS, by_service
from app.flow.judge.emit import Emitter, encoded
from app.flow.judge.judges import Judgement, SubjectJudge, SubjectSignal
from app.flow.judge.parking import park_failed
from app.flow.judge.subject_logs import KnownLog, SubjectLogs
from app.flow.judge.turn import Failures, Judged, Turn
from app.flow.query import serialize
from app.sla.agreement.version import Version, begun, next_change_at
from app.sla.clock.signals import RecordedSignal
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind
from app.store.engine.database import Connection, after_commit
from app.store.tickets import recorded, subjects
from app.store.tickets.signals import NewSignal
from app.store.tickets.subjects import StoredSubject


class NoJudge(LookupError):
    """No judge is registered for subjects of this kind."""


class NotLater(RuntimeError):
    """`next_at` of an evaluation is not after its instant. The subject is parked, to avoid a busy loop of the sweep."""


def checked_next_at(next_at: Micros | None, at: Micros) -> Micros | None:
    """When to evaluate again, after an evaluation at `at`. Raises NotLater."""
    if next_at is not None and next_at <= at:
        raise NotLater(f"next_at is {next_at}, which is not after {at}")
    return next_at


@dataclass(frozen=True, slots=True)
class SubjectCase:
    """Subjects of one kind of one desk, locked, with their logs, by key."""

    desk: str
    versions: tuple[Version, ...]
    before: Mapping[Subject, StoredSubject]
    logs: Mapping[Subject, KnownLog]
    written: Mapping[Subject, Sequence[Subject]]
    """The ways in which events write each: all of its signals bear the first."""
    asked: Mapping[Subject, Subject]
    """How each was written where it is to be evaluated."""
    judge_of_kind: SubjectJudge | None
    kept: SubjectLogs

    @classmethod
    def locked(
        cls,
        conn: Connection,
        desk: str,
        wanted: Sequence[Subject],
        versions: tuple[Version, ...],
        judge: SubjectJudge | None,
        kept: SubjectLogs,
    ) -> "SubjectCase":
        """Lock these subjects and read what evaluating them needs."""
        subjects.register(conn, desk, wanted)
        asked = {subject.key: subject for subject in sorted(wanted)}
        before = subjects.locked(conn, desk, {*asked, *wanted})
        written = subjects.written(conn, desk, asked)
        logs = kept.read(conn, desk, before, written)
        return cls(desk, versions, before, logs, written, asked, judge, kept)

    @property
    def evaluated_at(self) -> Micros:
        """The latest instant at which one of them was evaluated before, 0 when none was."""
        return max((row.evaluated_at for row in self.before.values()), default=0)

    def judge(self, turn: Turn) -> Judged:
        """Evaluate them and write their rows. One that fails is parked and harms no other."""
        failures = Failures(self.desk)
        known = self._recorded(turn.conn)
        signals: list[NewSignal] = []
        rows = list(self._of_other_ways(turn))
        durable: list[tuple[StoredSubject, KnownLog]] = []
        for subject, log in self.logs.items():
            before = known[subject]
            done, found = failures.attempt([subject], self._evaluated, turn, subject, list(before.values()))
            if done and found is not None:
                signals += found[0]
                rows.append(found[1])
                durable.append((found[1], log.with_signals(before, found[0])))
        subjects.write(turn.conn, rows)
        after_commit(turn.conn, lambda: self._keep(durable))
        retry_at = park_failed(
            turn.conn, self.desk, {*self.logs, *self.before}, failures.errors, turn.backoff, turn.at
        )
        ahead = [row.next_at for row in rows if row.next_at is not None]
        return Judged(
            concerned=self._concerned(turn, signals),
            signals=signals,
            failed={(self.desk, subject): error for subject, error in failures.errors.items()},
            next_at=min([*ahead, *([] if retry_at is None else [retry_at])], default=None),
        )

    def _concerned(self, turn: Turn, signals: Sequence[NewSignal]) -> dict[str, list[Subject]]:
        """The contracts that what was received of services concerns."""
        kinds: dict[Subject, list[str]] = {}
        for signal in signals:
            kinds.setdefault(signal.subject.key, []).append(signal.kind)
        concerned = any(
            subject.kind is SubjectKind.SERVICE
            and by_service(self.versions, log, kinds.get(subject, ()), turn.received_at, turn.at)
            for subject, log in self.logs.items()
        )
        return {self.desk: [ALL_CONTRACTS]} if concerned else {}

    def _recorded(self, conn: Connection) -> Mapping[Subject, Mapping[str, RecordedSignal]]:
        """The recorded signals of each subject by id, read where its log does not have them."""
        unread = [subject for subject, log in self.logs.items() if log.recorded is None]
        read = recorded.recorded(conn, self.desk, [way for each in unread for way in self.written[each]])
        found = {subject: log.recorded for subject, log in self.logs.items() if log.recorded is not None}
        for subject in unread:
            signals = (signal for way in self.written[subject] for signal in read[way].others)
            found[subject] = {signal.id: signal for signal in signals}
        return found

    def _keep(self, durable: Iterable[tuple[StoredSubject, KnownLog]]) -> None:
        for row, log in durable:
            self.kept.put(row, log)

    def _of_other_ways(self, turn: Turn) -> Iterator[StoredSubject]:
        """The rows that a process of the release before wrote by another key: never due again."""
        for subject, row in self.before.items():
            if subject not in self.logs:
                yield replace(row, revision=row.revision + 1, evaluated_at=turn.at, next_at=None)

    def _evaluated(
        self, turn: Turn, subject: Subject, known: Sequence[RecordedSignal]
    ) -> tuple[list[NewSignal], StoredSubject]:
        if self.judge_of_kind is None:
            raise NoJudge(f"no judge is registered for subjects of the kind {subject.kind.value!r}")
        before = self.before.get(subject)
        versions, wakes_at = begun(self.versions, turn.at), next_change_at(self.versions, turn.at)
        judged_at = None if before is None else before.evaluated_at or None
        log = self.logs[subject]
        found: Judgement = self.judge_of_kind(log, versions, known, turn.at, judged_at)
        coming = [at for at in (found.next_at, wakes_at) if at is not None]
        row = StoredSubject(
            desk=self.desk,
            subject=subject,
            revision=1 if before is None else before.revision + 1,
            evaluated_at=turn.at,
            next_at=checked_next_at(min(coming, default=None), turn.at),
        )
        named, asked = self.written[subject][0], self.asked[subject]
        emitted = [
            emitted_signal(turn.emitter, self.desk, named, signal, judged_at, asked)
            for signal in found.signals
        ]
        return emitted, row


def emitted_signal(
    emitter: Emitter,
    desk: str,
    subject: Subject,
    signal: SubjectSignal,
    judged_at: Micros | None,
    asked: Subject | None = None,
) -> NewSignal:
    """A subject's signal as a row of the stream. `judged_at`: when the subject was last evaluated before, if it was.

    `asked`: how it was written where it was evaluated; None: as in the signal.
    """
    new = NewSignal(
        desk=desk,
        subject=subject,
        kind=signal.kind,
        occurrence=signal.occurrence,
        at=signal.at,
        detected_at=emitter.now,
        commitment=signal.commitment,
        cycle=signal.cycle,
        generation=signal.generation,
        commitment_kind=signal.commitment_kind,
        late=judged_at is not None and signal.at <= judged_at,
        deliver=emitter.delivers(signal.at),
        trace=emitter.trace(desk, asked or subject),
        retracts=signal.retracts,
        corrects=None if signal.corrects is None else (signal.corrects, signal.at),
    )
    more: dict[str, Any] = {"replaces": signal.retracts, **signal.details, "clock": None}
    return encoded(new, serialize.signal(new) | more)
