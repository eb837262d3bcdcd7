"""How are connections to a PostgreSQL server made, and what becomes of a transaction that nobody ends?

The driver is asynchronous; each seat has a loop of its own and is used like any other. A transaction left open by a
process that was stopped or cut off is ended by the server after a while, so that what it held is free for others; the
process finds its connection closed when it comes back, and has written nothing.
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.principal import EVERY_DESK
from app.settings import Settings
from app.store.engine.unreachable import Unreachable

T = TypeVar("T")

DRIVER: Final = "postgresql+asyncpg"
PORT: Final = 5432
PASSED_ON: Final = frozenset({"ssl", "passfile", "target_session_attrs"})
"""What an address may say after its question mark: the driver takes it."""
DESK_SETTING: Final = "slatimer.desk"
"""The setting that row-level security reads: the desks whose rows a transaction sees, see `desks.setting_of`."""

_NOT_NOW: Final = frozenset({"57P03", "53300"})
"""It is starting up or shutting down, or has as many connections as it takes: ask again."""

_FOR_DESK: Final = text("SELECT set_config(:setting, :desk, true)")


class TransactionRunner:
    """One connection, with the event loop that its driver needs."""

    def __init__(self, settings: Settings, *, patience: timedelta | None, reads_only: bool = False) -> None:
        self._runner = asyncio.Runner()
        self._engine = _engine(settings, patience, reads_only=reads_only)

    def run(self, work: Callable[[Connection], T], desk: str) -> T:
        """Run `work` in a transaction that sees this desk's rows, or every desk's.

        Raises Unreachable when the server is away, has gone away meanwhile or does not answer in time.
        """
        return self._runner.run(self._transaction(work, desk), context=copy_context())

    async def _transaction(self, work: Callable[[Connection], T], desk: str) -> T:
        entered = False

        def enter(conn: Connection) -> T:
            nonlocal entered
            if desk != EVERY_DESK:
                conn.execute(_FOR_DESK, {"setting": DESK_SETTING, "desk": desk})
            entered = True
            return work(conn)

        for last in (False, True):
            try:
                async with self._engine.connect() as conn:
                    try:
                        async with conn.begin():
                            return await conn.run_sync(enter)
                    except (TimeoutError, asyncio.CancelledError):
                        await conn.invalidate()  # what it was doing is not known: a new one is
                        raise
            except (OSError, TimeoutError) as error:
                raise Unreachable(f"the database does not answer: {error or type(error).__name__}") from error
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) in _NOT_NOW:
                    raise Unreachable(f"the database takes no connection now: {error.orig}") from error
                if not error.connection_invalidated:
                    raise
                # A connection that was closed while it lay idle: nothing was done on it yet, so take a new one.
                if entered or last:
                    raise Unreachable(f"the database went away: {error.orig}") from error
        raise AssertionError("the second time has returned or raised")

    def close(self) -> None:
        """Let go of the connection."""
        self._runner.run(self._engine.dispose())
        self._runner.close()


def _engine(settings: Settings, patience: timedelta | None, *, reads_only: bool) -> AsyncEngine:
    return create_async_engine(
        settings.database_url,
        pool_size=1,
        max_overflow=0,
        connect_args={
            "timeout": settings.database_connect_timeout.total_seconds(),
            "command_timeout": None if patience is None else patience.total_seconds(),
            "prepared_statement_cache_size": 1000,
            "server_settings": server_settings(settings),
        },
        # Readers see one state from begin to end; a writer reads what it holds, as it is by then.
        isolation_level="REPEATABLE READ" if reads_only else "READ COMMITTED",
        execution_options={"postgresql_readonly": reads_only},
    )


def server_settings(settings: Settings) -> dict[str, str]:
    """What each session asks of the server."""
    return {
        "application_name": "slatimer",
        "timezone": "UTC",
        # Statements are short: planning them for the machine's own code costs more than it gains.
        "jit": "off",
        # A plan is kept with its statement. One that was made while a table was small reads the whole of it, and would
        # go on doing so while the table grows, until the server has counted its rows anew.
        "enable_seqscan": "off",
        "idle_in_transaction_session_timeout": str(
            _milliseconds(settings.database_idle_in_transaction_timeout)
        ),
        DESK_SETTING: EVERY_DESK,
    }


def driver_arguments(settings: Settings) -> dict[str, Any]:
    """The same for a connection that is made without SQLAlchemy, to listen on."""
    url = make_url(settings.database_url)
    return {
        "host": url.host or "localhost",
        "port": url.port or PORT,
        "user": url.username,
        "password": url.password,
        "database": url.database,
        **{name: value for name, value in url.query.items() if name in PASSED_ON},
        "timeout": settings.database_connect_timeout.total_seconds(),
        "server_settings": {"application_name": "slatimer listens"},
    }


def _milliseconds(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)
