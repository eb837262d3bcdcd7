"""Observers of signals: a webhook subscriber and a client of the live stream. Both run during all faults.

The subscriber fails at random; the stream client reconnects to the other web process when its own is gone. Both record
order and errors.
"""

import asyncio
from random import Random
from time import monotonic, time
from typing import Final

import httpx2

from tests.chaos.verdict import RecordedSignal
from tests.receiver import OK, Arrived, Receiver, status

KINDS: Final = (
    "clock.breached",
    "clock.missed",
    "clock.breach_retracted",
    "clock.miss_retracted",
    "clock.stopped",
    "availability.breached",
    "availability.breach_retracted",
    "average.warned",
    "average.breached",
    "average.breach_retracted",
    "credit.owed",
    "credit.claimable",
    "credit.claimed",
    "credit.granted",
    "credit.refused",
    "credit.lapsed",
    "credit.changed",
    "credit.withdrawn",
)
"""The subscribed kinds."""

_FAILS: Final = 0.03
"""Fraction of the deliveries that the subscriber answers with an error."""
_OLDEST: Final = 60.0
"""Seconds by which a delivery's signed time may differ from the receiver's clock; most receivers allow five minutes."""
_SILENCE: Final = 5.0
"""Seconds without data after which the stream client reconnects."""
_AGAIN: Final = 0.2
_NAP: Final = 0.02
_ID: Final = "id: "


class Subscriber:
    """A webhook endpoint that records the first arrival of each signal, in order, and compares its signed time."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._receiver = Receiver(self._answer)
        self.arrived: list[str] = []
        """Signal ids in the order of their first arrival."""
        self.repeated = 0
        self.stale: set[object] = set()
        """Deliveries that a receiver refuses, since it compares the signed time with its clock."""
        self._known: set[str] = set()

    async def open(self) -> str:
        """Start to listen. Returns the URL."""
        await self._receiver.open()
        return self._receiver.url

    async def close(self) -> None:
        """Stop."""
        await self._receiver.shut()

    def _answer(self, number: int, request: Arrived) -> bytes:
        self._receiver.arrived.clear()  # free memory: only the ids are needed
        if self._chance.random() < _FAILS:
            return status(500)
        if abs(int(request.headers["webhook-timestamp"]) - time()) > _OLDEST:
            self.stale.add(f"{request.headers['webhook-id']} is signed at a wrong time")
        which = request.headers["webhook-id"]
        if which in self._known:
            self.repeated += 1
        else:
            self._known.add(which)
            self.arrived.append(which)
        return OK

    def misses(self, recorded: list[RecordedSignal]) -> set[object]:
        """Signals that did not arrive, were never recorded, or arrived out of the order of their ticket."""
        wanted = {each.id: each for each in recorded if each.kind in KINDS and each.deliver}
        wrong = set[object](wanted.keys() - self._known) | self.stale
        last: dict[str, int] = {}
        for which in self.arrived:
            each = wanted.get(which)
            if each is None:
                wrong.add(f"{which} was never recorded")
            elif each.seq < last.get(each.clock.ticket, 0):
                wrong.add(f"{which} came out of order")
            else:
                last[each.clock.ticket] = each.seq
        return wrong


class Pace:
    """How late this machine is: by how much a process that sleeps briefly wakes too late. It has nothing else to do."""

    def __init__(self) -> None:
        self._worst = 0.0

    async def watch(self) -> None:
        """Watch until cancelled."""
        while True:
            began = monotonic()
            await asyncio.sleep(_NAP)
            self._worst = max(self._worst, monotonic() - began - _NAP)

    def take(self) -> float:
        """The worst since the last look, in seconds."""
        found, self._worst = self._worst, 0.0
        return found


class Follower:
    """A client of the live stream that must receive every signal once and in order."""

    def __init__(self, bases: list[str], key: str) -> None:
        self._bases = bases
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        self.last = 0
        """The last stream position received."""
        self.connections = 0
        self.wrong: set[object] = set()

    async def follow(self) -> None:
        """Follow the stream from its beginning until cancelled."""
        async with httpx2.AsyncClient(headers=self._headers, timeout=_SILENCE) as client:
            while True:
                base = self._bases[self.connections % len(self._bases)]
                self.connections += 1
                try:
                    await self._listen(client, base)
                except (httpx2.HTTPStatusError, httpx2.TransportError):
                    await asyncio.sleep(_AGAIN)

    async def _listen(self, client: httpx2.AsyncClient, base: str) -> None:
        resume = {"Last-Event-ID": str(self.last)}
        async with client.stream("GET", f"{base}/v1/stream", headers=resume) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith(_ID):
                    self._see(int(line.removeprefix(_ID)))

    def _see(self, place: int) -> None:
        if place != self.last + 1:
            self.wrong.add(f"{place} came after {self.last}")
        self.last = place
