"""Monthly partitions of the event log on PostgreSQL: create ahead, drop when empty.

A partition contains the events received in one month, UTC. Queries about a ticket use only the partitions since its
first event. Events of a month without a partition go to the default partition, which works but grows: partitions are
created months ahead, and `slatimer doctor` reports rows in the default one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, column, select, table, text

from app.sla.span import Micros, instant, micros
from app.store.engine import row_security
from app.store.engine.database import Connection
from app.store.engine.dialect import advisory_lock, has_partitioned_log
from app.store.migrations.month import DEFAULT_PARTITION, partition_of

_NAMES: Final = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'event'::regclass AND c.relname <> :rest ORDER BY c.relname"
)
_DEFAULT: Final = table(DEFAULT_PARTITION, column("received_at"))
_IN_DEFAULT: Final = (
    select(_DEFAULT.c.received_at)
    .where(_DEFAULT.c.received_at >= bindparam("since"), _DEFAULT.c.received_at < bindparam("until"))
    .limit(1)
)
_ALL_TIME: Final = {"since": 0, "until": 2**62}


def months(now: Micros, count: int) -> Iterator[tuple[str, Micros, Micros]]:
    """(name, begin, end) of the partitions of the month of `now` and the following months."""
    first = instant(now)
    for number in range(first.year * 12 + first.month - 1, first.year * 12 + first.month - 1 + count):
        begin, end = _first_of(number), _first_of(number + 1)
        yield partition_of(begin.year, begin.month), micros(begin), micros(end)


def _first_of(number: int) -> datetime:
    year, month = divmod(number, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def names(conn: Connection) -> list[str]:
    """The existing partitions, oldest first, without the default one."""
    if not has_partitioned_log(conn):
        return []
    return [row[0] for row in conn.execute(_NAMES, {"rest": DEFAULT_PARTITION}).all()]


def create_ahead(conn: Connection, now: Micros, count: int) -> list[str]:
    """Create the missing partitions of this month and the next ones. Returns their names.

    A month that has events in the default partition is skipped: moving them would block all writers.
    """
    if not has_partitioned_log(conn):
        return []
    if {name for name, _, _ in months(now, count)} <= set(names(conn)):
        return []
    advisory_lock(conn, [DEFAULT_PARTITION])  # advisory lock: concurrent processes find them created
    existing = set(names(conn))
    created: list[str] = []
    for name, begin, end in months(now, count):
        if name not in existing and not _in_default(conn, begin, end):
            conn.execute(text(f"CREATE TABLE {name} PARTITION OF event FOR VALUES FROM ({begin}) TO ({end})"))
            created.append(name)
    if created:
        row_security.guard(conn)
    return created


def drop_empty(conn: Connection, now: Micros) -> list[str]:
    """Drop the empty partitions of past months. Returns their names."""
    present = next(months(now, 1))[0]
    dropped: list[str] = []
    for name in names(conn):
        if name < present and conn.execute(select(1).select_from(table(name)).limit(1)).first() is None:
            conn.execute(text(f"DROP TABLE {name}"))
            dropped.append(name)
    return dropped


def default_has_rows(conn: Connection) -> bool:
    """Whether the default partition has events: theirs was missing when they came."""
    return has_partitioned_log(conn) and conn.execute(_IN_DEFAULT, _ALL_TIME).first() is not None


def _in_default(conn: Connection, since: Micros, until: Micros) -> bool:
    return conn.execute(_IN_DEFAULT, {"since": since, "until": until}).first() is not None
