"""Assessment of the tickets of one desk: clocks, queues and signals, evaluated from a merge graph.

Tickets are evaluated one by one, then the queues of their duplicate groups are derived, and what both give is compared
with what was recorded. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from app.flow.judge.allowances import TicketAllowances
from app.flow.judge.concerned import TicketsWithCredits
from app.flow.judge.long_tickets import LongTickets
from app.flow.judge.parking import park_failed
from app.flow.judge.queueing import Queueing
from app.flow.judge.report_marks import ReportMarks
from app.flow.judge.subjects import checked_next_at
from app.flow.judge.turn import Failures, Judged, Turn
from app.flow.query.answer import TicketAnswer
from app.flow.query.checkpoints import Checkpoints
from app.flow.query.duplicates import AdjacentTickets
from app.flow.query.merge_graph import MergeGraph
from app.sla.agreement.version import Version, begun, next_change_at
from app.sla.clock.evaluation import Evaluation, NothingKnown
from app.sla.clock.signals import LATE_KINDS, signals
from app.sla.contract import Contract
from app.sla.event import Event
from app.sla.fields import casefolded
from app.sla.queue.duplicate import queue_of
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from app.sla.subject import Subject
from app.sla.ticket import Ticket
from app.store.engine.database import Connection, after_commit
from app.store.tables import NEVER
from app.store.tickets import archive, clocks
from app.store.tickets.clocks import ClockChange, ClockKey, StoredClock, StoredTicket
from app.store.tickets.recorded import RecordedSignals, recorded, recorded_since
from app.store.tickets.signals import NewSignal

_FILTERED: Final = (
    "customer",
    "organisation",
    "contract",
    "plan",
    "level",
    "priority",
    "category",
    "service",
    "kind",
    "assignee",
    "group",
    "title",
    "url",
)
"""Fields by which lists filter and which messages show, stored as text."""

Clocks = Mapping[ClockKey, StoredClock]


@dataclass(frozen=True, slots=True)
class TicketCase:
    """Tickets of one desk that are evaluated together, locked, with the versions of the desk's agreement.

    `versions` are those that have begun, `wakes_at` is when a planned one begins that may change the tickets.
    """

    graph: MergeGraph
    versions: tuple[Version, ...]
    checkpoints: Checkpoints
    wakes_at: Micros | None = None

    @property
    def evaluated_at(self) -> Micros:
        """The latest instant at which one of them was evaluated before, 0 when none was."""
        return max((row.evaluated_at for row in self.graph.rows.values()), default=0)

    def judge(self, turn: Turn) -> Judged:
        """Evaluate them and write their rows. A ticket that fails is parked and harms no other."""
        wakes_at = next_change_at(self.versions, turn.at)
        return replace(self, versions=begun(self.versions, turn.at), wakes_at=wakes_at)._judged(turn)

    def _judged(self, turn: Turn) -> Judged:
        desk, failures = self.graph.desk, Failures(self.graph.desk)
        names = sorted(name for name in self.graph.concerned if self.graph.is_known(name))
        subjects = list(map(Subject.parse, names))
        long = LongTickets(self.graph, self.versions, self.checkpoints)
        evaluated, ahead = self._evaluations(turn, names, failures, long)
        allowances = TicketAllowances(self.graph, self.versions)
        again = partial(long.whole, turn.conn, turn.at)
        evaluated = allowances.applied(turn.conn, evaluated, turn.at, again, failures)
        queueing = Queueing(
            turn.conn,
            turn.at,
            self.graph,
            self.versions[-1].agreement,
            long=long.replays,
            kept=self.checkpoints.limits.kept,
        )
        groups = queueing.groups(evaluated)
        evaluated = _derived(queueing, groups, evaluated, failures)
        members = (Subject.parse(name) for group in groups for name in group.within)
        judged = {subject for subject in subjects if subject not in failures.waits}
        known, before = self._known(turn.conn, {*judged, *members}, evaluated, queueing)
        answers, emitted = self._compared(turn, evaluated, known, before, failures)
        emitted += self._of_allowances(turn, allowances, answers, known)
        queueing.leave_out(subject.text for subject in failures.errors)
        emitted += queueing.write(turn.positions, turn.emitter, known)
        rows = [self._row(answer, queueing) for answer in answers]
        rows += [self._row_ahead(turn, name) for name in ahead]
        self._store(turn, rows, answers, before, queueing)
        after_commit(turn.conn, long.kept(turn.conn, rows, queueing.lone, failures))
        retry_at = park_failed(
            turn.conn, desk, subjects, failures.errors, turn.backoff, turn.at, failures.waits
        )
        long.judged()
        placed = (self._placed(turn, queueing, each) for each in answers)
        coming = [*(row.next_at for row in rows), turn.at if allowances.has_moved_others else None]
        return Judged(
            signals=emitted,
            answers={(desk, answer.ticket): answer for answer in placed},
            failed={(desk, subject): error for subject, error in failures.errors.items()},
            next_at=min((at for at in (*coming, retry_at) if at is not None), default=None),
            concerned={desk: self._contracts(answers, before)},
        )

    def _contracts(
        self, answers: Iterable[TicketAnswer], before: Mapping[Subject, Clocks]
    ) -> Collection[Subject]:
        """The contracts whose credits these tickets may have changed."""
        finder = TicketsWithCredits(self.versions)
        if not finder.exist:
            return ()
        return {
            contract
            for answer in answers
            for contract in finder.contracts(
                answer,
                self.graph.logs[answer.ticket],
                self.graph.rows.get(answer.ticket),
                (
                    clock.commitment
                    for clock in before.get(Subject.parse(answer.ticket), {}).values()
                    if clock.breached_at is not None
                ),
            )
        }

    def _evaluations(
        self, turn: Turn, names: Iterable[str], failures: Failures, long: LongTickets
    ) -> tuple[dict[str, Evaluation], list[str]]:
        """The evaluations of these tickets, and those of which nothing has happened yet."""
        evaluated: dict[str, Evaluation] = {}
        ahead: list[str] = []
        for name in names:
            done, evaluation = failures.attempt([Subject.parse(name)], self._evaluation, turn, name, long)
            if evaluation is not None:
                evaluated[name] = evaluation
            elif done:
                ahead.append(name)
        return evaluated, ahead

    def _known(
        self,
        conn: Connection,
        subjects: Collection[Subject],
        evaluated: Mapping[str, Evaluation],
        queueing: Queueing,
    ) -> tuple[dict[Subject, RecordedSignals], dict[Subject, Clocks]]:
        """The signals and clocks of these tickets that are recorded; without the settled cycles."""
        desk = self.graph.desk
        partly = {
            name: evaluation.settled
            for name, evaluation in evaluated.items()
            if evaluation.settled or queueing.left_out(name)
        }
        whole = [subject for subject in subjects if subject.text not in partly]
        stored = [subject for subject in whole if subject.text not in self.graph.never_evaluated]
        known = {subject: RecordedSignals() for subject in whole} | recorded(conn, desk, stored)
        before = dict[Subject, Clocks](clocks.clocks(conn, desk, stored))
        agreements = [version.agreement for version in self.versions]
        ids = sorted({each.id for a in agreements for each in (*a.commitments, *a.allowances)})
        for name, settled in partly.items():
            subject = Subject.parse(name)
            since = {each: settled[each].before if each in settled else 0 for each in ids}
            before[subject] = clocks.clocks_since(conn, desk, subject, since)
            if name in queueing.lone:
                known[subject] = recorded_since(conn, desk, subject, since, queueing.moved_since(name))
            else:
                known |= recorded(conn, desk, [subject])
        return known, before

    def _evaluation(self, turn: Turn, name: str, long: LongTickets) -> Evaluation | None:
        """None: every event of the ticket lies ahead. Raises NotLater."""
        row = self.graph.rows.get(name)
        at = turn.at if row is None else max(turn.at, row.evaluated_at)
        try:
            evaluation = long.evaluation(turn.conn, name, at)
        except NothingKnown:
            return None
        checked_next_at(evaluation.next_at, at)
        return evaluation

    def _compared(
        self,
        turn: Turn,
        evaluated: Mapping[str, Evaluation],
        known: Mapping[Subject, RecordedSignals],
        before: Mapping[Subject, Clocks],
        failures: Failures,
    ) -> tuple[list[TicketAnswer], list[NewSignal]]:
        """The views of the tickets, and their clock signals that are not recorded yet."""
        answers: list[TicketAnswer] = []
        emitted: list[NewSignal] = []
        for name, evaluation in evaluated.items():
            subject = Subject.parse(name)
            last = before.get(subject, {})
            done, found = failures.attempt(
                [subject], self._view, turn, name, evaluation, known[subject], last
            )
            if done and found is not None:
                answers.append(found[0])
                emitted += found[1]
        return answers, emitted

    def _view(
        self, turn: Turn, name: str, evaluation: Evaluation, known: RecordedSignals, before: Clocks
    ) -> tuple[TicketAnswer, list[NewSignal]]:
        """The view of a ticket, and its clock signals that are not recorded yet."""
        row = self.graph.rows.get(name)
        last = {key: clock.last_recorded for key, clock in before.items()}
        revision = _next_revision(row)
        new = signals(
            known.clocks,
            last,
            evaluation,
            revision=revision,
            because=self._learnt(turn, name, evaluation.ticket.contract),
        )
        late = {(signal.commitment, signal.cycle): turn.at for signal in new if signal.kind in LATE_KINDS}
        answer = TicketAnswer(
            self.graph.desk,
            name,
            evaluation,
            turn.at,
            known.detected | late,
            merged_into=self.graph.merged_into(name, evaluation.at),
            merged_from=self.graph.merged_from(name, evaluation.at),
        )
        judged_at = None if row is None else row.evaluated_at
        return answer, turn.emitter.clock_signals(answer, judged_at, new)

    def _of_allowances(
        self,
        turn: Turn,
        allowances: TicketAllowances,
        answers: Iterable[TicketAnswer],
        known: Mapping[Subject, RecordedSignals],
    ) -> list[NewSignal]:
        """The tickets' signals of allowances that are not recorded yet."""
        found: list[NewSignal] = []
        for answer in answers:
            others = known[Subject.parse(answer.ticket)].others
            if not others and answer.ticket not in allowances.exceeded:
                continue
            row = self.graph.rows.get(answer.ticket)
            judged_at = None if row is None else row.evaluated_at
            found += allowances.signals(turn.emitter, answer.ticket, others, judged_at)
        return found

    def _learnt(self, turn: Turn, name: str, contract: Contract | None) -> Reason | None:
        """What is known that was not at the ticket's last evaluation; none when only time has passed."""
        log = self.graph.whole_log(name, turn.at)
        new = [event for event in log if event.received_at == turn.received_at]
        if new:
            return Reason(ReasonCode.EVENT_RECEIVED, new[-1].id, {"type": new[-1].type})
        row, latest = self.graph.rows.get(name), self.versions[-1].number
        if row is not None and contract is not None and (contract.recorded_at or 0) >= row.evaluated_at:
            return Reason(ReasonCode.CONTRACT_APPLIED, contract.id)
        if row is None or row.version == latest:
            return None
        return Reason(ReasonCode.VERSION_APPLIED, latest)

    @staticmethod
    def _placed(turn: Turn, queueing: Queueing, answer: TicketAnswer) -> TicketAnswer:
        place = queueing.place(turn.positions, answer.ticket)
        if place is None:
            return answer
        return replace(answer, queue=place, is_capped=answer.ticket in queueing.capped)

    def _store(
        self,
        turn: Turn,
        rows: Sequence[StoredTicket],
        answers: Sequence[TicketAnswer],
        before: Mapping[Subject, Clocks],
        queueing: Queueing,
    ) -> None:
        desk, marks = self.graph.desk, ReportMarks(turn.conn, self.graph.desk, turn.at)
        marks.compare_waits(queueing.stored, queueing.wait_intervals)
        settled = {answer.ticket for answer in answers if answer.evaluation.settled}
        marks.compare_tickets(self.graph.rows, rows, settled | queueing.lone.keys())
        ended = [n for n, row in self.graph.rows.items() if row.status == "closed" or row.merged_into]
        archive.restore(turn.conn, desk, ended)
        clocks.write_tickets(turn.conn, rows, self.graph.rows)
        changes: list[ClockChange] = []
        for answer in answers:
            subject = Subject.parse(answer.ticket)
            after = StoredClock.all_of(answer.evaluation)
            changes.append(ClockChange(desk, subject, before.get(subject, {}), after))
            marks.compare_clocks(changes[-1].before, after)
        clocks.write_clocks(turn.conn, changes)
        marks.write()

    def _row(self, answer: TicketAnswer, queueing: Queueing) -> StoredTicket:
        name, evaluation = answer.ticket, answer.evaluation
        ticket, merge = evaluation.ticket, self.graph.merges.get(name)
        return StoredTicket(
            desk=self.graph.desk,
            ticket=name,
            revision=_next_revision(self.graph.rows.get(name)),
            evaluated_at=evaluation.at,
            next_at=self._next_at(ticket.status, evaluation.next_at),
            due_at=clocks.least_due(evaluation.clocks),
            version=self.versions[-1].number,
            status=ticket.status,
            created_at=ticket.created_at,
            merged_into=None if merge is None else str(merge.data.get("into")),
            queue=queue_of(ticket.fields),
            group_key=queueing.keys[name],
            known_since=self._known_since(name),
            contract_key=_key(ticket, ticket.named_contract),
            customer_key=_key(ticket, ticket.fields.get("customer")),
            is_reported=True,
            **{field: _text(ticket.fields.get(field)) for field in _FILTERED},
        )

    def _next_at(self, status: str, next_at: Micros | None) -> Micros | None:
        """When to evaluate again: at the latest when a planned version begins, unless the ticket is closed then."""
        if self.wakes_at is None or status == "closed":
            return next_at
        return self.wakes_at if next_at is None else min(next_at, self.wakes_at)

    def _known_since(self, name: str) -> Micros | None:
        """When the ticket's first event was received."""
        if name in self.graph.resumed:
            return self.graph.rows[name].known_since
        return _known_since(self.graph.logs[name])

    def _row_ahead(self, turn: Turn, name: str) -> StoredTicket:
        """The row of a ticket of which nothing has happened yet, or nothing that stands."""
        log = self.graph.logs[name]
        return StoredTicket(
            desk=self.graph.desk,
            ticket=name,
            revision=_next_revision(self.graph.rows.get(name)),
            evaluated_at=turn.at,
            next_at=min((event.at + 1 for event in log if event.at >= turn.at), default=None),
            due_at=NEVER,
            version=self.versions[-1].number,
            status="new",
            created_at=None,
            merged_into=None,
            queue=None,
            group_key=None,
            known_since=_known_since(log),
            **dict.fromkeys(_FILTERED),
        )


def _derived(
    queueing: Queueing,
    groups: Iterable[AdjacentTickets],
    evaluated: Mapping[str, Evaluation],
    failures: Failures,
) -> dict[str, Evaluation]:
    """Derive the wait intervals of each group. Returns the evaluations without those of groups that failed."""
    left = dict(evaluated)
    for group in groups:
        # Of a group that fails, its evaluated members fail with it; the others were not touched.
        touched = [name for name in group.tickets if name in left] or list(group.tickets[:1])
        done, _ = failures.attempt(map(Subject.parse, touched), queueing.derive, group)
        if not done:
            for name in touched:
                left.pop(name, None)
    return left


def _next_revision(row: StoredTicket | None) -> int:
    return 1 if row is None else row.revision + 1


def _known_since(log: Sequence[Event]) -> Micros | None:
    return min((event.received_at for event in log), default=None)


def _key(ticket: Ticket, value: object) -> str | None:
    """A name as contracts are found by it; none on a desk without contracts."""
    return None if ticket.finder is None else _text(casefolded(value) or None)


def _text(value: object) -> str | None:
    """A field's value as text. PostgreSQL's text holds no NUL; the event itself keeps it."""
    return None if value is None else str(value).replace("\0", "\ufffd")
