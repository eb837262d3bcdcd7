"""What do the lists show: tickets by due date, counts of a desk, breaches?

Lists are keyset pages: a cursor is the last row's sort key, so a page costs the same at the end of a list as at its
start, and rows that come or go meanwhile neither double nor hide others. Instants are microseconds UTC.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select, tuple_

from app.principal import EVERY, Desks
from app.sla.fields import LIST_FILTERS
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import acknowledgement as _acknowledgement
from app.store.tables import clock as _clock
from app.store.tables import signal as _signal
from app.store.tables import ticket as _ticket
from app.store.tickets.signals import IS_LATE

CLOCK_KINDS: Final = frozenset({"guarantee", "objective", "customer"})
_TICKET_COLUMNS: Final = tuple(name for name in LIST_FILTERS if name != "kind")
"""Filters that are compared with the ticket's row alone; `kind` may mean a clock's."""


class FaultyCursor(ValueError):
    """The cursor is none that this service has given. Leave it out to start at the first page."""


def cursor_of(*key: str | int) -> str:
    """A sort key as an opaque word."""
    return urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def key_of(cursor: str, *types: type) -> tuple[Any, ...]:
    """The sort key of a cursor, which has one part of each of these types. Raises FaultyCursor."""
    try:
        key = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise FaultyCursor(f"{cursor!r} is no cursor of this list") from error
    parts = cast("list[object]", key) if isinstance(key, list) else []
    if [type(part) for part in parts] != list(types) or not all(map(_can_be_asked, parts)):
        raise FaultyCursor(f"{cursor!r} is no cursor of this list")
    return tuple(parts)


def _can_be_asked(part: object) -> bool:
    """Whether a database can compare with it: a number that fits, a text without NUL."""
    return -(2**63) <= part < 2**63 if isinstance(part, int) else "\0" not in str(part)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which tickets. `state`, `breached`, `due_before`, `commitment` and a clock's `kind` are asked of one clock."""

    desks: Desks = EVERY
    state: str | None = None
    breached: bool | None = None
    due_before: Micros | None = None
    assignee: str | None = None
    group: str | None = None
    queue: str | None = None
    plan: str | None = None
    customer: str | None = None
    commitment: str | None = None
    kind: str | None = None


def tickets(
    conn: Connection, filters: Filters, now: Micros, cursor: str | None, limit: int
) -> tuple[list[tuple[str, str]], str | None]:
    """(desk, ticket) of those that match, next due first, and the cursor of the next page."""
    key = (_ticket.c.due_at, _ticket.c.desk, _ticket.c.ticket)
    query = select(*key).where(*_conditions(filters, now)).order_by(*key).limit(limit + 1)
    if cursor is not None:
        query = query.where(tuple_(*key) > key_of(cursor, int, str, str))
    rows = conn.execute(query).all()
    following = cursor_of(*rows[limit - 1]) if len(rows) > limit else None
    return [(desk, ticket) for _, desk, ticket in rows[:limit]], following


def _conditions(filters: Filters, now: Micros) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [in_desks(_ticket.c.desk, filters.desks)]
    for name in _TICKET_COLUMNS:
        value: str | None = getattr(filters, name)
        if value is not None:
            wanted.append(_ticket.c[name] == value)
    if filters.kind is not None and filters.kind not in CLOCK_KINDS:
        wanted.append(_ticket.c.kind == filters.kind)
    of_clock = _clock_conditions(filters, now)
    if of_clock:
        of_ticket = and_(_clock.c.desk == _ticket.c.desk, _clock.c.ticket == _ticket.c.ticket)
        match = exists().where(of_ticket, *of_clock)
        wanted.append(match if filters.breached is not False else and_(match, ~_breached_clock(now)))
    elif filters.breached is False:
        wanted.append(~_breached_clock(now))
    return wanted


def _clock_conditions(filters: Filters, now: Micros) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.state is not None:
        wanted.append(_clock.c.state == filters.state)
    if filters.commitment is not None:
        wanted.append(_clock.c.commitment == filters.commitment)
    if filters.kind in CLOCK_KINDS:
        wanted.append(_clock.c.kind == filters.kind)
    if filters.due_before is not None:
        wanted.append(and_(_clock.c.state == "running", _clock.c.due_at < filters.due_before))
    if filters.breached:
        wanted.append(_is_breached(now))
    return wanted


def _is_breached(now: Micros) -> ColumnElement[bool]:
    """Told of, or past its due date though the sweep has not come by yet."""
    return or_(_clock.c.breached_at.is_not(None), and_(_clock.c.state == "running", _clock.c.due_at < now))


def _breached_clock(now: Micros) -> ColumnElement[bool]:
    return exists().where(
        _clock.c.desk == _ticket.c.desk, _clock.c.ticket == _ticket.c.ticket, _is_breached(now)
    )


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """How many clocks of a desk stand how. `overdue` counts guarantees, `objectives_missed` objectives."""

    due_before_closing: int
    overdue: int
    awaiting: int
    paused: int
    running: int
    objectives_missed: int


def _counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


_RUNS: Final = _clock.c.state == "running"
_LATE: Final = and_(_RUNS, _clock.c.due_at < bindparam("now"))
_COUNTS: Final = select(
    _counted(
        and_(
            _RUNS,
            _clock.c.due_at >= bindparam("now"),
            _clock.c.due_at <= bindparam("closing", type_=_clock.c.due_at.type),
        )
    ),
    _counted(and_(_LATE, _clock.c.kind == "guarantee")),
    _counted(_clock.c.state == "awaiting"),
    _counted(_clock.c.state == "paused"),
    _counted(_RUNS),
    _counted(and_(_LATE, _clock.c.kind == "objective")),
).where(_clock.c.desk == bindparam("desk"), _clock.c.state.in_(("awaiting", "running", "paused")))


def counts(conn: Connection, desk: str, now: Micros, closing: Micros | None) -> DeskCounts:
    """The counts of a desk; without a closing nothing is due before it."""
    row = conn.execute(_COUNTS, {"desk": desk, "now": now, "closing": closing}).one()
    return DeskCounts(*row)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person has seen a breach."""

    author: str
    note: str | None
    at: Micros


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach, miss or lapse as it was told, and what became of it."""

    seq: int
    id: str
    desk: str
    ticket: str
    at: Micros
    detected_at: Micros
    corrected_at: Micros | None
    retracted_at: Micros | None
    body: bytes
    clock_state: str | None
    """How its clock stands now; none when a version took the clock away."""
    acknowledgement: Acknowledgement | None


_BREACHES: Final = (
    select(
        _signal.c.seq,
        _signal.c.id,
        _signal.c.desk,
        _signal.c.ticket,
        _signal.c.at,
        _signal.c.detected_at,
        _signal.c.corrected_at,
        _signal.c.retracted_at,
        _signal.c.body,
        _clock.c.state,
        _acknowledgement.c.author,
        _acknowledgement.c.note,
        _acknowledgement.c.at,
    )
    .select_from(_signal)
    .outerjoin(
        _clock,
        and_(
            _clock.c.desk == _signal.c.desk,
            _clock.c.ticket == _signal.c.ticket,
            _clock.c.commitment == _signal.c.commitment,
            _clock.c.cycle == _signal.c.cycle,
        ),
    )
    .outerjoin(_acknowledgement, _acknowledgement.c.breach == _signal.c.id)
    .where(IS_LATE)
)
_ACKNOWLEDGE: Final = _acknowledgement.insert()
_ACKNOWLEDGED: Final = select(
    _acknowledgement.c.author, _acknowledgement.c.note, _acknowledgement.c.at
).where(_acknowledgement.c.breach == bindparam("breach"))


@dataclass(frozen=True, slots=True)
class BreachFilters:
    """Which breaches: told at or after `since` and before `until`; `unsettled`: the clock still goes on, or not."""

    desks: Desks = EVERY
    since: Micros | None = None
    until: Micros | None = None
    unsettled: bool | None = None


def breaches(
    conn: Connection, filters: BreachFilters, cursor: str | None, limit: int
) -> tuple[list[Breach], str | None]:
    """Breaches, the latest first, and the cursor of the next page. Retracted ones are in it, marked."""
    key = (_signal.c.at, _signal.c.seq)
    query = (
        _BREACHES.where(*_breach_conditions(filters))
        .order_by(*(part.desc() for part in key))
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(tuple_(*key) < key_of(cursor, int, int))
    found = [_breach(row) for row in conn.execute(query).all()]
    following = cursor_of(found[limit - 1].at, found[limit - 1].seq) if len(found) > limit else None
    return found[:limit], following


def _breach_conditions(filters: BreachFilters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [in_desks(_signal.c.desk, filters.desks)]
    if filters.since is not None:
        wanted.append(_signal.c.at >= filters.since)
    if filters.until is not None:
        wanted.append(_signal.c.at < filters.until)
    if filters.unsettled is not None:
        goes_on = and_(
            _signal.c.retracted_at.is_(None),
            func.coalesce(_clock.c.state, "").in_(("awaiting", "running", "paused")),
        )
        wanted.append(goes_on if filters.unsettled else ~goes_on)
    return wanted


def breach(conn: Connection, breach_id: str) -> Breach | None:
    """One breach, by the id of its signal."""
    row = conn.execute(_BREACHES.where(_signal.c.id == breach_id)).first()
    return None if row is None else _breach(row)


def _breach(row: Sequence[Any]) -> Breach:
    *recorded, state, author, note, at = row
    recorded[8] = recorded[8].encode()
    seen = None if author is None else Acknowledgement(author, note, at)
    return Breach(*recorded, clock_state=state, acknowledgement=seen)


def acknowledge(conn: Connection, breach_id: str, given: Acknowledgement) -> Acknowledgement:
    """Note that a breach was seen. The first acknowledgement stays; the one that stands is returned."""
    first = conn.execute(_ACKNOWLEDGED, {"breach": breach_id}).first()
    if first is not None:
        return Acknowledgement(*first)
    values: Mapping[str, Any] = {
        "breach": breach_id,
        "author": given.author,
        "note": given.note,
        "at": given.at,
    }
    conn.execute(_ACKNOWLEDGE, values)
    return given
