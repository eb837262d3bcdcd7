"""Rate of durable event inserts, as a fraction of the limit measured in the same run.

Run: python benchmarks/ingest.py  (RUNS=, SECONDS=, CONNECTIONS=32,128, PLANS=sqlite,one,two to change it)
A first run of each is left out: statements are compiled and planned in it.
On SQLite with `synchronous=FULL` and on PostgreSQL with `fsync`. Measured in turn with the real route are two limits,
on routes of the same app: one verifies the key, validates the body and stores nothing; the other writes besides, in
group commit, the same rows as the service does. The aims are set against the second. The processor time of the web
processes is shown beside, since that does not depend on what else the machine does.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2

from benchmarks._figures import Figure, report
from benchmarks._load import Aim, Rate, client_name, load_all
from benchmarks._shape import PUSHED, steps_of
from benchmarks._site import EMBEDDED, ONE, TWO, UNLIMITED, Plan, Site, server, site
from tests.servers.slatimer import ROOT

RUNS: Final = int(os.environ.get("RUNS", "3"))
SECONDS: Final = int(os.environ.get("SECONDS", "2"))
CONNECTIONS: Final = tuple(map(int, os.environ.get("CONNECTIONS", "32,128").split(",")))
KNOWN: Final = {"sqlite": EMBEDDED, "one": ONE, "two": TWO}
PLANS: Final = tuple(KNOWN[name] for name in os.environ.get("PLANS", "sqlite,one,two").split(","))
AIMS: Final = {TWO: 0.6}
"""The part of the limit that a plan is to reach, where it is not a half."""
BATCH: Final = 500
BATCHES: Final = 20
SENDERS: Final = 4

LIMIT_APP: Final = (str(ROOT / "benchmarks" / "_limit_app.py"),)
CHECKED: Final = "checked, not stored"
STORED: Final = "the same rows, no logic"
REAL: Final = "POST /v1/events"
PATHS: Final = {CHECKED: "/limit", STORED: "/limit/stored", REAL: "/v1/events"}


@dataclass(slots=True)
class Found:
    """The rates of one plan: singles by number of connections, batches, and what each process holds."""

    singles: dict[tuple[int, str], list[Rate]] = field(default_factory=dict[tuple[int, str], list[Rate]])
    batches: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    spent: dict[tuple[int, str], list[float]] = field(default_factory=dict[tuple[int, str], list[float]])
    """Milliseconds of the web processes' processor time an event; for batches under 0 connections."""
    rest: float = 0.0
    loaded: float = 0.0


def main() -> int:
    """Print a table for each plan."""
    print(f"{client_name()}, medians of {RUNS} runs of {SECONDS} s, batches of {BATCH}, {SENDERS} at a time")
    with tempfile.TemporaryDirectory() as folder:
        shape = Path(folder) / "shape.json"
        steps = steps_of(PUSHED)[: len(PUSHED.happens)]
        shape.write_text(json.dumps([[asdict(write) for write in writes] for writes in steps]))
        errors = sum(_show(plan, _measured(plan, shape)) for plan in PLANS)
    return 1 if errors else 0


@contextmanager
def _sites(plan: Plan, shape: Path) -> Generator[dict[str, Site]]:
    """The service and, on a database of its own, the limits."""
    more = {"SLATIMER_BENCH_SHAPE": str(shape), **UNLIMITED}
    with (
        server(plan) as on,
        site(plan, on=on, name="real", more=UNLIMITED) as real,
        site(plan, on=on, name="bare", module=LIMIT_APP, more=more) as bare,
    ):
        real.start()
        bare.start()
        yield {CHECKED: bare, STORED: bare, REAL: real}


def _measured(plan: Plan, shape: Path) -> Found:
    found = Found()
    with _sites(plan, shape) as sites:
        found.rest = sites[REAL].memory()["web"]
        for connections in CONNECTIONS:
            for name, loaded in sites.items():
                aims = _aims(loaded, PATHS[name], f"first{connections}")
                load_all(aims, connections=connections, seconds=SECONDS)
        for run in range(RUNS):
            for connections in CONNECTIONS:
                for name, loaded in sites.items():
                    aims, before = _aims(loaded, PATHS[name], f"r{run}c{connections}"), loaded.cpu()
                    rate = load_all(aims, connections=connections, seconds=SECONDS)
                    found.singles.setdefault((connections, name), []).append(rate)
                    spent = (loaded.cpu() - before) / max(rate.per_second * SECONDS, 1) * 1000
                    found.spent.setdefault((connections, name), []).append(spent)
            for name, loaded in sites.items():
                before = loaded.cpu()
                found.batches.setdefault(name, []).append(_batches(loaded, PATHS[name], run))
                spent = (loaded.cpu() - before) / (BATCH * BATCHES) * 1000
                found.spent.setdefault((0, name), []).append(spent)
        found.loaded = sites[REAL].memory()["web"]
    return found


def _aims(loaded: Site, path: str, run: str) -> list[Aim]:
    now = datetime.now(UTC).isoformat()
    key = loaded.headers["Authorization"]
    return [
        Aim("127.0.0.1", web.port, path, key, f"{run}w{number}", now)
        for number, web in enumerate(loaded.webs)
    ]


def _show(plan: Plan, found: Found) -> int:
    """Print a plan's table. Returns how many answers were not 200."""
    print(f"\n{plan.name}")
    print(f"{'':40}{'events/s':>10}{'of limit':>10}{'p50 ms':>9}{'p99 ms':>9}{'cpu ms':>9}{'runs':>16}")
    met: list[str] = []
    aim = AIMS.get(plan, 0.5)
    for connections in CONNECTIONS:
        limit = _median(found.singles[connections, STORED]).per_second or float("nan")
        for name in PATHS:
            rates = found.singles[connections, name]
            rate = _median(rates)
            _row(
                f"{name}, {connections} connections",
                [each.per_second for each in rates],
                limit,
                f"{rate.p50:9.1f}{rate.p99:9.1f}",
                found.spent[connections, name],
            )
        ratio = _median(found.singles[connections, REAL]).per_second / limit
        spent, bare = (statistics.median(found.spent[connections, name]) for name in (REAL, STORED))
        report(Figure(f"ingest: an event, {connections} connections, {plan.name}", spent, "ms", limit=bare))
        met.append(f"{aim} of the limit at {connections}: {'met' if ratio >= aim else 'missed'}")
    for name in PATHS:
        limit = statistics.median(found.batches[STORED])
        _row(f"{name}, batches", found.batches[name], limit, " " * 18, found.spent[0, name])
    print(f"memory of a web process: {found.rest:.0f} MB at rest, {found.loaded:.0f} MB after load")
    errors = sum(rate.errors for rates in found.singles.values() for rate in rates)
    print(f"aims: {'; '.join(met)}; answers other than 200: {errors}")
    return errors


def _row(name: str, rates: list[float], limit: float, times: str, spent: list[float]) -> None:
    per_second, spread = statistics.median(rates), f"{min(rates):.0f}-{max(rates):.0f}"
    ratio, cpu = per_second / limit, statistics.median(spent)
    print(f"{name:40}{per_second:10.0f}{ratio:10.2f}{times}{cpu:9.2f}{spread:>16}")


def _median(rates: list[Rate]) -> Rate:
    return sorted(rates, key=lambda rate: rate.per_second)[len(rates) // 2]


def _batches(loaded: Site, path: str, run: int) -> float:
    """Events a second in batches."""
    bodies = [json.dumps(_batch(run, number)).encode() for number in range(BATCHES)]
    headers = loaded.headers | {"Content-Type": "application/json"}
    with (
        httpx2.Client(headers=headers, timeout=60) as client,
        ThreadPoolExecutor(SENDERS) as senders,
    ):

        def accepted(web: str, body: bytes) -> int:
            return client.post(web + path, content=body).raise_for_status().json()["accepted"]

        began = time.perf_counter()
        taken = sum(senders.map(accepted, cycle([web.base for web in loaded.webs]), bodies))
        return taken / (time.perf_counter() - began)


def _batch(run: int, number: int) -> list[dict[str, Any]]:
    start = datetime.now(UTC) - timedelta(hours=1)
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("ticket.created", {"customer": f"C{number}", "service": "dedicated"}),
        ("status.changed", {"status": "open"}),
        ("customer.replied", {"author": "customer", "text": "Is there any news of this?"}),
        ("agent.replied", {"author": "agent", "text": "We are looking into it."}),
    )
    return [
        {
            "specversion": "1.0",
            "source": "haisoft",
            "id": f"b{run}-{number}-{place}",
            "type": kinds[place % 4][0],
            "subject": f"b{run}-{number}-{place // 4}",
            "time": (start + timedelta(seconds=place)).isoformat(),
            "data": kinds[place % 4][1] | ({"title": f"Server {place} down"} if place % 4 == 0 else {}),
        }
        for place in range(BATCH)
    ]


if __name__ == "__main__":
    sys.exit(main())
