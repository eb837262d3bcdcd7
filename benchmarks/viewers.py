"""What do people who look at Now cost, and when do they see a change?

Run: VIEWERS=200 SIGNALS=50 SECONDS=20 TICKETS=10000 python benchmarks/viewers.py
Each viewer follows the stream as the page's script does: it gathers signals, then fetches the rows that changed and
names those that it keeps. Measured are the processor time of the service, with and without viewers, and the time from
the transaction of a signal to the rows that have it.
"""

import asyncio
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import re

import httpx2
import orjson

from app.sla.span import DAY, HOUR, Micros, instant
from benchmarks._site import EMBEDDED, Site, site
from benchmarks._stream import at_share, now

VIEWERS: Final = int(os.environ.get("VIEWERS", "200"))
SIGNALS: Final = int(os.environ.get("SIGNALS", "50"))
SECONDS: Final = int(os.environ.get("SECONDS", "20"))
TICKETS: Final = int(os.environ.get("TICKETS", "10000"))
BATCH: Final = 500
_STEP: Final = 7919
"""From ticket to ticket: a prime, so that all have their turn."""
GATHER: Final = 0.25
PAUSE: Final = float(os.environ.get("PAUSE", "0.5"))
"""Seconds: those of frame/static/regions.js."""
ONE_KEY: Final = {
    "SLATIMER_KEY_STREAMS_MAX": str(VIEWERS + 1),
    "SLATIMER_KEY_REQUEST_RATE": "100000",
    "SLATIMER_KEY_REQUEST_BURST": "100000",
}
"""All viewers have the same key here."""
STREAM_AT: Final = "x-slatimer-stream-at"
_KEY: Final = re.compile(r'data-ke(?:y|ep)="([^"]+)"')
_DATA: Final = b"data: "


@dataclass(slots=True)
class Viewer:
    """One reader of Now: what it keeps, and how long after each signal its rows had it, in milliseconds."""

    client: httpx2.AsyncClient
    keys: list[str] = field(default_factory=list[str])
    stale: dict[str, Micros] = field(default_factory=dict[str, Micros])
    told: asyncio.Event = field(default_factory=asyncio.Event)
    lags: list[float] = field(default_factory=list[float])
    fetches: int = 0
    place: str = ""

    async def fetch(self) -> None:
        """Fetch the rows that changed."""
        stale, self.stale = self.stale, {}
        asked = httpx2.QueryParams([("keep", key) for key in self.keys if key not in stale])
        if self.place:
            asked = asked.set("seen", self.place)
        answer = await self.client.get("/now/list", params=asked)
        answer.raise_for_status()
        self.place = self.place or answer.headers[STREAM_AT]
        self.keys = _KEY.findall(answer.text)
        self.fetches += 1
        at = now()
        self.lags += [(at - told) / 1000 for told in stale.values()]

    async def follow(self) -> None:
        """Follow the stream until cancelled."""
        await self.fetch()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._renew())

    async def _listen(self) -> None:
        asked = {"named": "false", "after": self.place}
        async with self.client.stream("GET", "/v1/stream", params=asked, timeout=None) as stream:
            stream.raise_for_status()
            async for line in stream.aiter_lines():
                if line.startswith("id: "):
                    self.place = line[4:]
                elif line.startswith("data: "):
                    told = orjson.loads(line[6:])
                    key = f"{told['desk']}/{told.get('ticket') or ''}"
                    self.stale.setdefault(key, now())
                    self.told.set()

    async def _renew(self) -> None:
        while True:
            await self.told.wait()
            self.told.clear()
            await asyncio.sleep(GATHER)
            await self.fetch()
            await asyncio.sleep(PAUSE - GATHER)


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


async def _push(client: httpx2.AsyncClient, seconds: float) -> None:
    """An agent's reply and the customer's to it on one ticket after the other: each ends or starts a clock."""
    began = time.monotonic()
    for number in range(round(seconds * SIGNALS)):
        await asyncio.sleep(max(0.0, began + number / SIGNALS - time.monotonic()))
        kind = ("agent.replied", "customer.replied")[number % 2]
        event = _event(number // 2 * _STEP, kind, now(), author=kind.split(".")[0])
        (await client.post("/v1/events", json=event)).raise_for_status()


async def _watched(measured: Site, viewers: int) -> tuple[float, list[float], int]:
    """Cores that the service takes, the lags, and the number of fetches."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(
        base_url=measured.web.base, headers=measured.headers, timeout=60, limits=limits
    ) as client:
        made = [Viewer(client) for _ in range(viewers)]
        tasks = [asyncio.create_task(viewer.follow()) for viewer in made]
        await asyncio.sleep(5 if viewers else 0)
        for viewer in made:
            viewer.lags.clear()
            viewer.fetches = 0
        cpu, began = measured.cpu(), time.monotonic()
        await _push(client, SECONDS)
        cores = (measured.cpu() - cpu) / (time.monotonic() - began)
        await asyncio.sleep(2 if viewers else 0)
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        for each in done:
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
