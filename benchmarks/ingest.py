"""How many events a second does the service take in, durably, and what of its own limit is that?

Run: python benchmarks/ingest.py
One process, SQLite with `synchronous=FULL`. The limit, measured in turn with it, is a route of the same app that
verifies the key and validates the same body and stores nothing.
"""

import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2  # noqa: E402

from benchmarks._load import Aim, Rate, client_name, load  # noqa: E402
from benchmarks._service import ROOT, Service  # noqa: E402

RUNS: Final = 3
SECONDS: Final = 4
CONNECTIONS: Final = 32
BATCH: Final = 500
BATCHES: Final = 30
SENDERS: Final = 4


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), module=(str(ROOT / "benchmarks" / "_limit_app.py"),))
        headers = service.prepare()
        service.start()
        try:
            return _measure(service, headers)
        finally:
            service.end()


def _measure(service: Service, headers: dict[str, str]) -> int:
    rest = service.memory()
    limits: list[Rate] = []
    pushes: list[Rate] = []
    memory = rest
    for run in range(RUNS):
        for path, rates in (("/limit", limits), ("/v1/events", pushes)):
            now = datetime.now(UTC).isoformat()
            aim = Aim("127.0.0.1", service.port, path, headers["Authorization"], f"r{run}", now)
            rates.append(load(aim, connections=CONNECTIONS, seconds=SECONDS))
            memory = max(memory, service.memory())
    batches = [_batches(service, headers, run) for run in range(RUNS)]
    memory = max(memory, service.memory())
    limit, push = _median(limits), _median(pushes)
    print(f"{CONNECTIONS} connections, {client_name()}, median of {RUNS} runs of {SECONDS} s")
    print(f"{'':42}{'a second':>10}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}")
    for name, rate in (("checked, not stored (limit)", limit), ("POST /v1/events, one event", push)):
        ratio = rate.per_second / limit.per_second
        print(f"{name:42}{rate.per_second:10.0f}{ratio:8.2f}{rate.p50:9.1f}{rate.p99:9.1f}")
    per_second = statistics.median(batches)
    print(f"{f'events in batches of {BATCH}, {SENDERS} at a time':42}{per_second:10.0f}", end="")
    print(f"{per_second / limit.per_second:8.2f}")
    print(f"memory: {rest:.0f} MB at rest, {memory:.0f} MB after load")
    print(f"aims: half of the limit: {_word(push.per_second * 2 >= limit.per_second)};", end=" ")
    print(
        f"p99 under 100 ms: {_word(push.p99 < 100)}; 5,000 events/s in batches: {_word(per_second >= 5000)}"
    )
    errors = sum(rate.errors for rate in limits + pushes)
    print(f"answers other than 200: {errors}")
    return 1 if errors else 0


def _word(met: bool) -> str:
    return "met" if met else "missed"


def _median(rates: list[Rate]) -> Rate:
    return sorted(rates, key=lambda rate: rate.per_second)[len(rates) // 2]


def _batches(service: Service, headers: dict[str, str], run: int) -> float:
    """Events a second in batches."""
    bodies = [_batch(run, number) for number in range(BATCHES)]
    with (
        httpx2.Client(base_url=service.base, headers=headers, timeout=60) as client,
        ThreadPoolExecutor(SENDERS) as senders,
    ):
        began = time.perf_counter()
        accepted = sum(senders.map(_accepted, repeat(client), bodies))
        return accepted / (time.perf_counter() - began)


def _accepted(client: httpx2.Client, body: list[dict[str, Any]]) -> int:
    return client.post("/v1/events", json=body).raise_for_status().json()["accepted"]


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
