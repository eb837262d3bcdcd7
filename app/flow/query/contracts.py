"""Queries of contracts: those that are stored and those of the agreement file, as one list.

A stored contract takes the place of one with the same id in the file. `as_of` selects what was known at an instant: the
contracts and the versions of the agreement recorded by then. Instants are microseconds UTC, dates local to the desk.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.flow.query.versions import UnknownVersion
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import known_versions
from app.sla.calendar.zone import zone
from app.sla.contract import Contract, valid_on
from app.sla.contract_document import document_of
from app.sla.fields import casefolded
from app.sla.span import Micros
from app.store.contracts import contracts
from app.store.contracts.catalogue import Catalogue
from app.store.contracts.contracts import RecordedTerm
from app.store.engine.database import Connection


class UnknownContract(LookupError):
    """The desk has no such contract, or had none then. `GET /v1/contracts` lists them."""


@dataclass(frozen=True, slots=True)
class CustomerContract:
    """A contract of a desk with its terms, by their first dates."""

    desk: str
    terms: tuple[Contract, ...]
    """At least one."""
    number: int | None
    """The number of its latest version; None: the agreement file states it."""
    currency: str | None
    """The agreement's, for terms that name none."""

    @property
    def id(self) -> str:
        """The id as its latest term writes it."""
        return self.terms[-1].id

    @property
    def key(self) -> str:
        """The id as ids are compared."""
        return self.terms[0].key

    def on(self, on: date) -> Contract | None:
        """The term that is valid on a local date."""
        return valid_on(self.terms, on)

    def currency_of(self, term: Contract) -> str | None:
        """The currency of a term's fee."""
        return term.currency or self.currency


def agreement_known(
    conn: Connection, catalogue: Catalogue, desk: str, as_of: Micros | None, *, at: Micros
) -> Agreement:
    """The agreement in force at an instant, of those that were recorded by another. Raises UnknownDesk."""
    return known_versions(catalogue.versions(conn, desk, at=at), as_of)[-1].agreement


def local_date(agreement: Agreement, at: Micros) -> date:
    """The date of an instant where the desk is: contracts are valid by local dates."""
    return zone(agreement.time_zone).local_date(at)


def contracts_of(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    *,
    customer: str | None = None,
    on: date | None = None,
    at: Micros,
    as_of: Micros | None = None,
    after: str = "",
    limit: int,
) -> list[CustomerContract]:
    """Contracts of a desk in the order of their casefolded ids, after one of these: at most `limit`.

    `customer`: of whom some term is. `on`: of which some term is valid on this date. Raises UnknownDesk.
    """
    agreement = agreement_known(conn, catalogue, desk, as_of, at=at)
    keys = contracts.keys_page(conn, desk, customer=customer, on=on, as_of=as_of, after=after, limit=limit)
    filed = [
        key
        for key, term in agreement.contracts.items()
        if key > after
        and (customer is None or casefolded(term.customer) == casefolded(customer))
        and (on is None or term.is_valid_on(on))
    ]
    wanted = sorted({*keys, *filed})
    found = list(_read(conn, agreement, wanted, as_of, filed=set(filed) - set(keys)))
    return found[:limit]


def some_contracts(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    ids: Iterable[str],
    *,
    at: Micros,
    as_of: Micros | None = None,
) -> dict[str, CustomerContract]:
    """Those of these contracts that there are, by casefolded id. Raises UnknownDesk."""
    agreement = agreement_known(conn, catalogue, desk, as_of, at=at)
    keys = {casefolded(each) for each in ids}
    return {each.key: each for each in _read(conn, agreement, keys, as_of, filed=keys)}


def contract(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    contract_id: str,
    *,
    at: Micros,
    as_of: Micros | None = None,
) -> CustomerContract:
    """One contract. Raises UnknownContract and UnknownDesk."""
    found = some_contracts(conn, catalogue, desk, [contract_id], at=at, as_of=as_of)
    if not found:
        raise UnknownContract(f"desk {desk!r} has no contract {contract_id!r}")
    return found[casefolded(contract_id)]


def versions_of(conn: Connection, desk: str, contract_id: str) -> list[RecordedTerm]:
    """What each version of a stored contract states, the oldest first; empty for one of the agreement file."""
    return contracts.versions(conn, desk, contract_id)


def terms_as_of(recorded: Iterable[RecordedTerm], number: int) -> dict[str, dict[str, Any]]:
    """The terms of a contract as a version left them, as documents by first date. Raises UnknownVersion."""
    listed = list(recorded)
    if number not in {each.number for each in listed}:
        latest = max((each.number for each in listed), default=0)
        raise UnknownVersion(f"there is no version {number}; there are {latest}")
    terms: dict[str, dict[str, Any] | None] = {}
    for each in listed:
        if each.number <= number:
            terms[each.valid_from.isoformat()] = None if each.term is None else document_of(each.term)
    return {on: term for on, term in sorted(terms.items()) if term is not None}


def _read(
    conn: Connection,
    agreement: Agreement,
    keys: Iterable[str],
    as_of: Micros | None,
    *,
    filed: Iterable[str],
) -> Iterator[CustomerContract]:
    wanted, of_file = sorted(keys), set(filed)
    stored: Mapping[str, tuple[Contract, ...]] = contracts.of_contracts(
        conn, agreement.desk, wanted, as_of=as_of
    )
    numbers = contracts.numbers(conn, agreement.desk, stored, as_of=as_of)
    for key in wanted:
        if key in stored:
            yield CustomerContract(agreement.desk, stored[key], numbers[key], agreement.currency)
        elif key in of_file and key in agreement.contracts:
            yield CustomerContract(agreement.desk, (agreement.contracts[key],), None, agreement.currency)
