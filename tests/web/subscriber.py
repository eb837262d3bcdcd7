"""A subscriber beside a room: a receiver in a thread with a loop of its own, since the room's client blocks."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, TypeVar

from tests.receiver import Receiver

T = TypeVar("T")


class Subscriber:
    """A receiver that can be asked from any thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.receiver = Receiver()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def close(self) -> None:
        self.do(self.receiver.shut())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@contextmanager
def subscriber() -> Generator[Subscriber]:
    """A subscriber that listens."""
    made = Subscriber()
    made.do(made.receiver.open())
    try:
        yield made
    finally:
        made.close()


def until(holds: Callable[[], bool], seconds: float = 10) -> bool:
    """Wait until it holds; whether it did in time."""
    end = monotonic() + seconds
    while not holds():
        if monotonic() > end:
            return False
        sleep(0.01)
    return True
