"""Differences between SQLite and PostgreSQL. The only module outside `migrations/` that checks which database is used.

Connections are made in `sqlite` and `postgres`; locks, the transaction time, error classification and capabilities are
here. On SQLite a lock function does nothing: the one write lock of the file excludes all other writers.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from app.settings import Settings
from app.store.engine import postgres, sqlite
from app.store.engine.address import DRIVER_OPTIONS, HOSTS, address_of
from app.store.engine.address import UnusableDatabase as UnusableDatabase
from app.store.engine.postgres import DESK_SETTING as DESK_SETTING
from app.store.engine.prepared import Prepared
from app.store.engine.unreachable import Unreachable

T = TypeVar("T")
S = TypeVar("S", bound=Select[*tuple[Any, ...]])

POSTGRESQL: Final = "postgresql"
SQLITE: Final = "sqlite"

FAILURES: Final = (SQLAlchemyError, Unreachable)
"""Exceptions of a failed transaction."""


class TransactionRunner(Protocol):
    """Runs transactions on one connection. Used by one thread at a time."""

    def run(self, work: Callable[[Connection], T], desk: str) -> T:
        """Run `work` in a transaction in which the rows of this desk, or of every desk, are visible."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def check(url: str) -> None:
    """Raise UnusableDatabase for a URL that is faulty or not supported."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UnusableDatabase(
            f"{without_password(url)!r} is not a database URL. "
            "A password with / @ : or ? in it must be percent-encoded"
        ) from error
    if parsed.drivername == postgres.DRIVER:
        _check_server(parsed)
        return
    if parsed.get_backend_name() == POSTGRESQL:
        raise UnusableDatabase(f"Write the driver into the URL: {postgres.DRIVER}://user@host/slatimer")
    if parsed.get_backend_name() != SQLITE:
        raise UnusableDatabase(
            f"{parsed.get_backend_name()} is not supported. Use a file, sqlite:///slatimer.db, "
            f"or PostgreSQL, {postgres.DRIVER}://user@host/slatimer"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise UnusableDatabase(
            "An in-memory database has one connection only. Name a file: sqlite:///slatimer.db"
        )


def _check_server(parsed: URL) -> None:
    if "@" in (parsed.database or "") or not address_of(parsed).hosts:
        raise UnusableDatabase(
            f"Name the host: {postgres.DRIVER}://user@host/slatimer. "
            "A password with / @ : or ? in it must be percent-encoded"
        )
    if not parsed.database:
        raise UnusableDatabase(f"Name the database: {postgres.DRIVER}://user@host/slatimer")
    if unknown := sorted(parsed.query.keys() - DRIVER_OPTIONS - {HOSTS}):
        known = ", ".join(sorted(DRIVER_OPTIONS | {HOSTS}))
        raise UnusableDatabase(f"{unknown[0]!r} is not an option of the driver; known: {known}")


def check_settings(settings: Settings) -> None:
    """Raise UnusableDatabase for a URL of the settings that is faulty, or that does not belong to the others."""
    check(settings.database_url)
    for name, url in (
        ("SLATIMER_DATABASE_DIRECT_URL", settings.database_direct_url),
        ("SLATIMER_REPLICA_URL", settings.replica_url),
    ):
        if url is None:
            continue
        if not is_shared(settings.database_url):
            raise UnusableDatabase(f"{name} belongs to PostgreSQL; SLATIMER_DATABASE_URL is a file")
        try:
            check(url)
        except UnusableDatabase as error:
            raise UnusableDatabase(f"{name}: {error}") from error
        if not is_shared(url):
            raise UnusableDatabase(f"{name} must name a PostgreSQL server, as SLATIMER_DATABASE_URL does")


def without_password(url: str) -> str:
    """The URL with its password masked, for messages."""
    scheme, mark, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return f"{scheme}{mark}{user}{':***' if ':' in credentials else ''}{at}{place}"


def is_shared(url: str) -> bool:
    """Whether the database is a server: several processes write to it at the same time."""
    return make_url(url).get_backend_name() == POSTGRESQL


def has_many_writers(conn: Connection) -> bool:
    """Whether other transactions may write concurrently, so that rows need locks."""
    return conn.dialect.name == POSTGRESQL


def has_partitioned_log(conn: Connection) -> bool:
    """Whether the event log is partitioned by month. Its unique keys are then in the table `event_key`."""
    return conn.dialect.name == POSTGRESQL


def has_row_security(conn: Connection) -> bool:
    """Whether the database supports row-level security."""
    return conn.dialect.name == POSTGRESQL


def writing_runner(settings: Settings, *, statement_timeout: timedelta | None = None) -> TransactionRunner:
    """A runner of write transactions. Without `statement_timeout` a statement may take any time."""
    if is_shared(settings.database_url):
        return postgres.TransactionRunner(
            settings,
            settings.database_url,
            statement_timeout=statement_timeout,
            pooled=settings.database_direct_url is not None,
        )
    return sqlite.writing_runner(settings)


def migrating_runner(settings: Settings) -> TransactionRunner:
    """A runner of the transactions at the start: of the server itself where there is a pooler before it."""
    if is_shared(settings.database_url):
        return postgres.TransactionRunner(settings, postgres.listening_url(settings), statement_timeout=None)
    return sqlite.writing_runner(settings)


def reading_runner(settings: Settings) -> TransactionRunner:
    """A runner of read-only transactions, each on one snapshot (REPEATABLE READ on PostgreSQL)."""
    if is_shared(settings.database_url):
        return postgres.TransactionRunner(
            settings,
            settings.database_url,
            statement_timeout=settings.database_statement_timeout,
            reads_only=True,
            pooled=settings.database_direct_url is not None,
        )
    return sqlite.reading_runner(settings)


def replica_runner(settings: Settings, url: str) -> TransactionRunner:
    """A reading runner on a replica of the PostgreSQL server."""
    return postgres.TransactionRunner(
        settings, url, statement_timeout=settings.database_statement_timeout, reads_only=True
    )


_LAST_RECEIVED: Final = Prepared(text("SELECT received_at FROM event ORDER BY seq DESC LIMIT 1"))
_SERVER_TIME: Final = Prepared(text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"))


def transaction_time_query(conn: Connection) -> Prepared:
    """The query for the lower bound of a transaction's time.

    On PostgreSQL it is the server's clock, which all processes share. On SQLite it is the time of the last stored
    event, whichever process wrote it.
    """
    return _SERVER_TIME if has_many_writers(conn) else _LAST_RECEIVED


class FailureKind(Enum):
    """What to do about a failed transaction."""

    UNAVAILABLE = "the database is unreachable: retry later"
    CONTENTION = "a concurrent transaction interfered: retry at once"
    PERMANENT = "the statement itself is faulty: do not retry"


# serialization_failure, deadlock_detected, lock_not_available, unique_violation (two writers of one key). SQLite has one
# writer at a time, so none of these occurs there.
_CONTENTION_STATES: Final = frozenset({"40001", "40P01", "55P03", "23505"})


def failure_kind(error: BaseException) -> FailureKind:
    """Classify the exception of a failed transaction."""
    if isinstance(error, Unreachable):
        return FailureKind.UNAVAILABLE
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return FailureKind.UNAVAILABLE
        state: Any = getattr(error.orig, "sqlstate", None)
        if state in _CONTENTION_STATES:
            return FailureKind.CONTENTION
    return FailureKind.PERMANENT


def for_update_skip_locked(conn: Connection, query: S) -> S:
    """The query with FOR UPDATE SKIP LOCKED: rows that another transaction has locked are left out."""
    return query.with_for_update(skip_locked=True) if has_many_writers(conn) else query


def for_update(conn: Connection, query: S) -> S:
    """The query with FOR UPDATE: it waits for the row locks of other transactions."""
    return query.with_for_update() if has_many_writers(conn) else query


# Keys of advisory locks with a fixed number: any that no other application on the same database uses.
_MIGRATION_LOCK: Final = 0x5_1A_71_3D
STREAM_LOCK: Final = 0x5_1A_71_3E

_LOCK: Final = Prepared(text("SELECT pg_advisory_xact_lock(:lock)"))
_LOCK_KEYS: Final = Prepared(
    text(
        "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) "
        "FROM unnest(CAST(:keys AS text[])) AS key ORDER BY key"
    )
)
_LOCK_KEY_SHARED: Final = Prepared(text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))"))


def advisory_lock_shared(conn: Connection, key: str) -> None:
    """Take a shared advisory lock on a key until the transaction ends."""
    if has_many_writers(conn):
        _LOCK_KEY_SHARED.rows(conn, {"key": key})


def advisory_lock(conn: Connection, keys: Iterable[str]) -> None:
    """Take exclusive advisory locks until the transaction ends, in the order of the keys: no deadlock."""
    wanted = sorted(set(keys))
    if wanted and has_many_writers(conn):
        _LOCK_KEYS.rows(conn, {"keys": wanted})


def lock_stream(conn: Connection) -> None:
    """Take the exclusive advisory lock that serializes stream positions until the transaction ends.

    It must be the last lock of a transaction. The order of positions is then the order of commits, without gaps.
    """
    if has_many_writers(conn):
        _LOCK.rows(conn, {"lock": STREAM_LOCK})


def lock_migrations(conn: Connection) -> None:
    """Take the exclusive advisory lock for migrations until the transaction ends."""
    if has_many_writers(conn):
        _LOCK.rows(conn, {"lock": _MIGRATION_LOCK})


def row_count(result: CursorResult[Any], expected: int) -> int:
    """The number of written rows; `expected` where the driver does not count an `executemany`."""
    return expected if result.rowcount < 0 else result.rowcount
