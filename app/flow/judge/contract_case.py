"""Assessment of contracts: the credits of each, and the signals of what changed.

A contract is evaluated by the sweep, never within the push of a fact about a service: that marks all contracts of the
desk due with one row, the subject `contract:` without an id. A batch of the sweep evaluates some of those that were not
evaluated since, until none is left. Rows are keyed by the casefolded id. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.flow.judge.concerned import ALL_CONTRACTS, contract_subject
from app.flow.judge.emit import encoded
from app.flow.judge.parking import park_failed
from app.flow.judge.subjects import checked_next_at
from app.flow.judge.turn import Failures, Judged, Turn
from app.flow.query import serialize
from app.flow.query.contracts import CustomerContract, some_contracts
from app.flow.query.credit_documents import line_document, money, withdrawn_document
from app.flow.query.credits import ContractLines, asked, lines_of
from app.sla.agreement.version import Version, begun, next_change_at
from app.sla.calendar.zone import zone
from app.sla.credit.changes import Change, changes
from app.sla.credit.withdrawal import Withdrawal
from app.sla.period import FIRST_DAY, Months, PeriodRule
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind
from app.store.contracts import credits
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import subjects
from app.store.tickets.signals import NewSignal
from app.store.tickets.subjects import StoredSubject


@dataclass(frozen=True, slots=True)
class ContractCase:
    """Contracts of one desk that are evaluated together, locked."""

    desk: str
    catalogue: Catalogue
    versions: tuple[Version, ...]
    before: Mapping[Subject, StoredSubject]
    wanted: tuple[Subject, ...]
    """By casefolded ids, without the one for all."""
    goes_on_at: Micros | None
    """Since when contracts that this case does not have must be evaluated."""

    @classmethod
    def locked(
        cls,
        conn: Connection,
        catalogue: Catalogue,
        desk: str,
        given: Sequence[Subject],
        versions: tuple[Version, ...],
        *,
        now: Micros,
        batch_size: int,
    ) -> "ContractCase":
        """Lock these contracts, and where all are to be evaluated the next `batch_size` of them."""
        subjects.register(conn, desk, given)
        wanted = {each.key for each in given}
        goes_on_at: Micros | None = None
        if ALL_CONTRACTS in wanted:
            marked = subjects.locked(conn, desk, [ALL_CONTRACTS]).get(ALL_CONTRACTS)
            goes_on_at = None if marked is None else marked.next_at
        if goes_on_at is not None:
            more = credits.stale(conn, desk, goes_on_at, batch_size)
            of_file = _of_file(begun(versions, now)[-1])
            evaluated = subjects.evaluated_at(conn, desk, of_file)
            filed = (each for each in of_file if evaluated.get(each, 0) < goes_on_at)
            more = [*more, *filed][:batch_size]
            goes_on_at = goes_on_at if len(more) == batch_size else None
            wanted.update(more)
        own = tuple(sorted(wanted - {ALL_CONTRACTS}))
        rows = [*own, ALL_CONTRACTS] if ALL_CONTRACTS in wanted else own
        return cls(desk, catalogue, versions, subjects.locked(conn, desk, rows), own, goes_on_at)

    @property
    def evaluated_at(self) -> Micros:
        """The latest instant at which one of them was evaluated before, 0 when none was."""
        return max((row.evaluated_at for row in self.before.values()), default=0)

    def judge(self, turn: Turn) -> Judged:
        """Evaluate them and write their rows. A contract that fails is parked and harms no other."""
        failures = Failures(self.desk)
        found = self._lines(turn, failures)
        signals: list[NewSignal] = []
        rows: list[StoredSubject] = []
        for subject in self.wanted:
            if subject not in failures.errors:
                lines = found.get(subject.id)
                signals += () if lines is None else self._signals(turn, subject, lines)
                next_at = None if lines is None else self._next_at(lines, turn.at)
                rows.append(self._row(turn, subject, next_at))
        if ALL_CONTRACTS in self.before:
            rows.append(self._row(turn, ALL_CONTRACTS, self.goes_on_at))
        subjects.write(turn.conn, rows)
        retry_at = park_failed(turn.conn, self.desk, self.wanted, failures.errors, turn.backoff, turn.at)
        ahead = [row.next_at for row in rows if row.next_at is not None]
        return Judged(
            signals=signals,
            failed={(self.desk, subject): error for subject, error in failures.errors.items()},
            next_at=min([*ahead, *([] if retry_at is None else [retry_at])], default=None),
        )

    def _lines(self, turn: Turn, failures: Failures) -> dict[str, ContractLines]:
        """The credits of the contracts; singly where together they fail."""
        ids = [subject.id for subject in self.wanted]
        known = some_contracts(turn.conn, self.catalogue, self.desk, ids, at=turn.at)
        together = Failures(self.desk)
        done, found = together.attempt(self.wanted or [ALL_CONTRACTS], self._derived, turn, known.values())
        if done and found is not None:
            return found
        singly: dict[str, ContractLines] = {}
        for subject in self.wanted:
            if subject.id in known:
                _, one = failures.attempt([subject], self._derived, turn, [known[subject.id]])
                singly |= one or {}
        return singly

    def _derived(self, turn: Turn, contracts: Iterable[CustomerContract]) -> dict[str, ContractLines]:
        question = asked(turn.conn, self.catalogue, self.desk, now=turn.at)
        return {each.contract.key: each for each in lines_of(question, contracts)}

    def _row(self, turn: Turn, subject: Subject, next_at: Micros | None) -> StoredSubject:
        before = self.before.get(subject)
        return StoredSubject(
            desk=self.desk,
            subject=subject,
            revision=1 if before is None else before.revision + 1,
            evaluated_at=turn.at,
            next_at=next_at,
        )

    def _next_at(self, found: ContractLines, at: Micros) -> Micros | None:
        """When a state changes by time alone: a line's, or the end of the running period, which may have been broken."""
        ahead = [line.next_at for line in found.lines if line.next_at is not None]
        if (wakes_at := next_change_at(self.versions, at)) is not None:
            ahead.append(wakes_at)
        return checked_next_at(min([*ahead, *self._ends(found.contract, at)], default=None), at)

    def _ends(self, contract: CustomerContract, at: Micros) -> Iterator[Micros]:
        agreement = begun(self.versions, at)[-1].agreement
        answered = {credit.answers for credit in agreement.credits if credit.of_availability}
        for rule in {rule.period for rule in agreement.availability if rule.id in answered}:
            day = contract.terms[-1].billing_day if rule is PeriodRule.CONTRACT_MONTH else None
            yield Months(zone(agreement.time_zone), day or FIRST_DAY).at(at).end

    def _signals(self, turn: Turn, subject: Subject, found: ContractLines) -> Iterator[NewSignal]:
        recorded = [each.change for each in found.recorded]
        documents = found.documents
        withdrawals = {line: each.withdrawal for line, each in found.withdrawn.items()}
        before = self.before.get(subject)
        judged_at = None if before is None else before.evaluated_at
        for change in changes(recorded, found.lines, turn.at, withdrawals):
            if change.line is not None:
                shown = line_document(change.line)
            else:
                shown = withdrawn_document(documents[change.id], change.withdrawal or Withdrawal(change.at))
            yield self._signal(turn, found.contract, change, shown, judged_at)

    def _signal(
        self,
        turn: Turn,
        contract: CustomerContract,
        change: Change,
        document: Mapping[str, Any],
        judged_at: Micros | None,
    ) -> NewSignal:
        subject = Subject(SubjectKind.CONTRACT, contract.id)
        new = NewSignal(
            desk=self.desk,
            subject=subject,
            kind=credits.CREDIT + change.kind,
            occurrence=f"{change.id} {change.at}",
            at=change.at,
            detected_at=turn.at,
            commitment=str(document["credit"]),
            generation=change.generation,
            late=judged_at is not None and change.at <= judged_at,
            deliver=turn.emitter.delivers(change.at),
            trace=turn.emitter.trace(self.desk, subject),
            retracts=change.retracts,
        )
        currency = document["currency"]
        more: dict[str, Any] = {
            "contract": contract.id,
            "customer": document["customer"],
            "period": document["period"],
            "old_amount": money(change.old_amount, currency),
            "new_amount": money(change.new_amount, currency),
            "currency": currency,
            "replaces": change.retracts,
            "credit": document,
            "clock": None,
        }
        return encoded(new, serialize.signal(new) | more)


def _of_file(version: Version) -> list[Subject]:
    """The contracts of the agreement file."""
    return [contract_subject(key) for key in version.agreement.contracts]
