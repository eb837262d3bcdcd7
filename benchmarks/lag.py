"""Detection lag of breaches with a million running clocks.

Run: CLOCKS=1000000 python benchmarks/lag.py  (PLANS=sqlite,spread; short with 100,000 by default)
A database is filled with running clocks that are due later, a real service is started on it, and more are pushed that
come due at RATE a second. Measured are the instant that the service recorded for each breach, and its arrival at a
client of the stream, both against the due date. The limits beside them: how late this machine wakes a process that only
sleeps until those instants, and how late it is when that process commits one row for each.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2

from app.sla.span import HOUR, SECOND, Micros, instant, micros
from benchmarks._shape import ARMED, TARGET, Copies, analyse, fill, opened, rows_of
from benchmarks._site import EMBEDDED, SPREAD, Plan, Site, server, site
from benchmarks._stream import Listening, at_share, now

CLOCKS: Final = int(os.environ.get("CLOCKS", "100000"))
RATE: Final = int(os.environ.get("RATE", "200"))
OVER: Final = int(os.environ.get("OVER", "10"))
WATCHED: Final = RATE * OVER
KNOWN: Final = {"sqlite": EMBEDDED, "spread": SPREAD}
AIMS: Final = {EMBEDDED: 100.0, SPREAD: 250.0}
"""Milliseconds."""
PLANS: Final = tuple(KNOWN[name] for name in os.environ.get("PLANS", "sqlite,spread").split(","))
BATCH: Final = 500
LEAD: Final = 5 * SECOND + WATCHED * SECOND // 400
"""From the beginning of the pushes to the first breach: they are long through by then."""
PATIENCE: Final = 30.0
"""Seconds after the last breach that are waited for its signal."""


@dataclass(frozen=True, slots=True)
class Found:
    """Milliseconds by which each breach was late, and what it took."""

    recorded: list[float]
    seen: list[float]
    armed: float
    started: float
    rest: dict[str, float]
    loaded: dict[str, float]


def main() -> int:
    """Print a table for each plan."""
    complete = [_show(plan, *_measured(plan)) for plan in PLANS]
    return 0 if all(complete) else 1


def _measured(plan: Plan) -> tuple[Found, list[float]]:
    with server(plan) as on, site(plan, on=on) as measured:
        began = time.perf_counter()
        _arm(measured.url)
        armed = time.perf_counter() - began
        committing = _commits(measured.url)
        started = measured.start()
        rest = measured.memory()
        recorded, seen = _watch(measured)
        return Found(recorded, seen, armed, started, rest, measured.memory()), committing


def _show(plan: Plan, found: Found, committing: list[float]) -> bool:
    sleeping = _sleepers()
    print(
        f"\n{plan.name}: {CLOCKS} clocks armed in {found.armed:.0f} s, up after {found.started:.1f} s;",
        end=" ",
    )
    print(f"{len(found.recorded)} breaches at {RATE} a second for {OVER} s")
    print(f"{'':44}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for name, lags in (
        ("told, by the record", found.recorded),
        ("seen on the stream", found.seen),
        ("sleeping and committing a row (limit)", committing),
        ("sleeping (limit)", sleeping),
    ):
        print(f"{name:44}{at_share(lags, 0.5):9.2f}{at_share(lags, 0.99):9.2f}{max(lags, default=0):9.2f}")
    for role, most in found.loaded.items():
        print(f"memory of a {role} process: {found.rest[role]:.0f} MB at rest, {most:.0f} MB after")
    complete = len(found.recorded) == WATCHED
    met = complete and at_share(found.seen, 0.99) < AIMS[plan]
    print(f"aim: p99 under {AIMS[plan]:.0f} ms: {'met' if met else 'missed'}; all told: {complete}")
    return complete


def _arm(url: str) -> None:
    """Fill the database with outages whose first warning comes in half an hour and more, and their end later."""
    with opened(url) as database:
        begin = database.now() - HOUR // 2
        fill(database, rows_of(ARMED), Copies(0, CLOCKS, begin, HOUR // 4 // CLOCKS))
        analyse(database)


def _watch(measured: Site) -> tuple[list[float], list[float]]:
    """Milliseconds by the record and on the stream for each breach."""
    listening = Listening(
        measured.web.port,
        "/v1/stream",
        measured.headers,
        {"kind": "clock.breached", "desk": "clamehost"},
    )
    first = now() + LEAD
    due = {f"W{number}": first + number * SECOND // RATE for number in range(WATCHED)}
    with httpx2.Client(base_url=measured.web.base, headers=measured.headers, timeout=60) as client:
        names = list(due)
        for start in range(0, WATCHED, BATCH):
            body = [_pushed(name, due[name] - TARGET) for name in names[start : start + BATCH]]
            client.post("/v1/events", json=body).raise_for_status()
    if now() > first:
        print("the pushes took longer than the lead: the first breaches are late for that reason")
    until = first / SECOND + OVER + PATIENCE
    while time.time() < until and listening.clients[0].frames < WATCHED:
        time.sleep(1)
    listening.end()
    recorded = listening.clients[0].signals()
    recorded = [(_instant(signal["detected_at"]) - _instant(signal["at"])) / 1000 for _, signal in recorded]
    return recorded, [(arrived - _instant(signal["at"])) / 1000 for arrived, signal in recorded]


def _instant(text: str) -> Micros:
    return micros(datetime.fromisoformat(text))


def _pushed(ticket: str, at: Micros) -> dict[str, Any]:
    about = {
        "id": f"{ticket}-out",
        "type": "outage.started",
        "subject": ticket,
        "time": instant(at).isoformat(),
    }
    return {"specversion": "1.0", "source": "clamehost", "data": {}, **about}


def _commits(url: str, count: int = 400) -> list[float]:
    """Milliseconds by which a sleep until an instant and a commit of one row are late."""
    with opened(url) as database:
        database.write_now(
            lambda conn, _: conn.exec_driver_sql("CREATE TABLE bench_limit (at bigint)") and None
        )
        late = _late(
            count,
            lambda at: database.write_now(
                lambda conn, _: conn.exec_driver_sql(f"INSERT INTO bench_limit VALUES ({at})") and None
            ),
        )
        database.write_now(lambda conn, _: conn.exec_driver_sql("DROP TABLE bench_limit") and None)
    return late


def _sleepers(count: int = 400) -> list[float]:
    """Milliseconds by which a plain sleep until an instant is late here."""
    return _late(count, lambda _: None)


def _late(count: int, then: Callable[[Micros], object]) -> list[float]:
    late: list[float] = []
    begin = now() + SECOND // 10
    for number in range(count):
        at = begin + number * SECOND // RATE
        with suppress(ValueError):  # it has come already
            time.sleep((at - now()) / SECOND)
        then(at)
        late.append((now() - at) / 1000)
    return late


if __name__ == "__main__":
    sys.exit(main())
