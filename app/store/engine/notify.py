"""Announcements between processes through PostgreSQL's LISTEN/NOTIFY.

A write transaction announces the last stream position that it wrote, whether deliveries came with it, and the least
`next_at` that it stored; the server sends that at commit. Announcements only reduce latency: every listener also polls,
so a lost one loses nothing. SQLite has no such service. Instants are microseconds UTC.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Connection, text

from app.background import BackgroundLoop
from app.settings import Settings
from app.sla.span import Micros
from app.store.engine.dialect import has_many_writers, is_shared
from app.store.engine.postgres import open_listener
from app.store.engine.prepared import Prepared
from app.store.engine.routes import CHANNEL as ROUTES_CHANNEL

CHANNEL: Final = "slatimer"
_NO_DELIVERIES: Final = "+"
_ANNOUNCE: Final = Prepared(text("SELECT pg_notify(:channel, :payload)"))
_KEEPALIVE: Final = 10.0
"""Seconds between two keep-alive queries: a broken connection gives no sign."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a transaction of another process wrote: its last stream position and its least `next_at`."""

    last: int | None
    next_at: Micros | None
    has_deliveries: bool = True
    """Whether deliveries of its signals may have been written."""

    @classmethod
    def of_payload(cls, payload: str) -> "Announcement":
        """What a notification says. That of the release before has no sign before the position."""
        last, _, next_at = payload.partition(" ")
        return cls(
            int(last) if last else None,
            int(next_at) if next_at else None,
            bool(last) and not last.startswith(_NO_DELIVERIES),
        )

    @property
    def payload(self) -> str:
        """The notification. The release before reads the sign as part of the number."""
        sign = "" if self.has_deliveries or self.last is None else _NO_DELIVERIES
        return f"{sign}{self.last or ''} {self.next_at or ''}"


ANYTHING: Final = Announcement(sys.maxsize, 0)
"""What may have been written while nothing was received: every listener looks."""


def announce(
    conn: Connection, last: int | None, next_at: Micros | None, *, has_deliveries: bool = True
) -> None:
    """Announce to other processes, at commit. `has_deliveries` false: no delivery of its signals was written."""
    if (last is not None or next_at is not None) and has_many_writers(conn):
        payload = Announcement(last, next_at, has_deliveries).payload
        _ANNOUNCE.rows(conn, {"channel": CHANNEL, "payload": payload})


class _Listening(Protocol):
    """The methods used of the driver's connection, which is untyped."""

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...

    async def execute(self, query: str) -> str: ...

    def add_termination_listener(self, callback: Callable[..., None]) -> None: ...

    def terminate(self) -> None: ...


class NotificationListener:
    """Receives announcements in one event loop. On SQLite it does nothing."""

    def __init__(self, settings: Settings, callback: Callable[[Announcement], None]) -> None:
        self._settings, self._callback = settings, callback
        self.on_routes: Callable[[], None] = lambda: None
        """Called when the routing table may have changed."""
        self._background = BackgroundLoop(self._run)

    def start(self) -> None:
        """Start in the running event loop."""
        if is_shared(self._settings.database_url):
            self._background.start()

    async def stop(self) -> None:
        """Stop."""
        await self._background.stop()

    async def _run(self) -> None:
        import asyncpg  # pyright: ignore[reportMissingTypeStubs] - no process on SQLite needs it

        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                # What was announced meanwhile is looked for when the connection is back.
                await self._background.back_off("LISTEN connection failed", error)

    async def _listen(self) -> None:
        conn: _Listening = await open_listener(self._settings)
        lost = asyncio.Event()
        conn.add_termination_listener(lambda *_: lost.set())
        try:
            await conn.add_listener(CHANNEL, self._received)
            await conn.add_listener(ROUTES_CHANNEL, lambda *_: self.on_routes())
            self._background.reset_backoff()
            self._callback(ANYTHING)
            self.on_routes()
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_KEEPALIVE):
                        await lost.wait()
                        break
                async with asyncio.timeout(_KEEPALIVE):
                    await conn.execute("SELECT 1")
            raise ConnectionError("the server closed the connection")
        finally:
            conn.terminate()

    def _received(self, _conn: object, _pid: int, _channel: str, payload: Any) -> None:
        self._callback(Announcement.of_payload(str(payload)))
