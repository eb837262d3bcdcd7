"""How does something go on by itself in an event loop, sleep until it is woken, and end when it is asked to?

The sweep, the readers and couriers, the tail of the stream: each is a loop of its own that is built on this. Two rules
it guards: who is asked to end ends, whatever happens at the same moment, and what is in the way for long fills no log.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import structlog

_log = structlog.stdlib.get_logger()

_BREATH: Final = 0.2
"""Seconds before the next try after something was in the way: a database is busy, full or away."""
_LONGEST: Final = 0.5
"""The longest of these waits: when what was in the way is gone, nobody must wait for a second more."""


def is_said(times: int) -> bool:
    """Whether the failure of this number in a row is worth a line: the first, second, fourth, eighth and so on."""
    return times & (times - 1) == 0


class Background:
    """A loop that goes on by itself. `run` is called by `start`; all but `wake` and `call` belongs to the event loop."""

    def __init__(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._run = run
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._failures = 0

    @property
    def is_started(self) -> bool:
        """Whether it was started and not stopped yet."""
        return self._loop is not None

    @property
    def is_running(self) -> bool:
        """Whether it goes on: started, and not ended by a failure of its own."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin, in this event loop."""
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End. What is under way in the database is finished there."""
        if self._task is not None:
            self._task.cancel()
        await self.ended()

    async def ended(self) -> None:
        """Wait until it has ended."""
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task
            self._task, self._loop = None, None

    def wake(self) -> None:
        """Let it not sleep, now or the next time. From any thread; nothing when it is not started."""
        self.call(self._woken.set)

    def call(self, what: Callable[[], object]) -> None:
        """Have something called in its loop. From any thread; nothing when it is not started."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(what)

    def awake(self) -> None:
        """From now on a `wake` ends the next sleep, one before no longer does."""
        self._woken.clear()

    async def sleep(self, seconds: float | None) -> None:
        """Until it is woken, or for so long at most."""
        # Not `wait_for`: in Python 3.11 it loses the request to end when it is woken at the same moment.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def in_the_way(self, what: str, error: BaseException) -> None:
        """Something failed that may be over soon: take a breath. Said at the first time, the second, the fourth …"""
        self._failures += 1
        if is_said(self._failures):
            said = f"{type(error).__name__}: {error}"
            _log.warning(
                what, error=said, times=self._failures, exc_info=error if self._failures == 1 else None
            )
        await asyncio.sleep(min(_BREATH * self._failures, _LONGEST))

    def all_is_well(self) -> None:
        """What was in the way is gone."""
        self._failures = 0
