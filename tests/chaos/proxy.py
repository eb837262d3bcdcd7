"""How is one process's way to a server cut, and nobody else's?

A proxy of that process's own, between it and the server. It can hand on nothing while both sides believe that they are
connected, swallow what is sent, or hang up. Bytes are not looked at.
"""

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import Final

from tests.servers.process import HOST, free_port

_PIECE: Final = 65_536


class Cut(StrEnum):
    """How the way is cut."""

    STALLED = "stalled"
    """Nothing comes through; when it is mended, all that was sent arrives at last."""
    SWALLOWED = "swallowed"
    """Nothing comes through, and nothing of it ever will; when it is mended, the old connections are dead."""
    HUNG_UP = "hung up"
    """Every connection ends at once, and new ones are refused."""


class Proxy:
    """Listens on a port of its own. Its methods run in one event loop."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._cut: Cut | None = None
        self._whole = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._whole.set()
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def cut(self, how: Cut) -> None:
        """Cut the way."""
        self._cut = how
        self._whole.clear()
        if how is Cut.HUNG_UP:
            await self._shut()
            self._hang_up()

    async def mend(self) -> None:
        """Let everything through again."""
        how, self._cut = self._cut, None
        if how is Cut.SWALLOWED:
            self._hang_up()
        self._whole.set()
        if how is Cut.HUNG_UP:
            await self.open()

    async def close(self) -> None:
        """Listen no more and hang up."""
        await self._shut()
        self._hang_up()
        self._whole.set()

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._whole.wait()
            with suppress(OSError):
                there_reader, there_writer = await asyncio.open_connection(HOST, self._target)
                self._writers.add(there_writer)
                try:
                    await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
                finally:
                    self._writers.discard(there_writer)
                    there_writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on what comes, and the end of it."""
        while piece := await reader.read(_PIECE):
            if self._cut is Cut.SWALLOWED:
                continue
            await self._whole.wait()
            writer.write(piece)
            await writer.drain()
        await self._whole.wait()
        writer.close()
