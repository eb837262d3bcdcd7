"""Which parts of the log of events are there on PostgreSQL, and are the next ones?

A part holds the events received in one month, by UTC. What is read by a ticket looks only into the parts since the
ticket is known; a part whose events were all let go of is dropped whole. Where there is no part for a month its events
go into the rest, which works and grows: parts are made months ahead, and the doctor says when one was missed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, column, select, table, text

from app.sla.span import Micros, instant, micros
from app.store.engine import row_security
from app.store.engine.database import Connection
from app.store.engine.dialect import has_parted_log, lock_keys
from app.store.migrations.month import DEFAULT_PARTITION, partition_of

_LISTED: Final = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'event'::regclass AND c.relname <> :rest ORDER BY c.relname"
)
_REST: Final = table(DEFAULT_PARTITION, column("received_at"))
_STRAY: Final = (
    select(_REST.c.received_at)
    .where(_REST.c.received_at >= bindparam("since"), _REST.c.received_at < bindparam("until"))
    .limit(1)
)
_ALL_TIME: Final = {"since": 0, "until": 2**62}


def months(now: Micros, count: int) -> Iterator[tuple[str, Micros, Micros]]:
    """(name, begin, end) of the part of the month that `now` is in, and of those after it."""
    first = instant(now)
    for number in range(first.year * 12 + first.month - 1, first.year * 12 + first.month - 1 + count):
        begin, end = _first_of(number), _first_of(number + 1)
        yield partition_of(begin.year, begin.month), micros(begin), micros(end)


def _first_of(number: int) -> datetime:
    year, month = divmod(number, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def listed(conn: Connection) -> list[str]:
    """The parts that are there, the oldest first, without the rest."""
    if not has_parted_log(conn):
        return []
    return [row[0] for row in conn.execute(_LISTED, {"rest": DEFAULT_PARTITION}).all()]


def make_ahead(conn: Connection, now: Micros, count: int) -> list[str]:
    """Make the parts of this month and the next ones where they are missing. Returns those made.

    A month of which the rest holds events already stays there: moving them would stop everybody who writes.
    """
    if not has_parted_log(conn):
        return []
    if {name for name, _, _ in months(now, count)} <= set(listed(conn)):
        return []
    lock_keys(conn, [DEFAULT_PARTITION])  # one process at a time: the others then find them there
    there = set(listed(conn))
    made: list[str] = []
    for name, begin, end in months(now, count):
        if name not in there and not _holds(conn, begin, end):
            conn.execute(text(f"CREATE TABLE {name} PARTITION OF event FOR VALUES FROM ({begin}) TO ({end})"))
            made.append(name)
    if made:
        row_security.guard(conn)
    return made


def drop_empty(conn: Connection, now: Micros) -> list[str]:
    """Drop the parts of past months that hold nothing any more. Returns those dropped."""
    present = next(months(now, 1))[0]
    dropped: list[str] = []
    for name in listed(conn):
        if name < present and conn.execute(select(1).select_from(table(name)).limit(1)).first() is None:
            conn.execute(text(f"DROP TABLE {name}"))
            dropped.append(name)
    return dropped


def has_stray(conn: Connection) -> bool:
    """Whether events lie in the rest: a part was missing when they came."""
    return has_parted_log(conn) and conn.execute(_STRAY, _ALL_TIME).first() is not None


def _holds(conn: Connection, since: Micros, until: Micros) -> bool:
    return conn.execute(_STRAY, {"since": since, "until": until}).first() is not None
