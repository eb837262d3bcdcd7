"""What do people who look at Now cost, and when do they see a change?

Run: VIEWERS=200 SIGNALS=50 SECONDS=20 TICKETS=10000 python benchmarks/viewers.py
Each viewer follows the stream as the page's script does: it gathers signals, then fetches the rows that changed and
names those that it keeps. Measured are the processor time of the service, with and without viewers, and the time from
the transaction of a signal to the rows that have it, of each row that a signal is about.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2
import orjson

from app.sla.span import DAY, HOUR, Micros, instant, micros
from benchmarks._site import EMBEDDED, Site, site
from benchmarks._stream import at_share, now

VIEWERS: Final = int(os.environ.get("VIEWERS", "200"))
SIGNALS: Final = int(os.environ.get("SIGNALS", "50"))
SECONDS: Final = int(os.environ.get("SECONDS", "20"))
TICKETS: Final = int(os.environ.get("TICKETS", "10000"))
BATCH: Final = 500
_STEP: Final = 7919
"""From ticket to ticket: a prime, so that all have their turn."""
GATHER: Final = 0.04
PAUSE: Final = float(os.environ.get("PAUSE", "0.4"))
SLOW: Final = 1.5
"""Those of frame/static/regions.js, in seconds."""
WARM: Final = 5.0
"""Seconds in which the viewers open their pages."""
ONE_KEY: Final = {
    "SLATIMER_KEY_STREAMS_MAX": str(VIEWERS + 1),
    "SLATIMER_KEY_REQUEST_RATE": "100000",
    "SLATIMER_KEY_REQUEST_BURST": "100000",
}
"""All viewers have the same key here."""
_PLACE: Final = re.compile(rb"x-slatimer-stream-at: (\d+)", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_KEY: Final = re.compile(r'data-ke(?:y|ep)="([^"]+)"')
_FRAME: Final = re.compile(rb"id: (\d+)\ndata: ([^\n]+)\n\n")
_END: Final = b"\r\n\r\n"


def _request(path: str, asked: list[tuple[str, str]], headers: dict[str, str]) -> bytes:
    lines = [f"GET {path}?{urlencode(asked)} HTTP/1.1", "Host: bench"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


class _Followed(asyncio.Protocol):
    """The stream of signals, read by hand: a client library's own work would take the service's processor."""

    def __init__(self, request: bytes, on_signal: Callable[[int, dict[str, Any]], None]) -> None:
        self._request, self._on_signal, self._rest = request, on_signal, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Report each signal."""
        data, end = self._rest + data, 0
        for found in _FRAME.finditer(data):
            end = found.end()
            self._on_signal(int(found[1]), orjson.loads(found[2]))
        self._rest = data[end:]


@dataclass(slots=True)
class Viewer:
    """One reader of Now: what it keeps, and how long after each signal its rows had it, in milliseconds."""

    port: int
    headers: dict[str, str]
    keys: list[str] = field(default_factory=list[str])
    stale: dict[str, Micros] = field(default_factory=dict[str, Micros])
    """When the first signal was recorded that a row does not have."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    lags: list[float] = field(default_factory=list[float])
    fetches: int = 0
    place: str = ""

    async def follow(self) -> None:
        """Open the page and follow the stream until cancelled."""
        reading, writing = await asyncio.open_connection("127.0.0.1", self.port)
        await self._fetch(reading, writing)
        asked = _request("/v1/stream", [("named", "false"), ("after", self.place)], self.headers)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _Followed(asked, self._on_signal), "127.0.0.1", self.port)
        while True:
            await self.woken.wait()
            await asyncio.sleep(GATHER)
            self.woken.clear()
            began = time.monotonic()
            await self._fetch(reading, writing)
            took = time.monotonic() - began
            await asyncio.sleep(max(PAUSE, SLOW * took) - took)

    async def _fetch(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        """Fetch the rows that changed."""
        stale, self.stale = self.stale, {}
        asked = [("keep", key) for key in self.keys if key not in stale]
        asked += [("seen", self.place)] if self.place else []
        writing.write(_request("/now/list", asked, self.headers))
        head = await reading.readuntil(_END)
        assert head.startswith(b"HTTP/1.1 200"), head
        length, place = _LENGTH.search(head), _PLACE.search(head)
        assert length is not None
        assert place is not None
        body = await reading.readexactly(int(length[1]))
        self.place = self.place or place[1].decode()
        self.keys = _KEY.findall(body.decode())
        self.fetches += 1
        at = now()
        self.lags += [(at - recorded) / 1000 for recorded in stale.values()]

    def _on_signal(self, place: int, signal: dict[str, Any]) -> None:
        self.place = str(place)
        self.stale.setdefault(
            f"{signal['desk']}/{signal.get('ticket') or ''}",
            micros(datetime.fromisoformat(signal["detected_at"])),
        )
        self.woken.set()


def _event(number: int, kind: str, at: Micros, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "source": "haisoft",
        "id": f"{kind}-{number}-{at}",
        "type": kind,
        "subject": f"V-{number % TICKETS}",
        "time": instant(at).isoformat(),
        "data": data,
    }


def fill(measured: Site) -> None:
    """Open tickets of one desk, over the last days."""
    at = now()
    with httpx2.Client(base_url=measured.web.base, headers=measured.headers, timeout=120) as client:
        for first in range(0, TICKETS, BATCH):
            events = [
                _event(
                    number,
                    "ticket.created",
                    at - 2 * DAY + number * (2 * DAY - HOUR) // TICKETS,
                    title=f"Server {number} is slow",
                    customer=f"C{number % 300}",
                    service="dedicated",
                )
                for number in range(first, min(first + BATCH, TICKETS))
            ]
            client.post("/v1/events", json=events).raise_for_status()


async def push(client: httpx2.AsyncClient, seconds: float) -> None:
    """An agent's reply and the customer's to it on one ticket after the other: each ends or starts a clock."""
    began = time.monotonic()
    for number in range(round(seconds * SIGNALS)):
        await asyncio.sleep(max(0.0, began + number / SIGNALS - time.monotonic()))
        kind = ("agent.replied", "customer.replied")[number % 2]
        event = _event(number // 2 * _STEP, kind, now(), author=kind.split(".")[0])
        (await client.post("/v1/events", json=event)).raise_for_status()


async def _watched(measured: Site, viewers: int) -> tuple[float, list[float], int]:
    """Cores that the service takes, the lags, and the number of fetches."""
    made = [Viewer(measured.web.port, measured.headers) for _ in range(viewers)]
    tasks = [asyncio.create_task(viewer.follow()) for viewer in made]
    await asyncio.sleep(WARM if viewers else 0)
    for viewer in made:
        viewer.lags.clear()
        viewer.fetches = 0
    async with httpx2.AsyncClient(base_url=measured.web.base, headers=measured.headers, timeout=60) as client:
        cpu, began = measured.cpu(), time.monotonic()
        await push(client, SECONDS)
        cores = (measured.cpu() - cpu) / (time.monotonic() - began)
    await asyncio.sleep(2 if viewers else 0)
    for task in tasks:
        task.cancel()
    for each in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(each, BaseException) and not isinstance(each, asyncio.CancelledError):
            raise each
    return cores, [lag for viewer in made for lag in viewer.lags], sum(viewer.fetches for viewer in made)


def main() -> int:
    """Print the figures."""
    with site(EMBEDDED, on=None, more=ONE_KEY) as measured:
        measured.start()
        fill(measured)
        alone, _, _ = asyncio.run(_watched(measured, 0))
        cores, lags, fetches = asyncio.run(_watched(measured, VIEWERS))
    print(f"{VIEWERS} viewers of {TICKETS} tickets, {SIGNALS} signals a second for {SECONDS} s")
    print(f"cores: {alone:.2f} without viewers, {cores:.2f} with; {fetches} fetches")
    if fetches:
        print(
            f"{(cores - alone) * SECONDS / fetches * 1000:.2f} ms of processor time a fetch, stream included"
        )
    print(f"signal to rows: p50 {at_share(lags, 0.5):.0f} ms, p99 {at_share(lags, 0.99):.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
