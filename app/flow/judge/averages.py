"""Assessment of averages: a call's event projects its own call, and the desk is judged by the sums of its months.

The desk's subject is locked first, so of one desk one transaction at a time projects calls and judges them. A month that
was not projected under the version that judges it is projected whole, from the log. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.flow.judge.judges import SubjectSignal
from app.flow.judge.parking import park_failed
from app.flow.judge.subjects import checked_next_at, emitted_signal
from app.flow.judge.turn import Failures, Judged, Turn
from app.flow.query.averages import figures
from app.flow.query.measured_calls import calls_from_log, months_of
from app.sla.agreement.average import AverageRule
from app.sla.agreement.version import Version, begun, next_change_at, version_of_period
from app.sla.average.call import call_of
from app.sla.average.month import Month, crossed_at
from app.sla.average.signals import AverageSignal, average_signals
from app.sla.clock.signals import RecordedSignal
from app.sla.event import Event
from app.sla.period import Months, Period
from app.sla.span import Micros
from app.sla.subject import THE_DESK, Subject, SubjectKind
from app.store.engine.database import Connection
from app.store.tickets import averages, ledger, recorded, subjects
from app.store.tickets.averages import CountedCall
from app.store.tickets.signals import NewSignal
from app.store.tickets.subjects import StoredSubject


@dataclass(frozen=True, slots=True)
class AveragesCase:
    """Calls of one desk and the desk itself, locked, with the logs of the calls.

    `wakes_at`: when a planned version begins that may change the running month.
    """

    desk: str
    versions: tuple[Version, ...]
    before: StoredSubject | None
    logs: Mapping[Subject, Sequence[Event]]
    wakes_at: Micros | None = None

    @classmethod
    def locked(
        cls, conn: Connection, desk: str, wanted: Iterable[Subject], versions: tuple[Version, ...]
    ) -> "AveragesCase":
        """Lock the desk's subject and read the logs of these calls."""
        before = subjects.locked(conn, desk, [THE_DESK]).get(THE_DESK)
        calls = sorted(each for each in wanted if each.kind is SubjectKind.CALL)
        return cls(desk, versions, before, ledger.subject_logs(conn, desk, calls))

    @property
    def evaluated_at(self) -> Micros:
        """When the desk was last evaluated, 0 when it never was."""
        return 0 if self.before is None else self.before.evaluated_at

    def judge(self, turn: Turn) -> Judged:
        """Project the calls, judge their months and those that have ended, and write the desk's row.

        A call that fails is parked and harms no other.
        """
        wakes_at = next_change_at(self.versions, turn.at)
        return replace(self, versions=begun(self.versions, turn.at), wakes_at=wakes_at)._assessed(turn)

    def _assessed(self, turn: Turn) -> Judged:
        if self.before is not None and self.before.next_at is None and not self._measures:
            return Judged()
        months, failures = months_of(self.versions), Failures(self.desk)
        touched = self._projected(turn, months, failures)
        signals: list[NewSignal] = []
        row = None
        done, found = failures.attempt([THE_DESK], self._judged, turn, months, touched)
        if done and found is not None:
            signals, row = found
            subjects.write(turn.conn, [row])
        evaluated = [*self.logs, THE_DESK]
        retry_at = park_failed(turn.conn, self.desk, evaluated, failures.errors, turn.backoff, turn.at)
        ahead = [at for at in (retry_at, None if row is None else row.next_at) if at is not None]
        return Judged(
            signals=signals,
            failed={(self.desk, subject): error for subject, error in failures.errors.items()},
            next_at=min(ahead, default=None),
        )

    @property
    def _measures(self) -> bool:
        """Whether any version of the agreement has an average."""
        return any(version.agreement.averages for version in self.versions)

    # -- the projection of calls ---------------------------------------------------------------------------------

    def _projected(self, turn: Turn, months: Months, failures: Failures) -> dict[tuple[str, Micros], Micros]:
        """Write where the calls count now. Returns for each (average, month) touched the first answer that changed."""
        if not self.logs or not self._measures:
            return {}
        new: list[CountedCall] = []
        for subject, log in self.logs.items():
            _, counted = failures.attempt([subject], self._counted, months, log, turn.at)
            new += counted or []
        failed = {subject.text for subject in failures.errors}
        known = averages.of_calls(turn.conn, self.desk, [subject.text for subject in self.logs])
        before = [each for each in known if each.call.id not in failed]
        gone = [each for each in before if each not in new]
        added = [each for each in new if each not in before]
        averages.replace(turn.conn, self.desk, gone, added)
        touched: dict[tuple[str, Micros], Micros] = {}
        for each in (*gone, *added):
            key, at = (each.average, each.period), each.call.answered_at or each.call.offered_at
            touched[key] = min(at, touched.get(key, at))
        return touched

    def _counted(self, months: Months, log: Sequence[Event], at: Micros) -> list[CountedCall]:
        """The months of averages in which a call counts."""
        call = call_of(log)
        if call is None:
            return []
        period = months.at(call.offered_at)
        rules = version_of_period(self.versions, period, at).agreement.averages
        return [
            CountedCall(rule.id, period.start, call)
            for rule in rules
            if rule.counts(call.line, call.offered_at)
        ]

    # -- the judgement of months ---------------------------------------------------------------------------------

    def _judged(
        self, turn: Turn, months: Months, touched: Mapping[tuple[str, Micros], Micros]
    ) -> tuple[list[NewSignal], StoredSubject]:
        """The signals of the desk's months that are not recorded yet, and its row."""
        signals: list[NewSignal] = []
        ahead: list[Micros] = []
        for period in self._periods(turn.at, months, touched):
            version = version_of_period(self.versions, period, turn.at)
            for rule in version.agreement.averages:
                month, next_at = self._month(turn, rule, period, version.number, touched)
                ahead += next_at
                known = self._recorded(turn.conn, rule, period)
                signals += [self._signal(turn, month, each) for each in average_signals(month, known)]
        ahead += [] if self.wakes_at is None else [self.wakes_at]
        revision = 1 if self.before is None else self.before.revision + 1
        next_at = checked_next_at(min(ahead, default=None), turn.at)
        return signals, StoredSubject(self.desk, THE_DESK, revision, turn.at, next_at)

    def _periods(
        self, at: Micros, months: Months, touched: Mapping[tuple[str, Micros], Micros]
    ) -> list[Period]:
        """The months that calls have touched, the running one, and those that have ended since the last evaluation."""
        since = min(self.evaluated_at or at, at)
        found = {*months.between(since, at + 1), *(months.at(start) for _, start in touched)}
        return sorted(found)

    def _month(
        self,
        turn: Turn,
        rule: AverageRule,
        period: Period,
        version: int,
        touched: Mapping[tuple[str, Micros], Micros],
    ) -> tuple[Month, list[Micros]]:
        """A month as it stands, and the instants at which it changes though nothing happens."""
        conn, at = turn.conn, turn.at
        since = min(touched.get((rule.id, period.start), at), self.evaluated_at + 1)
        if averages.projected_by(conn, self.desk, rule.id, period.start) != version:
            calls = calls_from_log(conn, self.desk, rule, period)
            averages.replace_month(conn, self.desk, rule.id, period.start, calls)
            averages.note_projected(conn, self.desk, rule.id, period.start, version)
            since = period.start
        tally = averages.tally(conn, self.desk, rule.id, period.start, at)
        if at >= period.end:
            return Month(rule, period, tally, at), []
        before = averages.tally(conn, self.desk, rule.id, period.start, since - 1)
        waits = averages.waits(conn, self.desk, rule.id, period.start, since, at + 1)
        month = Month(rule, period, tally, at, crossed_at(rule, waits, before))
        answer = averages.next_answer(conn, self.desk, rule.id, period.start, at)
        ends = [period.end] if tally.answered or tally.unanswered or answer is not None else []
        return month, ends if answer is None else [*ends, answer]

    def _recorded(self, conn: Connection, rule: AverageRule, period: Period) -> list[RecordedSignal]:
        found = recorded.recorded_since(conn, self.desk, THE_DESK, {rule.id: period.start}, {})
        return found.others

    def _signal(self, turn: Turn, month: Month, signal: AverageSignal) -> NewSignal:
        made = SubjectSignal(
            kind=signal.kind,
            occurrence="",
            at=signal.at,
            commitment=month.rule.id,
            cycle=month.period.start,
            generation=signal.generation,
            commitment_kind=month.rule.kind.value,
            retracts=signal.retracts,
            details=figures(month),
        )
        judged_at = None if self.before is None else self.before.evaluated_at
        return emitted_signal(turn.emitter, self.desk, THE_DESK, made, judged_at)
