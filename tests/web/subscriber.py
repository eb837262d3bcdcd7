"""A subscriber beside a room: a receiver in a thread with a loop of its own, since the room's client blocks."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.receiver import Receiver
from tests.waiting import HANG

T = TypeVar("T")


class Subscriber:
    """A receiver that can be asked from any thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.receiver = Receiver()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(HANG)

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
