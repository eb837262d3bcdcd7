"""Queues: the wait intervals of tickets as derived, one row each; open ones are the positions of a queue.

Rows are replaced by what is derived and never patched. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, tuple_

from app.sla.queue.position import Key
from app.sla.queue.waiting import WaitInterval
from app.sla.span import Micros, Span
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.prepared import Prepared
from app.store.tables import ticket as _ticket
from app.store.tables import wait_interval as _wait_interval

_COLUMNS: Final = (
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
_KEY: Final = (
    _wait_interval.c.rank,
    _wait_interval.c.joined_at,
    _wait_interval.c.created_at,
    _wait_interval.c.ticket,
)
_INTERVALS: Final = Prepared(
    select(*(_wait_interval.c[name] for name in _COLUMNS))
    .where(
        _wait_interval.c.desk == bindparam("desk"),
        _wait_interval.c.ticket.in_(bindparam("tickets", expanding=True)),
    )
    .order_by(_wait_interval.c.ticket, _wait_interval.c.number)
)
_WAITING: Final = (
    select(*_KEY)
    .where(
        _wait_interval.c.desk == bindparam("desk"),
        _wait_interval.c.queue == bindparam("queue"),
        _wait_interval.c.to_at.is_(None),
    )
    .order_by(*_KEY)
)
_AT: Final = and_(
    _wait_interval.c.desk == bindparam("desk"),
    _wait_interval.c.queue == bindparam("queue"),
    _wait_interval.c.from_at <= bindparam("at"),
    or_(_wait_interval.c.to_at.is_(None), _wait_interval.c.to_at > bindparam("at")),
)
_MOVED_BEFORE: Final = select(_wait_interval.c.ticket).where(
    _wait_interval.c.desk == bindparam("desk"),
    _wait_interval.c.number > 0,
    _wait_interval.c.from_at <= bindparam("at"),
    or_(_wait_interval.c.to_at.is_(None), _wait_interval.c.to_at >= bindparam("at")),
)
_LENGTH_AT: Final = select(func.count()).where(_AT)
_BEFORE_AT: Final = select(func.count()).where(
    _AT,
    tuple_(*_KEY)
    < tuple_(
        bindparam("rank", type_=_wait_interval.c.rank.type),
        bindparam("joined_at", type_=_wait_interval.c.joined_at.type),
        bindparam("created_at", type_=_wait_interval.c.created_at.type),
        bindparam("ticket", type_=_wait_interval.c.ticket.type),
    ),
)
_QUEUES: Final = (
    select(_wait_interval.c.desk, _wait_interval.c.queue, func.count())
    .where(_wait_interval.c.to_at.is_(None))
    .group_by(_wait_interval.c.desk, _wait_interval.c.queue)
    .order_by(_wait_interval.c.desk, _wait_interval.c.queue)
)
_KNOWN_QUEUE: Final = (
    select(_ticket.c.ticket)
    .where(_ticket.c.desk == bindparam("desk"), _ticket.c.queue == bindparam("queue"))
    .limit(1)
)
_MEMBERS: Final = select(_ticket.c.group_key, _ticket.c.created_at, _ticket.c.ticket).where(
    _ticket.c.desk == bindparam("desk"), _ticket.c.group_key.is_not(None)
)
_GROUPS: Final = _MEMBERS.where(
    _ticket.c.group_key.in_(bindparam("groups", expanding=True)), _ticket.c.created_at.is_not(None)
).limit(bindparam("count"))
_PLACE: Final = tuple_(_ticket.c.created_at, _ticket.c.ticket)
_GIVEN_PLACE: Final = tuple_(
    bindparam("created_at", type_=_ticket.c.created_at.type), bindparam("ticket", type_=_ticket.c.ticket.type)
)
_OF_GROUP: Final = _MEMBERS.where(_ticket.c.group_key == bindparam("group"))
_BEFORE: Final = (
    _OF_GROUP.where(_PLACE < _GIVEN_PLACE)
    .order_by(_ticket.c.created_at.desc(), _ticket.c.ticket.desc())
    .limit(bindparam("count"))
)
_MORE_BEFORE: Final = (
    _OF_GROUP.where(_PLACE < _GIVEN_PLACE).limit(literal_column("1")).offset(bindparam("count"))
)
_AFTER: Final = (
    _OF_GROUP.where(_PLACE >= _GIVEN_PLACE)
    .order_by(_ticket.c.created_at, _ticket.c.ticket)
    .limit(bindparam("count"))
)
_INSERT: Final = Prepared(_wait_interval.insert())
_THIS: Final = (
    (_wait_interval.c.desk == bindparam("_desk"))
    & (_wait_interval.c.ticket == bindparam("_ticket"))
    & (_wait_interval.c.number == bindparam("_number"))
)
_UPDATE: Final = Prepared(
    _wait_interval.update()
    .where(_THIS)
    .values({name: bindparam(name) for name in _COLUMNS if name != "ticket"})
)
_DELETE: Final = Prepared(_wait_interval.delete().where(_THIS))


def wait_intervals(
    conn: Connection, desk: str, tickets: Iterable[str]
) -> dict[str, tuple[WaitInterval, ...]]:
    """The stored wait intervals of these tickets, each ticket's in order."""
    found: dict[str, tuple[WaitInterval, ...]] = {}
    for part in parts(tickets):
        for row in _INTERVALS.rows(conn, {"desk": desk, "tickets": part}):
            stored = WaitInterval(*row)
            found[stored.ticket] = (*found.get(stored.ticket, ()), stored)
    return found


def intervals_in(
    conn: Connection, desk: str, span: Span, fields: Sequence[str]
) -> Iterator[tuple[WaitInterval, tuple[str | None, ...]]]:
    """The wait intervals of a desk that have an instant in a span, or its end, each with these fields of its ticket.

    In order, ticket by ticket.
    """
    columns = [func.nullif(_ticket.c[name], "") for name in fields]
    query = (
        select(*(_wait_interval.c[name] for name in _COLUMNS), *columns)
        .where(
            _wait_interval.c.desk == desk,
            _wait_interval.c.from_at < span.end,
            or_(_wait_interval.c.to_at.is_(None), _wait_interval.c.to_at >= span.start),
        )
        .order_by(_wait_interval.c.ticket, _wait_interval.c.number)
    )
    if fields:
        same = and_(_ticket.c.desk == _wait_interval.c.desk, _ticket.c.ticket == _wait_interval.c.ticket)
        query = query.join(_ticket, same)
    width = len(_COLUMNS)
    for row in conn.execute(query):
        yield WaitInterval(*row[:width]), tuple(row[width:])


def intervals_before(conn: Connection, desk: str, at: Micros) -> dict[str, list[WaitInterval]]:
    """The earlier wait intervals of the tickets of a desk that waited at an instant, each ticket's in order."""
    tickets = conn.execute(_MOVED_BEFORE, {"desk": desk, "at": at}).scalars().all()
    stored = wait_intervals(conn, desk, tickets) if tickets else {}
    return {
        ticket: [each for each in own if each.to_at is not None and each.to_at < at]
        for ticket, own in stored.items()
    }


def waiting(conn: Connection, desk: str, queue: str) -> list[Key]:
    """The keys of the tickets that wait in a queue, in order."""
    rows = conn.execute(_WAITING, {"desk": desk, "queue": queue}).all()
    return [(row.rank, row.joined_at, row.created_at, row.ticket) for row in rows]


def place_at(conn: Connection, desk: str, wait_interval: WaitInterval, at: Micros) -> tuple[int, int]:
    """(position from 1, length) of a wait interval in its queue at an instant, by what is known today."""
    given: dict[str, Any] = {"desk": desk, "queue": wait_interval.queue, "at": at}
    length = conn.execute(_LENGTH_AT, given).scalar() or 0
    key = dict(zip(("rank", "joined_at", "created_at", "ticket"), wait_interval.key, strict=True))
    return 1 + (conn.execute(_BEFORE_AT, given | key).scalar() or 0), length


def queues(conn: Connection) -> list[tuple[str, str, int]]:
    """(desk, queue, how many wait) of every queue in which a ticket waits."""
    return [(desk, queue, count) for desk, queue, count in conn.execute(_QUEUES).all()]


def is_queue(conn: Connection, desk: str, queue: str) -> bool:
    """Whether any ticket of the desk names the queue."""
    return conn.execute(_KNOWN_QUEUE, {"desk": desk, "queue": queue}).first() is not None


Member = tuple[str, Micros, str]
"""A ticket of a duplicate group: (group, creation, ticket). They sort as they were created."""


def group_members(conn: Connection, desk: str, groups: Iterable[str], count: int) -> list[Member] | None:
    """The tickets of these duplicate groups as last evaluated; none where there are more than `count`."""
    found: list[Member] = []
    for part in parts(groups):
        given = {"desk": desk, "groups": part, "count": count + 1 - len(found)}
        found += [(group, created_at, ticket) for group, created_at, ticket in conn.execute(_GROUPS, given)]
        if len(found) > count:
            return None
    return found


def has_more_before(conn: Connection, desk: str, place: Member, count: int) -> bool:
    """Whether a duplicate group has more than `count` tickets before a place in it."""
    group, created_at, ticket = place
    given = {"desk": desk, "group": group, "created_at": created_at, "ticket": ticket, "count": count}
    return conn.execute(_MORE_BEFORE, given).first() is not None


def group_members_near(conn: Connection, desk: str, place: Member, count: int) -> list[Member]:
    """The tickets of a duplicate group as last evaluated: `count` before a place in it and `count` from there on."""
    group, created_at, ticket = place
    given = {"desk": desk, "group": group, "created_at": created_at, "ticket": ticket, "count": count}
    found = [*conn.execute(_BEFORE, given), *conn.execute(_AFTER, given)]
    return [(group, created_at, ticket) for group, created_at, ticket in found]


def write(
    conn: Connection,
    desk: str,
    before: Mapping[str, Sequence[WaitInterval]],
    after: Mapping[str, Sequence[WaitInterval]],
    left_out: Mapping[str, int],
) -> None:
    """Store the wait intervals of the tickets of `after` where they differ from those of `before`.

    `left_out`: of how many first intervals of a ticket neither has anything.
    """
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for ticket, derived in after.items():
        stored, first = before.get(ticket, ()), left_out.get(ticket, 0)
        for number, wait_interval in enumerate(derived):
            if number < len(stored) and stored[number] == wait_interval:
                continue
            values = {name: getattr(wait_interval, name) for name in _COLUMNS}
            if number >= len(stored):
                new.append({"desk": desk, "number": first + number, **values})
            else:
                del values["ticket"]
                changed.append({"_desk": desk, "_ticket": ticket, "_number": first + number, **values})
        gone += [
            {"_desk": desk, "_ticket": ticket, "_number": first + number}
            for number in range(len(derived), len(stored))
        ]
    for statement, rows in ((_INSERT, new), (_UPDATE, changed), (_DELETE, gone)):
        if rows:
            statement.write(conn, rows)
