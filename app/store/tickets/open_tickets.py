"""Open tickets by urgency: those with a clock that goes on, in groups, with counts.

A ticket is overdue when an open clock of it is breached, at risk when a warning of a running clock was passed, else one
of the rest. Each query reads the open clocks of the desks once, by the index `clock_due`: the list, and the counts of
all groups and tiles. Warnings are looked up by the key of the signals, `signal_once`. Instants are microseconds UTC.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Label, Subquery, and_, case, exists, func, or_, select, tuple_

from app.principal import EVERY, Desks
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import clock as _clock
from app.store.tables import signal as _signal
from app.store.tables import ticket as _ticket
from app.store.tickets.board import CLOCK_KINDS, cursor_of, key_of

OPEN_STATES: Final = ("awaiting", "running", "paused")
"""States of a clock that goes on."""
_SEARCHED: Final = ("title", "ticket", "customer", "organisation")
_FIELDS: Final = ("assignee", "group", "queue", "plan", "customer")


class Urgency(IntEnum):
    """The groups of the list, in its order."""

    OVERDUE = 0
    AT_RISK = 1
    REST = 2


class Tile(StrEnum):
    """What open tickets can be narrowed to. Each has a count."""

    OVERDUE = "overdue"
    AT_RISK = "at_risk"
    DUE_SOON = "due_soon"
    AWAITING = "awaiting"
    PAUSED = "paused"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True)
class OpenFilters:
    """Which open tickets. `commitment` and a clock's `kind` narrow the clocks that count; `text` is searched in title,
    number, customer and organisation."""

    desks: Desks = EVERY
    tile: Tile | None = None
    assignee: str | None = None
    group: str | None = None
    queue: str | None = None
    plan: str | None = None
    customer: str | None = None
    commitment: str | None = None
    kind: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A ticket of the list, and its group."""

    desk: str
    ticket: str
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """How many tickets are in each group and behind each tile."""

    groups: dict[Urgency, int]
    tiles: dict[Tile, int]


def page(
    conn: Connection, filters: OpenFilters, cursor: str | None, limit: int, *, now: Micros, soon: Micros
) -> tuple[list[OpenKey], str | None]:
    """Open tickets that match, the most urgent first, and the cursor of the next page. `soon`: the instant until which
    a clock counts as due soon. Raises FaultyCursor."""
    found = _flagged(filters, now, soon)
    key = (found.c.urgency, found.c.due_at, found.c.created_at, found.c.desk, found.c.ticket)
    query = select(*key).order_by(*key).limit(limit + 1)
    if filters.tile is not None:
        query = query.where(_behind(found, filters.tile))
    if cursor is not None:
        query = query.where(tuple_(*key) > key_of(cursor, int, int, int, str, str))
    rows = conn.execute(query).all()
    following = cursor_of(*rows[limit - 1]) if len(rows) > limit else None
    return [OpenKey(row.desk, row.ticket, Urgency(row.urgency)) for row in rows[:limit]], following


def counts(conn: Connection, filters: OpenFilters, *, now: Micros, soon: Micros) -> OpenCounts:
    """The counts of the groups as the filters narrow them, and of the tiles whatever tile is chosen."""
    found = _flagged(filters, now, soon)
    chosen = [] if filters.tile is None else [_behind(found, filters.tile)]
    groups = {each: and_(found.c.urgency == each.value, *chosen) for each in Urgency}
    tiles = {each: _behind(found, each) for each in Tile}
    wanted: list[Label[int]] = [
        func.count().filter(condition).label(f"{type(each).__name__}_{each.name}")
        for each, condition in (groups | tiles).items()
    ]
    row = conn.execute(select(*wanted).select_from(found)).mappings().one()
    return OpenCounts(
        {each: row[f"Urgency_{each.name}"] for each in Urgency},
        {each: row[f"Tile_{each.name}"] for each in Tile},
    )


def _behind(found: Subquery, tile: Tile) -> ColumnElement[bool]:
    match tile:
        case Tile.OVERDUE:
            return found.c.urgency == Urgency.OVERDUE.value
        case Tile.AT_RISK:
            return found.c.urgency == Urgency.AT_RISK.value
        case Tile.UNASSIGNED:
            return found.c.assignee.is_(None)
        case Tile.DUE_SOON | Tile.AWAITING | Tile.PAUSED:
            return found.c[tile.value] == 1


def _flagged(filters: OpenFilters, now: Micros, soon: Micros) -> Subquery:
    """Every open ticket that matches all but the tile, with what its open clocks say."""
    running = _clock.c.state == "running"
    late = or_(_clock.c.breached_at.is_not(None), and_(running, _clock.c.due_at < now))
    due_soon = and_(running, _clock.c.due_at >= now, _clock.c.due_at < soon)
    flags = {
        "due_soon": _any(due_soon),
        "awaiting": _any(_clock.c.state == "awaiting"),
        "paused": _any(_clock.c.state == "paused"),
    }
    urgency = case(
        (_any(late) == 1, Urgency.OVERDUE.value),
        (_any(and_(running, _warned())) == 1, Urgency.AT_RISK.value),
        else_=Urgency.REST.value,
    )
    query = (
        select(
            _ticket.c.desk,
            _ticket.c.ticket,
            _ticket.c.due_at,
            func.coalesce(_ticket.c.created_at, 0).label("created_at"),
            _ticket.c.assignee,
            urgency.label("urgency"),
            *(flag.label(name) for name, flag in flags.items()),
        )
        .select_from(_clock)
        .join(_ticket, and_(_ticket.c.desk == _clock.c.desk, _ticket.c.ticket == _clock.c.subject))
        .where(in_desks(_clock.c.desk, filters.desks), _clock.c.state.in_(OPEN_STATES), *conditions(filters))
        .group_by(_ticket.c.desk, _ticket.c.ticket)
    )
    return query.subquery("open_ticket")


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.max(case((condition, 1), else_=0))


def _warned() -> ColumnElement[bool]:
    return exists().where(
        _signal.c.desk == _clock.c.desk,
        _signal.c.subject == _clock.c.subject,
        _signal.c.commitment == _clock.c.commitment,
        _signal.c.queue == "",
        _signal.c.cycle == _clock.c.cycle,
        _signal.c.kind == "clock.warned",
        _signal.c.retracted_at.is_(None),
    )


def conditions(filters: OpenFilters) -> list[ColumnElement[bool]]:
    """What the filters but the desk and the tile demand of a clock and its ticket."""
    wanted: list[ColumnElement[bool]] = []
    for name in _FIELDS:
        value: str | None = getattr(filters, name)
        if value is not None:
            wanted.append(_ticket.c[name] == value)
    if filters.commitment is not None:
        wanted.append(_clock.c.commitment == filters.commitment)
    if filters.kind is not None:
        table: Any = _clock if filters.kind in CLOCK_KINDS else _ticket
        wanted.append(table.c.kind == filters.kind)
    if filters.text is not None:
        text = filters.text.lower()
        wanted.append(
            or_(*(func.lower(_ticket.c[name]).contains(text, autoescape=True) for name in _SEARCHED))
        )
    return wanted


@dataclass(frozen=True, slots=True)
class KeptSince:
    """How many clocks of a desk were met and were breached from an instant on."""

    kept: int
    missed: int

    @property
    def share(self) -> float | None:
        """The share that was met; None where there was none."""
        all_of_them = self.kept + self.missed
        return self.kept / all_of_them if all_of_them else None


def kept_since(conn: Connection, desk: str, since: Micros, filters: OpenFilters = OpenFilters()) -> KeptSince:
    """The clocks of a desk that ended in time since an instant, and those that were breached since then, as the filters
    narrow them."""
    narrowed = conditions(filters)
    source = _clock.join(_ticket, and_(_ticket.c.desk == _clock.c.desk, _ticket.c.ticket == _clock.c.subject))
    counted = select(func.count()).select_from(source if narrowed else _clock).where(*narrowed)
    kept = counted.where(_clock.c.desk == desk, _clock.c.ended_at >= since, _clock.c.met.is_(True))
    missed = counted.where(_clock.c.desk == desk, _clock.c.breached_at >= since)
    return KeptSince(conn.execute(kept).scalar_one(), conn.execute(missed).scalar_one())


def choices(conn: Connection, desks: Desks, limit: int) -> dict[str, list[str]]:
    """The values that open tickets have in the fields of filters, and their commitments; so many of each at most."""
    open_of = (
        select(_clock.c.desk, _clock.c.subject.label("ticket"), _clock.c.commitment)
        .where(in_desks(_clock.c.desk, desks), _clock.c.state.in_(OPEN_STATES))
        .cte("open_clock")
    )
    found: dict[str, list[str]] = {}
    for name in (*_FIELDS, "commitment"):
        column = open_of.c.commitment if name == "commitment" else _ticket.c[name]
        query = select(column).distinct().select_from(open_of)
        if name != "commitment":
            query = query.join(
                _ticket, and_(_ticket.c.desk == open_of.c.desk, _ticket.c.ticket == open_of.c.ticket)
            )
        rows = conn.execute(query.where(column.is_not(None)).order_by(column).limit(limit))
        found[name] = list(rows.scalars())
    return found
