"""Rows of a desk: read in their order without holding many in memory, and inserted into a database without the desk."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, func, select, type_coerce

from app.sla.event import KNOWN_TYPES
from app.sla.span import DAY, Micros, instant, micros
from app.store.engine import dialect, partitions
from app.store.engine.batch import parts
from app.store.engine.database import Connection, transaction_time
from app.store.tables import NEVER, event_key
from app.store.transfer.kinds import ACKNOWLEDGEMENTS, EVENTS, KINDS, RETRACTIONS, SIGNALS, Field, Kind

Row = Mapping[str, Any]
"""The stored values of a row by the names of its fields."""

_FETCHED: Final = 500
"""Rows that the driver fetches at once."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Which rows: of a desk, recorded at or after `since` and before `until`. The period concerns appended rows only."""

    desk: str
    since: Micros | None = None
    until: Micros | None = None


def read(conn: Connection, kind: Kind, extent: Extent, after: int = 0) -> Iterator[Row]:
    """The rows of a kind in their order; of appended ones those after a position.

    One statement with a cursor: pages of a statement each could be planned as a sort of all rows each.
    """
    columns = [type_coerce(field.column, field.stored_type) for field in kind.fields]
    query = select(*columns).where(*_conditions(kind, extent)).order_by(*kind.order)
    if kind.position is not None:
        query = query.where(kind.position > after)
    result = conn.execute(query, {"desk": extent.desk}, execution_options={"yield_per": _FETCHED})
    for row in result:
        yield {field.name: _read(field, value) for field, value in zip(kind.fields, row, strict=True)}


def _read(field: Field, value: Any) -> Any:
    return None if field.never and value == NEVER else value


def up_to(conn: Connection, kind: Kind, extent: Extent, position: int) -> int:
    """How many rows of an appended kind there are up to a position."""
    if kind.position is None:
        return 0
    query = select(func.count()).select_from(kind.table)
    query = query.where(*_conditions(kind, extent), kind.position <= position)
    return conn.execute(query, {"desk": extent.desk}).scalar_one()


def _conditions(kind: Kind, extent: Extent) -> list[ColumnElement[bool]]:
    found = [kind.of_desk]
    if kind.recorded is not None and extent.since is not None:
        found.append(kind.recorded >= extent.since)
    if kind.recorded is not None and extent.until is not None:
        found.append(kind.recorded < extent.until)
    return found


def present(conn: Connection, desk: str) -> list[str]:
    """The kinds of which the database has rows of this desk."""
    return [kind.name for kind in KINDS if _is_present(conn, kind, desk)]


def _is_present(conn: Connection, kind: Kind, desk: str) -> bool:
    # By an index of the desk, where there is one.
    of_desk = kind.table.c.desk == bindparam("desk") if "desk" in kind.table.c else kind.of_desk
    query = select(1).select_from(kind.table).where(of_desk).limit(1)
    return conn.execute(query, {"desk": desk}).first() is not None


class ForeignRow(ValueError):
    """A row that an export of this desk does not have: about a signal of another desk, or received in the future."""


def insert(conn: Connection, kind: Kind, desk: str, rows: Sequence[Row]) -> None:
    """Insert rows of a kind, in their order. Events and signals get places of this database. Raises ForeignRow."""
    if kind is RETRACTIONS:
        _check_signals(conn, desk, [row["id"] for row in rows])
    elif kind is ACKNOWLEDGEMENTS:
        _check_signals(conn, desk, [row["breach"] for row in rows])
    match kind:
        case _ if kind is EVENTS:
            _insert_events(conn, desk, rows)
        case _ if kind is SIGNALS:
            _insert_signals(conn, desk, rows)
        case _ if kind is RETRACTIONS:
            _mark_signals(conn, rows)
        case _:
            _insert(conn, kind, desk, rows)


def _check_signals(conn: Connection, desk: str, ids: Sequence[str]) -> None:
    """Row-level security does not decide this on SQLite: these rows have no desk of their own."""
    for part in parts(ids):
        found = set(conn.execute(_SIGNALS_OF, {"desk": desk, "ids": part}).scalars())
        if foreign := next((each for each in part if each not in found), None):
            raise ForeignRow(f"the desk has no signal {foreign[:100]!r}")


def _insert_events(conn: Connection, desk: str, rows: Sequence[Row]) -> None:
    latest = transaction_time(conn) + DAY  # clocks differ
    if any(row["received_at"] > latest for row in rows):  # each month would be a partition
        raise ForeignRow("an event is received in the future; check the clock of this machine")
    _partition_for(conn, rows)
    if dialect.has_partitioned_log(conn):
        keys = [{"desk": desk, "event_id": row["id"], "digest": row["digest"]} for row in rows]
        conn.execute(event_key.insert(), keys)
    known = [{"known": row["type"] in KNOWN_TYPES} for row in rows]
    _insert(conn, EVENTS, desk, rows, without=("position",), beside=known)


def _partition_for(conn: Connection, rows: Sequence[Row]) -> None:
    """Create the partitions of the months in which these events were received, where they are missing."""
    if dialect.has_partitioned_log(conn):
        for month in {_month_of(row["received_at"]) for row in rows}:
            partitions.create_ahead(conn, month, 1)


def _month_of(at: Micros) -> Micros:
    begin = instant(at)
    return micros(datetime(begin.year, begin.month, 1, tzinfo=UTC))


_LAST_PLACE: Final = select(func.max(SIGNALS.table.c.seq))


def _insert_signals(conn: Connection, desk: str, rows: Sequence[Row]) -> None:
    """The lock that serialises the places is taken after all others of the transaction, as everywhere."""
    dialect.lock_stream(conn)
    first = (conn.execute(_LAST_PLACE).scalar() or 0) + 1
    # Recorded only: a subscription to every desk may be older than the import, and would get all of them.
    here = [{"seq": place, "deliver": False} for place in range(first, first + len(rows))]
    _insert(conn, SIGNALS, desk, rows, without=("position", "deliver"), beside=here)


_SIGNALS_OF: Final = select(SIGNALS.table.c.id).where(
    SIGNALS.table.c.desk == bindparam("desk"), SIGNALS.table.c.id.in_(bindparam("ids", expanding=True))
)
_MARK: Final = (
    SIGNALS.table.update()
    .where(SIGNALS.table.c.id == bindparam("_id"))
    .values({name: bindparam(f"_{name}") for name in ("retracted_by", "retracted_at", "corrected_at")})
)


def _mark_signals(conn: Connection, rows: Sequence[Row]) -> None:
    conn.execute(_MARK, [{f"_{name}": value for name, value in row.items()} for row in rows])


def _insert(
    conn: Connection,
    kind: Kind,
    desk: str,
    rows: Sequence[Row],
    *,
    without: Sequence[str] = (),
    beside: Sequence[Row] = (),
) -> None:
    """Insert rows: these fields, and further columns from `beside`, a mapping for each row."""
    fields = [field for field in kind.fields if field.name not in without]
    # Named apart from the columns: SQLAlchemy reserves a column's name for the parameter that it makes itself.
    values: dict[Any, Any] = {
        field.column: bindparam(f"_{field.name}", type_=field.stored_type) for field in fields
    }
    values |= {kind.table.c[name]: bindparam(f"also_{name}") for name in (beside[0] if beside else ())}
    if "desk" in kind.table.c:
        values[kind.table.c.desk] = bindparam("also_desk")
    given = [{f"_{field.name}": _stored(field, row[field.name]) for field in fields} for row in rows]
    no_more: list[Row] = [{}] * len(rows)
    for row, more in zip(given, beside or no_more, strict=True):
        row |= {f"also_{name}": value for name, value in {"desk": desk, **more}.items()}
    conn.execute(kind.table.insert().values(values), given)


def _stored(field: Field, value: Any) -> Any:
    return NEVER if field.never and value is None else value
