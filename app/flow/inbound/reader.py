"""When are the deliveries of ticket systems read?

As soon as they are durable: a commit wakes the reader, and it looks besides now and then for what another process kept,
or what was left by one that was stopped. A batch that fails is done again one by one, and the delivery that fails alone
is kept with the reason, so that it stalls nobody. Several processes may read: each takes what no other holds. Instants
are microseconds UTC.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

import structlog

from app.background import BackgroundLoop
from app.flow.inbound.interpret import Interpreter, failed
from app.settings import Settings
from app.sla.span import HOUR, Micros, length_of
from app.store.engine.database import Connection, Database, FailureKind, failure_kind
from app.store.inbound import hooks, origins
from app.store.inbound.hooks import StoredHook

_log = structlog.stdlib.get_logger()

_PRUNED_EVERY: Final = HOUR
"""How often old deliveries are removed: they are days old by then, so an hour more is nothing."""

_PRUNED_AT_ONCE: Final = 200
"""Deliveries removed in one transaction: few milliseconds of the writer's time."""

_LOOK: Final = 0.005
"""Seconds between two looks at the door."""


def _never() -> bool:
    return False


class Reader:
    """Reads what came, in one process. `start` and `stop` it, or `read_all` once."""

    def __init__(self, database: Database, interpreter: Interpreter, settings: Settings) -> None:
        self._database, self._interpreter = database, interpreter
        self._batch, self._tries = settings.inbound_batch_size, settings.inbound_max_attempts
        self._safety = settings.inbound_poll_interval.total_seconds()
        self._kept_for = length_of(settings.inbound_retention)
        self._background = BackgroundLoop(self._run)
        self._pruned_at: Micros | None = None
        self._share = settings.inbound_duty_cycle
        self._crowded: Callable[[], bool] = _never

    def give_way_to(self, crowded: Callable[[], bool]) -> None:
        """Read slowly while this says that many wait at the door: they are answered first."""
        self._crowded = crowded

    def start(self) -> None:
        """Begin to read, in this event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Read no more. A batch under way is finished first."""
        await self._background.stop()

    def wake(self) -> None:
        """There is something to read. May be called from any thread."""
        self._background.wake()

    async def read_all(self) -> int:
        """Read until nothing is left. Returns how many deliveries were read."""
        total = 0
        while count := await self._read():
            total += count
        return total

    async def prune(self) -> int:
        """Remove the deliveries that were understood long ago. Returns how many."""
        total = 0
        while count := await self._database.write(self._prune):
            total += count
        return total

    async def _run(self) -> None:
        while True:
            self._background.clear_wake()
            try:
                await self._read_giving_way()
                await self._prune_sometimes()
            except self._database.failures as error:
                # What is pending stays so, and the next try finds it.
                await self._background.back_off("reading deliveries failed", error)
                continue
            self._background.reset_backoff()
            await self._background.sleep(self._safety)

    async def _read_giving_way(self) -> None:
        began = monotonic()
        while await self._read():
            ended = monotonic()
            until = ended + (ended - began) * (1 / self._share - 1)
            while self._crowded() and monotonic() < until:  # noqa: ASYNC110 - a crowd has no one end to be told of
                await asyncio.sleep(_LOOK)
            began = monotonic()

    async def _prune_sometimes(self) -> None:
        now = self._database.now()
        if self._pruned_at is None or now - self._pruned_at >= _PRUNED_EVERY:
            await self.prune()
            self._pruned_at = now

    async def _read(self) -> int:
        """Read a batch; one by one if it fails. Raises what the database itself fails with."""

        def together(conn: Connection, now: Micros) -> int:
            claimed = hooks.claim(conn, self._batch)
            if claimed:
                self._interpreter.interpret(conn, now, claimed)
            return len(claimed)

        try:
            return await self._database.write(together)
        except Exception as error:
            if failure_kind(error) is FailureKind.UNAVAILABLE:
                raise
            _log.warning("a batch of deliveries failed", error=f"{type(error).__name__}: {error}")
        return sum([await self._read_one() for _ in range(self._batch)])

    async def _read_one(self) -> int:
        claimed: list[StoredHook] = []

        def alone(conn: Connection, now: Micros) -> int:
            claimed[:] = hooks.claim(conn, 1)
            if claimed:
                self._interpreter.interpret(conn, now, claimed)
            return len(claimed)

        try:
            return await self._database.write(alone)
        except Exception as error:
            if failure_kind(error) is FailureKind.UNAVAILABLE or not claimed:
                raise
            if await self._may_pass(claimed[0], error):
                raise
            return 1

    async def _may_pass(self, hook: StoredHook, error: Exception) -> bool:
        """Whether a failure is the database's and may be over soon: a full disk, another that writes for long.

        The delivery is kept with its reason when it is not, or when it has lasted.
        """
        _log.error("a delivery failed", hook=hook.id, exc_info=error)
        passes = isinstance(error, self._database.failures) and hook.tries + 1 < self._tries

        def note(conn: Connection, now: Micros) -> None:
            hooks.tried(conn, hook.seq)
            if not passes:
                failed(conn, now, hook, error)

        await self._database.write(note)
        return passes

    def _prune(self, conn: Connection, now: Micros) -> int:
        gone = hooks.prune(conn, now - self._kept_for, _PRUNED_AT_ONCE)
        origins.forget(conn, gone)
        return len(gone)
