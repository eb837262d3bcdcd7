"""Something goes on by itself: it wakes when it is told to, and it ends when it is asked to."""

import asyncio
from time import monotonic

import pytest

from app.background import BackgroundLoop, should_log


class Counting:
    """A loop that counts how often it was awake."""

    def __init__(self, seconds: float | None = 60) -> None:
        self.background = BackgroundLoop(self._run)
        self.seconds = seconds
        self.turns = 0

    async def _run(self) -> None:
        while True:
            self.turns += 1
            await self.background.sleep(self.seconds)
            self.background.clear_wake()


@pytest.mark.parametrize("turns", range(5))
async def test_what_is_woken_and_stopped_at_the_same_moment_ends(turns: int) -> None:
    """`asyncio.wait_for` of Python 3.11 loses the request to end in three of these."""
    counting = Counting()
    counting.background.start()
    await asyncio.sleep(0.01)
    counting.background._woken.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await counting.background.stop()
    assert not counting.background.is_running
    assert not counting.background.is_started


async def test_it_wakes_when_it_is_told_to_from_any_thread() -> None:
    counting = Counting(None)
    counting.background.start()
    await asyncio.sleep(0.01)
    assert counting.turns == 1
    await asyncio.to_thread(counting.background.wake)
    await asyncio.sleep(0.05)
    assert counting.turns == 2
    await counting.background.stop()


async def test_it_wakes_by_itself_after_its_time() -> None:
    counting = Counting(0.01)
    counting.background.start()
    await asyncio.sleep(0.3)
    await counting.background.stop()
    assert counting.turns > 3


async def test_waking_what_is_not_started_does_nothing() -> None:
    counting = Counting()
    counting.background.wake()
    await counting.background.stop()
    assert counting.turns == 0
    assert not counting.background.is_running


def test_what_is_in_the_way_for_long_is_said_ever_more_seldom() -> None:
    assert [times for times in range(1, 100) if should_log(times)] == [1, 2, 4, 8, 16, 32, 64]


async def test_it_takes_a_breath_and_never_one_of_a_second() -> None:
    background = Counting().background
    began = monotonic()
    for _ in range(4):
        await background.back_off("work failed", ValueError("no"))
    assert 1.3 < monotonic() - began < 4  # 0.2, 0.4, 0.5 and 0.5 s, on a machine that may be busy
