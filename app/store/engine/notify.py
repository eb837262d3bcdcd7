"""How does another process hear at once of what this one has committed?

On PostgreSQL a writing transaction announces the last place in the stream that it wrote and the least instant that it
planned; the server passes that on with the commit. It only saves waiting: whoever hears nothing finds the same in the
tables when it looks, so a lost announcement loses nothing. A file has no such service. Instants are microseconds UTC.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy import Connection, text

from app.background import Background
from app.settings import Settings
from app.sla.span import Micros
from app.store.engine.dialect import has_many_writers, is_shared
from app.store.engine.postgres import driver_arguments

CHANNEL: Final = "slatimer"
_ANNOUNCE: Final = text("SELECT pg_notify(:channel, :said)")
_PULSE: Final = 10.0
"""Seconds between two questions whether the connection is still there: a cut one is silent."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a transaction of another process did. `last` is a place in the stream, `next_at` what it planned."""

    last: int | None
    next_at: Micros | None


def announce(conn: Connection, last: int | None, next_at: Micros | None) -> None:
    """Tell the other processes, once the transaction is durable."""
    if (last is not None or next_at is not None) and has_many_writers(conn):
        conn.execute(_ANNOUNCE, {"channel": CHANNEL, "said": f"{last or ''} {next_at or ''}"})


class _Listening(Protocol):
    """What is used of the driver's connection, which has no types."""

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...

    async def execute(self, query: str) -> str: ...

    def terminate(self) -> None: ...


class NotificationListener:
    """Listens to what other processes announce, in one event loop. On a file it has nothing to listen to."""

    def __init__(self, settings: Settings, heard: Callable[[Announcement], None]) -> None:
        self._settings, self._heard = settings, heard
        self._background = Background(self._run)

    def start(self) -> None:
        """Begin to listen, in this event loop."""
        if is_shared(self._settings.database_url):
            self._background.start()

    async def stop(self) -> None:
        """Listen no more."""
        await self._background.stop()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                # What is missed meanwhile is found by looking.
                await self._background.in_the_way("not listening", error)

    async def _listen(self) -> None:
        conn: _Listening = await cast(Any, asyncpg).connect(**driver_arguments(self._settings))
        try:
            await conn.add_listener(CHANNEL, self._hear)
            self._background.all_is_well()
            while True:
                await asyncio.sleep(_PULSE)
                async with asyncio.timeout(_PULSE):
                    await conn.execute("SELECT 1")
        finally:
            conn.terminate()

    def _hear(self, _conn: object, _pid: int, _channel: str, said: Any) -> None:
        last, _, next_at = str(said).partition(" ")
        self._heard(Announcement(int(last) if last else None, int(next_at) if next_at else None))
