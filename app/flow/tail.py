"""How does everyone who listens hear every signal once and in order, whichever process told it?

This process's own signals are handed on the moment they are durable. Another process writes to the same table (a fact
entered on the command line): its signals are found by looking now and then, or at once when a place in the stream is
missing between the last signal handed on and the next.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from threading import Lock

import structlog

from app.flow.assess import Assessed
from app.store import signals
from app.store.database import Database
from app.store.signals import Published

_log = structlog.stdlib.get_logger()

_PIECE = 500
"""Signals read at a time while catching up."""


class Tail:
    """Follows the stream of one database. `publish` must be quick and may be called from any thread."""

    def __init__(
        self, database: Database, publish: Callable[[Iterable[Published]], None], period: timedelta
    ) -> None:
        self._database, self._publish, self._period = database, publish, period.total_seconds()
        self._last = database.read_now(signals.last)
        self._lock = Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for what other processes tell, in this event loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def heard(self, found: Assessed) -> None:
        """Hand on what this process has just told, after whatever another told before it."""
        if not found.told:
            return
        with self._lock:
            if found.told[0].seq > self._last + 1:
                self._read_on()
            self._hand_on([told for told in found.told if told.seq > self._last])

    def catch_up(self) -> None:
        """Hand on what is in the table and was not handed on yet."""
        with self._lock:
            self._read_on()

    def _read_on(self) -> None:
        while told := self._database.read_now(lambda conn: signals.page(conn, self._last, _PIECE)):
            self._hand_on(told)

    def _hand_on(self, told: list[Published]) -> None:
        if told:
            self._publish(told)
            self._last = told[-1].seq

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            try:
                if await self._database.read(signals.last) > self._last:
                    await asyncio.to_thread(self.catch_up)
            except (OSError, self._database.failures):
                _log.exception("tail failed")  # what is untold stays in the table: the next look finds it
