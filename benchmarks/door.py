"""Processor time of one event at the door, beside the limit that is measured in turn with it.

Run: python benchmarks/door.py  (RUNS=, PLANS=sqlite,postgresql, PARTS=writer,http to change it; PROFILE=batches,
answered or alone prints where that one's time goes)
In this process, without HTTP: events of different tickets in transactions of a hundred, the same with reading and
answering, and each in a transaction of its own. Their limit writes the same rows with nothing read, judged or checked.
Over HTTP: a push that is read, checked and not stored; its limit is a route of a bare app on the same stack. User and
system time of the process that does the work, without the database's server; medians of the runs.
"""

import asyncio
import cProfile
import json
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import orjson
from sqlalchemy import Connection

from app.cli.terminal import log_warnings_only
from app.flow.judge.receive import Incoming
from app.flow.process.runtime import Runtime
from app.flow.query import serialize
from app.intake.cloudevents import Readable, read_event
from app.principal import EVERY
from app.settings import Settings
from app.sla.span import Micros
from app.store.engine.database import Database
from benchmarks._copyist import Copyist
from benchmarks._figures import Figure, report
from benchmarks._load import Aim, load
from benchmarks._shape import PUSHED, steps_of
from benchmarks._site import EMBEDDED, ONE, UNLIMITED, Plan, Site, server, site
from tests.servers.slatimer import ROOT, Service

RUNS: Final = int(os.environ.get("RUNS", "5"))
KNOWN: Final = {"sqlite": EMBEDDED, "postgresql": ONE}
PLANS: Final = os.environ.get("PLANS", "sqlite,postgresql").split(",")
PARTS: Final = os.environ.get("PARTS", "writer,http").split(",")
PROFILE: Final = os.environ.get("PROFILE")
EVENTS: Final = 2_000
ALONE: Final = 400
BATCH: Final = 100
CONNECTIONS: Final = 16
SECONDS: Final = 2
MAX_TEXT: Final = 64_000
BATCHES: Final = "in batches of 100"
ANSWERED: Final = "with reading and answering"
SINGLE: Final = "alone"
OVER_HTTP: Final = "read and checked over HTTP"
AIMS: Final = {BATCHES: 0.3, ANSWERED: 0.5, SINGLE: 2.75, OVER_HTTP: 0.43}
"""Milliseconds: half of what an event took before the door was made cheaper."""
DESK: Final = "haisoft"

BARE_APP: Final = (str(ROOT / "benchmarks" / "_bare_app.py"),)
LIMIT_APP: Final = (str(ROOT / "benchmarks" / "_limit_app.py"),)


def values(run: str, count: int) -> list[dict[str, Any]]:
    """So many events, as bodies of pushes state them: the events of a ticket are a batch apart."""
    start = datetime.now(UTC) - timedelta(hours=1)
    return [_value(run, place, start + timedelta(milliseconds=place)) for place in range(count)]


def _value(run: str, place: int, at: datetime) -> dict[str, Any]:
    turn, ticket = divmod(place, BATCH)
    rounds, step = divmod(turn, len(PUSHED.happens))
    _, kind, data = PUSHED.happens[step]
    return {
        "specversion": "1.0",
        "source": DESK,
        "id": f"{run}-{place}",
        "type": kind,
        "subject": f"{run}-{rounds * BATCH + ticket}",
        "time": at.isoformat(),
        "data": _data(data, place),
    }


def _data(data: Mapping[str, Any], place: int) -> dict[str, Any]:
    # Titles differ, as those of a customer's tickets do: equal ones would be duplicates of one another.
    return {**data, "title": f"Server {place} down"} if "title" in data else dict(data)


class Door:
    """The ways through the door in this process."""

    def __init__(self, database: Database, bare: Database, shape: Mapping[str, Any]) -> None:
        """`bare` gets the rows without logic: places in the stream are given otherwise there."""
        self.database, self._bare = database, bare
        self._receiver = Runtime(database.settings, database).receiver
        self._copyist = Copyist(shape)
        self._run = 0
        self._read: dict[bytes, list[Incoming]] = {}
        self.ways: Mapping[str, tuple[int, Callable[[list[bytes]], None]]] = {
            "batches": (BATCH, self._batches),
            "answered": (BATCH, self._answered),
            "alone": (1, self._alone),
            "rows in batches": (BATCH, self._rows),
            "rows alone": (1, self._rows),
        }

    def spent(self, way: str) -> float:
        """Milliseconds of processor time an event."""
        size, work = self.ways[way]
        count = EVENTS if size > 1 else ALONE
        self._run += 1
        made = values(f"d{self._run}", count)
        bodies = [orjson.dumps(made[at : at + size]) for at in range(0, count, size)]
        self._read = {body: self._incoming(body) for body in bodies}
        began = time.process_time()
        work(bodies)
        return (time.process_time() - began) / count * 1000

    @staticmethod
    def _incoming(body: bytes) -> list[Incoming]:
        read = [read_event(value, max_text=MAX_TEXT) for value in orjson.loads(body)]
        return [Incoming.of(each.desk, each.event) for each in read if isinstance(each, Readable)]

    def _batches(self, bodies: list[bytes]) -> None:
        for body in bodies:
            self._receiver.receive_now(self._read[body], answered=False)

    def _answered(self, bodies: list[bytes]) -> None:
        for body in bodies:
            receipt = self._receiver.receive_now(self._incoming(body))
            orjson.dumps([serialize.ticket(answer) for answer in receipt.tickets])

    def _alone(self, bodies: list[bytes]) -> None:
        async def each() -> None:
            for body in bodies:
                receipt = await self._receiver.receive(self._incoming(body))
                orjson.dumps([serialize.ticket(answer) for answer in receipt.tickets])

        asyncio.run(each())

    def _rows(self, bodies: list[bytes]) -> None:
        def write(conn: Connection, now: Micros, body: bytes) -> None:
            events = (one.event for one in self._read[body])
            self._copyist.write(conn, now, [(each.type, each.subject, each.id) for each in events])

        for body in bodies:
            self._bare.write_now(lambda conn, now, body=body: write(conn, now, body), EVERY)


@contextmanager
def _door(plan: Plan) -> Generator[Door]:
    steps = steps_of(PUSHED)
    shape = {kind: steps[place] for place, (_, kind, _) in enumerate(PUSHED.happens)}
    with (
        server(plan) as on,
        site(plan, on=on, name="door") as ours,
        site(plan, on=on, name="bare") as bare,
        Database(Settings(database_url=ours.url)) as database,
        Database(Settings(database_url=bare.url)) as rows,
    ):
        yield Door(database, rows, shape)


def _writer(plan: Plan) -> None:
    with _door(plan) as door:
        for way in door.ways:
            door.spent(way)
        if PROFILE:
            _profile(door, PROFILE)
            return
        found = {way: [float("nan")] for way in door.ways}
        for _ in range(RUNS):
            for way, spent in found.items():
                spent.append(door.spent(way))
    middle = {way: statistics.median(spent[1:]) for way, spent in found.items()}
    _row(plan, BATCHES, middle["batches"], middle["rows in batches"])
    _row(plan, ANSWERED, middle["answered"], middle["rows in batches"])
    _row(plan, SINGLE, middle["alone"], middle["rows alone"])


def _profile(door: Door, way: str) -> None:
    """Where the time of one way goes, in the thread that writes."""
    profile = cProfile.Profile()
    # A profile begins and ends in the thread that it is of.
    door.database.write_now(lambda _conn, _now: profile.enable(), EVERY)
    door.spent(way)
    door.database.write_now(lambda _conn, _now: profile.disable(), EVERY)
    pstats.Stats(profile).sort_stats("tottime").print_stats(60)
    pstats.Stats(profile).sort_stats("cumtime").print_stats(90)


def _http(plan: Plan) -> None:
    """A push that is read and checked, and a bare route."""
    with tempfile.TemporaryDirectory() as folder:
        shape = Path(folder) / "shape.json"
        steps = steps_of(PUSHED)[: len(PUSHED.happens)]
        shape.write_text(json.dumps([[asdict(write) for write in writes] for writes in steps]))
        with server(plan) as on, site(plan, on=on, name="http", module=LIMIT_APP, more=UNLIMITED) as ours:
            bare = Service(Path(folder), module=BARE_APP)
            ours.start()
            bare.start()
            try:
                checked, limit = _in_turns(ours, bare)
            finally:
                bare.end()
    _row(plan, OVER_HTTP, checked, limit)


def _in_turns(ours: Site, bare: Service) -> tuple[float, float]:
    key, now = ours.headers["Authorization"], datetime.now(UTC).isoformat()
    found: tuple[list[float], list[float]] = ([], [])
    for run in range(RUNS + 1):
        for (service, path), spent in zip(((ours.web, "/limit"), (bare, "/bare")), found, strict=True):
            before = service.cpu()
            aim = Aim("127.0.0.1", service.port, path, key, f"h{run}", now)
            rate = load(aim, connections=CONNECTIONS, seconds=SECONDS)
            if rate.errors:
                raise RuntimeError(f"{rate.errors} answers of {path} were not 200")
            spent.append((service.cpu() - before) / (rate.per_second * SECONDS) * 1000)
    return statistics.median(found[0][1:]), statistics.median(found[1][1:])


def _row(plan: Plan, name: str, ours: float, limit: float) -> None:
    aim = AIMS[name]
    print(f"{plan.name:32}{name:32}{ours:8.2f}{aim:8.2f}{limit:8.2f}{ours / limit:8.1f}", flush=True)
    report(Figure(f"door: an event {name}, {plan.name}", ours, "ms", aim=aim, limit=limit))


def main() -> None:
    """Print the table."""
    log_warnings_only()
    print(f"milliseconds of processor time an event, medians of {RUNS} runs")
    print(f"{'':64}{'ours':>8}{'aim':>8}{'limit':>8}{'ratio':>8}")
    for plan in (KNOWN[name] for name in PLANS):
        if "writer" in PARTS:
            _writer(plan)
    if "http" in PARTS:
        _http(EMBEDDED)


if __name__ == "__main__":
    main()
