"""Queries of whole statements, and of the credits of a desk's contracts, page by page. Instants are microseconds UTC."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.flow.query.charges import charges
from app.flow.query.contracts import CustomerContract, contract, contracts_of
from app.flow.query.credit_causes import Asked
from app.flow.query.credit_documents import charge_document, line_document, statement_document
from app.flow.query.credits import ContractLines, asked, lines_of
from app.flow.query.serialize import Json, instant_text
from app.sla.credit.line import Line, LineKey, UnknownCredit
from app.sla.credit.statement import ChargeLine, Confirmed, Statement, Total
from app.sla.event import EventType, in_order
from app.sla.fields import casefolded
from app.sla.period import Months, Period
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection

_ABOUT_A_CREDIT: Final = frozenset(
    {EventType.CREDIT_REQUESTED, EventType.CREDIT_GRANTED, EventType.CREDIT_REFUSED}
)
_BATCH: Final = 200
"""Contracts that are derived together: their facts are read at once, and are in memory at once."""


@dataclass(frozen=True, slots=True)
class CreditFilters:
    """Which credits of a desk: of a contract or a customer, of a month, in a state."""

    contract: str | None = None
    customer: str | None = None
    period: str | None = None
    state: str | None = None

    def accepts(self, document: Json) -> bool:
        """Whether a line's document is one of these."""
        return self.period in (None, document["period"]) and self.state in (None, document["state"])


@dataclass(frozen=True, slots=True)
class CreditPage:
    """The credits of some contracts, with their sums. `next`: the contract after which more follow."""

    documents: Sequence[Json]
    totals: Sequence[Total]
    next: str | None


def credit_page(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    filters: CreditFilters,
    *,
    now: Micros,
    at: Micros | None = None,
    as_of: Micros | None = None,
    after: str = "",
    limit: int,
) -> CreditPage:
    """The credits of up to `limit` contracts after one of them. Raises UnknownDesk and UnknownContract."""
    question = asked(conn, catalogue, desk, now=now, at=at, as_of=as_of)
    if filters.contract is not None:
        found, following = (
            [contract(conn, catalogue, desk, filters.contract, at=question.at, as_of=as_of)],
            None,
        )
    else:
        found = contracts_of(
            conn,
            catalogue,
            desk,
            customer=filters.customer,
            at=question.at,
            as_of=as_of,
            after=after,
            limit=limit + 1,
        )
        following = found[limit - 1].key if len(found) > limit else None
    documents: list[Json] = []
    counted: list[Line] = []
    confirmed: list[Confirmed] = []
    for each in _derived(question, found[:limit]):
        shown = [(line, line_document(line)) for line in each.lines]
        counted += (line for line, document in shown if filters.accepts(document))
        gone = [line for line in each.withdrawn.values() if filters.accepts(line.document)]
        confirmed += filter(None, (line.confirmed for line in gone))
        documents += filter(filters.accepts, (document for _, document in shown))
        documents += (line.document for line in gone)
    return CreditPage(documents, Statement.of(counted, confirmed=confirmed).totals, following)


def _derived(question: Asked, contracts: Sequence[CustomerContract]) -> Iterator[ContractLines]:
    for start in range(0, len(contracts), _BATCH):
        yield from lines_of(question, contracts[start : start + _BATCH])


def credit(conn: Connection, catalogue: Catalogue, credit_id: str, *, now: Micros) -> tuple[LineKey, Json]:
    """One credit, by its id. Raises UnknownCredit, UnknownContract and UnknownDesk."""
    key = LineKey.parse(credit_id)
    question = asked(conn, catalogue, key.desk, now=now)
    (found,) = lines_of(question, [contract(conn, catalogue, key.desk, key.contract, at=now)])
    documents = [*map(line_document, found.lines), *(each.document for each in found.withdrawn.values())]
    for document in documents:
        if document["id"] == credit_id:
            return key, document
    raise UnknownCredit(f'"{credit_id}" is the id of no credit')


def period_of(question: Asked, name: str) -> Period:
    """The month of a name, where the desk is. Raises PeriodFault."""
    return Months(question.zone).named(name)


def statement(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    contract_id: str,
    period: str,
    *,
    now: Micros,
    at: Micros | None = None,
    as_of: Micros | None = None,
) -> Json:
    """The statement of a contract's month. Raises PeriodFault, UnknownContract and UnknownDesk."""
    question = asked(conn, catalogue, desk, now=now, at=at, as_of=as_of)
    month = period_of(question, period)
    (found,) = lines_of(question, [contract(conn, catalogue, desk, contract_id, at=question.at, as_of=as_of)])
    return _statement(question, found, month, _charges(question, month))


def statements(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    period: str,
    *,
    now: Micros,
    after: str = "",
    limit: int = _BATCH,
) -> tuple[list[Json], str | None]:
    """The statements of a month of up to `limit` contracts after one of them, and where to go on.

    Raises PeriodFault and UnknownDesk.
    """
    question = asked(conn, catalogue, desk, now=now)
    month = period_of(question, period)
    found = contracts_of(conn, catalogue, desk, at=now, after=after, limit=limit)
    charged = _charges(question, month)
    documents = [_statement(question, each, month, charged) for each in lines_of(question, found)]
    return documents, found[-1].key if len(found) == limit else None


@dataclass(frozen=True, slots=True)
class _Charged:
    """The charges of a month, by casefolded contract; those that are of no contract, by casefolded customer."""

    contracts: dict[str, list[ChargeLine]] = field(default_factory=dict[str, list[ChargeLine]])
    customers: dict[str, list[ChargeLine]] = field(default_factory=dict[str, list[ChargeLine]])


def _charges(question: Asked, month: Period) -> _Charged:
    found = _Charged()
    listed = charges(
        question.conn,
        question.catalogue,
        question.desk,
        month.span,
        at=question.at,
        as_of=question.as_of,
    )
    for each in listed:
        line = ChargeLine(
            charge=each.rule.id,
            label=each.rule.label,
            at=each.at,
            amount=each.amount,
            currency=each.currency,
            fact=each.fact,
            on=each.rule.on,
            subject=each.subject,
            line=each.line,
        )
        if each.contract is not None:
            found.contracts.setdefault(casefolded(each.contract), []).append(line)
        elif each.customer is not None:
            found.customers.setdefault(casefolded(each.customer), []).append(line)
    return found


def _statement(question: Asked, found: ContractLines, month: Period, charged: _Charged) -> Json:
    customer = found.contract.terms[-1].customer
    lines = (line for line in found.lines if line.period == month.name)
    gone = [each for each in found.withdrawn.values() if each.last.document["period"] == month.name]
    confirmed = filter(None, (each.confirmed for each in gone))
    of_month = Statement.of(lines, charged.contracts.get(found.contract.key, ()), confirmed)
    heading = {
        "desk": question.desk,
        "contract": found.contract.id,
        "customer": customer,
        "period": month.name,
        "from": instant_text(month.start),
        "to": instant_text(month.end),
        "time_zone": question.zone.name,
        "first_day": question.zone.local_date(month.start).isoformat(),
        "last_day": question.zone.local_date(month.end - 1).isoformat(),
        "state": "final" if question.at >= month.end else "running",
        "at": instant_text(question.at),
        "as_of": instant_text(question.now if question.as_of is None else question.as_of),
    }
    document = statement_document(heading, of_month, (each.document for each in gone), question.zone)
    unassigned = charged.customers.get(casefolded(customer), ())
    return document | {
        "unassigned_charges": [charge_document(each, question.zone) for each in unassigned],
        "flags": list(_flags(found, month)),
    }


def _flags(found: ContractLines, month: Period) -> Iterator[str]:
    """The facts of a month that request or decide a credit which the contract does not have."""
    known = {line.id for line in found.lines} | {each.change.line for each in found.recorded}
    for fact in in_order(found.facts):
        about = fact.data.get("credit")
        if fact.type in _ABOUT_A_CREDIT and fact.at in month.span and about not in known:
            yield f"credit_unknown:{fact.id}"
