"""How late is a breach told when 100,000 clocks are armed?

Run: python benchmarks/lag.py  (CLOCKS= for another number)
A database is filled with running clocks that are due in an hour, a real service is started on it, and a thousand more
are pushed that come due over ten seconds. Measured are the instant that the service recorded for each breach, and its
arrival at a client of the stream, both against the due date. The limit beside them is how late this machine wakes a
process that only sleeps until those instants.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2  # noqa: E402

from app.cli.opened import opened  # noqa: E402
from app.flow.receive import Incoming  # noqa: E402
from app.settings import Settings  # noqa: E402
from app.sla.span import HOUR, SECOND, Micros, micros  # noqa: E402
from app.sla.ticket import Event  # noqa: E402
from benchmarks._service import Service  # noqa: E402

CLOCKS: Final = int(os.environ.get("CLOCKS", "100000"))
WATCHED: Final = 1000
OVER: Final = 10.0
BATCH: Final = 500
TARGET: Final = timedelta(hours=2)
AIM: Final = 100.0
"""Milliseconds."""


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        headers = service.prepare()
        began = time.perf_counter()
        _arm(service)
        armed = time.perf_counter() - began
        started = service.start()
        try:
            recorded, seen, memory = _watch(service, headers)
        finally:
            service.end()
    limit = _sleepers()
    print(
        f"{CLOCKS} clocks armed in {armed:.0f} s, service up after {started:.1f} s with {memory:.0f} MB;",
        end=" ",
    )
    print(f"{len(recorded)} breaches over {OVER:.0f} s")
    print(f"{'':34}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'ratio p99':>11}")
    for name, lags in (
        ("told, by the record", recorded),
        ("seen on the stream", seen),
        ("sleeping (limit)", limit),
    ):
        p50, p99, most = _at(lags, 0.5), _at(lags, 0.99), max(lags)
        print(f"{name:34}{p50:9.2f}{p99:9.2f}{most:9.2f}{p99 / _at(limit, 0.99):11.1f}")
    complete = len(recorded) == len(seen) == WATCHED
    met = complete and _at(seen, 0.99) < AIM
    print(f"aim: p99 under {AIM:.0f} ms: {'met' if met else 'missed'}; all told: {complete}")
    return 0 if complete else 1


def _at(lags: Iterable[float], share: float) -> float:
    ordered = sorted(lags)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _arm(service: Service) -> None:
    """Fill the database with outages whose two hours end in an hour and more."""
    with opened(Settings(database_url=f"sqlite:///{service.database}")) as parts:
        start = parts.database.now() - HOUR
        for first in range(0, CLOCKS, BATCH):
            events = [
                _outage(f"A{n}", start + n * SECOND // 50) for n in range(first, min(first + BATCH, CLOCKS))
            ]
            parts.receiver.receive_now(events, deliver=False, answered=False)


def _outage(ticket: str, at: Micros) -> Incoming:
    return Incoming.of("clamehost", Event(f"{ticket}-out", "outage.started", ticket, at, {}))


def _watch(service: Service, headers: dict[str, str]) -> tuple[list[float], list[float], float]:
    """Milliseconds by the record and on the stream for each breach, and the service's memory."""
    first = datetime.now(UTC) + timedelta(seconds=4)
    due = {f"W{n}": first + timedelta(seconds=OVER * n / WATCHED) for n in range(WATCHED)}
    recorded: list[float] = []
    seen: list[float] = []
    listening = threading.Event()
    listener = threading.Thread(
        target=_listen, args=(service, headers, listening, recorded, seen), daemon=True
    )
    listener.start()
    listening.wait(10)
    with httpx2.Client(base_url=service.base, headers=headers, timeout=60) as client:
        names = list(due)
        for start in range(0, WATCHED, BATCH):
            body = [_pushed(name, due[name] - TARGET) for name in names[start : start + BATCH]]
            client.post("/v1/events", json=body).raise_for_status()
    listener.join(OVER + 15)
    return recorded, seen, service.memory()


def _pushed(ticket: str, at: datetime) -> dict[str, Any]:
    about = {"id": f"{ticket}-out", "type": "outage.started", "subject": ticket, "time": at.isoformat()}
    return {"specversion": "1.0", "source": "clamehost", "data": {}, **about}


def _listen(
    service: Service,
    headers: dict[str, str],
    listening: threading.Event,
    recorded: list[float],
    seen: list[float],
) -> None:
    """Note when each breach arrives, until all have."""
    asked = {"kind": "clock.breached", "desk": "clamehost"}
    with httpx2.stream(
        "GET", f"{service.base}/v1/stream", params=asked, headers=headers, timeout=30
    ) as stream:
        listening.set()
        for line in stream.iter_lines():
            if line.startswith("data:"):
                arrived = time.time_ns() // 1000
                signal = json.loads(line[5:])
                at, detected = (micros(datetime.fromisoformat(signal[key])) for key in ("at", "detected_at"))
                recorded.append((detected - at) / 1000)
                seen.append((arrived - at) / 1000)
                if len(seen) == WATCHED:
                    return


def _sleepers(count: int = 200) -> list[float]:
    """Milliseconds by which a plain sleep until an instant is late here."""
    late: list[float] = []
    for _ in range(count):
        until = time.time() + 0.01
        time.sleep(until - time.time())
        late.append((time.time() - until) * 1000)
    return late


if __name__ == "__main__":
    sys.exit(main())
