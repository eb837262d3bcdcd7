"""Supervised asyncio loop: sleep, wake, back off, stop.

The sweep, the inbound reader, the deliverer, the stream's tail and the NOTIFY listener are such loops. Two rules hold
for all of them: a cancellation is never lost, also when it comes together with a wake-up, and a failure that persists
is logged at powers of two only.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import structlog

_log = structlog.stdlib.get_logger()

_BACKOFF_STEP: Final = 0.2
"""Seconds that each consecutive failure adds to the delay: the database is busy, full or unreachable."""
_BACKOFF_MAX: Final = 0.5
"""Maximum delay in seconds. It bounds the lateness of a breach after the database is back."""


def should_log(failures: int) -> bool:
    """Whether the n-th consecutive failure is logged: the first, second, fourth, eighth and so on."""
    return failures & (failures - 1) == 0


class BackgroundLoop:
    """Runs a coroutine function as a task, with wake-up and back-off.

    All methods belong to the event loop, except `wake` and `call_soon`, which are thread-safe.
    """

    def __init__(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._run = run
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._failures = 0

    @property
    def is_started(self) -> bool:
        """Whether it is started and not stopped yet."""
        return self._loop is not None

    @property
    def is_running(self) -> bool:
        """Whether its task is running: started, and not ended by an exception."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Start the task in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Cancel the task and wait for it. A transaction in progress completes in the database thread."""
        if self._task is not None:
            self._task.cancel()
        await self.wait_stopped()

    async def wait_stopped(self) -> None:
        """Wait until the task has ended."""
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task
            self._task, self._loop = None, None

    def wake(self) -> None:
        """End the current or the next `sleep`. Thread-safe; no effect when it is not started."""
        self.call_soon(self._woken.set)

    def call_soon(self, callback: Callable[[], object]) -> None:
        """Call a function in the event loop. Thread-safe; no effect when it is not started."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(callback)

    def clear_wake(self) -> None:
        """Forget earlier wake-ups: only a later `wake` ends the next `sleep`."""
        self._woken.clear()

    async def sleep(self, seconds: float | None) -> bool:
        """Sleep until `wake`, at most for this time. Returns whether it was woken."""
        # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the wake-up.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        return self._woken.is_set()

    async def back_off(self, message: str, error: BaseException, **fields: str) -> None:
        """Log a temporary failure, with these fields, and sleep. The delay grows with consecutive failures."""
        self._failures += 1
        if should_log(self._failures):
            _log.warning(
                message,
                **fields,
                error=f"{type(error).__name__}: {error}",
                failures=self._failures,
                exc_info=error if self._failures == 1 else None,
            )
        await asyncio.sleep(min(_BACKOFF_STEP * self._failures, _BACKOFF_MAX))

    def reset_backoff(self) -> None:
        """Start counting failures anew, after a success."""
        self._failures = 0
