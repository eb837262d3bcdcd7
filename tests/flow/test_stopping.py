"""Every background component stops, also when it is woken at the same time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.flow.process.runtime import Runtime
from app.flow.process.tail import Tail
from app.store.engine.notify import Announcement
from tests.service import Service
from tests.waiting import HANG

Part = tuple[Callable[[], None], Callable[[], None], Callable[[], Awaitable[None]]]
"""(start, wake, stop)."""


def parts_of(service: Service) -> dict[str, Part]:
    runtime = Runtime(service.settings, service.database)
    tail = Tail(service.database, lambda _: None, service.settings.stream_poll_interval, reset=lambda _: None)
    soon = Announcement(10**9, 1)
    return {
        "sweeper": (
            runtime.sweeper.start,
            lambda: runtime.sweeper.on_announcement(soon),
            runtime.sweeper.stop,
        ),
        "tail": (tail.start, lambda: tail.on_announcement(soon), tail.stop),
        "reader": (runtime.reader.start, runtime.reader.wake, runtime.reader.stop),
        "deliverer": (runtime.deliverer.start, runtime.deliverer.wake, runtime.deliverer.stop),
    }


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("name", ["sweeper", "tail", "reader", "deliverer"])
async def test_a_part_that_is_woken_and_stopped_at_once_ends(service: Service, name: str, turns: int) -> None:
    """`asyncio.wait_for` of Python 3.11 can lose the cancellation then: the process would hang at its end."""
    start, wake, stop = parts_of(service)[name]
    start()
    await asyncio.sleep(0.2)  # it sleeps by now
    wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    before = asyncio.all_tasks()
    async with asyncio.timeout(HANG):
        await stop()
    assert asyncio.all_tasks() < before
