"""What contracts are credited under other versions, or other contracts: the money of a preview.

Sums are those of the list of credits: whatever is accruing, owed, claimable, claimed or granted. Broken uptimes are
derived anew under the versions and contracts to come. Of missed commitments those of tickets that were late already are
judged again, and those of open tickets. A ticket that is closed and was in time is not: a version does not change it.
Used allowances count as they are stored. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeAlias

from app.flow.agreement.contracts import ContractPlan, customers_of
from app.flow.agreement.effects import CreditChange, added, credit_changes
from app.flow.query.contracts import CustomerContract
from app.flow.query.credit_causes import Asked, Judged, Uptimes
from app.flow.query.credit_facts import claims, misses_of, names_of
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import Version
from app.sla.clock.evaluation import Evaluation, NothingKnown
from app.sla.contract import Contract
from app.sla.contract_finder import StoredContracts
from app.sla.credit.cause import BrokenUptime
from app.sla.credit.line import totals
from app.sla.credit.lines import ContractCredits
from app.sla.event import Event
from app.sla.fields import casefolded
from app.sla.span import Micros, Span
from app.store.contracts import contracts, credits
from app.store.contracts.catalogue import Catalogue
from app.store.engine.batch import pieces
from app.store.engine.database import Connection
from app.store.tickets import schedule

_PAGE: Final = 50
"""Contracts in one read. Those of one service share one computation."""

Misses: TypeAlias = dict[str, list[Judged]]
"""Missed commitments by the casefolded id of their contract."""
Contracts: TypeAlias = Mapping[str, CustomerContract]


def answered_by(versions: Iterable[Version]) -> set[str]:
    """The commitments that a credit of these versions answers."""
    return {
        credit.answers
        for version in versions
        for credit in version.agreement.credits
        if not credit.of_availability
    }


def note_missed(
    misses: Misses, ticket: str, evaluation: Evaluation, answered: Collection[str], log: Iterable[Event] = ()
) -> None:
    """Add what a ticket missed of these commitments, by its contract."""
    contract = evaluation.ticket.contract
    if contract is None:
        return
    missed = [(evaluation.agreement, each) for each in misses_of(ticket, evaluation, answered, log)]
    if missed:
        misses.setdefault(contract.key, []).extend(missed)


def credited(
    question: Asked, found: Contracts, *missed: Misses, within: Span | None = None
) -> dict[str, Decimal]:
    """What these contracts are credited, by currency. `within`: of uptimes only those of months that it touches."""
    if not found or not any(version.agreement.credits for version in question.versions):
        return {}
    uptimes, facts = Uptimes.read(question), claims(question, found)
    return totals(
        line
        for key, each in found.items()
        for line in ContractCredits(question.desk, each.id, each.terms, facts[key], question.versions).lines(
            [
                *_touching(within, uptimes.of(each)),
                *(judged for misses in missed for judged in misses.get(key, ())),
            ],
            question.at,
        )
    )


def _touching(within: Span | None, judged: Iterable[Judged]) -> Iterator[Judged]:
    """The causes of periods that a span touches; all without one."""
    for agreement, cause in judged:
        if within is None or not isinstance(cause, BrokenUptime) or (cause.period.span & within).length:
            yield agreement, cause


def contracts_under(
    stored: Mapping[str, tuple[Contract, ...]], keys: Iterable[str], by: Agreement
) -> Contracts:
    """The contracts of these ids by an agreement, which may state those that are not stored."""
    found: dict[str, CustomerContract] = {}
    for key in sorted(keys):
        terms = stored.get(key) or ((by.contracts[key],) if key in by.contracts else ())
        if terms:
            found[key] = CustomerContract(by.desk, tuple(terms), None, by.currency)
    return found


def _evaluation(graph: MergeGraph, ticket: str, versions: Sequence[Version], at: Micros) -> Evaluation | None:
    """A ticket's evaluation; None where nothing is known of it, or nothing is kept."""
    if not graph.logs[ticket]:
        return None
    try:
        return judge(graph, ticket, versions, at)
    except NothingKnown:
        return None


@dataclass(slots=True)
class VersionMoney:
    """What a desk's contracts are credited at an instant under two sequences of versions, page by page."""

    desk: str
    now: Micros
    at: Micros
    old: tuple[Version, ...]
    new: tuple[Version, ...]
    _after: str = ""
    _compared: set[str] = field(default_factory=set[str])
    _missed: tuple[Misses, Misses] = field(default_factory=lambda: (Misses(), Misses()))

    @property
    def is_needed(self) -> bool:
        """Whether any of the versions has credits."""
        return any(version.agreement.credits for version in (*self.old, *self.new))

    @property
    def needs_tickets(self) -> bool:
        """Whether a credit of any of the versions answers what a ticket missed."""
        return bool(answered_by((*self.old, *self.new)))

    def note(self, ticket: str, old: Evaluation | None, new: Evaluation | None, log: Sequence[Event]) -> None:
        """Keep what a ticket missed under both, which the preview has judged anyway."""
        answered = answered_by(self.old), answered_by(self.new)
        if not any(answered):
            return
        self._compared.add(ticket)
        for evaluation, misses, names in zip((old, new), self._missed, answered, strict=True):
            if evaluation is not None:
                note_missed(misses, ticket, evaluation, names, log)

    def step(
        self, conn: Connection, catalogue: Catalogue
    ) -> tuple[dict[str, Decimal], dict[str, Decimal]] | None:
        """What the next contracts are credited before and after, by currency; None: there are no more."""
        keys = self._page(conn)
        if not keys:
            return None
        self._after = keys[-1]
        stored = contracts.of_contracts(conn, self.desk, keys)
        sides = [
            (versions, contracts_under(stored, keys, versions[-1].agreement))
            for versions in (self.old, self.new)
        ]
        others = self._others(conn, {**sides[0][1], **sides[1][1]})
        before, after = (
            credited(
                Asked(conn, catalogue, self.desk, versions, self.now, self.at, None), found, missed, other
            )
            for (versions, found), missed, other in zip(sides, self._missed, others, strict=True)
        )
        return before, after

    def _page(self, conn: Connection) -> list[str]:
        stored = contracts.keys_page(conn, self.desk, after=self._after, limit=_PAGE)
        filed = {key for side in (self.old, self.new) for key in side[-1].agreement.contracts}
        return sorted({*stored, *(key for key in filed if key > self._after)})[:_PAGE]

    def _others(self, conn: Connection, found: Contracts) -> tuple[Misses, Misses]:
        """What tickets missed that were late already and that the preview has not compared, as closed ones."""
        missed = Misses(), Misses()
        answered = answered_by(self.old), answered_by(self.new)
        if not any(answered):
            return missed
        late = credits.missed_tickets(
            conn, self.desk, names_of(found), answered[0] | answered[1], self.at
        ).keys()
        for part in pieces(sorted(late - self._compared)):
            graph = gather(conn, self.desk, part)
            for versions, misses, names in zip((self.old, self.new), missed, answered, strict=True):
                for ticket in part:
                    if (evaluation := _evaluation(graph, ticket, versions, self.at)) is not None:
                        note_missed(misses, ticket, evaluation, names, graph.logs[ticket])
        return missed


def contracts_money(
    conn: Connection,
    now: Micros,
    catalogue: Catalogue,
    desk: str,
    plans: Sequence[ContractPlan],
) -> list[CreditChange]:
    """The currencies in which plans for contracts change the desk's credits, with the sums of all that they concern.

    They concern the contracts that change, and the others of their customers: a ticket may go from one to another.
    """
    changed = [plan for plan in plans if plan.changes]
    versions = catalogue.versions(conn, desk, at=now)
    if not changed or not any(version.agreement.credits for version in versions):
        return []
    agreement, coming = versions[-1].agreement, {plan.key: plan for plan in changed}
    customers = customers_of(changed) - {""}
    keys = {*coming, *_of_customers(conn, desk, customers, agreement)}
    stored = contracts.of_contracts(conn, desk, keys)
    after = stored | {key: tuple(plan.after[on] for on in sorted(plan.after)) for key, plan in coming.items()}
    sides = [contracts_under(terms, keys, agreement) for terms in (stored, after)]
    question = Asked(conn, catalogue, desk, versions, now, now, None)
    missed = _missed_by_contracts(question, {*keys, *customers}, changed)
    sums = [credited(question, found, misses) for found, misses in zip(sides, missed, strict=True)]
    return credit_changes(added({}, *sums))


def _of_customers(conn: Connection, desk: str, customers: Iterable[str], agreement: Agreement) -> set[str]:
    """The casefolded ids of all contracts of these customers."""
    wanted = set(customers)
    found = {key for key, term in agreement.contracts.items() if casefolded(term.customer) in wanted}
    for customer in wanted:
        after = ""
        while page := contracts.keys_page(conn, desk, customer=customer, after=after, limit=_PAGE):
            found.update(page)
            after = page[-1]
    return found


def _missed_by_contracts(
    question: Asked, names: Collection[str], plans: Sequence[ContractPlan]
) -> tuple[Misses, Misses]:
    """What open tickets and those that were late already miss, by the contracts in force and by those to come."""
    missed, answered = (Misses(), Misses()), answered_by(question.versions)
    if not answered:
        return missed
    conn, desk = question.conn, question.desk
    late = credits.missed_tickets(conn, desk, names, answered, question.at)
    tickets = {*late, *concerned(conn, desk, plans)}
    for part in pieces(sorted(tickets)):
        graph = gather(conn, desk, part)
        for known, misses in zip((graph.contracts, with_plans(graph.contracts, plans)), missed, strict=True):
            graph.contracts = known
            for ticket in part:
                if (evaluation := _evaluation(graph, ticket, question.versions, question.at)) is not None:
                    note_missed(misses, ticket, evaluation, answered, graph.logs[ticket])
    return missed


def concerned(conn: Connection, desk: str, plans: Sequence[ContractPlan]) -> list[str]:
    """The tickets that name one of these contracts or are of one of their customers: open ones, then closed ones.

    A contract is a fact about the past, so closed tickets are judged again by it as well.
    """
    if not plans:
        return []
    keys, customers = {each.key for each in plans}, customers_of(plans)
    if contracts.exist(conn, desk):
        closed = schedule.closed_tickets_of(conn, desk, keys, customers)
        return list(dict.fromkeys([*schedule.open_tickets_of(conn, desk, keys, customers), *closed]))
    # Before the first contract of a desk its tickets' names are stored as they were sent.
    return [
        ticket
        for ticket, customer, contract in schedule.open_tickets_with_names(conn, desk)
        if casefolded(customer) in customers or casefolded(contract) in keys
    ]


def with_plans(known: StoredContracts, plans: Iterable[ContractPlan]) -> StoredContracts:
    """The contracts to come beside those that stay as they are."""
    coming = {each.key: each.after for each in plans}
    kept = [term for term in known.terms if term.key not in coming]
    new = [term for after in coming.values() for _, term in sorted(after.items())]
    return StoredContracts((*kept, *new), exist=True)
