"""What credits of contracts are found by: tickets with missed commitments or claims, and the credits that were recorded.

A ticket belongs to the contract in its row, whose id is compared casefolded; it is found by the contract that it names,
or by its customer. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, bindparam, exists, func, literal_column, or_, select, true

from app.sla.fields import casefolded
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import NEVER
from app.store.tables import clock as _clock
from app.store.tables import contract as _contract
from app.store.tables import event as _event
from app.store.tables import signal as _signal
from app.store.tables import subject as _subject
from app.store.tables import ticket as _ticket

CREDIT: Final = "credit."
"""Before the kinds of signals of credits."""
_PREFIX: Final = f"{SubjectKind.CONTRACT}:"


@dataclass(frozen=True, slots=True)
class RecordedCredit:
    """A recorded signal of a credit. `line` is the credit's id, `kind` lacks its `credit.`."""

    id: str
    line: str
    kind: str
    at: Micros
    generation: int
    detected_at: Micros
    body: bytes


_BY: Final[tuple[ColumnElement[bool], ...]] = (
    _ticket.c.contract_key.in_(bindparam("names", expanding=True)),
    _ticket.c.customer_key.in_(bindparam("names", expanding=True)),
)
"""How a ticket of a contract is found; each has its index."""
_TICKETS: Final = select(_ticket.c.ticket, _ticket.c.contract).where(_ticket.c.desk == bindparam("desk"))
_MISSED: Final = exists().where(
    _clock.c.desk == _ticket.c.desk,
    _clock.c.subject == _ticket.c.ticket,
    _clock.c.commitment.in_(bindparam("commitments", expanding=True)),
    # One that is due by then and was not evaluated since may be late as well.
    or_(_clock.c.breached_at.is_not(None), _clock.c.due_at <= bindparam("at")),
)
_HAS_FACTS: Final = exists().where(
    _event.c.desk == _ticket.c.desk,
    _event.c.ticket == _ticket.c.ticket,
    _event.c.type.in_(bindparam("types", expanding=True)),
)
_RECORDED: Final = (
    select(
        _signal.c.id,
        _signal.c.kind,
        _signal.c.occurrence,
        _signal.c.at,
        _signal.c.generation,
        _signal.c.detected_at,
        _signal.c.body,
    )
    .where(
        _signal.c.desk == bindparam("desk"),
        _signal.c.subject.in_(bindparam("subjects", expanding=True)),
        _signal.c.kind.like(f"{CREDIT}%"),
        _signal.c.detected_at <= bindparam("as_of"),
    )
    .order_by(_signal.c.seq)
)
_STALE: Final = (
    select(_subject.c.subject)
    .where(
        _subject.c.desk == bindparam("desk"),
        literal_column("subject").like(f"{_PREFIX}%"),
        literal_column("subject") != _PREFIX,
        _subject.c.evaluated_at < bindparam("before"),
    )
    .order_by(_subject.c.subject)
    .limit(bindparam("limit"))
)
# A difference of two sets: an anti-join compares each contract with each subject where the planner has no figures yet.
_NEVER_EVALUATED: Final = (
    select(_contract.c.contract)
    .where(_contract.c.desk == bindparam("desk"))
    .except_(
        select(func.substr(literal_column("subject.subject"), len(_PREFIX) + 1)).where(
            _subject.c.desk == bindparam("desk"), literal_column("subject.subject").like(f"{_PREFIX}%")
        )
    )
    .order_by("contract")
    .limit(bindparam("limit"))
)


def missed_tickets(
    conn: Connection, desk: str, names: Iterable[str], commitments: Collection[str], at: Micros
) -> dict[str, str]:
    """The tickets that may have missed one of these commitments by `at`, each with the casefolded id of its contract.

    `names` are casefolded ids of contracts, and their customers.
    """
    return _tickets(conn, _MISSED, desk, names, {"commitments": sorted(commitments), "at": at})


def tickets_with_facts(
    conn: Connection, desk: str, names: Iterable[str], types: Collection[str], kinds: Collection[str] = ()
) -> dict[str, str]:
    """The tickets with events of these types, or of these kinds. Otherwise as `missed_tickets`."""
    found = _tickets(conn, _HAS_FACTS, desk, names, {"types": sorted(types)})
    if kinds:
        of_kind = func.lower(_ticket.c.kind).in_(bindparam("kinds", expanding=True))
        found |= _tickets(conn, of_kind, desk, names, {"kinds": sorted(kinds)})
    return found


def tickets_of(conn: Connection, desk: str, names: Iterable[str]) -> dict[str, str]:
    """All tickets of these contracts. Otherwise as `missed_tickets`."""
    return _tickets(conn, true(), desk, names, {})


def _tickets(
    conn: Connection,
    condition: ColumnElement[bool],
    desk: str,
    names: Iterable[str],
    given: Mapping[str, object],
) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts(sorted(set(names))):
        for by in _BY:
            query = _TICKETS.where(by, condition)
            for row in conn.execute(query, {"desk": desk, "names": part, **given}).all():
                found[row.ticket] = casefolded(row.contract)
    return found


def recorded_credits(
    conn: Connection, desk: str, subjects: Iterable[Subject], as_of: Micros = NEVER
) -> list[RecordedCredit]:
    """The signals of credits of these contracts that were recorded by an instant, in the order of recording."""
    found: list[RecordedCredit] = []
    for part in parts(sorted(set(subjects))):
        given = {"desk": desk, "subjects": part, "as_of": as_of}
        for row in conn.execute(_RECORDED, given).all():
            line = row.occurrence.partition(" ")[0]
            kind = row.kind.removeprefix(CREDIT)
            found.append(
                RecordedCredit(row.id, line, kind, row.at, row.generation, row.detected_at, row.body)
            )
    return found


def stale(conn: Connection, desk: str, before: Micros, limit: int) -> list[Subject]:
    """Contracts that were last evaluated before an instant, then those that never were. Stored contracts only."""
    known = conn.execute(_STALE, {"desk": desk, "before": before, "limit": limit}).scalars().all()
    if len(known) == limit:
        return list(known)
    never = conn.execute(_NEVER_EVALUATED, {"desk": desk, "limit": limit - len(known)}).scalars()
    return [*known, *(Subject(SubjectKind.CONTRACT, key) for key in never)]
