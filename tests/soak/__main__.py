"""`make soak HOURS=2`. RATE is tickets a second, SEED repeats them, FOLDER keeps soak.csv and the logs."""

import asyncio
import csv
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import httpx2

from tests.chaos.asked import Asked, say
from tests.chaos.beside import KINDS, Follower, Subscriber
from tests.chaos.fleet import DESK_FILES, Fleet
from tests.chaos.life import DESK
from tests.chaos.processes import ROOT
from tests.chaos.verdict import EVENTS, SIGNALS, RecordedSignal
from tests.soak.figures import Meter
from tests.soak.readers import Readers
from tests.soak.systems import DESKS, Systems
from tests.soak.verdict import Row, verdict
from tests.waiting import HANG, until_true

FILES: Final = (ROOT / "calendars", ROOT / "agreements", DESK_FILES)
SETTINGS: Final = {
    "SLATIMER_ALLOW_NETWORKS": "127.0.0.0/8",
    # The subscriber refuses some: at the end nothing waits for minutes.
    "SLATIMER_DELIVERY_RETRY_SCHEDULE": ",".join(["PT5S"] * 60),
}
READERS: Final = 6
ROWS: Final = 60
"""Rows of a run, and the shortest and the longest interval between them, in seconds."""
INTERVAL: Final = (10.0, 60.0)


def main() -> int:
    """Run for HOURS. The last line is the verdict."""
    hours = float(os.environ.get("HOURS") or "2")
    rate = float(os.environ.get("RATE") or "1")
    asked = Asked.read("soak")
    seed, folder = asked.seed, asked.folder
    say(f"{hours:g} h at {rate:g} tickets/s, seed {seed}, logs in {folder}")
    with Fleet(folder, files=FILES, settings=SETTINGS) as fleet:
        fleet.start()
        rows, wrong = asyncio.run(Soak(fleet, rate, seed).run(hours * 3600))
    found = verdict(rows, wrong)
    say(str(found))
    return 1 if found.faults else 0


class Soak:
    """One run."""

    def __init__(self, fleet: Fleet, rate: float, seed: int) -> None:
        bases = [web.base for web in fleet.webs]
        self._fleet = fleet
        self._systems = Systems(bases, fleet.key, rate, seed)
        self._readers = Readers(bases, fleet.key, seed)
        self._subscriber = Subscriber(seed)
        self._followers = [Follower(bases[n:] + bases[:n], fleet.key) for n in range(len(bases))]
        self._meter = Meter(fleet, self._systems, self._readers)

    async def run(self, seconds: float) -> tuple[list[Row], list[str]]:
        """Run for so long. Returns the rows and what is wrong at the end."""
        await self._subscribe()
        pushing = asyncio.create_task(self._systems.run())
        for each in self._followers:
            self._fleet.beside.begin(each.follow())
        beside = [asyncio.create_task(self._readers.read()) for _ in range(READERS)]
        beside += [asyncio.create_task(self._readers.report()), asyncio.create_task(self._readers.simulate())]
        rows = await self._measured(seconds)
        pushing.cancel()
        await self._systems.close()
        wrong = [*self._ended(pushing, *beside), *await self._at_the_end()]
        for task in beside:
            task.cancel()
        await asyncio.gather(pushing, *beside, return_exceptions=True)
        await asyncio.to_thread(self._fleet.beside.run, self._subscriber.close())
        return rows, wrong

    async def _subscribe(self) -> None:
        url = await asyncio.to_thread(self._fleet.beside.run, self._subscriber.open())
        headers = {"Authorization": f"Bearer {self._fleet.key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=HANG) as client:
            for desk in (*DESKS, DESK):
                asked = {"desk": desk, "kinds": KINDS, "url": url}
                answer = await client.post(f"{self._fleet.webs[0].base}/v1/subscriptions", json=asked)
                answer.raise_for_status()

    async def _measured(self, seconds: float) -> list[Row]:
        """A row each interval, printed and written as it comes."""
        began, rows = time.monotonic(), list[Row]()
        interval = min(max(seconds / ROWS, INTERVAL[0]), INTERVAL[1])
        with (self._fleet.folder / "soak.csv").open("w", newline="") as file:
            table = csv.writer(file)
            while (left := began + seconds - time.monotonic()) > 0:
                await asyncio.sleep(min(interval, left))
                row = await self._meter.row(time.monotonic() - began)
                if not rows:
                    table.writerow(_titles(row))
                    say("  ".join(f"{title:>10}" for title in _titles(row)))
                rows.append(row)
                table.writerow(_cells(row))
                file.flush()
                say("  ".join(f"{cell:>10}" for cell in _cells(row)))
        return rows

    @staticmethod
    def _ended(*tasks: asyncio.Task[Any]) -> Iterator[str]:
        """What ended before it was cancelled: by an error."""
        for task in tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                yield f"a task of the load ended: {task.exception()!r}"

    async def _at_the_end(self) -> list[str]:
        """Lost events, signals that a subscriber or a stream did not get, ended processes, failed checks."""
        recorded = await asyncio.to_thread(self._recorded)
        last = max((each.seq for each in recorded), default=0)
        missing = await self._missing()
        with suppress(AssertionError):  # the stream that ended before is named below
            await until_true(lambda: all(each.last >= last for each in self._followers))
        stored = {row["event_id"] for row in await asyncio.to_thread(self._fleet.ask, EVENTS)}
        lost = self._systems.acknowledged - stored
        found = [f"{len(lost)} events lost"] if lost else []
        found += [f"{len(missing)} signals not delivered: {sorted(map(str, missing))[:3]}"] if missing else []
        found += [f"a stream ended at {each.last} of {last}" for each in self._followers if each.last < last]
        found += [
            f"a stream had gaps: {sorted(map(str, each.wrong))[:3]}" for each in self._followers if each.wrong
        ]
        found += [f"{member.name} has ended" for member in self._fleet.members if not member.alive]
        done = await asyncio.to_thread(self._fleet.run, "doctor")
        return found + ([f"doctor: {done.stdout[-500:]}"] if done.exit_code else [])

    async def _missing(self) -> set[object]:
        """What the subscriber lacks, or should not have, all the time: signals go on being recorded."""
        deadline = time.monotonic() + HANG
        missing = self._subscriber.misses(await asyncio.to_thread(self._recorded))
        while missing and time.monotonic() < deadline:
            await asyncio.sleep(1)
            missing &= self._subscriber.misses(await asyncio.to_thread(self._recorded))
        return missing

    def _recorded(self) -> list[RecordedSignal]:
        return [RecordedSignal.of(row) for row in self._fleet.ask(SIGNALS)]


def _titles(row: Row) -> Sequence[str]:
    memory = (f"{name} MB" for name in row.memory)
    return (
        "s",
        "events",
        "errors",
        "lag ms",
        "machine ms",
        "behind ms",
        "push ms",
        "read ms",
        "pending",
        *memory,
    )


def _cells(row: Row) -> Sequence[str]:
    times = (f"{1000 * each:.0f}" for each in (row.lag, row.machine, row.behind, row.push, row.read))
    memory = (f"{each:.0f}" for each in row.memory.values())
    return (f"{row.after:.0f}", str(row.events), str(row.errors), *times, str(row.pending), *memory)


if __name__ == "__main__":
    sys.exit(main())
