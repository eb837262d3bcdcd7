"""Tail of the signal stream: publishes every signal of all processes once and in order.

Signals of this process are published at commit. Signals of other processes are read from the table, on three occasions:
another process announces them (NOTIFY), a gap in the stream positions shows that some are missing, or the poll interval
has passed. While nothing listens they are not read: a client that joins reads the table up to that time.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from threading import Lock
from time import monotonic

from app.background import BackgroundLoop
from app.flow.judge.assess import Assessed
from app.store.engine.database import Connection, Database
from app.store.engine.notify import ANYTHING, Announcement
from app.store.tickets import signals
from app.store.tickets.signals import Published

_BATCH = 500
"""Signals in one query while catching up."""


class Tail:
    """Follows the stream of one database. `publish` must not block and may be called from any thread. `reset` is called
    with the end of the stream when that lies before what was published: the database was restored from a backup.
    `has_listeners` may also be called from any thread; a listener reads the table after it has joined."""

    def __init__(
        self,
        database: Database,
        publish: Callable[[Iterable[Published]], None],
        period: timedelta,
        *,
        reset: Callable[[int], None],
        has_listeners: Callable[[], bool] = lambda: True,
    ) -> None:
        self._reset, self._has_listeners = reset, has_listeners
        self._database, self._publish, self._poll_interval = database, publish, period.total_seconds()
        self._last = database.read_now(signals.last)
        self._lock = Lock()
        self._background = BackgroundLoop(self._run)

    def start(self) -> None:
        """Start polling in the running event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Stop."""
        await self._background.stop()

    def on_commit(self, found: Assessed) -> None:
        """Publish the signals of a commit of this process. Runs in the writer thread.

        If signals of another process come before them, all are read from the table: in the event loop where there is
        one, so that the writer does not wait.
        """
        with self._lock:
            new = [recorded for recorded in found.recorded if recorded.seq > self._last]
            if not new or new[0].seq == self._last + 1:
                self._publish_ordered(new)
                return
            if self._skip(new[-1].seq):
                return
        if self._background.is_started:
            self._background.wake()
        else:
            self.catch_up()

    def on_announcement(self, announcement: Announcement) -> None:
        """Wake when an announced position is not published yet. Runs in the event loop."""
        if announcement.last is None or announcement.last <= self._last:
            return
        with self._lock:
            if announcement is not ANYTHING and self._skip(announcement.last):
                return
        self._background.wake()

    def catch_up(self) -> None:
        """Publish the signals in the table that are not published yet."""
        while self._published(self._database.read_now(self._page)) == _BATCH:
            pass

    def _skip(self, last: int) -> bool:
        """Pass over committed signals up to this place, unless something listens. Under the lock."""
        if self._has_listeners():
            return False
        self._last = max(self._last, last)
        return True

    def _page(self, conn: Connection) -> list[Published]:
        return signals.page(conn, self._last, _BATCH)

    def _published(self, recorded: list[Published]) -> int:
        """Publish what was read. Returns how much that was."""
        with self._lock:
            self._publish_ordered([one for one in recorded if one.seq > self._last])
        return len(recorded)

    def _publish_ordered(self, recorded: list[Published]) -> None:
        if recorded:
            self._publish(recorded)
            self._last = recorded[-1].seq

    async def _catch_up(self) -> None:
        while self._published(await self._database.read(self._page)) == _BATCH:
            pass

    async def _poll(self) -> None:
        """Look whether anything was missed, or the stream became shorter, and what the server's clock says."""
        # Before the read: a commit in between is no sign of a shorter stream.
        published = self._last
        last = await self._database.read(signals.last)
        if last < published:
            with self._lock:
                self._last = last
            self._reset(last)
        elif last > published:
            await self._catch_up()
            with self._lock:
                # Where a desk moves here, the next place lies further on than the one after the last.
                self._last = max(self._last, last)
        await self._database.sync_clock()

    async def _run(self) -> None:
        polled_at = monotonic()
        while True:
            woken = await self._background.sleep(self._poll_interval)
            self._background.clear_wake()
            try:
                if woken and monotonic() - polled_at < self._poll_interval:
                    await self._catch_up()
                else:
                    await self._poll()
                    polled_at = monotonic()
            except self._database.failures as error:
                # Unpublished signals stay in the table: the next pass reads them.
                await self._background.back_off("stream tail failed", error)
            else:
                self._background.reset_backoff()
