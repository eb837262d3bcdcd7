"""A system that subscribes, as tests need one: a real HTTP server on this machine that answers as it is told.

It keeps every request with the instant of its arrival. What it answers is given by a function of the request's number
from 1, so that a story (down, then up) is one line. Raw answers are for what no well-behaved server sends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import orjson
from standardwebhooks import Webhook

from tests.waiting import HANG

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def status(code: int, *headers: str) -> bytes:
    """An answer with nothing but a status and headers."""
    return "\r\n".join([f"HTTP/1.1 {code} Whatever", "Content-Length: 0", *headers, "", ""]).encode()


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request."""

    headers: dict[str, str]
    body: bytes
    peer: str

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvents event in it."""
        return orjson.loads(self.body)

    @property
    def signal(self) -> dict[str, Any]:
        """The signal in the event."""
        return self.event["data"]

    def verified(self, secret: str) -> Any:
        """The event, if the signature is right by the package that receivers use. Raises if it is not."""
        return Webhook(secret).verify(self.body, self.headers)


Answer = Callable[[int, Arrived], bytes | Awaitable[bytes]]


@dataclass
class Receiver:
    """The server. `answer` may be changed at any time."""

    answer: Answer = lambda number, request: OK
    arrived: list[Arrived] = field(default_factory=list[Arrived])
    host: str = "127.0.0.1"
    port: int = 0
    connections: int = 0
    _server: asyncio.Server | None = None
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook?from=slatimer"

    @property
    def signals(self) -> list[dict[str, Any]]:
        """What arrived, repetitions included."""
        return [each.signal for each in self.arrived]

    async def open(self) -> None:
        """Listen; at the same port again after it was shut."""
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Listen no more and cut every connection."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def until(self, count: int, seconds: float = HANG) -> None:
        """Wait until so many requests have arrived. Raises TimeoutError if that takes longer."""
        async with asyncio.timeout(seconds):
            while len(self.arrived) < count:
                self._more.clear()
                await self._more.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                request = Arrived(headers, body, writer.get_extra_info("peername")[0])
                self.arrived.append(request)
                self._more.set()
                answer = self.answer(len(self.arrived), request)
                writer.write(answer if isinstance(answer, bytes) else await answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def __aenter__(self) -> "Receiver":
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shut()
