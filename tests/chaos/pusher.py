"""Pushes events in a separate process that survives every fault, and records acknowledgements.

It pushes to either web process until it is acknowledged, sometimes to both or twice, and writes each acknowledged event
to a file before it continues. Commands come on standard input: the first line has the orders, `quiet` finishes pending
pushes and prints the counts of responses, `go` starts again. It ends with its input. Refusals are written to a file, and
so are failures that are not 503 with Retry-After: there must be none.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx2

from tests.chaos.calls import call_life
from tests.chaos.claims import claim_life, claimed_outage
from tests.chaos.credits import past_life
from tests.chaos.life import Happening, life
from tests.chaos.outages import outage_life

ACKNOWLEDGED: Final = "acknowledged.jsonl"
REFUSED: Final = "refused.jsonl"
QUIET: Final = "quiet"
GO: Final = "go"

_SENDERS: Final = 12
_TIMEOUT: Final = 10.0
"""Seconds after which a push is retried, as ticket systems do."""
_AGAIN: Final = (0.05, 0.3)
"""Seconds until the next attempt."""
_MOST_TOGETHER: Final = 4
"""Maximum events in one push, of any tickets."""
_BOTH: Final = 0.08
"""Fraction of the pushes that go to both web processes at once."""
_REPEATED: Final = 0.05
"""Fraction of the pushes that are repeated after their acknowledgement."""
_OUTAGES: Final = 0.15
"""Fraction of the lives that are an outage of a service and not a ticket."""
_PAST_OUTAGES: Final = 0.05
"""Fraction of those that are an outage of the month before, which changes a credit."""
_CLAIMED_OUTAGES: Final = 0.04
"""Fraction of those that are an outage whose credit lapses now, and of those that are a claim."""
_CLAIMS: Final = 0.06
_CALLS: Final = 0.1
"""Fraction of those that are a call."""
_OTHERS: Final = (
    (_OUTAGES, outage_life),
    (_PAST_OUTAGES, past_life),
    (_CLAIMED_OUTAGES, claimed_outage),
    (_CLAIMS, claim_life),
    (_CALLS, call_life),
)
"""Lives that are not tickets."""
_OK: Final = 200
_FAILED: Final = 500
_UNAVAILABLE: Final = 503
_RETRY_AFTER: Final = "Retry-After"


@dataclass(frozen=True, slots=True)
class Orders:
    """Targets, key, seed, output folder and `rate`, in tickets a second."""

    bases: list[str]
    key: str
    folder: str
    seed: int
    rate: float

    def as_line(self) -> str:
        """As one line of standard input."""
        return json.dumps(asdict(self)) + "\n"


class Pusher:
    """Pushes until its input ends."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._chance = Random(orders.seed)
        limits = httpx2.Limits(max_connections=2 * _SENDERS)
        headers = {"Authorization": f"Bearer {orders.key}"}
        self._client = httpx2.AsyncClient(headers=headers, timeout=_TIMEOUT, limits=limits)
        self._waiting: asyncio.Queue[Happening] = asyncio.Queue()
        self._lives: set[asyncio.Task[None]] = set()
        self._count = 0
        self._answers: Counter[str] = Counter()
        self._acknowledged = (Path(orders.folder) / ACKNOWLEDGED).open("a")
        self._refused = (Path(orders.folder) / REFUSED).open("a")

    async def run(self, lines: asyncio.StreamReader) -> None:
        """Execute the commands from standard input."""
        senders = [asyncio.create_task(self._send()) for _ in range(_SENDERS)]
        births: asyncio.Task[None] | None = None
        while line := (await lines.readline()).decode().strip():
            if line == GO:
                births = asyncio.create_task(self._births())
            elif births is not None:
                births.cancel()
                await self._finish()
                sys.stdout.write(json.dumps(self._answers) + "\n")
                sys.stdout.flush()
        for sender in senders:
            sender.cancel()

    async def _births(self) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(self._orders.rate))
            self._count += 1
            recorded = self._life()
            task = asyncio.create_task(self._live(recorded))
            self._lives.add(task)
            task.add_done_callback(self._lives.discard)

    def _life(self) -> list[tuple[float, Happening]]:
        chance = Random(self._chance.random())
        drawn = self._chance.random()
        for fraction, lived in _OTHERS:
            if drawn < fraction:
                return lived(chance, self._count, _now())
            drawn -= fraction
        return life(chance, f"T{self._count}", _now())

    async def _live(self, recorded: list[tuple[float, Happening]]) -> None:
        began = time.monotonic()
        for after, happening in recorded:
            await asyncio.sleep(max(0.0, began + after - time.monotonic()))
            self._waiting.put_nowait(happening)

    async def _finish(self) -> None:
        """Stop all tickets, and wait until every event is acknowledged."""
        for task in self._lives:
            task.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        await self._waiting.join()

    async def _send(self) -> None:
        while True:
            together = [await self._waiting.get()]
            most = self._chance.randint(1, _MOST_TOGETHER)
            while len(together) < most and not self._waiting.empty():
                together.append(self._waiting.get_nowait())
            await self._push_until_answered(together)
            for happening in together:
                self._note(self._acknowledged, happening.as_row() | {"acknowledged_at": _now()})
                self._waiting.task_done()
            if self._chance.random() < _REPEATED:
                await self._push(together)

    async def _push_until_answered(self, together: list[Happening]) -> None:
        while True:
            if await self._push(together):
                return
            await asyncio.sleep(self._chance.uniform(*_AGAIN))

    async def _push(self, together: list[Happening]) -> bool:
        """Whether at least one web process has responded."""
        bases = self._orders.bases
        if len(bases) > 1:
            bases = self._chance.sample(bases, 2 if self._chance.random() < _BOTH else 1)
        body = [each.as_event() for each in together]
        answers = await asyncio.gather(*(self._post(base, body) for base in bases))
        return any(answers)

    async def _post(self, base: str, body: list[dict[str, Any]]) -> bool:
        try:
            answer = await self._client.post(f"{base}/v1/events", json=body)
        except httpx2.TransportError as error:
            self._answers[type(error).__name__] += 1
            return False
        self._answers[str(answer.status_code)] += 1
        failed = answer.status_code >= _FAILED
        if failed and answer.status_code == _UNAVAILABLE and _RETRY_AFTER in answer.headers:
            return False
        if answer.status_code != _OK or answer.json()["refused"]:
            self._note(self._refused, {"status": answer.status_code, "answer": answer.text, "pushed": body})
        return not failed

    def _note(self, file: Any, row: dict[str, Any]) -> None:
        file.write(json.dumps(row) + "\n")
        file.flush()


def _now() -> int:
    return time.time_ns() // 1000


async def _main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    given: dict[str, Any] = json.loads(await lines.readline())
    await Pusher(Orders(**given)).run(lines)


if __name__ == "__main__":
    asyncio.run(_main())
