"""Contracts of customers: terms put into force, taken back, or previewed.

A term is known by its first date: one that is put with the same `valid_from` takes the place of the one before, and ends
it early by an earlier `valid_to`. Terms of one contract must not overlap. New versions are inserted and every ticket
that they may concern is marked to be judged again, in one transaction; the sweep then judges them in batches. Instants
are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from app.flow.judge.concerned import ALL_CONTRACTS, contract_subject
from app.flow.judge.emit import encoded
from app.flow.query import serialize
from app.flow.query.contracts import UnknownContract
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.contract_file import ContractFault, parse_contract
from app.sla.contract import Contract
from app.sla.contract_document import document_of
from app.sla.document.faults import Fault
from app.sla.fields import casefolded
from app.sla.limits import DEFAULT_LIMITS, Limits
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind
from app.store.contracts import contracts, credits
from app.store.contracts.catalogue import lock_versions
from app.store.contracts.contracts import TermChange
from app.store.engine.database import Connection
from app.store.engine.notify import announce
from app.store.outbound import outbox
from app.store.tickets import schedule, signals, subjects
from app.store.tickets.signals import NewSignal

APPLIED = "contract.applied"
"""The kind of the signal of a contract's new version."""

_MARKED_SINGLY: Final = 100
"""Contracts up to which each is marked due by a row of its own."""

Terms = Mapping[date, Contract]
"""The terms of a contract by their first dates."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A term that a document states. `place` names the document in faults: a file and line, or nothing."""

    term: Contract
    place: str = ""


@dataclass(frozen=True, slots=True)
class ContractPlan:
    """A contract before and after what was stated about it."""

    key: str
    id: str
    before: Terms
    after: Terms

    @property
    def changes(self) -> list[TermChange]:
        """The terms that become others, in the order of their dates; none where all of it is in force already."""
        dates = sorted(self.before.keys() | self.after.keys())
        return [
            TermChange(self.key, on, self.after.get(on), self.id)
            for on in dates
            if self.before.get(on) != self.after.get(on)
        ]


@dataclass(frozen=True, slots=True)
class PutContracts:
    """What was put into force. `numbers` are the new versions by casefolded id; `tickets` are judged again."""

    plans: tuple[ContractPlan, ...]
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])
    tickets: int = 0


class FaultyContracts(ValueError):
    """Contracts were refused. `faults` are all faults, each with the place of its document."""

    def __init__(self, faults: Iterable[tuple[str, Fault]]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{place}{': ' if place else ''}{fault}" for place, fault in self.faults))


class CreditsRecorded(ValueError):
    """The only term of a contract with recorded credits cannot be taken back: no list would have them any more."""


def read_terms(
    documents: Iterable[tuple[str, Mapping[str, object]]],
    agreement: Agreement,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[list[Stated], list[tuple[str, Fault]]]:
    """The terms of documents, each with its place, and the faults of those that cannot be read."""
    found: list[Stated] = []
    faults: list[tuple[str, Fault]] = []
    for place, document in documents:
        try:
            found.append(Stated(parse_contract(document, agreement, limits=limits), place))
        except ContractFault as error:
            faults += ((place, fault) for fault in error.faults)
    return found, faults


def plan(conn: Connection, desk: str, stated: Sequence[Stated]) -> list[ContractPlan]:
    """What the statements make of each contract. Raises FaultyContracts where terms overlap or are stated twice."""
    by_key: dict[str, list[Stated]] = {}
    for each in stated:
        by_key.setdefault(each.term.key, []).append(each)
    before = contracts.of_contracts(conn, desk, by_key)
    plans: list[ContractPlan] = []
    faults: list[tuple[str, Fault]] = []
    for key, own in by_key.items():
        terms = {term.valid_from: term for term in before.get(key, ())}
        after = terms | {each.term.valid_from: each.term for each in own}
        faults += _faults_between(own, after)
        plans.append(ContractPlan(key, own[-1].term.id, terms, after))
    if faults:
        raise FaultyContracts(faults)
    return plans


def _faults_between(own: Sequence[Stated], after: Terms) -> Iterator[tuple[str, Fault]]:
    """The faults that only show beside the contract's other terms."""
    seen: dict[date, str] = {}
    for each in own:
        on = each.term.valid_from
        if on in seen:
            wrong = f"{on} is stated twice for contract {each.term.id}"
            yield each.place, Fault("valid_from", wrong, "State each term once.")
        seen[on] = each.place
        if after[on] is each.term and (other := _overlapped(each.term, after)) is not None:
            yield each.place, _overlap(each.term, other)


def _overlapped(term: Contract, after: Terms) -> Contract | None:
    """The first other term that has a date of this one."""
    return next(
        (other for _, other in sorted(after.items()) if other is not term and other.overlaps(term)), None
    )


def _overlap(term: Contract, other: Contract) -> Fault:
    until = "is open" if other.valid_to is None else f"ends on {other.valid_to}"
    wrong = f"the term overlaps that of {other.valid_from}, which {until}"
    first, second = sorted((term, other), key=lambda each: each.valid_from)
    right = f'End the one of {first.valid_from} with valid_to = "{second.valid_from}", in the same request if you like.'
    return Fault("valid_from", wrong, right)


def put_terms(
    conn: Connection,
    now: Micros,
    desk: str,
    stated: Sequence[Stated],
    *,
    notice_wait: Micros = 0,
    deliver: bool = True,
    note: str | None = None,
) -> PutContracts:
    """Put terms into force. Raises FaultyContracts, and then nothing is. Stating what is in force changes nothing.

    The exclusive lock on versions keeps evaluations out: what was judged before is judged again, later ones know it.
    """
    lock_versions(conn)
    return _apply(conn, now, desk, plan(conn, desk, stated), notice_wait, deliver=deliver, note=note)


def take_back(
    conn: Connection,
    now: Micros,
    desk: str,
    contract_id: str,
    valid_from: date,
    *,
    notice_wait: Micros = 0,
    note: str | None = None,
) -> PutContracts:
    """Take a term back that was entered in error: it never counted, and stays in the record.

    Raises UnknownContract, and CreditsRecorded for the last term of a contract of which credits were recorded.
    """
    lock_versions(conn)
    key = casefolded(contract_id)
    before = {term.valid_from: term for term in contracts.of_contracts(conn, desk, [key]).get(key, ())}
    if valid_from not in before:
        raise UnknownContract(f"contract {contract_id!r} of desk {desk!r} has no term of {valid_from}")
    after = {on: term for on, term in before.items() if on != valid_from}
    plans = [ContractPlan(key, before[valid_from].id, before, after)]
    if not after:
        _must_have_no_credits(conn, desk, before[valid_from])
    return _apply(conn, now, desk, plans, notice_wait, deliver=True, note=note)


def _must_have_no_credits(conn: Connection, desk: str, term: Contract) -> None:
    subjects_of_it = [Subject(SubjectKind.CONTRACT, each) for each in {term.id, term.key}]
    if credits.recorded_credits(conn, desk, subjects_of_it):
        following = term.valid_from + timedelta(days=1)
        raise CreditsRecorded(
            f"contract {term.id!r} of desk {desk!r} has recorded credits, which no list would have any more; end its "
            f'term: put it again with valid_to = "{following}". Credits whose cause that retracts are withdrawn, for a '
            "person to decide"
        )


def _apply(
    conn: Connection,
    now: Micros,
    desk: str,
    plans: Sequence[ContractPlan],
    notice_wait: Micros,
    *,
    deliver: bool,
    note: str | None,
) -> PutContracts:
    changes = [change for each in plans for change in each.changes]
    if not changes:
        return PutContracts(tuple(plans))
    had_contracts = contracts.exist(conn, desk)
    numbers = contracts.put(conn, desk, changes, now, note=note)
    if had_contracts:
        tickets = schedule.mark_contracts_due(conn, desk, numbers, customers_of(plans), now)
    else:
        # The first contracts of a desk: whether a ticket has one is now a question for all of them.
        tickets = schedule.mark_due(conn, desk, now)
    # Each has a running period from now on. For many one row stands for all: the sweep evaluates them in batches.
    many = len(numbers) > _MARKED_SINGLY
    marked = [ALL_CONTRACTS] if many else [contract_subject(key) for key in numbers]
    subjects.mark_due(conn, desk, marked, now + 1)
    new = [_signal(desk, each, numbers[each.key], now, deliver=deliver) for each in plans if each.changes]
    recorded = signals.append(conn, new)
    outbox.fill(conn, recorded, now, notice_wait)
    announce(conn, recorded[-1].seq, now if tickets else now + 1)
    return PutContracts(tuple(plans), numbers, tickets)


def customers_of(plans: Iterable[ContractPlan]) -> set[str]:
    """The casefolded customers of all terms that change, before and after."""
    return {
        casefolded(term.customer)
        for each in plans
        for change in each.changes
        for term in (each.before.get(change.valid_from), change.term)
        if term is not None
    }


def _signal(desk: str, plan: ContractPlan, number: int, now: Micros, *, deliver: bool) -> NewSignal:
    new = NewSignal(
        desk=desk,
        subject=Subject(SubjectKind.CONTRACT, plan.id),
        kind=APPLIED,
        occurrence=str(number),
        at=now,
        detected_at=now,
        deliver=deliver,
    )
    body = {
        "contract": plan.id,
        "version": number,
        "terms": [document_of(term) for _, term in sorted(plan.after.items())],
        "clock": None,
    }
    return encoded(new, serialize.signal(new) | body)
