"""Ticket systems of six desks: five like those of a help desk, one with targets of seconds. Each pushes what happens.

A push that fails is repeated until it is acknowledged. Figures here are seconds, instants microseconds UTC.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import httpx2

from tests.chaos.life import DESK, SECOND, Happening, life, written

DESKS: Final = {"haisoft": 0.3, "phpnet": 0.25, "webxtra": 0.2, "clamehost": 0.15, "hvn": 0.1}
"""The shipped desks, each with its share of the tickets."""
_SECONDS_DESK: Final = 0.3
"""Fraction of the tickets that are of the desk with targets of seconds: its breaches show the lag."""
_GAP: Final = (5.0, 90.0)
"""Between two events of a ticket of the other desks."""
_PRIORITIES: Final = ("low", "normal", "high", "critical")
_WORDS: Final = [
    "mail",
    "dns",
    "backup",
    "certificate",
    "login",
    "disk",
    "quota",
    "invoice",
    "domain",
    "upgrade",
]
_TIMEOUT: Final = 30.0
_AGAIN: Final = 0.5
_OK: Final = 200


@dataclass
class Answers:
    """What came back since the last look: times of requests, and failures."""

    times: list[float] = field(default_factory=list[float])
    failures: list[str] = field(default_factory=list[str])

    def take(self) -> "Answers":
        """All so far; from here on it is empty."""
        found = Answers(self.times, self.failures)
        self.times, self.failures = [], []
        return found


class Systems:
    """All ticket systems. `rate` is tickets a second of all desks together."""

    def __init__(self, bases: list[str], key: str, rate: float, seed: int) -> None:
        self._bases, self._rate, self._chance = bases, rate, Random(seed)
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx2.AsyncClient(headers=headers, timeout=_TIMEOUT)
        self._lives: set[asyncio.Task[None]] = set()
        self._pushes: set[asyncio.Task[None]] = set()
        self._count = 0
        self.acknowledged: set[str] = set()
        self.answers = Answers()

    async def run(self) -> None:
        """Begin tickets until cancelled."""
        while True:
            await asyncio.sleep(self._chance.expovariate(self._rate))
            self._count += 1
            task = asyncio.create_task(self._live(*self._ticket()))
            self._lives.add(task)
            task.add_done_callback(self._lives.discard)

    async def close(self) -> None:
        """End all tickets where they are. What is being pushed is pushed to the end."""
        for task in self._lives:
            task.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        await asyncio.gather(*self._pushes)
        await self._client.aclose()

    def _ticket(self) -> tuple[str, list[tuple[float, Happening]]]:
        chance = Random(self._chance.random())
        if chance.random() < _SECONDS_DESK:
            return DESK, life(chance, f"T{self._count}", _now())
        desk = chance.choices(list(DESKS), list(DESKS.values()))[0]
        return desk, list(_of_help_desk(chance, f"{desk}-{self._count}"))

    async def _live(self, desk: str, recorded: list[tuple[float, Happening]]) -> None:
        began, began_at = time.monotonic(), _now()
        for after, happening in recorded:
            await asyncio.sleep(max(0.0, began + after - time.monotonic()))
            event = happening.as_event() | {"source": desk}
            if not happening.at:  # it happens now
                event["time"] = written(began_at + round(after * SECOND))
            push = asyncio.create_task(self._push(event))
            self._pushes.add(push)
            push.add_done_callback(self._pushes.discard)
            await asyncio.shield(push)

    async def _push(self, event: dict[str, Any]) -> None:
        while True:
            if await self._pushed(event):
                self.acknowledged.add(event["id"])
                return
            await asyncio.sleep(_AGAIN)

    async def _pushed(self, event: dict[str, Any]) -> bool:
        began = time.monotonic()
        try:
            answer = await self._client.post(f"{self._chance.choice(self._bases)}/v1/events", json=[event])
        except httpx2.TransportError as error:
            self.answers.failures.append(f"push: {type(error).__name__}")
            return False
        self.answers.times.append(time.monotonic() - began)
        if answer.status_code != _OK or answer.json()["refused"]:
            self.answers.failures.append(f"push: {answer.status_code} {answer.text[:600]}")
        return answer.status_code == _OK


def _of_help_desk(chance: Random, ticket: str) -> Iterator[tuple[float, Happening]]:
    """A ticket's events, each with the seconds to its push; they happen then."""
    title = " ".join(chance.sample(_WORDS, 3))
    created = {
        "title": title,
        "customer": f"C-{chance.randint(1, 200)}",
        "priority": chance.choice(_PRIORITIES),
        "service": chance.choice(("web", "mail", "network")),
    }
    steps: list[tuple[str, dict[str, Any]]] = [("ticket.created", created)]
    for _ in range(chance.randint(0, 4)):
        steps.append(("agent.replied", {"author": "agent", "assignee": f"agent-{chance.randint(1, 12)}"}))
        steps.append(
            ("customer.replied", {}) if chance.random() < 0.5 else ("status.changed", {"status": "pending"})
        )
    steps += [("ticket.updated", {"priority": chance.choice(_PRIORITIES)})] if chance.random() < 0.2 else []
    steps += (
        [("service.restored", {}), ("status.changed", {"status": "closed"})] if chance.random() < 0.9 else []
    )
    after = 0.0
    for place, (type_, data) in enumerate(steps):
        yield after, Happening(f"{ticket}-{place}", type_, ticket, 0, data)
        after += chance.uniform(*_GAP)


def _now() -> int:
    return time.time_ns() // 1000
