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
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.principal import EVERY_DESK
from app.settings import Settings
from app.store.engine.prepared import Prepared
from app.store.engine.unreachable import Unreachable

T = TypeVar("T")

DRIVER: Final = "postgresql+asyncpg"
PORT: Final = 5432
DRIVER_OPTIONS: Final = frozenset({"ssl", "passfile", "target_session_attrs"})
"""Allowed query parameters of the URL. They are passed to the driver."""
DESK_SETTING: Final = "slatimer.desk"
"""Session setting read by the row-level security policies: the desks whose rows are visible, see `desks.setting_of`."""

_UNAVAILABLE_STATES: Final = frozenset({"57P03", "53300"})
"""SQLSTATE cannot_connect_now and too_many_connections."""

_FOR_DESK: Final = Prepared(text("SELECT set_config(:setting, :desk, true)"))


class TransactionRunner:
    """Runs transactions on one connection, in an event loop of its own."""

    def __init__(
        self, settings: Settings, *, statement_timeout: timedelta | None, reads_only: bool = False
    ) -> None:
        self._runner = asyncio.Runner(loop_factory=_loop_factory())
        self._engine = _engine(settings, statement_timeout, reads_only=reads_only)

    def run(self, work: Callable[[Connection], T], desk: str) -> T:
        """Run `work` in a transaction that sees the rows of this desk, or of all desks.

        Raises Unreachable when the server is unreachable, disconnects or does not answer in time.
        """
        return self._runner.run(self._transaction(work, desk), context=copy_context())

    async def _transaction(self, work: Callable[[Connection], T], desk: str) -> T:
        entered = False

        def enter(conn: Connection) -> T:
            nonlocal entered
            if desk != EVERY_DESK:
                _FOR_DESK.rows(conn, {"setting": DESK_SETTING, "desk": desk})
            entered = True
            return work(conn)

        for last in (False, True):
            try:
                async with self._engine.connect() as conn:
                    try:
                        async with conn.begin():
                            return await conn.run_sync(enter)
                    except (TimeoutError, asyncio.CancelledError):
                        await conn.invalidate()  # its state is unknown: never reuse it
                        raise
            except (OSError, TimeoutError) as error:
                raise Unreachable(f"the database does not answer: {error or type(error).__name__}") from error
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) in _UNAVAILABLE_STATES:
                    raise Unreachable(f"the database accepts no connection now: {error.orig}") from error
                if not error.connection_invalidated:
                    raise
                # The server closed an idle connection: nothing was executed yet, so reconnect once.
                if entered or last:
                    raise Unreachable(f"the database closed the connection: {error.orig}") from error
        raise AssertionError("the second time has returned or raised")

    def close(self) -> None:
        """Close the connection."""
        self._runner.run(self._engine.dispose())
        self._runner.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loops where it is installed, as uvicorn does: a round trip costs a quarter less processor time."""
    try:
        return importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None


def _engine(settings: Settings, statement_timeout: timedelta | None, *, reads_only: bool) -> AsyncEngine:
    return create_async_engine(
        settings.database_url,
        pool_size=1,
        max_overflow=0,
        connect_args={
            "timeout": settings.database_connect_timeout.total_seconds(),
            "command_timeout": None if statement_timeout is None else statement_timeout.total_seconds(),
            "prepared_statement_cache_size": 1000,
            "server_settings": server_settings(settings),
        },
        # Readers see one snapshot. A writer must see rows as they are after it has waited for their locks.
        isolation_level="REPEATABLE READ" if reads_only else "READ COMMITTED",
        execution_options={"postgresql_readonly": reads_only},
    )


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


def driver_arguments(settings: Settings) -> dict[str, Any]:
    """Arguments of a plain asyncpg connection, for LISTEN."""
    url = make_url(settings.database_url)
    return {
        "host": url.host or "localhost",
        "port": url.port or PORT,
        "user": url.username,
        "password": url.password,
        "database": url.database,
        **{name: value for name, value in url.query.items() if name in DRIVER_OPTIONS},
        "timeout": settings.database_connect_timeout.total_seconds(),
        "server_settings": {"application_name": "slatimer listener"},
    }


def _milliseconds(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)
