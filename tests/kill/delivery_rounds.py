"""Kills a service while it delivers and compares the receiver's record with the stream.

Each round starts a service on the same database, pushes tickets to it, and sends SIGKILL at a random moment after the
first delivery. The receiver runs all the time and fails at random. At the end the service runs until no delivery is
pending. The last line counts signals that never arrived (lost), arrivals that are in no stream (invented), repetitions
with other content (changed), tickets whose signals first arrived in another order than the stream's (disordered).
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

import httpx2

from tests.receiver import OK, Arrived, Receiver, status
from tests.servers.slatimer import ROOT, Service
from tests.waiting import HANG, until_true

PUSHERS: Final = 4
KILLED_AFTER: Final = (0.2, 2.5)
"""Seconds from the first delivery of a round to the kill."""
FAILS: Final = 0.05
"""Fraction of the deliveries that the receiver answers with an error."""
SETTINGS: Final = {
    "SLATIMER_ALLOW_NETWORKS": "127.0.0.0/8",
    "SLATIMER_DELIVERY_RETRY_SCHEDULE": ",".join(["PT0.2S"] * 300),
    # The claims of a killed service expire fifteen seconds after this.
    "SLATIMER_DELIVERY_TIMEOUT": "PT1S",
    "SLATIMER_METRICS_CACHE_TTL": "PT0.2S",
}
KINDS: Final = ("clock.started", "clock.paused", "clock.resumed", "clock.stopped", "clock.cancelled")


@dataclass(frozen=True)
class Outcome:
    """Result of all rounds."""

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
    """Pushes the events of tickets until the service is killed."""

    def __init__(self, base: str, headers: dict[str, str], chance: random.Random) -> None:
        self._base, self._headers, self._chance = base, headers, chance
        self._count = 0

    async def run(self) -> None:
        """Push until the service is killed."""
        async with httpx2.AsyncClient(base_url=self._base, headers=self._headers, timeout=HANG) as client:
            await asyncio.gather(*(self._pusher(client) for _ in range(PUSHERS)))

    async def _pusher(self, client: httpx2.AsyncClient) -> None:
        while True:
            self._count += 1
            ticket = f"K{self._count}"
            for number, (kind, data) in enumerate(self._life()):
                if not await self._push(client, _event(ticket, number, kind, data)):
                    return

    def _life(self) -> Sequence[tuple[str, dict[str, Any]]]:
        """The events of a ticket with several signals."""
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
    """Kill the service so many times, then compare."""
    chance = random.Random(seed)

    def answer(_number: int, _request: Arrived) -> bytes:
        return status(500) if chance.random() < FAILS else OK

    async with Receiver(answer=answer) as receiver:
        service = Service(folder, more=SETTINGS)
        await asyncio.to_thread(service.command, "apply", ROOT / "agreements", ROOT / "calendars")
        key = await asyncio.to_thread(service.command, "key", "create", "--desk", "*", "--scope", "admin")
        load = Load(service.base, {"Authorization": f"Bearer {key.strip()}"}, chance)
        for number in range(1, rounds + 1):
            await asyncio.to_thread(service.start)
            if number == 1:
                await _subscribe(service, key, receiver)
            before = len(receiver.arrived)
            pushing = asyncio.create_task(load.run())
            await until_true(lambda before=before: len(receiver.arrived) > before)
            await asyncio.sleep(chance.uniform(*KILLED_AFTER))
            await asyncio.to_thread(service.end, signal.SIGKILL)
            await pushing
            sys.stderr.write(f"round {number}: {len(receiver.arrived)} arrivals so far\n")
        await asyncio.to_thread(service.start)
        try:
            await _until_nothing_is_pending(service)
        finally:
            await asyncio.to_thread(service.end)
        return _compare(rounds, service.database, receiver.arrived)


async def _subscribe(service: Service, key: str, receiver: Receiver) -> None:
    body = {"desk": "haisoft", "kinds": KINDS, "url": receiver.url}
    headers = {"Authorization": f"Bearer {key.strip()}"}
    async with httpx2.AsyncClient(headers=headers, timeout=HANG) as client:
        (await client.post(f"{service.base}/v1/subscriptions", json=body)).raise_for_status()


async def _until_nothing_is_pending(service: Service) -> None:
    async with httpx2.AsyncClient(timeout=HANG) as client, asyncio.timeout(HANG):
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
    """Run ROUNDS rounds, by default a few."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(run(rounds, Path(folder)))
    sys.stdout.write(f"{outcome.recorded} signals recorded, {outcome.arrived} arrivals\n")
    sys.stdout.write(f"{outcome}\n")
    return 1 if outcome.lost or outcome.invented or outcome.changed or outcome.disordered else 0
