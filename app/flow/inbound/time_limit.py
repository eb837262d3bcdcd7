"""Running foreign input's interpretation with a limit of processor time.

Processor time, not wall time: on a busy machine an innocent webhook must not fail.
"""

import ctypes
import threading
from collections.abc import Callable
from contextvars import copy_context
from time import clock_gettime, pthread_getcpuclockid
from typing import Generic, TypeVar

T = TypeVar("T")


class TookTooLong(Exception):
    """The work used up its processor time, and was stopped."""


class _Stopped(BaseException):
    """Raised in the thread that is stopped. Not an Exception, so that no handler of the work's own takes it."""


def within(limit: float, work: Callable[[], T]) -> T:
    """The result of `work`, run in a thread of its own for at most `limit` seconds of processor time.

    Raises TookTooLong, or what `work` raises. Work that computes in Python is stopped at its next instruction; a call
    into C is finished first.
    """
    attempt = _Attempt(work)
    thread = threading.Thread(target=copy_context().run, args=(attempt.run,), daemon=True, name="interpret")
    thread.start()
    wait = limit
    while wait > 0:
        thread.join(wait)
        if not thread.is_alive():
            return attempt.result()
        wait = limit - attempt.used()
    attempt.stop()
    raise TookTooLong


class _Attempt(Generic[T]):
    """One piece of work, and the thread that does it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._ident = self._clock = 0

    def run(self) -> None:
        """Do the work, in its thread."""
        try:
            self._ident = threading.get_ident()
            # The id is asked for in the thread itself: for a thread that has ended it is undefined.
            self._clock = pthread_getcpuclockid(self._ident)
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            self._error = error

    def result(self) -> T:
        """The result. Raises what the work raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]

    def used(self) -> float:
        """Seconds of processor time so far; none before the start."""
        try:
            return clock_gettime(self._clock) if self._clock else 0.0
        except OSError:  # it has just ended
            return 0.0

    def stop(self) -> None:
        """Raise an exception in the thread. Nothing happens when it has ended."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._ident), ctypes.py_object(_Stopped))
