"""Queries of charges: what facts of a span cost, and who pays. Derived from the log. Instants are microseconds UTC."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from app.flow.query.measured_calls import logs_of_calls
from app.flow.query.merge_graph import MergeGraph, gather
from app.flow.query.serialize import Json, instant_text
from app.sla.agreement.charge import OF_A_CALL
from app.sla.agreement.version import Version, known_versions
from app.sla.budget import charge as spend
from app.sla.charge import Charge, charges_of
from app.sla.contract_finder import Named
from app.sla.event import Event, in_order
from app.sla.fields import casefolded
from app.sla.span import Micros, Span
from app.sla.ticket import Ticket
from app.store.contracts import contracts
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import ledger


def charges(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    span: Span,
    *,
    at: Micros,
    as_of: Micros | None = None,
    contract: str | None = None,
    customer: str | None = None,
) -> list[Charge]:
    """The charges of a span up to `at`, by their facts' instants, by the events and versions known at `as_of`.

    `contract`, `customer`: only theirs. A fact that names a customer belongs to the contract that a ticket of that
    customer would belong to. Raises UnknownDesk.
    """
    versions = known_versions(catalogue.versions(conn, desk, at=at), as_of)
    until = Span(span.start, max(span.start, min(span.end, at + 1)))
    kinds = {rule.on for version in versions for rule in version.agreement.charges}
    calls = _of_calls(conn, desk, versions, until, kinds & OF_A_CALL, as_of)
    tickets = _of_tickets(conn, desk, versions, until, kinds - OF_A_CALL, as_of)
    found = sorted(chain(calls, tickets), key=lambda charge: (charge.at, charge.rule.id, charge.fact))
    return [
        each
        for each in found
        if (contract is None or casefolded(each.contract) == casefolded(contract))
        and (customer is None or casefolded(each.customer) == casefolded(customer))
    ]


def _of_calls(
    conn: Connection,
    desk: str,
    versions: Sequence[Version],
    span: Span,
    kinds: Iterable[str],
    as_of: Micros | None,
) -> list[Charge]:
    """The charges of calls. One whose facts name a ticket, and no one who pays, is paid as the ticket is."""
    logs: dict[str, Sequence[Event]] = {}
    for kind in sorted(kinds):
        for subject, log in logs_of_calls(conn, desk, span, kind).items():
            logs[subject.text] = [e for e in log if as_of is None or e.received_at <= as_of]
    found: list[tuple[Charge, str | None]] = []
    for log in logs.values():
        spend()
        ticket = next((str(e.data["ticket"]) for e in log if e.data.get("ticket") is not None), None)
        found += [(each, ticket) for each in charges_of(log, versions, span) if each.rule.on in OF_A_CALL]
    needed = {ticket for charge, ticket in found if ticket is not None and charge.customer is None}
    graph = gather(conn, desk, sorted(needed), as_of=as_of)
    of_ticket = {name: _ticket(graph, name, versions, span.end) for name in needed}
    paid = [_paid_by(charge, of_ticket.get(ticket or "")) for charge, ticket in found]
    return _with_contracts(conn, desk, versions, paid, as_of)


def _of_tickets(
    conn: Connection,
    desk: str,
    versions: Sequence[Version],
    span: Span,
    kinds: Iterable[str],
    as_of: Micros | None,
) -> list[Charge]:
    """The charges of facts of tickets."""
    names = {
        ticket for kind in kinds for _, ticket in ledger.counted(conn, desk, kind, span) if ticket is not None
    }
    if not names:
        return []
    graph, found = gather(conn, desk, sorted(names), as_of=as_of), list[Charge]()
    for name in sorted(names):
        spend()
        ticket = _ticket(graph, name, versions, span.end)
        # A call that names the ticket is in its log too.
        own = (each for each in charges_of(graph.logs[name], versions, span) if each.rule.on not in OF_A_CALL)
        found += [_paid_by(charge, ticket) for charge in own]
    return found


def _ticket(graph: MergeGraph, name: str, versions: Sequence[Version], until: Micros) -> Ticket:
    ticket = Ticket(finder=graph.contract_finder(versions[-1].agreement))
    for event in in_order(graph.logs[name]):
        if event.at < until:
            ticket.apply(event)
    return ticket


def _paid_by(charge: Charge, ticket: Ticket | None) -> Charge:
    """The charge with who pays for its ticket, where its own fact does not say."""
    if ticket is None:
        return charge
    fields = ticket.fields
    contract, customer = fields.get("contract"), fields.get("customer")
    return replace(
        charge,
        contract=charge.contract or (None if contract is None else str(contract)),
        customer=charge.customer or (None if customer is None else str(customer)),
    )


def _with_contracts(
    conn: Connection, desk: str, versions: Sequence[Version], found: Sequence[Charge], as_of: Micros | None
) -> list[Charge]:
    """Charges of calls with the contracts of their customers, and the customers of their contracts."""
    named = Named.by({"contract": each.contract, "customer": each.customer} for each in found)
    stored = contracts.of_names(conn, desk, named, as_of=as_of)
    finder = versions[-1].agreement.contract_finder(stored)
    if finder is None:
        return list(found)
    charged: list[Charge] = []
    for each in found:
        term = finder.find({"contract": each.contract, "customer": each.customer}, each.at).contract
        mine = (
            each if term is None else replace(each, contract=term.id, customer=each.customer or term.customer)
        )
        charged.append(mine)
    return charged


def charge(desk: str, found: Charge) -> Json:
    """A charge as JSON."""
    return {
        "desk": desk,
        "id": found.rule.id,
        "label": found.rule.label,
        "fact": found.fact,
        "subject": found.subject,
        "line": found.line,
        "contract": found.contract,
        "customer": found.customer,
        "at": instant_text(found.at),
        "amount": str(found.amount),
        "currency": found.currency,
    }
