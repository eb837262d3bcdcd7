"""Assessment of subjects beside tickets: each is evaluated by its own log. Instants are microseconds UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.flow.judge.concerned import ALL_CONTRACTS, by_service
from app.flow.judge.emit import Emitter, encoded
from app.flow.judge.judges import Judgement, SubjectJudge, SubjectSignal
from app.flow.judge.parking import park_failed
from app.flow.judge.turn import Failures, Judged, Turn
from app.flow.query import serialize
from app.sla.agreement.version import Version, begun, next_change_at
from app.sla.event import Event
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind
from app.store.engine.database import Connection
from app.store.tickets import ledger, recorded, subjects
from app.store.tickets.recorded import RecordedSignals
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
    """Subjects of one kind of one desk, locked, with their logs."""

    desk: str
    versions: tuple[Version, ...]
    before: Mapping[Subject, StoredSubject]
    logs: Mapping[Subject, Sequence[Event]]
    judge_of_kind: SubjectJudge | None

    @classmethod
    def locked(
        cls,
        conn: Connection,
        desk: str,
        wanted: Sequence[Subject],
        versions: tuple[Version, ...],
        judge: SubjectJudge | None,
    ) -> "SubjectCase":
        """Lock these subjects and read what evaluating them needs."""
        before = subjects.locked(conn, desk, wanted)
        return cls(desk, versions, before, ledger.subject_logs(conn, desk, sorted(wanted)), judge)

    @property
    def evaluated_at(self) -> Micros:
        """The latest instant at which one of them was evaluated before, 0 when none was."""
        return max((row.evaluated_at for row in self.before.values()), default=0)

    def judge(self, turn: Turn) -> Judged:
        """Evaluate them and write their rows. One that fails is parked and harms no other."""
        failures = Failures(self.desk)
        known = recorded.recorded(turn.conn, self.desk, self.logs)
        signals: list[NewSignal] = []
        rows: list[StoredSubject] = []
        for subject in self.logs:
            done, found = failures.attempt([subject], self._evaluated, turn, subject, known[subject])
            if done and found is not None:
                signals += found[0]
                rows.append(found[1])
        subjects.write(turn.conn, rows)
        retry_at = park_failed(turn.conn, self.desk, self.logs, failures.errors, turn.backoff, turn.at)
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
            kinds.setdefault(signal.subject, []).append(signal.kind)
        concerned = any(
            subject.kind is SubjectKind.SERVICE
            and by_service(self.versions, log, kinds.get(subject, ()), turn.received_at, turn.at)
            for subject, log in self.logs.items()
        )
        return {self.desk: [ALL_CONTRACTS]} if concerned else {}

    def _evaluated(
        self, turn: Turn, subject: Subject, known: RecordedSignals
    ) -> tuple[list[NewSignal], StoredSubject]:
        if self.judge_of_kind is None:
            raise NoJudge(f"no judge is registered for subjects of the kind {subject.kind.value!r}")
        before = self.before.get(subject)
        versions, wakes_at = begun(self.versions, turn.at), next_change_at(self.versions, turn.at)
        judged_at = None if before is None else before.evaluated_at
        log = self.logs[subject]
        found: Judgement = self.judge_of_kind(log, versions, known.others, turn.at, judged_at)
        coming = [at for at in (found.next_at, wakes_at) if at is not None]
        row = StoredSubject(
            desk=self.desk,
            subject=subject,
            revision=1 if before is None else before.revision + 1,
            evaluated_at=turn.at,
            next_at=checked_next_at(min(coming, default=None), turn.at),
        )
        emitted = [
            emitted_signal(turn.emitter, self.desk, subject, signal, judged_at) for signal in found.signals
        ]
        return emitted, row


def emitted_signal(
    emitter: Emitter, desk: str, subject: Subject, signal: SubjectSignal, judged_at: Micros | None
) -> NewSignal:
    """A subject's signal as a row of the stream. `judged_at`: when the subject was last evaluated before, if it was."""
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
        trace=emitter.trace(desk, subject),
        retracts=signal.retracts,
        corrects=None if signal.corrects is None else (signal.corrects, signal.at),
    )
    more: dict[str, Any] = {"replaces": signal.retracts, **signal.details, "clock": None}
    return encoded(new, serialize.signal(new) | more)
