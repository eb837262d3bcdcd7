"""Cost of requests by number of stored events, from ten thousand to twenty million.

Run: python benchmarks/growth.py  (with what docs/growth.md gives it)
Short by default; twenty million events take 48 GB, at 2.4 kB each, and half an hour. WRITE=1 writes the table and the
picture in docs/; FROM=FILE,FILE uses the figures that earlier runs saved with SAVE=FILE. The events are spread over 24
months, four to a ticket, one ticket in ten with a breach; tickets closed over a month ago are archived. KEEP=12 then
has the retention delete all but twelve months, on PostgreSQL, and measures again.
"""

import asyncio
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2

from app.flow.process.runtime import Runtime
from app.settings import Settings
from app.sla.span import DAY, HOUR, MINUTE, Micros, instant, length_of
from app.store.engine import partitions
from app.store.engine.database import Connection, Database, wall_clock
from app.store.engine.postgres import open_listener
from app.store.tickets import archive, schedule
from benchmarks._load import Aim, load
from benchmarks._picture import Point, draw, tabulate
from benchmarks._shape import ARMED, IN_TIME, LATE, NUMBERED, Copies, Write, analyse, fill, opened, rows_of
from benchmarks._site import EMBEDDED, ONE, Plan, Site, server, site
from benchmarks._stream import at_share
from tests.servers.postgres import Postgres
from tests.servers.slatimer import ROOT

SIZES: Final = {
    plan: [int(size) for size in os.environ.get(name, "4000,20000").split(",") if size]
    for plan, name in ((EMBEDDED, "SQLITE"), (ONE, "POSTGRESQL"))
}
SECONDS: Final = int(os.environ.get("SECONDS", "2"))
RUNS: Final = int(os.environ.get("RUNS", "3"))
ASKED: Final = 200
"""Questions of each kind."""
CONNECTIONS: Final = 32
MONTHS: Final = 24
SPAN: Final = MONTHS * 30 * DAY
EVENTS: Final = len(IN_TIME.happens)
LATE_SHARE: Final = 10
"""One ticket in so many is late."""
OPEN: Final = 1000
"""Tickets with a running clock, at every size: open work does not grow with the past."""
OPEN_FROM: Final = 80_000_000
"""The number of the first of them, beyond all others."""
DOCUMENT: Final = ROOT / "docs" / "growth.md"
PICTURE: Final = ROOT / "docs" / "growth.svg"
KEEP: Final = int(os.environ.get("KEEP", "0"))
"""Months whose events retention keeps, once the largest size is measured; 0 drops none."""
AGREEMENT: Final = ROOT / "agreements" / "haisoft.toml"
"""The agreement of all filled tickets."""
_TABLE: Final = re.compile(r"^\| database \|.*?\n\n", re.DOTALL | re.MULTILINE)


def main() -> int:
    """Measure each database at each size, and print the table."""
    if "FROM" in os.environ:
        files = [json.loads(Path(name).read_text()) for name in os.environ["FROM"].split(",")]
        points = [Point(**point) for file in files for point in file]
    else:
        points = list[Point]()
        for plan, sizes in SIZES.items():
            for point in _grown(plan, sizes) if sizes else ():
                points.append(point)
                _save(points)
    print(tabulate(points))
    if os.environ.get("WRITE") == "1":
        table = f"{tabulate(points)}\n"
        DOCUMENT.write_text(_TABLE.sub(lambda _: table, DOCUMENT.read_text(), count=1))
        PICTURE.write_text(draw([point for point in points if point.months is None]))
    return 0


def _save(points: Sequence[Point]) -> None:
    """Keep what is measured so far: the whole takes long."""
    if "SAVE" in os.environ:
        Path(os.environ["SAVE"]).write_text(json.dumps([asdict(point) for point in points]))


def _grown(plan: Plan, sizes: Sequence[int]) -> Iterator[Point]:
    with server(plan) as on, site(plan, on=on) as measured, opened(measured.url) as database:
        filling = _Filling(database)
        for size in sizes:
            began = time.perf_counter()
            filling.up_to(size)
            if on is not None:
                asyncio.run(_kept_tidy(on, measured.url))
            print(f"{plan.name}: {size} events after {time.perf_counter() - began:.0f} s", file=sys.stderr)
            yield _measured(plan, measured, database, filling.tickets, size)
        if on is not None and KEEP:
            left = _retained(measured, database)
            asyncio.run(_kept_tidy(on, measured.url))
            yield replace(_measured(plan, measured, database, filling.tickets, left), months=KEEP)


def _retained(measured: Site, database: Database) -> int:
    """Delete all events but those of the last months, as the agreement says from now on. Returns how many are left."""
    text = AGREEMENT.read_text().replace("\ncurrency", f'\nkeep_events = "{KEEP} months"\ncurrency', 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / AGREEMENT.name
        file.write_text(text)
        measured.web.command("apply", file)
    began, used = time.perf_counter(), time.process_time()
    result = Runtime(Settings(database_url=measured.url), database).retention.apply_now()
    took, used = time.perf_counter() - began, time.process_time() - used
    left = database.read_now(
        lambda conn: int(conn.exec_driver_sql("SELECT count(*) FROM event").scalar_one())
    )
    print(f"retention: {result.purged} tickets, {result.partitions_dropped} months dropped", file=sys.stderr)
    print(f"in {took:.0f} s, {used:.0f} s of this process; {left} events are left", file=sys.stderr)
    return left


async def _kept_tidy(on: Postgres, url: str) -> None:
    """Do what the server does by itself in the months that this much takes to come in."""
    session = await open_listener(Settings(database_url=url))
    try:
        await session.execute("VACUUM (ANALYZE)")
    finally:
        await session.close()
    on.execute("CHECKPOINT")


class _Filling:
    """Puts history into a database, more and more of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._now = database.now()
        self._in_time = (rows_of(IN_TIME), rows_of(IN_TIME, fold=True))
        self._late = (rows_of(LATE), rows_of(LATE, fold=True))
        self.tickets = 0
        self._begin = self._now - SPAN
        database.write_now(lambda conn, _: partitions.create_ahead(conn, self._begin, MONTHS + 2))
        copies = Copies(OPEN_FROM, OPEN, self._now - HOUR // 2, MINUTE // 4 * 60 // OPEN)
        fill(database, rows_of(ARMED), copies)

    def up_to(self, events: int) -> None:
        """Fill up to so many events."""
        count = events // EVENTS - self.tickets
        late = count // LATE_SHARE
        self._story(self._late, self.tickets, late)
        self._story(self._in_time, self.tickets + late, count - late)
        self.tickets += count
        analyse(self._database)

    def _story(self, rows: tuple[list[Write], list[Write]], first: int, count: int) -> None:
        step = (SPAN - DAY) // count
        unfolded, folded = rows
        old = count * (SPAN - DAY - length_of(Settings().archive_after)) // (SPAN - DAY)
        fill(self._database, folded, Copies(first, old, self._begin, step))
        fill(self._database, unfolded, Copies(first + old, count - old, self._begin + old * step, step))


def _measured(plan: Plan, measured: Site, database: Database, tickets: int, size: int) -> Point:
    measured.start()
    try:
        rates = [_load(measured, f"s{size}r{run}") for run in range(RUNS)]
        with httpx2.Client(base_url=measured.web.base, headers=measured.headers, timeout=60) as client:

            def asked(path: Callable[[], str]) -> float:
                return _undisturbed(lambda: client.get(path()).raise_for_status())

            chance = random.Random(size)
            recent, folded = range(tickets - tickets // 50, tickets), range(tickets // 2, tickets * 3 // 4)
            point = Point(
                database=plan.name.partition(",")[0],
                events=size,
                inserts=max(per_second for per_second, _ in rates),
                inserts_cpu=min(cpu for _, cpu in rates),
                view_recent=asked(lambda: _view(chance.choice(recent))),
                view_folded=asked(lambda: _view(chance.choice(folded))),
                tickets_page=asked(lambda: "/v1/tickets?limit=50"),
                next_due=_undisturbed(lambda: database.write_now(_next_due)),
                breaches_page=asked(lambda: "/v1/breaches?desk=haisoft&limit=50"),
                bytes=_bytes(measured, database),
            )
        began = time.perf_counter()
        database.read_now(lambda conn: archive.candidates(conn, 0, database.now() - 30 * DAY, 200))
        print(f"{plan.name}: tickets to archive found in {time.perf_counter() - began:.3f} s", end=" ")
        print(f"among {tickets} tickets; memory {measured.memory()}")
        return point
    finally:
        measured.end()


def _view(number: int) -> str:
    return f"/v1/tickets/haisoft/z{NUMBERED + number}"


def _next_due(conn: Connection, _: Micros) -> None:
    """What the sweep asks each time it wakes and finds nothing: what is due, and when is the next?"""
    schedule.due(conn, 0, Settings().sweep_batch_size)
    schedule.next_at(conn)


def _undisturbed(ask: Callable[[], object]) -> float:
    """Milliseconds of one question: the lower quartile of many, since others use the machine too."""
    taken: list[float] = []
    for _ in range(ASKED):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return at_share(taken, 0.25)


def _load(measured: Site, run: str) -> tuple[float, float]:
    """Events a second, and milliseconds of the web process's processor time for each."""
    now = instant(wall_clock()).isoformat()
    aim = Aim("127.0.0.1", measured.web.port, "/v1/events", measured.headers["Authorization"], run, now)
    before = measured.cpu()
    rate = load(aim, connections=CONNECTIONS, seconds=SECONDS).per_second
    return rate, (measured.cpu() - before) / max(rate * SECONDS, 1) * 1000


def _bytes(measured: Site, database: Database) -> int:
    """What the database takes on disk, without the log of writes that a checkpoint empties."""
    if measured.plan.postgresql:
        asked = "SELECT pg_database_size(current_database())"
        return database.read_now(lambda conn: int(conn.exec_driver_sql(asked).scalar_one()))
    return measured.web.database.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
