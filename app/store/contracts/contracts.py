"""Stored contracts: every change of a term as a row of its own, and how the terms are at an instant.

A version of a contract states one term or several; a term is known by its first date. What a version states takes the
place of that term until a later version states it again or takes it back. Nothing is overwritten, so a view as of an
earlier instant reads the rows recorded by then. Ids and customers are compared casefolded. Instants are microseconds
UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, RowMapping, Select, and_, bindparam, exists, func, or_, select

from app.sla.contract import Contract
from app.sla.contract_document import contract_of, document_of
from app.sla.contract_finder import NO_CONTRACTS, Named, StoredContracts
from app.sla.fields import casefolded
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action, acting
from app.store.engine.batch import pieces
from app.store.engine.database import Connection, memoized
from app.store.tables import contract as _contract

_NOTED: Final = "desks with contracts"
_FOR_EVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class TermChange:
    """One term that a version of a contract states, or takes back where `term` is None."""

    key: str
    valid_from: date
    term: Contract | None
    id: str


@dataclass(frozen=True, slots=True)
class RecordedTerm:
    """A row of the table: what a version of a contract states about one term."""

    contract: str
    number: int
    valid_from: date
    term: Contract | None
    """None: the version has taken the term back."""
    recorded_at: Micros
    recorded_by: str
    note: str | None


def note_desks(conn: Connection, desks: Iterable[str]) -> None:
    """Remember which desks have contracts, for the rest of a write transaction."""
    memoized(conn, _NOTED, lambda: set(desks))


def exist(conn: Connection, desk: str) -> bool:
    """Whether the desk has stored contracts. No query in a transaction that has noted which desks have."""
    noted = memoized(conn, _NOTED, lambda: None)
    return bool(conn.execute(_EXISTS, {"desk": desk}).scalar()) if noted is None else desk in noted


def _as_of() -> ColumnElement[bool]:
    """The condition that a row is the latest about its term that was recorded by `as_of`."""
    later = _contract.alias("later")
    superseded = exists().where(
        later.c.desk == _contract.c.desk,
        later.c.contract == _contract.c.contract,
        later.c.valid_from == _contract.c.valid_from,
        later.c.number > _contract.c.number,
        later.c.recorded_at <= bindparam("as_of"),
    )
    return and_(
        _contract.c.desk == bindparam("desk"), _contract.c.recorded_at <= bindparam("as_of"), ~superseded
    )


_EXISTS: Final = select(exists().where(_contract.c.desk == bindparam("desk")))
_ORDER: Final = (_contract.c.contract, _contract.c.valid_from)
_CURRENT: Final = select(_contract).where(_as_of(), _contract.c.document.is_not(None))
_OF_CONTRACTS: Final = _CURRENT.where(_contract.c.contract.in_(bindparam("contracts", expanding=True)))
_OF_NAMES: Final = _CURRENT.where(
    or_(
        _contract.c.contract.in_(bindparam("contracts", expanding=True)),
        _contract.c.customer.in_(bindparam("customers", expanding=True)),
    )
)
_VERSIONS: Final = (
    select(_contract)
    .where(_contract.c.desk == bindparam("desk"), _contract.c.contract == bindparam("contract"))
    .order_by(_contract.c.number, _contract.c.valid_from)
)
_NUMBERS: Final = (
    select(_contract.c.contract, func.max(_contract.c.number))
    .where(
        _contract.c.desk == bindparam("desk"),
        _contract.c.contract.in_(bindparam("contracts", expanding=True)),
        _contract.c.recorded_at <= bindparam("as_of"),
    )
    .group_by(_contract.c.contract)
)
_INSERT: Final = _contract.insert()


def of_names(conn: Connection, desk: str, named: Named, *, as_of: Micros | None = None) -> StoredContracts:
    """The contracts that tickets with these names may belong to, as of an instant. One query a batch."""
    if as_of is not None and not _existed(conn, desk, as_of):
        return NO_CONTRACTS
    found: list[Contract] = []
    contracts, customers = list(pieces(sorted(named.contracts))), list(pieces(sorted(named.customers)))
    for n in range(max(len(contracts), len(customers))):
        given = {
            "contracts": contracts[n] if n < len(contracts) else [],
            "customers": customers[n] if n < len(customers) else [],
        }
        found += _terms(conn, _OF_NAMES, desk, as_of, given)
    return StoredContracts(tuple(dict.fromkeys(sorted(found, key=_sort_key))), exist=True)


def of_contracts(
    conn: Connection, desk: str, contracts: Iterable[str], *, as_of: Micros | None = None
) -> dict[str, tuple[Contract, ...]]:
    """The terms of these contracts as of an instant, by casefolded id, by their first dates."""
    found: dict[str, list[Contract]] = {}
    for part in pieces(sorted({casefolded(each) for each in contracts})):
        for term in _terms(conn, _OF_CONTRACTS.order_by(*_ORDER), desk, as_of, {"contracts": part}):
            found.setdefault(term.key, []).append(term)
    return {key: tuple(terms) for key, terms in found.items()}


def keys_page(
    conn: Connection,
    desk: str,
    *,
    customer: str | None = None,
    on: date | None = None,
    as_of: Micros | None = None,
    after: str = "",
    limit: int,
) -> list[str]:
    """Casefolded ids of contracts after an id, in order: those of a customer, those valid on a date, or all."""
    query = (
        select(_contract.c.contract)
        .where(_as_of(), _contract.c.document.is_not(None), _contract.c.contract > bindparam("after"))
        .group_by(_contract.c.contract)
        .order_by(_contract.c.contract)
        .limit(bindparam("limit"))
    )
    given: dict[str, Any] = {"desk": desk, "as_of": _instant(as_of), "after": after, "limit": limit}
    if customer is not None:
        query = query.where(_contract.c.customer == bindparam("customer"))
        given["customer"] = casefolded(customer)
    if on is not None:
        query = query.where(
            _contract.c.valid_from <= bindparam("on"),
            or_(_contract.c.valid_to.is_(None), _contract.c.valid_to > bindparam("on")),
        )
        given["on"] = on.isoformat()
    return list(conn.execute(query, given).scalars())


def versions(conn: Connection, desk: str, contract: str) -> list[RecordedTerm]:
    """Every change of a contract, the oldest first."""
    rows = conn.execute(_VERSIONS, {"desk": desk, "contract": casefolded(contract)}).mappings().all()
    return [
        RecordedTerm(
            contract=row["contract"],
            number=row["number"],
            valid_from=date.fromisoformat(row["valid_from"]),
            term=None if row["document"] is None else _term(row),
            recorded_at=row["recorded_at"],
            recorded_by=row["recorded_by"],
            note=row["note"],
        )
        for row in rows
    ]


def numbers(
    conn: Connection, desk: str, contracts: Iterable[str], *, as_of: Micros | None = None
) -> dict[str, int]:
    """The number of the latest version of each of these contracts, by casefolded id."""
    return {
        row[0]: row[1]
        for part in pieces(sorted({casefolded(each) for each in contracts}))
        for row in conn.execute(_NUMBERS, {"desk": desk, "contracts": part, "as_of": _instant(as_of)}).all()
    }


def put(
    conn: Connection,
    desk: str,
    changes: Sequence[TermChange],
    recorded_at: Micros,
    *,
    note: str | None = None,
) -> dict[str, int]:
    """Insert one new version of each contract that these changes are about. Returns their numbers by casefolded id.

    The terms must have been checked. `lock_versions` comes before it: no ticket is evaluated in the meantime.
    """
    if not changes:
        return {}
    latest = numbers(conn, desk, {change.key for change in changes})
    made = {change.key: latest.get(change.key, 0) + 1 for change in changes}
    conn.execute(_INSERT, [_row(desk, change, made[change.key], recorded_at, note) for change in changes])
    noted = memoized(conn, _NOTED, lambda: None)
    if noted is not None:
        noted.add(desk)
    ids = sorted({change.id for change in changes})
    about = f"contract {ids[0]}" if len(ids) == 1 else f"{len(ids)} contracts, {ids[0]} to {ids[-1]}"
    audit.record(conn, Action.CONTRACT_APPLIED, [desk], about, note=note)
    return made


def _row(
    desk: str, change: TermChange, number: int, recorded_at: Micros, note: str | None
) -> Mapping[str, object]:
    term = change.term
    return {
        "desk": desk,
        "contract": change.key,
        "valid_from": change.valid_from.isoformat(),
        "number": number,
        "valid_to": None if term is None or term.valid_to is None else term.valid_to.isoformat(),
        "customer": None if term is None else casefolded(term.customer),
        "document": None if term is None else orjson.dumps(document_of(term)).decode(),
        "recorded_at": recorded_at,
        "recorded_by": acting.get().who,
        "note": note,
    }


def _existed(conn: Connection, desk: str, as_of: Micros) -> bool:
    query = _EXISTED.limit(1)
    return conn.execute(query, {"desk": desk, "as_of": as_of}).scalar() is not None


_EXISTED: Final = select(_contract.c.number).where(
    _contract.c.desk == bindparam("desk"), _contract.c.recorded_at <= bindparam("as_of")
)


def _terms(
    conn: Connection,
    query: Select[*tuple[Any, ...]],
    desk: str,
    as_of: Micros | None,
    given: Mapping[str, object],
) -> list[Contract]:
    rows = conn.execute(query, {"desk": desk, "as_of": _instant(as_of), **given}).mappings().all()
    return [_term(row) for row in rows]


def _term(row: RowMapping) -> Contract:
    return contract_of(orjson.loads(row["document"]), recorded_at=row["recorded_at"])


def _sort_key(term: Contract) -> tuple[str, date]:
    return term.key, term.valid_from


def _instant(as_of: Micros | None) -> Micros:
    return _FOR_EVER if as_of is None else as_of
