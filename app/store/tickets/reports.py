"""Figures of reports, counted from stored clocks: cells by period, and the clocks behind a figure.

The columns that are counted are written with every evaluation (`clocks`), so they equal a fresh one. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    tuple_,
)

from app.sla.report.cut import Piece
from app.sla.report.figures import ClockFigures
from app.sla.report.measure import (
    COMMITMENT,
    EPOCH_WEEKDAY,
    INSTANT_OF,
    WHOLE,
    Cell,
    Measure,
    Outcome,
    ReportedClock,
    Value,
)
from app.sla.span import DAY, HOUR
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tables import clock as _clock
from app.store.tables import ticket as _ticket
from app.store.tickets.board import cursor_of, key_of

Number = ColumnElement[int]

_OF_TICKET: Final = and_(_ticket.c.desk == _clock.c.desk, _ticket.c.ticket == _clock.c.subject)
_OUTCOME: Final = case(
    (_clock.c.met.is_(None), Outcome.EXCLUDED.value),
    (_clock.c.met, Outcome.MET.value),
    else_=Outcome.MISSED.value,
)
_SHARE: Final[Number] = _clock.c.counted * WHOLE // _clock.c.target_length
_TENTH: Final = case((_SHARE * 10 // WHOLE > 10, 10), else_=_SHARE * 10 // WHOLE)
_JUDGED: Final = and_(_clock.c.met.is_not(None), _clock.c.counted.is_not(None), _clock.c.target_length > 0)
_OFFSET: Final = bindparam("offset", type_=BigInteger)


class TooManyCells(ValueError):
    """A report has more rows than one answer may have. Ask for a shorter span, longer periods or a smaller split."""


def _value_of(split: str) -> ColumnElement[Any]:
    """A ticket's or clock's value of a split; nothing and an empty text are the same."""
    return _clock.c.commitment if split == COMMITMENT else func.nullif(_ticket.c[split], "")


def _keys(measure: Measure, offset: ColumnElement[Any]) -> dict[str, ColumnElement[Any]]:
    """The key of a measure, by names. `offset` is the zone's in the span that is counted."""
    local: Number = _clock.c[INSTANT_OF[measure].value] + offset
    match measure:
        case Measure.OUTCOMES:
            return {"outcome": _OUTCOME}
        case Measure.SHARES:
            return {"share": _SHARE}
        case Measure.STARTS | Measure.LATE_HOURS:
            return {"hour_of_week": (local // HOUR + EPOCH_WEEKDAY * 24) % (7 * 24)}
        case Measure.BREACHES:
            return {
                "cause": _clock.c.late_cause,
                "first_pause": _clock.c.first_pause,
                "assignee": _value_of("assignee"),
                "hour": local % DAY // HOUR,
            }


@cache
def _cells_query(
    measure: Measure, splits: tuple[str, ...], only: tuple[str, ...], none: tuple[str, ...]
) -> Select[*tuple[Any, ...]]:
    """The query of a measure and splits. `only`: the splits of which a value is wanted, `none`: those without one."""
    at = _clock.c[INSTANT_OF[measure].value]
    columns = [_value_of(split).label(f"split_{place}") for place, split in enumerate(splits)]
    columns += [_clock.c.kind.label("kind")]
    columns += [key.label(f"key_{name}") for name, key in _keys(measure, _OFFSET).items()]
    query = select(*columns).where(
        _clock.c.desk == bindparam("desk"), at >= bindparam("start"), at < bindparam("end")
    )
    if measure is Measure.SHARES:
        query = query.where(_JUDGED)
    query = query.where(*(_value_of(name) == bindparam(f"only_{name}") for name in only))
    query = query.where(*(_value_of(name).is_(null()) for name in none))
    if measure is Measure.BREACHES or any(split != COMMITMENT for split in (*splits, *only, *none)):
        query = query.join(_ticket, _OF_TICKET)
    # A subquery: PostgreSQL compares the expressions of SELECT and GROUP BY with their parameters, which differ.
    counted = query.subquery()
    return select(*counted.c, func.count()).group_by(*counted.c).limit(bindparam("most", type_=Integer))


def cells(
    conn: Connection,
    desk: str,
    measure: Measure,
    pieces: Iterable[Piece],
    splits: Sequence[str],
    most: int,
    only: Sequence[tuple[str, str | None]] = (),
) -> list[Cell]:
    """The cells of a report by what is known now, of the clocks with these values of splits. Raises TooManyCells
    beyond `most`."""
    given_values = {f"only_{name}": value for name, value in only if value is not None}
    having = tuple(name for name, value in only if value is not None)
    without = tuple(name for name, value in only if value is None)
    query, width = _cells_query(measure, tuple(splits), having, without), len(splits)
    found: list[Cell] = []
    for piece in pieces:
        given = {"desk": desk, "start": piece.span.start, "end": piece.span.end, "offset": piece.offset}
        rows = conn.execute(query, {**given, **given_values, "most": most + 1 - len(found)}).all()
        found += [Cell(piece.period, row[:width], row[width], row[width + 1 : -1], row[-1]) for row in rows]
        if len(found) > most:
            raise TooManyCells(f"the report has more than {most} figures")
    return found


Filters = Mapping[str, Value]
"""What the clocks behind a figure have: values of splits, `kind`, and parts of a measure's key, by name."""


def clocks_page(
    conn: Connection,
    desk: str,
    measure: Measure,
    pieces: Sequence[Piece],
    wanted: Filters,
    cursor: str | None,
    limit: int,
) -> tuple[list[ReportedClock], str | None]:
    """The clocks behind a figure, by their instants, and the cursor of the next page. Raises FaultyCursor."""
    at = _clock.c[INSTANT_OF[measure].value]
    key = (at, _clock.c.subject, _clock.c.commitment, _clock.c.cycle)
    query = (
        select(_clock)
        .join(_ticket, _OF_TICKET)
        .where(_clock.c.desk == desk, at >= pieces[0].span.start, at < pieces[-1].span.end)
        .where(or_(*(_behind(measure, piece, wanted) for piece in pieces)))
        .order_by(*key)
        .limit(limit + 1)
    )
    if measure is Measure.SHARES:
        query = query.where(_JUDGED)
    if cursor is not None:
        instant, ticket, *rest = key_of(cursor, int, str, str, int)
        query = query.where(tuple_(*key) > (instant, Subject.parse(ticket), *rest))
    rows = conn.execute(query).mappings().all()
    found = [_reported(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return found, None
    last = rows[limit - 1]
    following = (last[INSTANT_OF[measure].value], last["subject"].text, last["commitment"], last["cycle"])
    return found, cursor_of(*following)


def _behind(measure: Measure, piece: Piece, wanted: Filters) -> ColumnElement[bool]:
    """The condition that a clock falls into this piece and has these values."""
    at = _clock.c[INSTANT_OF[measure].value]
    keys = _keys(measure, bindparam(None, piece.offset, type_=BigInteger)) | {"kind": _clock.c.kind}
    if measure is Measure.SHARES:
        keys |= {"tenth": _TENTH}
    conditions = [at >= piece.span.start, at < piece.span.end]
    for name, value in wanted.items():
        column = keys[name] if name in keys else _value_of(name)
        conditions.append(column.is_(null()) if value is None else column == value)
    return and_(*conditions)


def _reported(row: RowMapping) -> ReportedClock:
    return ReportedClock(
        ticket=row["subject"].text,
        commitment=row["commitment"],
        cycle=row["cycle"],
        kind=row["kind"],
        met=row["met"],
        breached_at=row["breached_at"],
        figures=ClockFigures(
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            counted=row["counted"],
            target_length=row["target_length"],
            late_cause=row["late_cause"],
            first_pause=row["first_pause"],
        ),
        fields={},
    )
