"""Who may write, when does a transaction happen, and what follows its commit?

Exactly one connection writes, in one thread; readers have their own and cannot write. A writing transaction is given
its time, which never goes back: not when the machine's clock does, and not behind what another process wrote. Instants
are microseconds UTC.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import time_ns
from types import TracebackType
from typing import Final, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from app.settings import Settings
from app.sla.span import Micros
from app.store import dialect
from app.store.migrate import upgrade
from app.store.tables import event as event_table

__all__ = ["Connection", "Database", "Raced", "after_commit", "wall_clock"]

T = TypeVar("T")

_NANOSECONDS_A_MICRO: Final = 1000
_AFTER_COMMIT: Final = "after_commit"
_LAST_RECEIVED: Final = select(event_table.c.received_at).order_by(event_table.c.seq.desc()).limit(1)


class Raced(RuntimeError):
    """Another writer changed a ticket between reading and writing it. Nothing was stored; do it again."""


def wall_clock() -> Micros:
    """The machine's clock, in micros."""
    return time_ns() // _NANOSECONDS_A_MICRO


def after_commit(conn: Connection, action: Callable[[], None]) -> None:
    """Do this once the transaction is durable, before anyone is answered; not at all if it is rolled back.

    It runs in the thread that writes: it must be short, must not fail and must not write.
    """
    conn.info.setdefault(_AFTER_COMMIT, []).append(action)


class Database:
    """The facts of the service, and the only ways to them. Opening it brings its tables up to date."""

    failures: type[Exception] = SQLAlchemyError
    """What a database that is busy, full or away raises."""

    def __init__(self, settings: Settings, clock: Callable[[], Micros] = wall_clock) -> None:
        self.settings = settings
        self._clock = clock
        self._last: Micros = 0
        self._writing = dialect.writing_engine(settings.database_url, settings.busy_timeout)
        self._reading = dialect.reading_engine(settings.database_url, settings.busy_timeout, settings.readers)
        self._writer = ThreadPoolExecutor(1, "writer")
        self._readers = ThreadPoolExecutor(settings.readers, "reader")
        self._conn = self._writer.submit(self._open).result()

    def _open(self) -> Connection:
        conn = self._writing.connect()
        with conn.begin():
            upgrade(conn)
            self._last = conn.execute(_LAST_RECEIVED).scalar() or 0
        return conn

    def now(self) -> Micros:
        """The time for a read: the machine's, and never before what was already written."""
        return max(self._clock(), self._last)

    async def write(self, work: Callable[[Connection, Micros], T]) -> T:
        """Run `work` in a transaction of its own, with the transaction's time. Returns when it is durable."""
        loop = asyncio.get_running_loop()
        context = copy_context()
        return await loop.run_in_executor(self._writer, lambda: context.run(self._write, work))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one unchanging state of the database; it cannot write."""
        loop = asyncio.get_running_loop()
        context = copy_context()
        return await loop.run_in_executor(self._readers, lambda: context.run(self._read, work))

    def write_now(self, work: Callable[[Connection, Micros], T]) -> T:
        """`write` for those without an event loop. Never from inside a write: it would wait for itself."""
        return self._writer.submit(copy_context().run, self._write, work).result()

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """`read` for those without an event loop."""
        return self._readers.submit(copy_context().run, self._read, work).result()

    def _write(self, work: Callable[[Connection, Micros], T]) -> T:
        conn = self._conn
        conn.info[_AFTER_COMMIT] = []
        with conn.begin():
            now = max(self._clock(), self._last, conn.execute(_LAST_RECEIVED).scalar() or 0)
            result = work(conn, now)
        self._last = now
        actions: list[Callable[[], None]] = conn.info[_AFTER_COMMIT]
        for action in actions:
            action()
        return result

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._reading.connect() as conn, conn.begin():
            return work(conn)

    def close(self) -> None:
        """Finish what is being done and let go of the database."""
        self._writer.submit(self._conn.close).result()
        self._writer.shutdown()
        self._readers.shutdown()
        self._reading.dispose()
        self._writing.dispose()

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
