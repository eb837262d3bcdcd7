"""The routing table in memory: which desks a web process must not look for here.

It is read at the start, when the database announces a change, and at intervals in case an announcement was lost. The
database itself refuses writes to a desk that moves, so an outdated copy loses nothing. On SQLite it is read at the start
only: no desk moves from or to a file.
"""

from collections.abc import Callable

from app.background import BackgroundLoop
from app.settings import Settings
from app.store.engine import routes
from app.store.engine.database import EVERY_DESK, Database, visible_desks
from app.store.engine.routes import Routes


class RoutingTable:
    """The routing table of one process. `routes` is empty on a server from which no desk has moved."""

    def __init__(self, database: Database, settings: Settings, changed: Callable[[], None]) -> None:
        """`changed` is called in the event loop after a change: with a desk its keys may have come."""
        self._database, self._changed = database, changed
        self._poll_interval = settings.route_poll_interval.total_seconds()
        self.routes: Routes = database.read_now(routes.read)
        self._background = BackgroundLoop(self._run)

    def start(self) -> None:
        """Start following in the running event loop."""
        if self._database.shared:
            self._background.start()

    async def stop(self) -> None:
        """Stop."""
        await self._background.stop()

    def wake(self) -> None:
        """The table may have changed. Thread-safe."""
        self._background.wake()

    async def _run(self) -> None:
        visible_desks.set(frozenset({EVERY_DESK}))
        while True:
            await self._background.sleep(self._poll_interval)
            self._background.clear_wake()
            try:
                found = await self._database.look_up(routes.read)
            except self._database.failures as error:
                await self._background.back_off("routing table cannot be read", error)
            else:
                self._background.reset_backoff()
                if found != self.routes:
                    self.routes = found
                    self._changed()
