"""Connections to a PostgreSQL server.

The driver (asyncpg) is asynchronous; each runner has an event loop of its own and is called synchronously. The server
ends a transaction that is idle for `database_idle_in_transaction_timeout`, as of a frozen or disconnected process, and
so releases its locks. The process finds its connection closed later and has written nothing.
"""

import asyncio
import importlib
from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta
from time import monotonic_ns
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import greenlet_spawn

from app.principal import EVERY_DESK
from app.settings import Settings
from app.sla.span import Micros
from app.store.engine.address import TEMPORARY, address_of, connect
from app.store.engine.prepared import Prepared
from app.store.engine.unreachable import DeskMoves, Unreachable

T = TypeVar("T")

DRIVER: Final = "postgresql+asyncpg"
POOLED_SETTINGS: Final = ("application_name", "timezone")
"""The session settings that PgBouncer gives every transaction of a client. It refuses to connect with others."""
DESK_SETTING: Final = "slatimer.desk"
"""Session setting read by the row-level security policies: the desks whose rows are visible, see `desks.setting_of`."""

_STATEMENT_CACHE: Final = {
    "statement_cache_size": 1000,
    "max_cached_statement_lifetime": 0,
    "max_cacheable_statement_size": 0,
}
"""The driver's cache of prepared statements: as many as SQLAlchemy's, of any age and length."""

_READ_ONLY: Final = "25006"
"""SQLSTATE read_only_sql_transaction: a write reached a standby, such as a primary that was demoted."""
MOVES: Final = "SLMOV"
"""SQLSTATE of a write to a desk that is being moved to another server, or lives there (`store.transfer.fence`)."""
_UNAVAILABLE_STATES: Final = {
    **dict.fromkeys(TEMPORARY, "accepts no connection now"),
    "53100": "has no space left on its disk",
    "53200": "is out of memory",
    "57014": "cancelled the statement",  # an administrator, or a timeout that was set for the server or the role
    "58030": "cannot read or write its disk",
}
"""SQLSTATE of what passes, whatever the statement: nothing was written, and a retry succeeds when it is over."""

SERVER_TIME: Final = "server_time"
"""The key of a `ServerTime` in the `info` of a write transaction's connection."""

_FOR_DESK: Final = Prepared(text("SELECT set_config(:setting, :desk, true)"))
_FOR_WRITE: Final = Prepared(
    text(
        "SELECT set_config(:setting, :desk, true), "
        "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
    )
)
_FOR_TRANSACTION: Final = text(
    "SELECT count(set_config(name, value, true)) "
    "FROM unnest(CAST(:names AS text[]), CAST(:values AS text[])) AS given (name, value)"
)


class ServerTime(NamedTuple):
    """The server's clock at the beginning of a transaction, in micros UTC; this machine's monotonic clock before it was
    asked for, and after."""

    asked_at: Micros
    micros: Micros
    answered_at: Micros


class TransactionRunner:
    """Runs transactions on one connection, in an event loop of its own.

    The connection stays open between transactions. After one that failed, the next one takes it anew from SQLAlchemy's
    pool, which has rolled back, or has opened another.
    """

    def __init__(
        self,
        settings: Settings,
        url: str,
        *,
        statement_timeout: timedelta | None,
        reads_only: bool = False,
        pooled: bool = False,
    ) -> None:
        """`pooled`: behind the URL is a PgBouncer, which may give each transaction another connection."""
        self._runner = asyncio.Runner(loop_factory=_loop_factory())
        self._reads_only = reads_only
        self._local = local_settings(settings) if pooled else {}
        self._engine = _engine(settings, url, statement_timeout, reads_only=reads_only, pooled=pooled)
        self._conn: Connection | None = None

    def run(self, work: Callable[[Connection], T], desk: str) -> T:
        """Run `work` in a transaction that sees the rows of this desk, or of all desks.

        Raises Unreachable when the server is unreachable, disconnects, only reads, is full or does not answer in time.
        """
        # One greenlet for the whole transaction: each statement of it resumes every coroutine around it.
        return self._runner.run(greenlet_spawn(self._transaction, work, desk), context=copy_context())

    def _transaction(self, work: Callable[[Connection], T], desk: str) -> T:
        worked = False

        def enter(conn: Connection) -> T:
            nonlocal worked
            self._prepare(conn, desk)
            result = work(conn)
            worked = True
            return result

        for last in (False, True):
            try:
                return self._attempt(enter)
            except (OSError, TimeoutError) as error:
                raise Unreachable(f"the database does not answer: {error or type(error).__name__}") from error
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) == MOVES:
                    raise DeskMoves(f"the desk cannot be written here: {error.orig}") from error
                if state := _UNAVAILABLE_STATES.get(getattr(error.orig, "sqlstate", None) or ""):
                    raise Unreachable(f"the database {state}: {error.orig}") from error
                if self._needs_primary(error):
                    raise Unreachable(f"the database only reads: {error.orig}") from error
                if not error.connection_invalidated:
                    raise
                # Closed before the commit, as an idle connection is: nothing was written, so reconnect once and repeat.
                if worked or last:
                    raise Unreachable(f"the database closed the connection: {error.orig}") from error
        raise AssertionError("the second time has returned or raised")

    def _attempt(self, enter: Callable[[Connection], T]) -> T:
        conn, self._conn = self._conn or self._engine.connect(), None
        try:
            with conn.begin():
                result = enter(conn)
        except BaseException as error:
            if isinstance(error, TimeoutError | asyncio.CancelledError):
                conn.invalidate()  # its state is unknown: never reuse it
            elif isinstance(error, DBAPIError) and self._needs_primary(error):
                conn.invalidate()  # the next one may reach the primary
            conn.close()
            raise
        self._conn = conn
        return result

    def _prepare(self, conn: Connection, desk: str) -> None:
        """Make the settings of the transaction."""
        if self._local:
            names, values = zip(*(self._local | {DESK_SETTING: desk}).items(), strict=True)
            conn.execute(_FOR_TRANSACTION, {"names": list(names), "values": list(values)})
        elif not self._reads_only:
            asked_at = monotonic()
            ((_, micros),) = _FOR_WRITE.rows(conn, {"setting": DESK_SETTING, "desk": desk})
            conn.info[SERVER_TIME] = ServerTime(asked_at, micros, monotonic())
        elif desk != EVERY_DESK:
            _FOR_DESK.rows(conn, {"setting": DESK_SETTING, "desk": desk})

    def _needs_primary(self, error: DBAPIError) -> bool:
        return not self._reads_only and getattr(error.orig, "sqlstate", None) == _READ_ONLY

    def close(self) -> None:
        """Close the connection."""
        self._runner.run(greenlet_spawn(self._close))
        self._runner.close()

    def _close(self) -> None:
        if self._conn is not None:
            self._conn.close()
        self._engine.dispose()


def monotonic() -> Micros:
    """The monotonic clock of this machine, in micros."""
    return monotonic_ns() // 1000


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loops where it is installed, as uvicorn does: a round trip costs a quarter less processor time."""
    try:
        return importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None


def _engine(
    settings: Settings, url: str, statement_timeout: timedelta | None, *, reads_only: bool, pooled: bool
) -> Engine:
    session = server_settings(settings)
    # A prepared statement stays in the connection that prepared it, and the pooler gives the next transaction another.
    caches = {"prepared_statement_cache_size": 0} if pooled else {"prepared_statement_cache_size": 1000}
    driver = {"statement_cache_size": 0} if pooled else _STATEMENT_CACHE
    address = address_of(url)

    async def opened(**_: object) -> Any:
        return await connect(
            address,
            settings.database_connect_timeout,
            command_timeout=None if statement_timeout is None else statement_timeout.total_seconds(),
            server_settings={name: session[name] for name in POOLED_SETTINGS} if pooled else session,
            **driver,
        )

    from sqlalchemy.ext.asyncio import create_async_engine  # no process on SQLite needs it

    return create_async_engine(
        make_url(url).set(query={}),
        pool_size=1,
        max_overflow=0,
        connect_args={"async_creator_fn": opened, **caches},
        # Readers see one snapshot. A writer must see rows as they are after it has waited for their locks.
        isolation_level="REPEATABLE READ" if reads_only else "READ COMMITTED",
        execution_options={"postgresql_readonly": reads_only},
    ).sync_engine


def server_settings(settings: Settings) -> dict[str, str]:
    """Session settings."""
    return {
        "application_name": "slatimer",
        "timezone": "UTC",
        # Statements are short: JIT compilation costs more than it gains.
        "jit": "off",
        # Prepared statements cache their plan. One that was planned while a table was small uses a sequential scan, and
        # would keep it while the table grows, until the next ANALYZE.
        "enable_seqscan": "off",
        "idle_in_transaction_session_timeout": str(
            _milliseconds(settings.database_idle_in_transaction_timeout)
        ),
        DESK_SETTING: EVERY_DESK,
    }


def local_settings(settings: Settings) -> dict[str, str]:
    """The session settings that each transaction behind a pooler sets for itself."""
    return {name: value for name, value in server_settings(settings).items() if name not in POOLED_SETTINGS}


def listening_url(settings: Settings) -> str:
    """Where to LISTEN and to migrate: the server itself, since a pooler has no session that lasts."""
    return settings.database_direct_url or settings.database_url


async def open_listener(settings: Settings) -> Any:
    """A plain driver connection, for LISTEN."""
    return await connect(
        address_of(listening_url(settings)),
        settings.database_connect_timeout,
        server_settings={"application_name": "slatimer listener"},
    )


def _milliseconds(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)
