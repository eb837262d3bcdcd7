"""What differs from one database to the other? The only place that asks which one it is.

Each database is a module beside this one: how its connections are made (`sqlite`, `postgres`), all else here. A seat is
one connection with what it takes to run a transaction on it; it is used by one thread at a time.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Select, TextClause, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from app.settings import Settings
from app.store.engine import postgres, sqlite
from app.store.engine.unreachable import Unreachable

T = TypeVar("T")
S = TypeVar("S", bound=Select[*tuple[Any, ...]])

POSTGRESQL: Final = "postgresql"
SQLITE: Final = "sqlite"

FAILURES: Final = (SQLAlchemyError, Unreachable)
"""What a database that is busy, full or away raises."""


class UnusableDatabase(ValueError):
    """The database URL cannot be used. Name a file, as in sqlite:////var/lib/slatimer/slatimer.db, or a server, as in
    postgresql+asyncpg://slatimer@db/slatimer."""


class TransactionRunner(Protocol):
    """One connection. Used by one thread at a time."""

    def run(self, work: Callable[[Connection], T], desk: str) -> T:
        """Run `work` in a transaction that sees what belongs to this desk, or to every desk."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def check(url: str) -> None:
    """Raise UnusableDatabase for a URL that this service cannot keep its facts in."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UnusableDatabase(
            f"{shown(url)!r} is no address of a database. A password with / @ : or ? in it must be percent-encoded"
        ) from error
    if parsed.drivername == postgres.DRIVER:
        if not parsed.host or "@" in (parsed.database or ""):
            raise UnusableDatabase(
                f"Name the host: {postgres.DRIVER}://user@host/slatimer. "
                "A password with / @ : or ? in it must be percent-encoded"
            )
        if not parsed.database:
            raise UnusableDatabase(f"Name the database: {postgres.DRIVER}://user@host/slatimer")
        if unknown := sorted(parsed.query.keys() - postgres.PASSED_ON):
            known = ", ".join(sorted(postgres.PASSED_ON))
            raise UnusableDatabase(
                f"{unknown[0]!r} is nothing that is passed on to the driver; known: {known}"
            )
        return
    if parsed.get_backend_name() == POSTGRESQL:
        raise UnusableDatabase(f"Write the driver into the URL: {postgres.DRIVER}://user@host/slatimer")
    if parsed.get_backend_name() != SQLITE:
        raise UnusableDatabase(
            f"{parsed.get_backend_name()} is not supported. Use a file, sqlite:///slatimer.db, "
            f"or PostgreSQL, {postgres.DRIVER}://user@host/slatimer"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise UnusableDatabase("A database in memory has one connection. Name a file: sqlite:///slatimer.db")


def shown(url: str) -> str:
    """The URL for a person to read, without its password."""
    scheme, mark, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return f"{scheme}{mark}{user}{':***' if ':' in credentials else ''}{at}{place}"


def is_shared(url: str) -> bool:
    """Whether several processes write to this database at the same time."""
    return make_url(url).get_backend_name() == POSTGRESQL


def has_many_writers(conn: Connection) -> bool:
    """Whether others may be writing at this moment."""
    return conn.dialect.name == POSTGRESQL


def has_parted_log(conn: Connection) -> bool:
    """Whether the log of events is in parts by month, with what is unique in all of them in a table of its own."""
    return conn.dialect.name == POSTGRESQL


def writing_runner(settings: Settings, *, patience: timedelta | None = None) -> TransactionRunner:
    """A seat that writes. `patience` is how long a statement may take; none: as long as it takes."""
    if is_shared(settings.database_url):
        return postgres.TransactionRunner(settings, patience=patience)
    return sqlite.writing_runner(settings)


def reading_runner(settings: Settings) -> TransactionRunner:
    """A seat that cannot write, and sees one state of the database from the begin of a transaction to its end."""
    if is_shared(settings.database_url):
        return postgres.TransactionRunner(
            settings, patience=settings.database_statement_timeout, reads_only=True
        )
    return sqlite.reading_runner(settings)


_LAST_RECEIVED: Final = text("SELECT received_at FROM event ORDER BY seq DESC LIMIT 1")
_SERVER_TIME: Final = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")


def time_of(conn: Connection) -> TextClause:
    """The query for the time before which no transaction may be dated.

    A server has one clock for all that write to it, and that is the time. A file has none: there, it is what was
    written last, whichever process wrote it.
    """
    return _SERVER_TIME if has_many_writers(conn) else _LAST_RECEIVED


class Fault(Enum):
    """What an error of the database asks for."""

    AWAY = "the database cannot be reached: nobody else need try now"
    CONTENDED = "another writer was in the way: do the same again"
    FAULTY = "what was asked for cannot be done"


# Two writers of one key, of one row in another order, or of a row that a frozen process holds. On a file writers take
# turns, so nothing there is of this kind.
_CONTENDED_STATES: Final = frozenset({"40001", "40P01", "55P03", "23505"})


def fault_of(error: BaseException) -> Fault:
    """What to do about an error that a transaction ended with."""
    if isinstance(error, Unreachable):
        return Fault.AWAY
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return Fault.AWAY
        state: Any = getattr(error.orig, "sqlstate", None)
        if state in _CONTENDED_STATES:
            return Fault.CONTENDED
    return Fault.FAULTY


def claimed(conn: Connection, query: S) -> S:
    """The query with its rows held until the transaction ends, without those that another holds already."""
    return query.with_for_update(skip_locked=True) if has_many_writers(conn) else query


def held(conn: Connection, query: S) -> S:
    """The query with its rows held until the transaction ends; waits for whoever holds them now."""
    return query.with_for_update() if has_many_writers(conn) else query


_STREAM_LOCK: Final = 0x5_1A_71_3E
"""Any number that no other application on the same database takes."""


_LOCK_KEYS: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) "
    "FROM unnest(CAST(:keys AS text[])) AS key ORDER BY key"
)


_LOCK_KEY_SHARED: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")


def lock_key_shared(conn: Connection, key: str) -> None:
    """Let nobody be the only one that works on what this word stands for until the transaction ends."""
    if has_many_writers(conn):
        conn.execute(_LOCK_KEY_SHARED, {"key": key})


def lock_keys(conn: Connection, keys: Iterable[str]) -> None:
    """Be the only one that works on what these words stand for until the transaction ends, where others write."""
    wanted = sorted(set(keys))
    if wanted and has_many_writers(conn):
        conn.execute(_LOCK_KEYS, {"keys": wanted})


def count_of(result: CursorResult[Any], expected: int) -> int:
    """How many rows were written; as many as expected where the driver does not count those of several statements."""
    return expected if result.rowcount < 0 else result.rowcount


def lock_stream(conn: Connection) -> None:
    """Be the only one that writes to the stream until the transaction ends: its order is that of the commits."""
    if has_many_writers(conn):
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _STREAM_LOCK})
