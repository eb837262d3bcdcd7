"""How does everyone who listens hear every signal once and in order, whichever process told it?

This process's own signals are handed on the moment they are durable. Another process writes to the same table: its
signals are read when it announces them, when a place in the stream is missing between the last signal handed on and the
next, and by looking now and then besides.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from threading import Lock

from app.background import Background
from app.flow.judge.assess import Assessed
from app.store.engine.database import Database
from app.store.engine.notify import Announcement
from app.store.tickets import signals
from app.store.tickets.signals import Published

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
        self._background = Background(self._run)

    def start(self) -> None:
        """Begin to look for what other processes tell, in this event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._background.stop()

    def heard(self, found: Assessed) -> None:
        """Hand on what this process has just told. If another has told something before it that is not read yet, have
        both read: in a process that has a loop, whoever writes does not wait for that."""
        with self._lock:
            fresh = [recorded for recorded in found.recorded if recorded.seq > self._last]
            if not fresh or fresh[0].seq == self._last + 1:
                self._hand_on(fresh)
                return
        if self._background.is_started:
            self._background.wake()
        else:
            self.catch_up()

    def announced(self, announcement: Announcement) -> None:
        """In the loop that `start` was called in: another process, or this one, has written to the stream."""
        if announcement.last is not None and announcement.last > self._last:
            self._background.wake()

    def catch_up(self) -> None:
        """Hand on what is in the table and was not handed on yet."""
        while recorded := self._database.read_now(lambda conn: signals.page(conn, self._last, _PIECE)):
            with self._lock:
                self._hand_on([one for one in recorded if one.seq > self._last])

    def _hand_on(self, recorded: list[Published]) -> None:
        if recorded:
            self._publish(recorded)
            self._last = recorded[-1].seq

    async def _run(self) -> None:
        while True:
            await self._background.sleep(self._period)
            self._background.awake()
            try:
                if await self._database.read(signals.last) > self._last:
                    await asyncio.to_thread(self.catch_up)
                await self._database.look_at_the_clock()
            except self._database.failures as error:
                # What is untold stays in the table: the next look finds it.
                await self._background.in_the_way("tail failed", error)
            else:
                self._background.all_is_well()
