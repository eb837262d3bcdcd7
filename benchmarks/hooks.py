"""How many deliveries of ticket systems a second does the service let in, durably, and what of its own limit is that?

Run: python benchmarks/hooks.py
One process, SQLite with `synchronous=FULL`; what comes in is read meanwhile. The limit, measured in turn with it, is a
route of the same app that verifies the same deliveries and stores nothing.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2

from benchmarks._hook_load import Aim, arguments
from tests.servers.slatimer import ROOT, Service

RUNS: Final = 3
SECONDS: Final = 4
CONNECTIONS: Final = 32
ANSWERED: Final = 50
"""Milliseconds in which a delivery is to be answered, 99 times of 100."""
SYSTEMS: Final = {"zammad": "hub-sha1", "zendesk": "zendesk"}

Rate = dict[str, float]


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), module=(str(ROOT / "benchmarks" / "_hook_limit_app.py"),))
        service.prepare()
        asked = ("--desk", "haisoft", "--json")
        secrets = {
            system: json.loads(service.command("connect", system, *asked))["secret"] for system in SYSTEMS
        }
        service.start()
        try:
            return _measure(service, secrets)
        finally:
            service.end()


def _measure(service: Service, secrets: dict[str, str]) -> int:
    print(f"{CONNECTIONS} connections, median of {RUNS} runs of {SECONDS} s")
    print(f"{'':36}{'a second':>10}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}")
    errors = 0.0
    for system, secret in secrets.items():
        limits: list[Rate] = []
        hooks: list[Rate] = []
        for run in range(RUNS):
            for path, rates in (("/limit", limits), ("/v1/hooks", hooks)):
                _drained(service)  # what the run before left to read would be paid for by this one
                rates.append(_load(service, path, system, secret, run))
        began = time.perf_counter()
        _drained(service)
        drained = time.perf_counter() - began
        limit, hook = _median(limits), _median(hooks)
        paced = _load(service, "/v1/hooks", system, secret, RUNS, pace=hook["per_second"] / 2)
        _drained(service)
        named = (
            ("verified, not stored (limit)", limit),
            ("POST /v1/hooks", hook),
            ("the same at half that rate", paced),
        )
        for name, rate in named:
            ratio = rate["per_second"] / limit["per_second"]
            line = f"{f'{system}, {name}':36}{rate['per_second']:10.0f}{ratio:8.2f}"
            print(f"{line}{rate['p50']:9.1f}{rate['p99']:9.1f}")
        half = hook["per_second"] * 2 >= limit["per_second"]
        print(
            f"{'':4}half of the limit: {'met' if half else 'missed'}; at half that rate p99 under {ANSWERED} ms: "
            f"{'met' if paced['p99'] < ANSWERED else 'missed'}; all were read {drained:.1f} s after the last"
        )
        errors += sum(rate["errors"] for rate in [*limits, *hooks, paced])
    print(f"answers other than 202: {errors:.0f}")
    return 1 if errors else 0


def _load(service: Service, path: str, system: str, secret: str, run: int, *, pace: float = 0.0) -> Rate:
    aim = Aim(
        service.port,
        f"{path}/haisoft/{system}",
        system,
        SYSTEMS[system],
        secret,
        f"{path[1:2]}{system}{run}-",
    )
    command = arguments(aim, CONNECTIONS, SECONDS, pace)
    done = subprocess.run(command, check=True, text=True, capture_output=True)
    found: Any = json.loads(done.stdout)
    return found


def _drained(service: Service) -> None:
    """Wait until everything that was let in has been read."""
    while _counted(service, "accepted") > sum(_counted(service, end) for end in ("done", "kept", "ignored")):
        time.sleep(0.05)


def _counted(service: Service, outcome: str) -> float:
    lines = httpx2.get(f"{service.base}/metrics", timeout=30).text.splitlines()
    wanted = f'outcome="{outcome}"'
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("slatimer_hooks_total") and wanted in line
    )


def _median(rates: list[Rate]) -> Rate:
    return sorted(rates, key=lambda rate: rate["per_second"])[len(rates) // 2]


if __name__ == "__main__":
    sys.exit(main())
