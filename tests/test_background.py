"""A background loop wakes, sleeps, backs off, and stops."""

import asyncio
import selectors
from itertools import pairwise

import pytest

from app.background import BackgroundLoop, should_log
from tests.waiting import HANG, until_true


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


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time goes on only while nothing but timers are left, and then at once to the first of them."""

    def __init__(self) -> None:
        super().__init__(SkippingSelector(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now


class SkippingSelector(selectors.SelectSelector):
    """Skips what the loop would wait."""

    def __init__(self, loop: SkippingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.now += timeout or 0.0
        return super().select(0)


@pytest.mark.parametrize("turns", range(5))
async def test_a_loop_that_is_woken_and_stopped_at_once_ends(turns: int) -> None:
    """`asyncio.wait_for` of Python 3.11 loses the request to end in three of these."""
    counting = Counting()
    counting.background.start()
    await until_true(lambda: counting.turns == 1)
    counting.background._woken.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(HANG):
        await counting.background.stop()
    assert not counting.background.is_running
    assert not counting.background.is_started


async def test_wake_ends_the_sleep_from_any_thread() -> None:
    counting = Counting(None)
    counting.background.start()
    await until_true(lambda: counting.turns == 1)
    await asyncio.to_thread(counting.background.wake)
    await until_true(lambda: counting.turns == 2)
    await counting.background.stop()


async def test_the_sleep_ends_after_its_time() -> None:
    counting = Counting(0.01)
    counting.background.start()
    await until_true(lambda: counting.turns > 3)
    await counting.background.stop()


async def test_wake_before_start_has_no_effect() -> None:
    counting = Counting()
    counting.background.wake()
    await counting.background.stop()
    assert counting.turns == 0
    assert not counting.background.is_running


def test_a_persistent_failure_is_logged_at_powers_of_two() -> None:
    assert [times for times in range(1, 100) if should_log(times)] == [1, 2, 4, 8, 16, 32, 64]


def test_the_back_off_grows_up_to_half_a_second() -> None:
    async def passed() -> list[float]:
        background, loop = Counting().background, asyncio.get_running_loop()
        instants = [loop.time()]
        for _ in range(4):
            await background.back_off("work failed", ValueError("no"))
            instants.append(loop.time())
        return [round(then - before, 2) for before, then in pairwise(instants)]

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        assert runner.run(passed()) == [0.2, 0.4, 0.5, 0.5]
