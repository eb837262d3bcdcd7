"""Transactions: one writer thread and several reader threads in each process, and the time of a transaction.

A process has exactly one connection that writes, in one thread; readers have connections of their own and cannot write.
The database server's clock gives the time of a write transaction, so that processes on machines with different clocks
agree; on SQLite it is the machine's clock. Time never goes back within a process, and on SQLite not behind a committed
event of another process. Instants are microseconds UTC. The package docstring shows the executors in a diagram.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import time_ns
from types import TracebackType
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.principal import EVERY, EVERY_DESK, Desks
from app.settings import Settings
from app.sla.span import Micros
from app.store.engine import dialect, encrypted, row_security
from app.store.engine.desks import (
    EveryDesk,
    confined,
    note_setting,
    setting_of,
    visible_desks,
    writing_setting_of,
)
from app.store.engine.dialect import FailureKind, TransactionRunner
from app.store.engine.migrate import upgrade
from app.store.engine.postgres import monotonic
from app.store.engine.readers import ReaderPool, Reading
from app.store.engine.replica import NotOnReplica, Replica, ReplicaState, committed_position
from app.store.engine.unreachable import Unreachable
from app.store.engine.vault import give, vault_of_settings

__all__ = [
    "EVERY_DESK",
    "AlreadyStored",
    "Connection",
    "Database",
    "EveryDesk",
    "FailureKind",
    "ReplicaState",
    "Unreachable",
    "WriteContention",
    "after_commit",
    "confined",
    "failure_kind",
    "memoized",
    "transaction_time",
    "visible_desks",
    "wall_clock",
]

_log = structlog.stdlib.get_logger()

T = TypeVar("T")

_NANOSECONDS_A_MICRO: Final = 1000
_AFTER_COMMIT: Final = "after_commit"
_MEMO: Final = "memo"
_TIME: Final = "time"
MAX_ATTEMPTS: Final = 5
"""Attempts of a transaction under contention."""
_RECENT: Final = 50
"""Write transactions that `is_shared` looks back on: half a second of a busy writer."""


class WriteContention(RuntimeError):
    """The transaction failed at every attempt because of concurrent writers. Nothing was stored; retry."""


class AlreadyStored(RuntimeError):
    """A unique constraint failed at every attempt, so not because of a concurrent writer. Nothing was stored; do not
    retry."""


def failure_kind(error: BaseException) -> FailureKind:
    """Classify the exception of a failed transaction."""
    return FailureKind.CONTENTION if isinstance(error, WriteContention) else dialect.failure_kind(error)


def _exhausted(error: Exception) -> WriteContention | AlreadyStored:
    """The exception to raise after the last attempt."""
    if isinstance(error, IntegrityError):  # a concurrent insert has committed before the second attempt
        return AlreadyStored(f"already stored: {error.orig}")
    _log.warning(
        "transaction failed after retries", error=f"{type(error).__name__}: {error}", attempts=MAX_ATTEMPTS
    )
    return WriteContention("concurrent writers interfered at every attempt; nothing was stored, retry")


def wall_clock() -> Micros:
    """The system clock, in micros."""
    return time_ns() // _NANOSECONDS_A_MICRO


def nearest_offset(known: Micros, least: Micros, most: Micros) -> Micros:
    """The offset of the server's clock that an answer bears out, nearest to the known one.

    The server read its clock between question and answer. An answer that was held up says little: taken for the time of
    its arrival it would set the clock back by the delay, and the sweep would sleep past a due date by as much.
    """
    return min(max(known, least), most)


def memoized(conn: Connection, key: str, read: Callable[[], T]) -> T:
    """The result of `read`, cached for the rest of a write transaction.

    Only for values that no other transaction can change before the commit. Read transactions are not cached.
    """
    memo = conn.info.get(_MEMO)
    if memo is None:
        return read()
    if key not in memo:
        memo[key] = read()
    return memo[key]


def transaction_time(conn: Connection) -> Micros:
    """The time of a write transaction."""
    return conn.info[_TIME]


def after_commit(conn: Connection, action: Callable[[], None]) -> None:
    """Call `action` after the commit and before the caller gets its result; never after a rollback.

    It runs in the writer thread: it must be short and must neither raise nor write.
    """
    conn.info.setdefault(_AFTER_COMMIT, []).append(action)


def _desks_of(desks: Desks | EveryDesk | None) -> Desks:
    """The desks of a write."""
    if desks is None:
        return visible_desks.get()
    return EVERY if isinstance(desks, EveryDesk) else desks


class Database:
    """The database: `write` and `read` run a function in a transaction. Opening it migrates the schema."""

    failures = (*dialect.FAILURES, WriteContention, AlreadyStored)
    """Exceptions of a transaction that failed because of the database."""

    def __init__(self, settings: Settings, clock: Callable[[], Micros] | None = None) -> None:
        """Open and migrate. `clock` replaces the server's and the system clock.

        Raises UnusableDatabase, UnusableKey for a key that encrypts no secrets, and UnreadableSecret for a stored secret
        whose key is not given.
        """
        dialect.check_settings(settings)
        self._vault = vault_of_settings(settings)
        self.settings = settings
        self.shared = dialect.is_shared(settings.database_url)
        """Whether the database is a server that several processes write to."""
        self._clock = clock or (None if self.shared else wall_clock)
        self._last: Micros = 0
        self._clock_offset: Micros = 0
        """Server clock minus monotonic clock of this process."""
        self._writing_runner = dialect.writing_runner(
            settings, statement_timeout=settings.database_statement_timeout
        )
        self._writer = ThreadPoolExecutor(1, "writer")
        self._recent: deque[Desks] = deque(maxlen=_RECENT)
        """The desks of the latest writes; none for those over every desk, and parts of large ones."""
        self._waiting = set[object]()
        """The writes that wait for the writer. Its threads add and discard only, which needs no lock."""
        self._readers = ReaderPool("reader", settings.database_read_pool_size, self._open_reader)
        self._lookups = ReaderPool("lookup", 1, self._open_reader)
        self._replica = None if settings.replica_url is None else Replica(settings, settings.replica_url)
        self._writer.submit(self._open).result()

    def _open_reader(self) -> TransactionRunner:
        return dialect.reading_runner(self.settings)

    def _open(self) -> None:
        runner = dialect.migrating_runner(self.settings)
        try:
            runner.run(upgrade, EVERY_DESK)
            if self.shared:
                row_security.replace_old_policies(lambda work: runner.run(work, EVERY_DESK))
            runner.run(self._read_secrets, EVERY_DESK)
        finally:
            runner.close()
        self._last = self._writing_runner.run(self._time, EVERY_DESK)

    def _read_secrets(self, conn: Connection) -> None:
        """Refuse to start without a key that the stored secrets need: each use of one would fail later."""
        give(conn, self._vault)
        encrypted.read_all(conn)

    def now(self) -> Micros:
        """The time for a read. It is never before the time of the last write transaction."""
        clock = self._clock() if self._clock is not None else monotonic() + self._clock_offset
        return max(clock, self._last)

    async def write(
        self,
        work: Callable[[Connection, Micros], T],
        desks: Desks | EveryDesk | None = None,
        *,
        bulk: bool = False,
    ) -> T:
        """Run `work` in a write transaction, with its time. Returns its result after the commit. `bulk`: a part of a
        large request, for which no other desk's must be short.

        It sees and writes the rows of these desks only, on PostgreSQL; without `desks` those of the context's caller.

        Under contention the transaction is retried: `work` must have no side effects outside the database, except in
        `after_commit`.
        """
        loop = asyncio.get_running_loop()
        context, this = copy_context(), object()
        nothing = bulk or isinstance(desks, EveryDesk)
        self._recent.append(frozenset() if nothing else _desks_of(desks))
        self._waiting.add(this)
        try:
            return await loop.run_in_executor(
                self._writer, lambda: context.run(self._write, work, desks, this)
            )
        finally:  # one that is cancelled while it waits never begins
            self._waiting.discard(this)

    def is_shared(self, desks: Desks) -> bool:
        """Whether another desk than these has written lately: then long work of these takes short transactions."""
        return any(not recent <= desks for recent in self._recent)

    @property
    def has_waiting_writes(self) -> bool:
        """Whether a write waits for the one that runs. For the thread that writes: its long work can end."""
        return bool(self._waiting)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a read-only transaction on one snapshot.

        One desk's reads use all readers but one at a time: its long queries never block another desk's.
        """
        return await self._readers.read_in_turn(setting_of(visible_desks.get()), self._reading(work))

    async def read_long(self, work: Callable[[Connection], T]) -> T:
        """`read` for a part of long work, such as a preview: several desks' together use one reader."""
        return await self._readers.read_long(setting_of(visible_desks.get()), self._reading(work))

    async def read_replicated(self, work: Callable[[Connection], T]) -> T:
        """`read` for reports and lists: from the replica, if there is one that has what was committed before this call.

        Otherwise from the primary, also when the replica fails in the middle: then `work` runs twice.
        """
        replica = self._replica
        if replica is None or replica.skip():
            return await self.read(work)
        position = await self.look_up(committed_position)
        try:
            return await replica.read(position, setting_of(visible_desks.get()), self._reading(work))
        except NotOnReplica:
            return await self.read(work)

    async def replica_state(self) -> ReplicaState | None:
        """The state of the replica; None without one. Raises the primary's failures."""
        if self._replica is None:
            return None
        return await self._replica.state(await self.look_up(committed_position))

    async def look_up(self, work: Callable[[Connection], T]) -> T:
        """`read` for a short query that must wait for no long one, such as that of a key."""
        return await self._lookups.read(self._reading(work))

    def write_now(self, work: Callable[[Connection, Micros], T], desks: Desks | EveryDesk | None = None) -> T:
        """`write` without an event loop. Never call it inside a write: the writer thread would wait for itself."""
        this = object()
        self._waiting.add(this)
        return self._writer.submit(copy_context().run, self._write, work, desks, this).result()

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """`read` without an event loop."""
        return self._readers.read_now(self._reading(work))

    async def sync_clock(self) -> None:
        """Update the clock offset, for a process that rarely writes."""
        if self._clock is None:
            await self.read(self._time)

    def _write(
        self, work: Callable[[Connection, Micros], T], desks: Desks | EveryDesk | None, this: object
    ) -> T:
        self._waiting.discard(this)
        setting = writing_setting_of(_desks_of(desks))
        for left in reversed(range(MAX_ATTEMPTS)):
            try:
                return self._write_once(work, setting)
            except self.failures as error:
                if failure_kind(error) is not FailureKind.CONTENTION:
                    raise
                if not left:
                    raise _exhausted(error) from error
        raise AssertionError("the last attempt has returned or raised")

    def _write_once(self, work: Callable[[Connection, Micros], T], setting: str) -> T:
        actions: list[Callable[[], None]] = []

        def transaction(conn: Connection) -> tuple[T, Micros]:
            actions.clear()  # a lost connection repeats it
            conn.info[_AFTER_COMMIT], conn.info[_MEMO] = actions, dict[str, object]()
            give(conn, self._vault)
            note_setting(conn, setting)
            now = conn.info[_TIME] = self._time(conn)
            return work(conn, now), now

        result, self._last = self._writing_runner.run(transaction, setting)
        for action in actions:
            action()
        return result

    def _time(self, conn: Connection) -> Micros:
        """The time of the transaction."""
        asked_at, written, answered_at = dialect.server_time(conn)
        if self._clock is not None:
            # A given clock replaces the server's.
            return max(self._clock(), self._last, 0 if self.shared else written)
        self._clock_offset = nearest_offset(self._clock_offset, written - answered_at, written - asked_at)
        return max(written, self._last)

    def _reading(self, work: Callable[[Connection], T]) -> Reading[T]:
        """`work` in a transaction of the context's caller."""

        def transaction(conn: Connection) -> T:
            give(conn, self._vault)
            return work(conn)

        return lambda runner: runner.run(transaction, setting_of(visible_desks.get()))

    def close(self) -> None:
        """Finish the running transactions and close all connections."""
        self._writer.submit(self._writing_runner.close).result()
        for pool in (self._readers, self._lookups, self._replica):
            if pool is not None:
                self._writer.submit(
                    pool.close
                ).result()  # not in the caller's thread, whose event loop may be running
        self._writer.shutdown()

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
