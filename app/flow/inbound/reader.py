"""The loop that reads stored webhooks, and their retention.

A commit wakes it; a poll finds what another process stored, or what a stopped one left. A batch that fails is repeated
one by one, and a webhook that fails alone is kept with the reason, so that it blocks no other. Desks take turns: one
desk's thousand waiting webhooks delay another's single one by one batch. Several processes may read: a claimed row is
locked until the transaction ends. Bodies are read before it, in another thread: a body that is slow to read keeps no
push waiting. Instants are microseconds UTC.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Final

import structlog

from app.background import BackgroundLoop
from app.flow.inbound.interpret import NOTHING_READ, Interpreter, ReadAhead, failed
from app.settings import Settings
from app.sla.span import HOUR, Micros, length_of
from app.store.engine.database import (
    Connection,
    Database,
    EveryDesk,
    FailureKind,
    confined,
    failure_kind,
)
from app.store.inbound import hooks, origins
from app.store.inbound.hooks import StoredHook

_log = structlog.stdlib.get_logger()

_PRUNE_INTERVAL: Final = HOUR
"""How often old webhooks are deleted: they are days old by then, so an hour more does not matter."""

_PRUNE_BATCH: Final = 200
"""Webhooks deleted in one transaction: a few milliseconds of the writer's time."""

_POLL: Final = 0.005
"""Seconds between two checks whether requests wait."""


def _never() -> bool:
    return False


class Reader:
    """Reads pending webhooks in one process. `start` and `stop` it, or call `read_all` once."""

    def __init__(self, database: Database, interpreter: Interpreter, settings: Settings) -> None:
        self._database, self._interpreter = database, interpreter
        self._batch, self._shared_batch = settings.inbound_batch_size, settings.shared_batch_size
        self._tries = settings.inbound_max_attempts
        self._poll_interval = settings.inbound_poll_interval.total_seconds()
        self._retention = length_of(settings.inbound_retention)
        self._background = BackgroundLoop(self._run)
        # A thread of its own: memory for large bodies is allocated in each thread that ever read one.
        self._bodies = ThreadPoolExecutor(1, "bodies")
        self._pruned_at: Micros | None = None
        self._duty = settings.inbound_duty_cycle
        self._busy: Callable[[], bool] = _never
        self._last_desk = ""
        """The desk whose webhook was read last: the next batch begins with another's."""

    def throttle_while(self, busy: Callable[[], bool]) -> None:
        """Read at a reduced duty cycle while `busy` is true: requests that wait for a commit go first."""
        self._busy = busy

    def start(self) -> None:
        """Start the loop, in this event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Stop the loop. A batch in progress is finished first."""
        await self._background.stop()
        self._bodies.shutdown()

    def wake(self) -> None:
        """Read now. May be called from any thread."""
        self._background.wake()

    async def read_all(self) -> int:
        """Read until no webhook is pending. Returns how many were read."""
        total = 0
        while count := await self._read():
            total += count
        return total

    async def prune(self) -> int:
        """Delete webhooks that were read long ago. Returns how many."""
        total = 0
        while count := await self._database.write(self._prune, EveryDesk.DUE):
            total += count
        return total

    async def _run(self) -> None:
        while True:
            self._background.clear_wake()
            try:
                await self._read_throttled()
                await self._prune_sometimes()
            except self._database.failures as error:
                # Pending rows stay pending, and the next try finds them.
                await self._background.back_off("webhook reader failed", error)
                continue
            self._background.reset_backoff()
            await self._background.sleep(self._poll_interval)

    async def _read_throttled(self) -> None:
        began = monotonic()
        while await self._read():
            ended = monotonic()
            until = ended + (ended - began) * (1 / self._duty - 1)
            while self._busy() and monotonic() < until:  # noqa: ASYNC110 - there is no event for the end of a load
                await asyncio.sleep(_POLL)
            began = monotonic()

    async def _prune_sometimes(self) -> None:
        now = self._database.now()
        if self._pruned_at is None or now - self._pruned_at >= _PRUNE_INTERVAL:
            await self.prune()
            self._pruned_at = now

    async def _read(self) -> int:
        """Read a batch; one by one if it fails. Raises when the database is unreachable."""
        size = self._size_of_batch()
        try:
            read = await self._read_ahead(size)
            return 0 if read is None else await self._read_together(size, read)
        except Exception as error:
            if failure_kind(error) is FailureKind.UNAVAILABLE:
                raise
            _log.warning("webhook batch failed, retrying singly", error=f"{type(error).__name__}: {error}")
        return sum([await self._read_one() for _ in range(self._batch)])

    async def _read_together(self, size: int, read: ReadAhead) -> int:
        def together(conn: Connection, now: Micros) -> int:
            claimed = hooks.claim(conn, size, self._last_desk)
            if claimed:
                self._last_desk = claimed[-1].desk
                self._interpret(conn, now, claimed, read)
            return len(claimed)

        return await self._database.write(together, EveryDesk.DUE)

    def _size_of_batch(self) -> int:
        shared = self._database.is_shared(frozenset({self._last_desk}))
        return min(self._batch, self._shared_batch) if shared else self._batch

    async def _read_ahead(self, size: int) -> ReadAhead | None:
        """Read the bodies of the next webhooks, outside a transaction. None when no webhook waits."""
        waiting = await self._database.read(
            lambda conn: self._interpreter.configured(conn, hooks.pending(conn, size, self._last_desk))
        )
        if not waiting:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._bodies, self._interpreter.read_ahead, waiting)

    async def _read_one(self) -> int:
        claimed: list[StoredHook] = []

        def alone(conn: Connection, now: Micros) -> int:
            claimed[:] = hooks.claim(conn, 1, self._last_desk)
            if claimed:
                self._last_desk = claimed[0].desk
                self._interpret(conn, now, claimed)
            return len(claimed)

        try:
            return await self._database.write(alone, EveryDesk.DUE)
        except Exception as error:
            if failure_kind(error) is FailureKind.UNAVAILABLE or not claimed:
                raise
            if await self._is_temporary(claimed[0], error):
                raise
            return 1

    def _interpret(
        self, conn: Connection, now: Micros, claimed: Sequence[StoredHook], read: ReadAhead = NOTHING_READ
    ) -> None:
        with confined(conn, frozenset(hook.desk for hook in claimed)):
            self._interpreter.interpret(conn, now, claimed, read)

    async def _is_temporary(self, hook: StoredHook, error: Exception) -> bool:
        """Whether a failure is the database's and may be temporary: a full disk, a long write of another process.

        Otherwise, and after the last try, the webhook is kept with the reason.
        """
        _log.error("webhook could not be stored", hook=hook.id, exc_info=error)
        temporary = isinstance(error, self._database.failures) and hook.tries + 1 < self._tries

        def note(conn: Connection, now: Micros) -> None:
            hooks.count_attempt(conn, hook.seq)
            if not temporary:
                failed(conn, now, hook, error)

        await self._database.write(note, frozenset({hook.desk}))
        return temporary

    def _prune(self, conn: Connection, now: Micros) -> int:
        gone = hooks.prune(conn, now - self._retention, _PRUNE_BATCH)
        origins.forget(conn, gone)
        return len(gone)
