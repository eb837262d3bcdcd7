"""How many deliveries a second does one process make, and how long after a breach does a subscriber know?

Run: python benchmarks/deliveries.py
A real service, and a receiver in this process that answers at once. First the rate: what waits for a paused subscription
is let go, from the first arrival to the last. The limit beside it is a bare client in a process of its own that posts
the same body to the same receiver, as many at a time. Then the delay: outages whose two hours end over ten seconds, each
breach's arrival against the instant at which it was late.
"""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpcore2
import httpx2

from app.sla.span import micros
from tests.receiver import OK, Arrived, Receiver
from tests.servers.slatimer import Service

TICKETS: Final = 3000
BATCH: Final = 500
PARALLEL: Final = 8
"""The service's own default for one endpoint."""
WATCHED: Final = 1000
OVER: Final = 10.0
TARGET: Final = timedelta(hours=2)
RATE_AIM: Final = 300.0
DELAY_AIM: Final = 300.0
"""Milliseconds, p99."""


class Arrivals:
    """A receiver that answers at once and notes when each request came."""

    def __init__(self) -> None:
        self.receiver = Receiver(answer=lambda _, request: self._note(request))
        self.at: list[tuple[float, Arrived]] = []

    def _note(self, request: Arrived) -> bytes:
        self.at.append((time.time(), request))
        return OK

    async def rate(self, count: int) -> float:
        """Requests a second over so many of them, once they have come."""
        await self.receiver.until(count, 120)
        first, last = self.at[0][0], self.at[count - 1][0]
        self.at.clear()
        self.receiver.arrived.clear()
        return (count - 1) / (last - first)


async def main() -> int:
    """Print both tables."""
    arrivals = Arrivals()
    await arrivals.receiver.open()
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), more={"SLATIMER_ALLOW_NETWORKS": "127.0.0.0/8"})
        await asyncio.to_thread(service.command, "apply", "agreements", "calendars")
        key = await asyncio.to_thread(service.command, "key", "create", "--desk", "*", "--scope", "admin")
        await asyncio.to_thread(service.start)
        headers = {"Authorization": f"Bearer {key.strip()}"}
        try:
            async with httpx2.AsyncClient(base_url=service.base, headers=headers, timeout=120) as client:
                rate = await _rate(client, arrivals)
                limit = await _limit(arrivals)
                delays = await _delays(client, arrivals)
        finally:
            await asyncio.to_thread(service.end)
    await arrivals.receiver.shut()
    print(f"{'':34}{'per s':>9}{'ratio':>9}")
    print(f"{'deliveries to one endpoint':34}{rate:9.0f}{rate / limit:9.2f}")
    print(f"{'bare client (limit)':34}{limit:9.0f}{1:9.2f}")
    p50, p99, most = _at(delays, 0.5), _at(delays, 0.99), max(delays)
    print(f"{'':34}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    print(f"{'from breached_at to arrival':34}{p50:9.1f}{p99:9.1f}{most:9.1f}")
    met = rate >= RATE_AIM and p99 < DELAY_AIM
    print(f"aims: {RATE_AIM:.0f}/s, p99 under {DELAY_AIM:.0f} ms: {'met' if met else 'missed'}")
    return 0 if len(delays) == WATCHED else 1


def _at(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


async def _subscribe(client: httpx2.AsyncClient, arrivals: Arrivals, kind: str) -> str:
    body = {"desk": "clamehost", "kinds": [kind], "url": arrivals.receiver.url}
    made = await client.post("/v1/subscriptions", json=body)
    return made.raise_for_status().json()["id"]


async def _push(client: httpx2.AsyncClient, names: list[str], at: Callable[[str], datetime]) -> None:
    for start in range(0, len(names), BATCH):
        body = [_outage(name, at(name)) for name in names[start : start + BATCH]]
        (await client.post("/v1/events", json=body)).raise_for_status()


def _outage(ticket: str, at: datetime) -> dict[str, Any]:
    about = {"id": f"{ticket}-out", "type": "outage.started", "subject": ticket, "time": at.isoformat()}
    return {"specversion": "1.0", "source": "clamehost", "data": {}, **about}


async def _rate(client: httpx2.AsyncClient, arrivals: Arrivals) -> float:
    which = await _subscribe(client, arrivals, "clock.started")
    await client.patch(f"/v1/subscriptions/{which}", json={"state": "paused"})
    now = datetime.now(UTC)
    await _push(client, [f"R{n}" for n in range(TICKETS)], lambda _: now)
    (await client.patch(f"/v1/subscriptions/{which}", json={"state": "active"})).raise_for_status()
    rate = await arrivals.rate(TICKETS)
    await client.delete(f"/v1/subscriptions/{which}")
    return rate


async def _limit(arrivals: Arrivals) -> float:
    body = b"x" * 1500
    context = multiprocessing.get_context("spawn")
    bare = context.Process(target=_bare_client, args=(arrivals.receiver.url, body))
    bare.start()
    rate = await arrivals.rate(TICKETS)
    await asyncio.to_thread(bare.join)
    return rate


def _bare_client(url: str, body: bytes) -> None:
    asyncio.run(_post_all(url, body))


async def _post_all(url: str, body: bytes) -> None:
    left = iter(range(TICKETS))
    async with httpcore2.AsyncConnectionPool(max_connections=PARALLEL) as pool:

        async def one_after_the_other() -> None:
            for _ in left:
                await pool.request("POST", url, content=body)

        await asyncio.gather(*(one_after_the_other() for _ in range(PARALLEL)))


async def _delays(client: httpx2.AsyncClient, arrivals: Arrivals) -> list[float]:
    await _subscribe(client, arrivals, "clock.breached")
    first = datetime.now(UTC) + timedelta(seconds=4)
    names = [f"D{n}" for n in range(WATCHED)]
    due = {name: first + timedelta(seconds=OVER * n / WATCHED) for n, name in enumerate(names)}
    await _push(client, names, lambda name: due[name] - TARGET)
    await arrivals.receiver.until(WATCHED, OVER + 30)
    return [
        at * 1000 - micros(datetime.fromisoformat(arrived.signal["clock"]["breached_at"])) / 1000
        for at, arrived in arrivals.at
    ]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
