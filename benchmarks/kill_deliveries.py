"""Is a delivery lost, out of order or under another id when the service is killed at any moment?

Run: ROUNDS=50 python benchmarks/kill_deliveries.py
A receiver outlives a real service that is started on the same database again and again, pushed to, and sent SIGKILL at a
random moment while it delivers. The receiver fails now and then by itself. At the end the service is left alone until
nothing is on its way, and what arrived is compared with the stream. The last line counts: signals for delivery that
never arrived (lost), arrivals that are in no stream (invented), repetitions with another content (changed), tickets
whose signals first arrived in another order than the stream's (disordered).
"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2

from benchmarks._service import Service
from tests.receiver import OK, Arrived, Receiver, status

PUSHERS: Final = 4
KILLED_AFTER: Final = (0.2, 2.5)
"""Seconds of load before the kill."""
FAILS: Final = 0.05
"""Share of the deliveries that the receiver answers with an error."""
SETTINGS: Final = {
    "SLATIMER_ALLOW_NETWORKS": "127.0.0.0/8",
    "SLATIMER_DELIVERY_RETRY_SCHEDULE": ",".join(["PT0.2S"] * 30),
    # What a killed service had claimed is free again fifteen seconds after this.
    "SLATIMER_DELIVERY_TIMEOUT": "PT1S",
}
PATIENCE: Final = 120
"""Seconds at the end until nothing may be on its way any more."""
KINDS: Final = ("clock.started", "clock.paused", "clock.resumed", "clock.stopped", "clock.cancelled")


@dataclass(frozen=True)
class Outcome:
    """What the rounds came to."""

    rounds: int
    recorded: int
    arrived: int
    lost: int
    invented: int
    changed: int
    disordered: int

    def __str__(self) -> str:
        faults = f"lost={self.lost} invented={self.invented} changed={self.changed}"
        return f"rounds={self.rounds} {faults} disordered={self.disordered}"


class Load:
    """Pushes the lives of tickets until the service is gone."""

    def __init__(self, base: str, headers: dict[str, str], chance: random.Random) -> None:
        self._base, self._headers, self._chance = base, headers, chance
        self._count = 0

    async def run(self) -> None:
        """Push until the service is gone."""
        async with httpx2.AsyncClient(base_url=self._base, headers=self._headers) as client:
            await asyncio.gather(*(self._pusher(client) for _ in range(PUSHERS)))

    async def _pusher(self, client: httpx2.AsyncClient) -> None:
        while True:
            self._count += 1
            ticket = f"K{self._count}"
            for number, (kind, data) in enumerate(self._life()):
                if not await self._push(client, _event(ticket, number, kind, data)):
                    return

    def _life(self) -> Sequence[tuple[str, dict[str, Any]]]:
        """A ticket of which several things are told."""
        pauses = [("status.changed", {"status": word}) for word in ("pending", "open")]
        life: list[tuple[str, dict[str, Any]]] = [("ticket.created", {"title": "down", "customer": "ACME"})]
        life += pauses * self._chance.randint(0, 3)
        return [*life, ("agent.replied", {"author": "agent"})]

    async def _push(self, client: httpx2.AsyncClient, event: dict[str, Any]) -> bool:
        try:
            (await client.post("/v1/events", json=event)).raise_for_status()
        except httpx2.TransportError:
            return False
        return True


def _event(ticket: str, number: int, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{ticket}-{number}",
        "source": "haisoft",
        "type": kind,
        "subject": ticket,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }


async def run(rounds: int, folder: Path, seed: int | None = None) -> Outcome:
    """Kill it so many times, then look."""
    chance = random.Random(seed)

    def answer(_number: int, _request: Arrived) -> bytes:
        return status(500) if chance.random() < FAILS else OK

    async with Receiver(answer=answer) as receiver:
        service = Service(folder, more=SETTINGS)
        await asyncio.to_thread(service.command, "apply", "agreements", "calendars")
        key = await asyncio.to_thread(service.command, "key", "create", "--desk", "*", "--scope", "admin")
        load = Load(service.base, {"Authorization": f"Bearer {key.strip()}"}, chance)
        for number in range(1, rounds + 1):
            await asyncio.to_thread(service.start)
            if number == 1:
                await _subscribe(service, key, receiver)
            pushing = asyncio.create_task(load.run())
            await asyncio.sleep(chance.uniform(*KILLED_AFTER))
            await asyncio.to_thread(service.end, signal.SIGKILL)
            await pushing
            print(f"round {number}: {len(receiver.arrived)} arrivals so far", file=sys.stderr)
        await asyncio.to_thread(service.start)
        try:
            await _until_nothing_is_on_its_way(service)
        finally:
            await asyncio.to_thread(service.end)
        return _compare(rounds, service.database, receiver.arrived)


async def _subscribe(service: Service, key: str, receiver: Receiver) -> None:
    body = {"desk": "haisoft", "kinds": KINDS, "url": receiver.url}
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {key.strip()}"}) as client:
        (await client.post(f"{service.base}/v1/subscriptions", json=body)).raise_for_status()


async def _until_nothing_is_on_its_way(service: Service) -> None:
    async with httpx2.AsyncClient() as client, asyncio.timeout(PATIENCE):
        pending = True
        while pending:
            await asyncio.sleep(0.5)
            text = (await client.get(f"{service.base}/metrics")).text
            pending = "slatimer_pending_deliveries 0.0" not in text


def _compare(rounds: int, database: Path, arrived: Sequence[Arrived]) -> Outcome:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as conn:
        marks = ",".join("?" * len(KINDS))
        query = f"SELECT id, ticket FROM signal WHERE deliver AND kind IN ({marks}) ORDER BY seq"
        recorded: list[tuple[str, str]] = conn.execute(query, KINDS).fetchall()
    conn.close()
    bodies: dict[str, set[bytes]] = defaultdict(set)
    first: dict[str, list[str]] = defaultdict(list)
    for each in arrived:
        which = each.headers["webhook-id"]
        if which not in bodies:
            first[each.event["subject"]].append(which)
        bodies[which].add(each.body)
    in_stream: dict[str, list[str]] = defaultdict(list)
    for which, ticket in recorded:
        in_stream[ticket].append(which)
    return Outcome(
        rounds=rounds,
        recorded=len(recorded),
        arrived=len(arrived),
        lost=sum(which not in bodies for which, _ in recorded),
        invented=len(bodies.keys() - {which for which, _ in recorded}),
        changed=sum(len(contents) > 1 for contents in bodies.values()),
        disordered=sum(first[ticket] != order for ticket, order in in_stream.items()),
    )


def main() -> int:
    """The rounds that ROUNDS says, else a few."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(run(rounds, Path(folder)))
    print(f"{outcome.recorded} signals told, {outcome.arrived} arrivals")
    print(outcome)
    return 1 if outcome.lost or outcome.invented or outcome.changed or outcome.disordered else 0


if __name__ == "__main__":
    sys.exit(main())
