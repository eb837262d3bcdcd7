"""Kills a service under load and compares its database with what it acknowledged.

Each round starts a service on the same database, pushes outages whose two hours end within seconds, restores some of
them in time, and sends SIGKILL at a random moment after the first acknowledgement. Acknowledged ids are written to a
file. At the end the service runs once more, and its record is compared with the acknowledged events and with its own
evaluation. The last line counts acknowledged events that are missing (lost), breaches without a valid signal at the
true instant and tickets without an evaluation (unrecorded), duplicate signals (doubled), signals recorded before their
time (early).
"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.servers.slatimer import Service
from tests.waiting import HANG, until

TARGET: Final = timedelta(hours=2)
PUSHERS: Final = 8
KILLED_AFTER: Final = (0.05, 1.5)
"""Seconds from the first acknowledgement of a round to the kill."""
DUE_AFTER: Final = (0.0, 4.0)
"""Seconds from a push to the breach: some fall into the load, some into the downtime, some after the restart."""
RESTORED: Final = 0.3
"""Fraction of the outages that are restored, if that push is in time."""


@dataclass
class Load:
    """Pushes outages. Pushed and acknowledged events."""

    folder: Path
    headers: dict[str, str]
    base: str
    chance: random.Random
    count: int = 0
    acknowledged: int = 0
    first_acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the first acknowledgement of a round: from then on a kill can lose something."""
    due: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Due date of each ticket."""
    unsure: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Events pushed and not acknowledged. They may be stored, so they are pushed again after the restart."""

    async def run(self) -> None:
        """Push until the service is killed."""
        limits = httpx2.Limits(max_connections=PUSHERS)
        async with httpx2.AsyncClient(
            base_url=self.base, headers=self.headers, limits=limits, timeout=HANG
        ) as client:
            again, self.unsure = self.unsure, []
            await asyncio.gather(*(self._pusher(client, again) for _ in range(PUSHERS)))

    async def _pusher(self, client: httpx2.AsyncClient, again: list[dict[str, Any]]) -> None:
        while again:
            if not await self._push(client, again.pop()):
                self.unsure += again
                again.clear()
                return
        while True:
            started = self._outage()
            if not await self._push(client, started):
                return
            if self.chance.random() < RESTORED and not await self._push(client, self._restored(started)):
                return

    def _outage(self) -> dict[str, Any]:
        self.count += 1
        ticket = f"K{self.count}"
        due = datetime.now(UTC) + timedelta(seconds=self.chance.uniform(*DUE_AFTER))
        self.due[ticket] = due
        return _event(f"{ticket}-out", "outage.started", ticket, due - TARGET)

    def _restored(self, started: dict[str, Any]) -> dict[str, Any]:
        ticket = started["subject"]
        return _event(f"{ticket}-up", "service.restored", ticket, datetime.now(UTC))

    async def _push(self, client: httpx2.AsyncClient, event: dict[str, Any]) -> bool:
        try:
            answer = await client.post("/v1/events", json=event)
        except httpx2.TransportError:
            self.unsure.append(event)
            return False
        if answer.status_code != 200:
            raise RuntimeError(f"{event} got {answer.status_code}: {answer.text}")
        with (self.folder / "acknowledged").open("a") as file:
            file.write(event["id"] + "\n")
        self.acknowledged += 1
        self.first_acknowledged.set()
        return True


def _event(event_id: str, type_: str, ticket: str, at: datetime) -> dict[str, Any]:
    about = {"id": event_id, "type": type_, "subject": ticket, "time": at.isoformat()}
    return {"specversion": "1.0", "source": "clamehost", "data": {}, **about}


@dataclass(frozen=True)
class Outcome:
    """Result of all rounds."""

    rounds: int
    acknowledged: int
    breaches: int
    lost: int
    unrecorded: int
    doubled: int
    early: int

    def __str__(self) -> str:
        faults = f"lost={self.lost} unrecorded={self.unrecorded} doubled={self.doubled} early={self.early}"
        return f"rounds={self.rounds} {faults}"


def run(rounds: int, folder: Path, seed: int | None = None) -> Outcome:
    """Kill the service so many times, then compare."""
    service = Service(folder)
    load = Load(folder, service.prepare(), service.base, random.Random(seed))
    for number in range(1, rounds + 1):
        service.start()
        asyncio.run(_until_killed(service, load))
        sys.stderr.write(f"round {number}: {load.count} tickets so far\n")
    service.start()
    try:
        _push_unsure(service, load)
        _wait_until_swept(service, load)
        views = _views(service, load.headers)
    finally:
        service.end()
    return _compare(rounds, service.database, load, views)


async def _until_killed(service: Service, load: Load) -> None:
    load.first_acknowledged = asyncio.Event()
    pushing = asyncio.create_task(load.run())
    async with asyncio.timeout(HANG):
        await load.first_acknowledged.wait()
    await asyncio.sleep(load.chance.uniform(*KILLED_AFTER))
    await asyncio.to_thread(service.end, signal.SIGKILL)
    await pushing


def _push_unsure(service: Service, load: Load) -> None:
    """Push unacknowledged events again. Each must be stored once, whether it was stored before or not."""
    with httpx2.Client(base_url=service.base, headers=load.headers, timeout=HANG) as client:
        for event in load.unsure:
            client.post("/v1/events", json=event).raise_for_status()


def _wait_until_swept(service: Service, load: Load) -> None:
    """Wait until all due dates have passed and the sweep has evaluated everything that is due."""
    last = max(load.due.values())
    with httpx2.Client(base_url=service.base, timeout=HANG) as client:

        def swept() -> bool:
            next_at = client.get("/readyz").json()["sweep"]["next_at"]
            now = datetime.now(UTC)
            return now > last and (next_at is None or _instant(next_at) > now)

        until(swept)


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _views(service: Service, headers: dict[str, str]) -> dict[str, Any]:
    """All tickets as the service evaluates them now."""
    found: dict[str, Any] = {}
    cursor: str | None = None
    with httpx2.Client(base_url=service.base, headers=headers, timeout=HANG) as client:
        while True:
            asked: dict[str, str] = {"desk": "clamehost", "limit": "500"} | (
                {"cursor": cursor} if cursor else {}
            )
            page = client.get("/v1/tickets", params=asked).raise_for_status().json()
            found |= {view["ticket"]: view for view in page["tickets"]}
            cursor = page["next"]
            if cursor is None:
                return found


def _compare(rounds: int, database: Path, load: Load, views: dict[str, Any]) -> Outcome:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as conn:
        stored = {row[0] for row in conn.execute("SELECT event_id FROM event")}
        tickets = {row[0] for row in conn.execute("SELECT DISTINCT ticket FROM event")}
        recorded = conn.execute(
            "SELECT ticket, kind, cycle, at, detected_at FROM signal WHERE retracted_at IS NULL AND kind LIKE 'clock.%'"
        ).fetchall()
    conn.close()
    file = load.folder / "acknowledged"
    acknowledged = file.read_text().split() if file.exists() else []
    breached = {row[0]: row[3] for row in recorded if row[1] == "clock.breached"}
    expected = {
        ticket: load.due[ticket]
        for ticket, view in views.items()
        if any(clock["breached_at"] is not None for clock in view["clocks"])
    }
    wrong = [t for t, due in expected.items() if breached.get(t) != round(due.timestamp() * 1_000_000)]
    invented = breached.keys() - expected.keys()
    once = Counter((row[0], row[1], row[2]) for row in recorded if row[1] != "clock.warned")
    return Outcome(
        rounds=rounds,
        acknowledged=len(acknowledged),
        breaches=len(expected),
        lost=len(set(acknowledged) - stored),
        unrecorded=len(wrong) + len(invented) + len(tickets - views.keys()),
        doubled=sum(count - 1 for count in once.values()),
        early=sum(row[4] < row[3] for row in recorded),
    )


def main() -> int:
    """Run ROUNDS rounds, by default a few."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(rounds, Path(folder))
    sys.stdout.write(f"{outcome.acknowledged} events acknowledged, {outcome.breaches} breaches\n")
    sys.stdout.write(f"{outcome}\n")
    return 1 if outcome.lost or outcome.unrecorded or outcome.doubled or outcome.early else 0
