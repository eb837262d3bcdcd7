"""Schedule: which subjects must be evaluated, and when.

The database is the timer: the sweep reads an indexed `next_at` of tickets and of other subjects. It is a hint; what is
true is evaluated. A subject whose evaluation failed is parked, with the instant of the next attempt, so that the sweep
passes it by until then. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import Select, bindparam, exists, func, literal_column, or_, select, tuple_, union

from app.principal import EVERY, Desks
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKey
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.engine.prepared import Prepared
from app.store.tables import archived_ticket as _archived
from app.store.tables import parked as _parked
from app.store.tables import subject as _subject
from app.store.tables import ticket as _ticket


@dataclass(frozen=True, slots=True)
class Parked:
    """A subject whose evaluation failed: why, since when, how often, and when it is tried again.

    `times` is 0 for one whose evaluation has not failed and is only postponed.
    """

    desk: str
    subject: Subject
    error: str
    first_at: Micros
    last_at: Micros
    times: int
    retry_at: Micros


ParkedKey = tuple[Micros, str, str]
"""(first_at, desk, subject's text): the order of parked subjects in lists."""

_NEXT: Final = (
    select(func.min(_ticket.c.next_at)).where(_ticket.c.next_at.is_not(None)),
    select(func.min(_subject.c.next_at)).where(_subject.c.next_at.is_not(None)),
    select(func.min(_parked.c.retry_at)),
)
_DUE_TICKETS: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(_ticket.c.next_at.is_not(None), _ticket.c.next_at <= bindparam("now"))
    .order_by(_ticket.c.next_at)
    .limit(bindparam("limit"))
)
_LATEST_DUE_TICKETS: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(_ticket.c.next_at.is_not(None), _ticket.c.next_at <= bindparam("now"))
    .order_by(_ticket.c.next_at.desc())
    .limit(bindparam("limit"))
)
_NEVER_DUE: Final = (
    _ticket.update()
    .where(_ticket.c.desk == bindparam("_desk"), _ticket.c.ticket == bindparam("_ticket"))
    .values(next_at=None)
)
_IS_CONTRACT: Final = literal_column("subject").like("contract:%")
_DUE_SUBJECTS: Final = (
    select(_subject.c.desk, _subject.c.subject)
    .where(_subject.c.next_at.is_not(None), _subject.c.next_at <= bindparam("now"), ~_IS_CONTRACT)
    .order_by(_subject.c.next_at)
    .limit(bindparam("limit"))
)
_DUE_CONTRACTS: Final = (
    select(_subject.c.desk, _subject.c.subject)
    .where(_subject.c.next_at.is_not(None), _subject.c.next_at <= bindparam("now"), _IS_CONTRACT)
    .order_by(_subject.c.next_at)
    .limit(bindparam("limit"))
)
_DUE_PARKED: Final = (
    select(_parked.c.desk, _parked.c.subject)
    .where(_parked.c.retry_at <= bindparam("now"))
    .order_by(_parked.c.retry_at)
    .limit(bindparam("limit"))
)
_DUE: Final = (_DUE_TICKETS, _LATEST_DUE_TICKETS, _DUE_SUBJECTS, _DUE_CONTRACTS, _DUE_PARKED)
_DUE_DESKS: Final = Prepared(
    select(union(*(select(query.subquery().c.desk) for query in _DUE)).subquery().c.desk)
)
# SQLite has no row locks: it leaves the clause out, and one process writes.
_CLAIM: Final = {query: Prepared(query.with_for_update(skip_locked=True)) for query in _DUE}
_MARK_TICKETS_DUE: Final = (
    _ticket.update()
    .where(_ticket.c.desk == bindparam("_desk"), _ticket.c.status != "closed")
    .values(next_at=bindparam("now"))
)
_MARK_SUBJECTS_DUE: Final = (
    _subject.update().where(_subject.c.desk == bindparam("_desk")).values(next_at=bindparam("now"))
)
_MARK_CONTRACTS_DUE: Final = (
    _ticket.update()
    .where(
        _ticket.c.desk == bindparam("_desk"),
        or_(
            _ticket.c.contract_key.in_(bindparam("contracts", expanding=True)),
            _ticket.c.customer_key.in_(bindparam("customers", expanding=True)),
        ),
        # A fact about the past, so closed tickets are judged again as well; an archived one has its final view.
        ~exists().where(_archived.c.desk == _ticket.c.desk, _archived.c.ticket == _ticket.c.ticket),
    )
    .values(next_at=bindparam("now"))
)
_IS_OPEN: Final = (
    _ticket.c.desk == bindparam("desk"),
    _ticket.c.status != "closed",
    _ticket.c.merged_into.is_(None),
)
_OPEN_OF: Final = (
    select(_ticket.c.ticket)
    .where(
        *_IS_OPEN,
        or_(
            _ticket.c.contract_key.in_(bindparam("contracts", expanding=True)),
            _ticket.c.customer_key.in_(bindparam("customers", expanding=True)),
        ),
    )
    .order_by(_ticket.c.ticket)
)
_CLOSED_OF: Final = (
    select(_ticket.c.ticket)
    .where(
        _ticket.c.desk == bindparam("desk"),
        _ticket.c.status == "closed",
        or_(
            _ticket.c.contract_key.in_(bindparam("contracts", expanding=True)),
            _ticket.c.customer_key.in_(bindparam("customers", expanding=True)),
        ),
        ~exists().where(_archived.c.desk == _ticket.c.desk, _archived.c.ticket == _ticket.c.ticket),
    )
    .order_by(_ticket.c.ticket)
)
_OPEN_WITH_NAMES: Final = (
    select(_ticket.c.ticket, _ticket.c.customer, _ticket.c.contract)
    .where(*_IS_OPEN)
    .order_by(_ticket.c.ticket)
)
_MARK_SOME_DUE: Final = _MARK_TICKETS_DUE.where(_ticket.c.ticket.in_(bindparam("tickets", expanding=True)))
_WAKE_TICKETS: Final = _MARK_TICKETS_DUE.where(
    or_(_ticket.c.next_at.is_(None), _ticket.c.next_at > bindparam("now"))
)
_WAKE_SUBJECTS: Final = _MARK_SUBJECTS_DUE.where(
    or_(_subject.c.next_at.is_(None), _subject.c.next_at > bindparam("now"))
)
_COLUMNS: Final = tuple(field.name for field in fields(Parked))
_PARKED: Final = select(*(_parked.c[name] for name in _COLUMNS))
_SOME_PARKED: Final = Prepared(
    _PARKED.where(
        _parked.c.desk == bindparam("desk"), _parked.c.subject.in_(bindparam("subjects", expanding=True))
    )
)
_UNPARK: Final = _parked.delete().where(
    _parked.c.desk == bindparam("_desk"), _parked.c.subject == bindparam("_subject")
)
_PARK: Final = _parked.insert()
_UNSCHEDULE_TICKET: Final = (
    _ticket.update()
    .where(_ticket.c.desk == bindparam("_desk"), _ticket.c.ticket == bindparam("_ticket"))
    .values(next_at=None)
)
_UNSCHEDULE_SUBJECT: Final = (
    _subject.update()
    .where(_subject.c.desk == bindparam("_desk"), _subject.c.subject == bindparam("_subject"))
    .values(next_at=None)
)
_PARKED_KEY: Final = (_parked.c.first_at, _parked.c.desk, _parked.c.subject)
_PARKED_PAGE: Final = _PARKED.order_by(*_PARKED_KEY).limit(bindparam("limit"))
_COUNT_PARKED: Final = select(func.count()).where(_parked.c.times > 0)


def next_at(conn: Connection) -> Micros | None:
    """The least instant at which something must be evaluated."""
    found = [conn.execute(statement).scalar() for statement in _NEXT]
    return min((at for at in found if at is not None), default=None)


def due_desks(conn: Connection, now: Micros, limit: int) -> set[str]:
    """The desks of what `due` would find, where several processes write: their locks come before those of rows."""
    if not dialect.has_many_writers(conn):
        return set()
    return {row.desk for row in _DUE_DESKS.rows(conn, {"now": now, "limit": limit})}


def due(conn: Connection, now: Micros, limit: int, contracts: int | None = None) -> list[SubjectKey]:
    """What is due, up to `limit`: tickets, then other subjects, then parked ones; of each the longest due first.

    Contracts come last, and no more than `contracts` of them: none of their deadlines is one of seconds, and ten
    thousand are due at the end of a month.

    Where more tickets are due than that, half of them are those that came due last: after hours down, or while one
    desk's whole backlog is evaluated again, a deadline that passes now is found now.

    Where several processes sweep, the rows found are locked until the transaction ends and those that another process
    has locked are skipped, so that each is swept once.
    """
    found = list(_claimed(conn, _DUE_TICKETS, now, max(1, limit // 2)))
    if len(found) >= limit // 2:
        latest = _claimed(conn, _LATEST_DUE_TICKETS, now, limit - len(found)) if limit > len(found) else ()
        found = list(dict.fromkeys([*found, *latest]))
    # Before there were subjects of other kinds, a ticket could have such a name. It is none any more: never due again.
    if others := [(desk, subject) for desk, subject in found if subject.ticket is None]:
        conn.execute(_NEVER_DUE, [{"_desk": desk, "_ticket": subject.text} for desk, subject in others])
    for query in (_DUE_SUBJECTS, _DUE_PARKED):
        if len(found) < limit:
            found += _claimed(conn, query, now, limit - len(found))
    if len(found) < limit:
        room = limit - len(found)
        found += _claimed(conn, _DUE_CONTRACTS, now, room if contracts is None else min(room, contracts))
    return found


def _claimed(
    conn: Connection, query: Select[str, str | Subject], now: Micros, limit: int
) -> Iterable[SubjectKey]:
    for desk, subject in _CLAIM[query].rows(conn, {"now": now, "limit": limit}):
        yield desk, subject if isinstance(subject, Subject) else Subject.parse(subject)


def mark_due(conn: Connection, desk: str, now: Micros) -> int:
    """Make every subject of the desk due now, tickets that are closed left out. Returns how many tickets."""
    given = {"_desk": desk, "now": now}
    conn.execute(_MARK_SUBJECTS_DUE, given)
    return conn.execute(_MARK_TICKETS_DUE, given).rowcount


def mark_contracts_due(
    conn: Connection, desk: str, contracts: Iterable[str], customers: Iterable[str], now: Micros
) -> int:
    """Make the tickets due now that name one of these contracts, or are of these customers. Returns how many.

    Contracts and customers are casefolded.
    """
    ids, names = list(parts(sorted(contracts))), list(parts(sorted(customers)))
    count = 0
    for n in range(max(len(ids), len(names))):
        given = {
            "_desk": desk,
            "now": now,
            "contracts": ids[n] if n < len(ids) else [],
            "customers": names[n] if n < len(names) else [],
        }
        count += conn.execute(_MARK_CONTRACTS_DUE, given).rowcount
    return count


def open_tickets_of(
    conn: Connection, desk: str, contracts: Iterable[str], customers: Iterable[str]
) -> list[str]:
    """The open tickets that name one of these contracts, or are of these customers. All of them are casefolded."""
    return _tickets_of(conn, _OPEN_OF, desk, contracts, customers)


def closed_tickets_of(
    conn: Connection, desk: str, contracts: Iterable[str], customers: Iterable[str]
) -> list[str]:
    """The closed tickets that `mark_contracts_due` would make due, beside the open ones."""
    return _tickets_of(conn, _CLOSED_OF, desk, contracts, customers)


def _tickets_of(
    conn: Connection, query: Select[str], desk: str, contracts: Iterable[str], customers: Iterable[str]
) -> list[str]:
    ids, names = list(parts(sorted(contracts))), list(parts(sorted(customers)))
    found: list[str] = []
    for n in range(max(len(ids), len(names))):
        given = {
            "desk": desk,
            "contracts": ids[n] if n < len(ids) else [],
            "customers": names[n] if n < len(names) else [],
        }
        found += conn.execute(query, given).scalars()
    return list(dict.fromkeys(found))


def open_tickets_with_names(conn: Connection, desk: str) -> list[tuple[str, str | None, str | None]]:
    """The open tickets of a desk, each with its customer and contract as they were sent."""
    return [(row[0], row[1], row[2]) for row in conn.execute(_OPEN_WITH_NAMES, {"desk": desk}).all()]


def mark_some_due(conn: Connection, desk: str, tickets: Iterable[str], now: Micros) -> int:
    """`mark_due` for these tickets only, and for every other subject. Returns how many tickets."""
    conn.execute(_MARK_SUBJECTS_DUE, {"_desk": desk, "now": now})
    return sum(
        conn.execute(_MARK_SOME_DUE, {"_desk": desk, "now": now, "tickets": part}).rowcount
        for part in parts(tickets)
    )


def wake_at(conn: Connection, desk: str, at: Micros) -> int:
    """Make every subject of the desk due at an instant ahead, or earlier if it is; closed tickets are left out.

    Returns how many tickets had been due later. What is evaluated before that instant must be made due at it again.
    """
    given = {"_desk": desk, "now": at}
    conn.execute(_WAKE_SUBJECTS, given)
    return conn.execute(_WAKE_TICKETS, given).rowcount


def parked(conn: Connection, desk: str, subjects: Iterable[Subject]) -> dict[Subject, Parked]:
    """Those of these subjects that are parked."""
    found = (
        Parked(*row)
        for part in parts(subjects)
        for row in _SOME_PARKED.rows(conn, {"desk": desk, "subjects": part})
    )
    return {each.subject: each for each in found}


def all_parked(conn: Connection) -> list[Parked]:
    """Every parked subject, the longest parked first."""
    return [Parked(*row) for row in conn.execute(_PARKED.order_by(_parked.c.first_at)).all()]


def parked_page(conn: Connection, limit: int, after: ParkedKey, desks: Desks = EVERY) -> list[Parked]:
    """Parked subjects after a key, the longest parked first, of these desks."""
    first_at, of_desk, text = after
    query = _PARKED_PAGE.where(
        in_desks(_parked.c.desk, desks), tuple_(*_PARKED_KEY) > (first_at, of_desk, Subject.parse(text))
    )
    return [Parked(*row) for row in conn.execute(query, {"limit": limit}).all()]


def count_parked(conn: Connection) -> int:
    """How many subjects are parked because their evaluation failed."""
    return conn.execute(_COUNT_PARKED).scalar() or 0


def park(conn: Connection, rows: Sequence[Parked]) -> None:
    """Park subjects: the sweep passes them by until their `retry_at`."""
    if not rows:
        return
    conn.execute(_UNPARK, [{"_desk": row.desk, "_subject": row.subject} for row in rows])
    conn.execute(_UNSCHEDULE_TICKET, [{"_desk": row.desk, "_ticket": row.subject.text} for row in rows])
    conn.execute(_UNSCHEDULE_SUBJECT, [{"_desk": row.desk, "_subject": row.subject} for row in rows])
    conn.execute(_PARK, [{name: getattr(row, name) for name in _COLUMNS} for row in rows])


def unpark(conn: Connection, desk: str, subjects: Iterable[Subject]) -> None:
    """Forget the failures of these subjects: they were evaluated."""
    if rows := [{"_desk": desk, "_subject": subject} for subject in subjects]:
        conn.execute(_UNPARK, rows)
