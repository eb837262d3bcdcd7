"""Waiting for a fact. A test that waits for a number of seconds instead depends on how busy the machine is."""

import asyncio
from collections.abc import Callable
from time import monotonic, sleep
from typing import Final

HANG: Final = 300.0
"""Seconds after which a wait is taken for a hang. However busy a machine is, what works is quicker."""
POLL_INTERVAL: Final = 0.01
"""Seconds between two checks of what is waited for."""


def until(holds: Callable[[], object]) -> None:
    """Wait until this holds. Fails after HANG."""
    deadline = monotonic() + HANG
    while not holds():
        assert monotonic() < deadline, "what was waited for never came true"
        sleep(POLL_INTERVAL)


async def until_true(holds: Callable[[], object]) -> None:
    """The same in an event loop, which goes on meanwhile."""
    deadline = monotonic() + HANG
    while not holds():
        assert monotonic() < deadline, "what was waited for never came true"
        await asyncio.sleep(POLL_INTERVAL)
