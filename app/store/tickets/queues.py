"""Who waits in which queue, since when, at which place?

Stints as derived, one row each; open ones are the line of a queue. The rule it guards: rows are replaced by what is
derived and never patched. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, or_, select, tuple_

from app.sla.queue.position import Key
from app.sla.queue.waiting import Stint
from app.sla.span import Micros
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import stint as _stint
from app.store.tables import ticket as _ticket

_FIELDS: Final = (
    "ticket",
    "from_at",
    "to_at",
    "rank",
    "joined_at",
    "created_at",
    "cause",
    "queue",
    "ended_by",
)
_KEY: Final = (_stint.c.rank, _stint.c.joined_at, _stint.c.created_at, _stint.c.ticket)
_STINTS: Final = (
    select(*(_stint.c[name] for name in _FIELDS))
    .where(_stint.c.desk == bindparam("desk"), _stint.c.ticket.in_(bindparam("tickets", expanding=True)))
    .order_by(_stint.c.ticket, _stint.c.number)
)
_LINE: Final = (
    select(*_KEY)
    .where(_stint.c.desk == bindparam("desk"), _stint.c.queue == bindparam("queue"), _stint.c.to_at.is_(None))
    .order_by(*_KEY)
)
_AT: Final = and_(
    _stint.c.desk == bindparam("desk"),
    _stint.c.queue == bindparam("queue"),
    _stint.c.from_at <= bindparam("at"),
    or_(_stint.c.to_at.is_(None), _stint.c.to_at > bindparam("at")),
)
_LENGTH_AT: Final = select(func.count()).where(_AT)
_BEFORE_AT: Final = select(func.count()).where(
    _AT,
    tuple_(*_KEY)
    < tuple_(
        bindparam("rank", type_=_stint.c.rank.type),
        bindparam("joined_at", type_=_stint.c.joined_at.type),
        bindparam("created_at", type_=_stint.c.created_at.type),
        bindparam("ticket", type_=_stint.c.ticket.type),
    ),
)
_QUEUES: Final = (
    select(_stint.c.desk, _stint.c.queue, func.count())
    .where(_stint.c.to_at.is_(None))
    .group_by(_stint.c.desk, _stint.c.queue)
    .order_by(_stint.c.desk, _stint.c.queue)
)
_KNOWN_QUEUE: Final = (
    select(_ticket.c.ticket)
    .where(_ticket.c.desk == bindparam("desk"), _ticket.c.queue == bindparam("queue"))
    .limit(1)
)
_GROUPS: Final = select(_ticket.c.ticket, _ticket.c.group_key).where(
    _ticket.c.desk == bindparam("desk"),
    _ticket.c.group_key.is_not(None),
    _ticket.c.group_key.in_(bindparam("groups", expanding=True)),
)
_INSERT: Final = _stint.insert()
_THIS: Final = (
    (_stint.c.desk == bindparam("_desk"))
    & (_stint.c.ticket == bindparam("_ticket"))
    & (_stint.c.number == bindparam("_number"))
)
_UPDATE: Final = (
    _stint.update().where(_THIS).values({name: bindparam(name) for name in _FIELDS if name != "ticket"})
)
_DELETE: Final = _stint.delete().where(_THIS)


def stints(conn: Connection, desk: str, tickets: Iterable[str]) -> dict[str, tuple[Stint, ...]]:
    """The stints of these tickets as stored, each ticket's in order."""
    found: dict[str, tuple[Stint, ...]] = {}
    for part in parts(tickets):
        for row in conn.execute(_STINTS, {"desk": desk, "tickets": part}).all():
            found[row[0]] = (*found.get(row[0], ()), Stint(*row))
    return found


def line(conn: Connection, desk: str, queue: str) -> list[Key]:
    """The keys that wait in a queue, in order."""
    return [
        (row[0], row[1], row[2], row[3]) for row in conn.execute(_LINE, {"desk": desk, "queue": queue}).all()
    ]


def place_at(conn: Connection, desk: str, stint: Stint, at: Micros) -> tuple[int, int]:
    """(position from 1, length) of a stint's place in its queue at an instant, by what is known today."""
    asked: dict[str, Any] = {"desk": desk, "queue": stint.queue, "at": at}
    length = conn.execute(_LENGTH_AT, asked).scalar() or 0
    key = dict(zip(("rank", "joined_at", "created_at", "ticket"), stint.key, strict=True))
    return 1 + (conn.execute(_BEFORE_AT, asked | key).scalar() or 0), length


def queues(conn: Connection) -> list[tuple[str, str, int]]:
    """(desk, queue, how many wait) of every queue in which somebody waits."""
    return [(desk, queue, count) for desk, queue, count in conn.execute(_QUEUES).all()]


def is_queue(conn: Connection, desk: str, queue: str) -> bool:
    """Whether any ticket of the desk names the queue."""
    return conn.execute(_KNOWN_QUEUE, {"desk": desk, "queue": queue}).first() is not None


def group_members(conn: Connection, desk: str, groups: Iterable[str]) -> dict[str, str]:
    """The tickets of these duplicate groups as last evaluated, each with its group."""
    return {
        ticket: key
        for part in parts(groups)
        for ticket, key in conn.execute(_GROUPS, {"desk": desk, "groups": part}).all()
    }


def write(
    conn: Connection,
    desk: str,
    before: Mapping[str, Sequence[Stint]],
    after: Mapping[str, Sequence[Stint]],
) -> None:
    """Store the stints of the tickets of `after` where they differ from what was stored."""
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for ticket, derived in after.items():
        stored = before.get(ticket, ())
        for number, stint in enumerate(derived):
            values = {name: getattr(stint, name) for name in _FIELDS}
            if number >= len(stored):
                new.append({"desk": desk, "number": number, **values})
            elif stored[number] != stint:
                del values["ticket"]
                changed.append({"_desk": desk, "_ticket": ticket, "_number": number, **values})
        gone += [
            {"_desk": desk, "_ticket": ticket, "_number": number}
            for number in range(len(derived), len(stored))
        ]
    for statement, rows in ((_INSERT, new), (_UPDATE, changed), (_DELETE, gone)):
        if rows:
            conn.execute(statement, rows)
