"""TCP proxy between one process and a server, whose connection can be cut without affecting others.

It can stall while both sides stay connected, drop bytes, or close connections. It does not inspect the bytes.
"""

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import Final

from tests.servers.process import HOST, free_port

_CHUNK: Final = 65_536


class Cut(StrEnum):
    """How the connection is cut."""

    STALLED = "stalled"
    """Bytes are held back; after the repair all of them arrive."""
    SWALLOWED = "swallowed"
    """Bytes are dropped; after the repair the old connections are aborted."""
    HUNG_UP = "hung up"
    """All connections are closed, and new ones are refused."""


class Proxy:
    """A proxy on a free port. Its methods run in one event loop."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._cut: Cut | None = None
        self._connected = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._connected.set()
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def cut(self, how: Cut) -> None:
        """Cut the connection."""
        self._cut = how
        self._connected.clear()
        if how is Cut.HUNG_UP:
            await self._shut()
            self._hang_up()

    async def restore(self) -> None:
        """Restore the connection."""
        how, self._cut = self._cut, None
        if how is Cut.SWALLOWED:
            self._hang_up()
        self._connected.set()
        if how is Cut.HUNG_UP:
            await self.open()

    async def close(self) -> None:
        """Stop and close all connections."""
        await self._shut()
        self._hang_up()
        self._connected.set()

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
            await self._connected.wait()
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
        """Forward bytes, and the end of the stream."""
        while chunk := await reader.read(_CHUNK):
            if self._cut is Cut.SWALLOWED:
                continue
            await self._connected.wait()
            writer.write(chunk)
            await writer.drain()
        await self._connected.wait()
        writer.close()
