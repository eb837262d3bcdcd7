"""Who may write, when does a transaction happen, and what follows its commit?

In a process exactly one connection writes, in one thread; readers have their own and cannot write. A writing
transaction is given its time. Where a server keeps the facts that is the server's, so that processes on machines whose
clocks differ agree; else it is the machine's. It never goes back within a process, and on a file not behind what
another process wrote. Instants are microseconds UTC.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from threading import local
from time import monotonic_ns, time_ns
from types import TracebackType
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.settings import Settings
from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.dialect import Fault, TransactionRunner
from app.store.engine.migrate import upgrade
from app.store.engine.unreachable import Unreachable

__all__ = [
    "EVERY_DESK",
    "AlreadyStored",
    "Connection",
    "Database",
    "Fault",
    "Unreachable",
    "WriteContention",
    "after_commit",
    "fault_of",
    "once",
    "seen_desk",
    "wall_clock",
]

_log = structlog.stdlib.get_logger()

T = TypeVar("T")

EVERY_DESK: Final = "*"

seen_desk: ContextVar[str] = ContextVar("seen_desk", default=EVERY_DESK)
"""The desk whose rows reads of this context see. Set for a caller who may see no other: PostgreSQL itself then shows
nothing else, whatever the query asks for."""

_NANOSECONDS_A_MICRO: Final = 1000
_AFTER_COMMIT: Final = "after_commit"
_ONCE: Final = "once"
TRIES: Final = 5
"""How often the same is tried while other writers are in the way. Whoever is in the way is through by then."""


class WriteContention(RuntimeError):
    """Another writer was in the way, again and again. Nothing was stored; ask again."""


class AlreadyStored(RuntimeError):
    """What is to be written is there already, and no other writer's doing. Nothing was stored, nor would it be the
    next time."""


def fault_of(error: BaseException) -> Fault:
    """What to do about an error that a transaction ended with."""
    return Fault.CONTENDED if isinstance(error, WriteContention) else dialect.fault_of(error)


def _given_up(error: Exception) -> WriteContention | AlreadyStored:
    """What an error is that has come at each try."""
    if isinstance(error, IntegrityError):  # one who writes the same is through when the second try begins
        return AlreadyStored(f"this is stored already: {error.orig}")
    _log.warning("others were in the way", error=f"{type(error).__name__}: {error}", times=TRIES)
    return WriteContention("others write to the same at this moment; nothing was stored, ask again")


def wall_clock() -> Micros:
    """The machine's clock, in micros."""
    return time_ns() // _NANOSECONDS_A_MICRO


def _stopwatch() -> Micros:
    return monotonic_ns() // _NANOSECONDS_A_MICRO


def once(conn: Connection, what: str, read: Callable[[], T]) -> T:
    """What `read` gives, and in a transaction that writes the same to whoever asks for it again.

    For what nobody else can change until the transaction ends.
    """
    known = conn.info.get(_ONCE)
    if known is None:
        return read()
    if what not in known:
        known[what] = read()
    return known[what]


def after_commit(conn: Connection, action: Callable[[], None]) -> None:
    """Do this once the transaction is durable, before anyone is answered; not at all if it is rolled back.

    It runs in the thread that writes: it must be short, must not fail and must not write.
    """
    conn.info.setdefault(_AFTER_COMMIT, []).append(action)


class Database:
    """The facts of the service, and the only ways to them. Opening it brings its tables up to date."""

    failures = (*dialect.FAILURES, WriteContention, AlreadyStored)
    """What a transaction that was not stored ends with, by the database's doing."""

    def __init__(self, settings: Settings, clock: Callable[[], Micros] | None = None) -> None:
        """Open it. `clock` is the time instead of the server's or the machine's. Raises UnusableDatabase."""
        dialect.check(settings.database_url)
        self.settings = settings
        self.shared = dialect.is_shared(settings.database_url)
        """Whether other processes write to it at the same time as a matter of course."""
        self._clock = clock or (None if self.shared else wall_clock)
        self._last: Micros = 0
        self._ahead: Micros = 0
        """How far the server's clock is ahead of this process's stopwatch."""
        self._writing = dialect.writing_runner(settings, patience=settings.database_patience)
        self._mine = local()
        self._reading: list[TransactionRunner] = []
        self._writer = ThreadPoolExecutor(1, "writer")
        self._readers = ThreadPoolExecutor(settings.readers, "reader")
        self._writer.submit(self._open).result()

    def _open(self) -> None:
        runner = dialect.writing_runner(self.settings)
        try:
            runner.run(upgrade, EVERY_DESK)
        finally:
            runner.close()
        self._last = self._writing.run(self._time, EVERY_DESK)

    def now(self) -> Micros:
        """The time for a read, and never before what was already written."""
        clock = self._clock() if self._clock is not None else _stopwatch() + self._ahead
        return max(clock, self._last)

    async def write(self, work: Callable[[Connection, Micros], T]) -> T:
        """Run `work` in a transaction of its own, with the transaction's time. Returns when it is durable.

        While another process is in the way it is run again, from the start: what it does beside the database it must
        not mind doing again, or leave to `after_commit`.
        """
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

    async def look_at_the_clock(self) -> None:
        """Compare with the server's clock, for a process that does not write by itself."""
        if self._clock is None:
            await self.read(self._time)

    def _write(self, work: Callable[[Connection, Micros], T]) -> T:
        for left in reversed(range(TRIES)):
            try:
                return self._write_once(work)
            except self.failures as error:
                if fault_of(error) is not Fault.CONTENDED:
                    raise
                if not left:
                    raise _given_up(error) from error
        raise AssertionError("the last try has returned or raised")

    def _write_once(self, work: Callable[[Connection, Micros], T]) -> T:
        actions: list[Callable[[], None]] = []

        def transaction(conn: Connection) -> tuple[T, Micros]:
            conn.info[_AFTER_COMMIT], conn.info[_ONCE] = actions, dict[str, object]()
            now = self._time(conn)
            return work(conn, now), now

        result, self._last = self._writing.run(transaction, EVERY_DESK)
        for action in actions:
            action()
        return result

    def _time(self, conn: Connection) -> Micros:
        """The transaction's time."""
        written = conn.execute(dialect.time_of(conn)).scalar() or 0
        if self._clock is not None:
            # A clock that was given is the only one; a server's counts for nothing beside it.
            return max(self._clock(), self._last, 0 if self.shared else written)
        self._ahead = written - _stopwatch()
        return max(written, self._last)

    def _read(self, work: Callable[[Connection], T]) -> T:
        runner: TransactionRunner | None = getattr(self._mine, "runner", None)
        if runner is None:
            runner = self._mine.runner = dialect.reading_runner(self.settings)
            self._reading.append(runner)
        return runner.run(work, seen_desk.get())

    def close(self) -> None:
        """Finish what is being done and let go of the database."""
        self._writer.submit(self._writing.close).result()
        self._readers.shutdown()
        for runner in self._reading:
            self._writer.submit(runner.close).result()  # not in the caller's thread, which may run a loop
        self._writer.shutdown()

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
