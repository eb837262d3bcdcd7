"""Which tickets must be looked at, and when?

The database is the timer: a ticket's `next_at` is a hint kept in an index, read by the sweep. A ticket that could not be
evaluated is parked beside, with the instant of the next try, so that it is passed by until then. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select, tuple_

from app.principal import EVERY, Desks
from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import parked as _parked
from app.store.tables import ticket as _ticket


@dataclass(frozen=True, slots=True)
class Parked:
    """A ticket that could not be evaluated."""

    desk: str
    ticket: str
    error: str
    first_at: Micros
    last_at: Micros
    times: int
    retry_at: Micros


_NEXT_TICKET: Final = select(func.min(_ticket.c.next_at)).where(_ticket.c.next_at.is_not(None))
_NEXT_PARKED: Final = select(func.min(_parked.c.retry_at))
_DUE: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(_ticket.c.next_at.is_not(None), _ticket.c.next_at <= bindparam("now"))
    .order_by(_ticket.c.next_at)
    .limit(bindparam("most"))
)
_DUE_PARKED: Final = (
    select(_parked.c.desk, _parked.c.ticket)
    .where(_parked.c.retry_at <= bindparam("now"))
    .order_by(_parked.c.retry_at)
    .limit(bindparam("most"))
)
_LOOK_AGAIN: Final = (
    _ticket.update()
    .where(_ticket.c.desk == bindparam("_desk"), _ticket.c.status != "closed")
    .values(next_at=bindparam("now"))
)
_PARKED: Final = select(*(_parked.c[f.name] for f in fields(Parked)))
_SOME_PARKED: Final = _PARKED.where(
    _parked.c.desk == bindparam("desk"), _parked.c.ticket.in_(bindparam("tickets", expanding=True))
)
_THIS_PARKED: Final = (_parked.c.desk == bindparam("_desk")) & (_parked.c.ticket == bindparam("_ticket"))
_UNPARK: Final = _parked.delete().where(_THIS_PARKED)
_PARK: Final = _parked.insert()
_SHELVE: Final = (
    _ticket.update()
    .where(_ticket.c.desk == bindparam("_desk"), _ticket.c.ticket == bindparam("_ticket"))
    .values(next_at=None)
)
_PARKED_KEY: Final = (_parked.c.first_at, _parked.c.desk, _parked.c.ticket)
_PARKED_PAGE: Final = _PARKED.order_by(*_PARKED_KEY).limit(bindparam("most"))
_COUNT_PARKED: Final = select(func.count()).select_from(_parked)


def _stored_parked(row: Row[Any]) -> Parked:
    return Parked(*row)


def next_at(conn: Connection) -> Micros | None:
    """The least instant at which a ticket must be looked at."""
    found = [conn.execute(statement).scalar() for statement in (_NEXT_TICKET, _NEXT_PARKED)]
    return min((at for at in found if at is not None), default=None)


def due_desks(conn: Connection, now: Micros, most: int) -> set[str]:
    """The desks of those that `due` would find, where others write too: to hold what must be held before a ticket is."""
    if not dialect.has_many_writers(conn):
        return set()
    asked = {"now": now, "most": most}
    return {row[0] for query in (_DUE, _DUE_PARKED) for row in conn.execute(query, asked).all()}


def due(conn: Connection, now: Micros, most: int) -> list[tuple[str, str]]:
    """(desk, ticket) of those whose instant has come, the longest due first, then parked ones to be tried again.

    Where several processes sweep, those found are this one's until the transaction ends, and those of another are left
    out.
    """
    asked = {"now": now, "most": most}
    found = [
        (desk, ticket)
        for desk, ticket in conn.execute(dialect.for_update_skip_locked(conn, _DUE), asked).all()
    ]
    if len(found) < most:
        more = asked | {"most": most - len(found)}
        found += [
            (d, t) for d, t in conn.execute(dialect.for_update_skip_locked(conn, _DUE_PARKED), more).all()
        ]
    return found


def look_again(conn: Connection, desk: str, now: Micros) -> int:
    """Have every ticket of the desk that is not closed looked at as soon as may be. Returns how many."""
    return conn.execute(_LOOK_AGAIN, {"_desk": desk, "now": now}).rowcount


def parked(conn: Connection, desk: str, names: Iterable[str]) -> dict[str, Parked]:
    """Of these tickets the ones that are parked."""
    return {
        stored.ticket: stored
        for part in parts(names)
        for stored in map(_stored_parked, conn.execute(_SOME_PARKED, {"desk": desk, "tickets": part}).all())
    }


def all_parked(conn: Connection) -> list[Parked]:
    """Every parked ticket, the longest parked first."""
    return [_stored_parked(row) for row in conn.execute(_PARKED.order_by(_parked.c.first_at)).all()]


def parked_page(
    conn: Connection, most: int, after: tuple[Micros, str, str], desks: Desks = EVERY
) -> list[Parked]:
    """Parked tickets after a key of (first_at, desk, ticket), the longest parked first, of these desks."""
    query = _PARKED_PAGE.where(in_desks(_parked.c.desk, desks), tuple_(*_PARKED_KEY) > after)
    return [_stored_parked(row) for row in conn.execute(query, {"most": most}).all()]


def count_parked(conn: Connection) -> int:
    """How many tickets are parked."""
    return conn.execute(_COUNT_PARKED).scalar() or 0


def park(conn: Connection, rows: Sequence[Parked]) -> None:
    """Set tickets aside: the sweep passes them by until their `retry_at`."""
    if rows:
        keys = [{"_desk": row.desk, "_ticket": row.ticket} for row in rows]
        conn.execute(_UNPARK, keys)
        conn.execute(_SHELVE, keys)
        conn.execute(_PARK, [{f.name: getattr(row, f.name) for f in fields(Parked)} for row in rows])


def unpark(conn: Connection, desk: str, names: Iterable[str]) -> None:
    """These were evaluated again."""
    if rows := [{"_desk": desk, "_ticket": name} for name in names]:
        conn.execute(_UNPARK, rows)
