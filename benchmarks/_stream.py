"""When does each signal arrive at the clients of a stream? Read from the sockets, parsed afterwards.

Sockets are read by hand, since a client library's own work would be measured. Instants are microseconds UTC.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from app.sla.span import Micros

_FRAME: Final = re.compile(rb"id: (\d+)\ndata: ([^\n]+)\n\n")
_MARK: Final = b"\ndata: "
_ID: Final = re.compile(rb"id: (\d+)\ndata: ")


def now() -> Micros:
    """This machine's time."""
    return time.time_ns() // 1000


@dataclass(eq=False)
class Client(asyncio.Protocol):
    """One client. With `whole` it keeps what arrived, else only which signal came when."""

    request: bytes
    whole: bool = True
    chunks: list[tuple[Micros, bytes]] = field(default_factory=list[tuple[Micros, bytes]])
    places: list[tuple[Micros, int]] = field(default_factory=list[tuple[Micros, int]])
    greeted: bool = False
    """The service has begun to answer."""
    frames: int = 0
    """How many signals have begun to arrive. Parsing them meanwhile would take the time of whoever listens."""
    lost: bool = False
    _rest: bytes = b""
    _seam: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Note what came and when."""
        at = now()
        self.greeted = True
        seam = self._seam + data
        self.frames += seam.count(_MARK)
        self._seam = seam[1 - len(_MARK) :]
        if self.whole:
            self.chunks.append((at, data))
            return
        data = self._rest + data
        end = data.rfind(b"\n\n") + 2
        self._rest = data[end:] if end > 1 else data
        self.places += [(at, int(found[1])) for found in _ID.finditer(data, 0, max(end, 0))]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - its name is asyncio's
        """The service has cut it off."""
        self.lost = True

    def signals(self) -> list[tuple[Micros, dict[str, Any]]]:
        """(arrival, signal) of each that came whole."""
        joined = b"".join(chunk for _, chunk in self.chunks)
        ends: list[tuple[int, Micros]] = []
        size = 0
        for at, chunk in self.chunks:
            size += len(chunk)
            ends.append((size, at))
        found: list[tuple[Micros, dict[str, Any]]] = []
        chunk = 0
        for frame in _FRAME.finditer(joined):
            while ends[chunk][0] < frame.end():
                chunk += 1
            found.append((ends[chunk][1], orjson.loads(frame[2])))
        return found


class Listening:
    """So many clients of one route, in a thread of their own, until `end`."""

    def __init__(
        self,
        port: int,
        path: str,
        headers: dict[str, str],
        asked: dict[str, str],
        *,
        count: int = 1,
        whole: bool = True,
    ) -> None:
        lines = [f"GET {path}?{urlencode(asked)} HTTP/1.1", "Host: bench"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self.clients: Sequence[Client] = [Client(request, whole) for _ in range(count)]
        self._port = port
        self._ready, self._loop = Event(), asyncio.new_event_loop()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._connect())
        self._ready.set()
        self._loop.run_forever()

    async def _connect(self) -> None:
        for client in self.clients:
            await self._loop.create_connection(lambda client=client: client, "127.0.0.1", self._port)

    def greeted(self) -> int:
        """How many clients the service has begun to answer."""
        return sum(client.greeted for client in self.clients)

    def end(self) -> None:
        """Hang up."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def at_share(lags: Sequence[float], share: float) -> float:
    """The value below which this share lies."""
    ordered = sorted(lags)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")
