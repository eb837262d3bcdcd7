"""How long from a commit to a thousand clients of the stream?

Run: CLIENTS=1000 python benchmarks/stream.py  (PLANS=sqlite,one; short by default)
Outages are pushed one after the other, and every client of the stream is sent each. Measured is the time from the one
that the transaction bears, which is before its commit, to the arrival at each client. The limit: a route of the same
server that hands the same bytes to every client from memory, with no database.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2
from sqlalchemy import select

from app.sla.span import Micros, instant
from app.store.tables import signal
from benchmarks._shape import opened
from benchmarks._site import EMBEDDED, ONE, Plan, Site, server, site
from benchmarks._stream import Listening, at_share, now
from tests.servers.slatimer import ROOT

CLIENTS: Final = int(os.environ.get("CLIENTS", "200"))
TOLD: Final = int(os.environ.get("TOLD", "50"))
EVERY: Final = 0.2
"""Seconds between two signals: a thousand clients are then sent five thousand a second."""
KNOWN: Final = {"sqlite": EMBEDDED, "one": ONE}
PLANS: Final = tuple(KNOWN[name] for name in os.environ.get("PLANS", "sqlite,one").split(","))
AIM: Final = 500.0
"""Milliseconds."""
LIMIT_APP: Final = (str(ROOT / "benchmarks" / "_limit_app.py"),)
SETTLE: Final = 3.0
"""Seconds for the last signals to arrive, and for what letting the clients in has left to do."""
PATIENCE: Final = 120.0
"""Seconds in which all clients must have been let in."""


def main() -> int:
    """Print a table for each plan."""
    complete = [_plan(plan) for plan in PLANS]
    return 0 if all(complete) else 1


def _plan(plan: Plan) -> bool:
    with server(plan) as on, site(plan, on=on, module=LIMIT_APP) as measured:
        measured.start()
        rest = measured.memory()["web"]
        lags, loaded, lost = _lags(measured, "/v1/stream", _push, _by_record)
        limit, _, _ = _lags(measured, "/limit/stream", _tell, lambda _: lambda place: place)
    print(f"\n{plan.name}: {CLIENTS} clients, {TOLD} signals, one each {EVERY} s")
    print(f"{'':40}{'arrivals':>10}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for name, found in (("from the transaction to the client", lags), ("from memory (limit)", limit)):
        row = f"{name:40}{len(found):10}{at_share(found, 0.5):9.1f}{at_share(found, 0.99):9.1f}"
        print(f"{row}{max(found, default=0):9.1f}")
    complete = len(lags) == CLIENTS * TOLD
    met = complete and at_share(lags, 0.99) < AIM
    print(f"memory: {rest:.0f} MB at rest, {loaded:.0f} MB with the clients; clients cut off: {lost}")
    print(f"aim: p99 under {AIM:.0f} ms: {'met' if met else 'missed'}; all arrived: {complete}")
    return complete


def _lags(
    measured: Site,
    path: str,
    tell: Callable[[httpx2.Client, int], Any],
    told_at: Callable[[Site], Callable[[int], Micros]],
) -> tuple[list[float], float, int]:
    """Milliseconds of each arrival, the memory with all clients, and how many were cut off."""
    asked = {"kind": "clock.started", "desk": "clamehost"} if path.startswith("/v1") else {}
    listening = Listening(measured.web.port, path, measured.headers, asked, count=CLIENTS, whole=False)
    until = time.monotonic() + PATIENCE
    while listening.greeted() < CLIENTS and time.monotonic() < until:
        time.sleep(EVERY)
    time.sleep(SETTLE)
    with httpx2.Client(base_url=measured.web.base, headers=measured.headers, timeout=60) as client:
        for number in range(TOLD):
            tell(client, number)
            time.sleep(EVERY)
    time.sleep(SETTLE)
    loaded = measured.memory()["web"]
    listening.end()
    at_of = told_at(measured)
    lags = [
        (arrived - at_of(place)) / 1000 for client in listening.clients for arrived, place in client.places
    ]
    return lags, loaded, sum(client.lost for client in listening.clients)


def _push(client: httpx2.Client, number: int) -> None:
    event = {
        "specversion": "1.0",
        "source": "clamehost",
        "id": f"told-{number}",
        "type": "outage.started",
        "subject": f"told-{number}",
        "time": instant(now()).isoformat(),
        "data": {},
    }
    client.post("/v1/events", json=event).raise_for_status()


def _tell(client: httpx2.Client, number: int) -> None:
    client.post("/limit/tell", content=b"x" * 1100 + str(number).encode()).raise_for_status()


def _by_record(measured: Site) -> Callable[[int], Micros]:
    """When each signal was told, by its place in the stream."""
    asked = select(signal.c.seq, signal.c.detected_at)
    with opened(measured.url) as database:
        found = {row[0]: row[1] for row in database.read_now(lambda conn: conn.execute(asked).all())}
    return found.__getitem__


if __name__ == "__main__":
    sys.exit(main())
