"""Board: lists of tickets by due date, and the counts of a desk.

Lists are keyset pages: a cursor is the last row's sort key, so a page costs the same at the end of a list as at its
start, and rows that appear or disappear meanwhile neither repeat nor hide others. Instants are microseconds UTC.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select, tuple_

from app.principal import EVERY, Desks
from app.sla.fields import LIST_FILTERS
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import clock as _clock
from app.store.tables import ticket as _ticket

CLOCK_KINDS: Final = frozenset({"guarantee", "objective", "customer"})
_TICKET_COLUMNS: Final = tuple(name for name in LIST_FILTERS if name != "kind")
"""Filters that are compared with the ticket's row alone; `kind` may mean a clock's."""


class FaultyCursor(ValueError):
    """The cursor is none that this service has given. Leave it out to start at the first page."""


def cursor_of(*key: str | int) -> str:
    """A sort key as an opaque cursor."""
    return urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def key_of(cursor: str, *types: type) -> tuple[Any, ...]:
    """The sort key of a cursor, which has one part of each of these types. Raises FaultyCursor."""
    try:
        key = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise FaultyCursor(f"{cursor!r} is no cursor of this list") from error
    parts = cast("list[object]", key) if isinstance(key, list) else []
    if [type(part) for part in parts] != list(types) or not all(map(_is_comparable, parts)):
        raise FaultyCursor(f"{cursor!r} is no cursor of this list")
    return tuple(parts)


def _is_comparable(part: object) -> bool:
    """Whether a database can compare with it: a number that fits, a text without NUL."""
    return -(2**63) <= part < 2**63 if isinstance(part, int) else "\0" not in str(part)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which tickets. `state`, `breached`, `due_before`, `commitment` and a clock's `kind` must hold for one clock."""

    desks: Desks = EVERY
    state: str | None = None
    breached: bool | None = None
    due_before: Micros | None = None
    assignee: str | None = None
    group: str | None = None
    queue: str | None = None
    plan: str | None = None
    contract: str | None = None
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
    return [(row.desk, row.ticket) for row in rows[:limit]], following


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
        of_ticket = and_(_clock.c.desk == _ticket.c.desk, _clock.c.subject == _ticket.c.ticket)
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
    """Recorded as late, or past its due date and not swept yet."""
    return or_(_clock.c.breached_at.is_not(None), and_(_clock.c.state == "running", _clock.c.due_at < now))


def _breached_clock(now: Micros) -> ColumnElement[bool]:
    return exists().where(
        _clock.c.desk == _ticket.c.desk, _clock.c.subject == _ticket.c.ticket, _is_breached(now)
    )


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """How many clocks of a desk are in each state. `overdue` counts guarantees, `objectives_missed` objectives."""

    due_before_closing: int
    overdue: int
    awaiting: int
    paused: int
    running: int
    objectives_missed: int


def _counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


_OPEN: Final = ("awaiting", "running", "paused")
_RUNS: Final = _clock.c.state == "running"
_LATE: Final = and_(_RUNS, _clock.c.due_at < bindparam("now"))
_COUNTS: Final = select(
    _counted(
        and_(
            _RUNS,
            _clock.c.due_at >= bindparam("now"),
            _clock.c.due_at <= bindparam("closing", type_=_clock.c.due_at.type),
        )
    ).label("due_before_closing"),
    _counted(and_(_LATE, _clock.c.kind == "guarantee")).label("overdue"),
    _counted(_clock.c.state == "awaiting").label("awaiting"),
    _counted(_clock.c.state == "paused").label("paused"),
    _counted(_RUNS).label("running"),
    _counted(and_(_LATE, _clock.c.kind == "objective")).label("objectives_missed"),
).where(_clock.c.desk == bindparam("desk"), _clock.c.state.in_(_OPEN))


_BY_COMMITMENT: Final = (
    select(
        _clock.c.desk,
        _clock.c.commitment,
        func.count().label("open"),
        _counted(
            and_(_RUNS, _clock.c.due_at >= bindparam("now"), _clock.c.due_at < bindparam("risk_until"))
        ).label("at_risk"),
        _counted(_LATE).label("overdue"),
    )
    .where(_clock.c.desk.in_(bindparam("desks", expanding=True)), _clock.c.state.in_(_OPEN))
    .group_by(_clock.c.desk, _clock.c.commitment)
    .order_by(_clock.c.desk, _clock.c.commitment)
)
"""Reads open clocks only, by the index `clock_due`."""


@dataclass(frozen=True, slots=True)
class CommitmentCounts:
    """How many clocks of a commitment are open, due soon, and overdue."""

    desk: str
    commitment: str
    open: int
    at_risk: int
    overdue: int


def counts_by_commitment(
    conn: Connection, desks: Iterable[str], now: Micros, risk_until: Micros
) -> list[CommitmentCounts]:
    """The counts of every commitment of these desks that has an open clock, by desk and commitment."""
    given = {"desks": list(desks), "now": now, "risk_until": risk_until}
    return [CommitmentCounts(**row) for row in conn.execute(_BY_COMMITMENT, given).mappings()]


def counts(conn: Connection, desk: str, now: Micros, closing: Micros | None) -> DeskCounts:
    """The counts of a desk; without a closing nothing is due before it."""
    row = conn.execute(_COUNTS, {"desk": desk, "now": now, "closing": closing}).mappings().one()
    return DeskCounts(**row)
