"""Who hears of it? A subscriber to whom breaches are delivered, and somebody who follows the live stream.

Both outlive every fault: the subscriber fails now and then by itself, the follower goes to the other web process when
its own is gone. They note what came in which order, and what is wrong with that.
"""

import asyncio
from random import Random
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
)
"""What is subscribed to."""

_FAILS: Final = 0.03
"""Share of the deliveries that the subscriber answers with an error."""
_SILENCE: Final = 5.0
"""Seconds without a word on the stream after which its follower takes the connection for dead."""
_AGAIN: Final = 0.2
_ID: Final = "id: "


class Subscriber:
    """An endpoint that keeps the first arrival of each signal, in order."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._receiver = Receiver(self._answer)
        self.arrived: list[str] = []
        """The ids of the signals, in the order in which they came for the first time."""
        self.repeated = 0
        self._known: set[str] = set()

    async def open(self) -> str:
        """Listen. Returns the address."""
        await self._receiver.open()
        return self._receiver.url

    async def close(self) -> None:
        """Listen no more."""
        await self._receiver.shut()

    def _answer(self, number: int, request: Arrived) -> bytes:
        self._receiver.arrived.clear()  # noted here, and too much to keep
        if self._chance.random() < _FAILS:
            return status(500)
        which = request.headers["webhook-id"]
        if which in self._known:
            self.repeated += 1
        else:
            self._known.add(which)
            self.arrived.append(which)
        return OK

    def misses(self, recorded: list[RecordedSignal]) -> set[object]:
        """What of these should have come and has not, and what came before something of its ticket that precedes it."""
        wanted = {each.id: each for each in recorded if each.kind in KINDS}
        wrong = set[object](wanted.keys() - self._known)
        last: dict[str, int] = {}
        for which in self.arrived:
            each = wanted.get(which)
            if each is None:
                wrong.add(f"{which} was never told")
            elif each.seq < last.get(each.clock.ticket, 0):
                wrong.add(f"{which} came out of order")
            else:
                last[each.clock.ticket] = each.seq
        return wrong


class Follower:
    """A client of the live stream that must see every signal once, in order, whoever told it."""

    def __init__(self, bases: list[str], key: str) -> None:
        self._bases = bases
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        self.last = 0
        """The last place of the stream that it has seen."""
        self.connections = 0
        self.wrong: set[object] = set()

    async def follow(self) -> None:
        """Follow for ever, from the beginning of the stream."""
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
