"""What does a simulation take, and does it count what two replays count?

    python benchmarks/simulations.py LOG.csv              # Case ID, Activity, Complete Timestamp, as replay_check.py
    python benchmarks/simulations.py --tickets 10000      # a year made up, of a desk of its own

With a log, it is replayed twice in benchmarks/helpdesk, under GTI 4 h and GTR 24 h and under 8 h and 48 h, and simulated
once; any difference in the counts is exit code 1. Times are of the wall clock, and of the simulation's processor.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
DESK: Final = ROOT / "benchmarks" / "helpdesk"
AT: Final = "2014-01-01T00:00:00+01:00"
LONGER: Final = {'"4h"': '"8h"', '"24h"': '"48h"'}
COUNTS: Final = ("clocks", "met", "missed", "running", "awaiting", "cancelled")


class Site:
    """A database in a folder, and the command on it."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, "SLATIMER_DATABASE_URL": f"sqlite:///{folder / 'simulations.db'}"}

    def run(self, *arguments: object) -> str:
        """What a command prints. Exits when it fails."""
        command = [sys.executable, "-m", "app", *map(str, arguments)]
        done = subprocess.run(
            command, env=self._environment, cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}: exit code {done.returncode}")
        return done.stdout

    def replay(self, log: Path, agreements: Path) -> dict[str, Any]:
        """The counts of a replay under an agreement."""
        self.run("apply", agreements, DESK / "calendars")
        mapping = ("--mapping", DESK / "mapping.toml")
        said = self.run("replay", log, "--desk", "helpdesk", *mapping, "--at", AT, "--json")
        return json.loads(said)["commitments"]

    def simulate(self, since: str) -> tuple[dict[str, Any], float, float]:
        """A result, the seconds that it took, and those of its processor."""
        span = ("--desk", "helpdesk", "--from", since, "--to", AT)
        changes = ("--set", "commitments.gti.target=8h", "--set", "commitments.gtr.target=48h")
        began, used = time.perf_counter(), _processor()
        found = json.loads(self.run("simulate", *span, *changes, "--json"))
        return found, time.perf_counter() - began, _processor() - used


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def made_year(path: Path, tickets: int) -> Path:
    """A log of a year: created, taken in charge, sometimes waiting, resolved, closed."""
    chance = random.Random(11)

    def rows() -> Iterator[str]:
        for number in range(tickets):
            at = datetime(2013, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(355 * 86_400))
            steps = ["Assign seriousness", "Take in charge ticket", "Resolve ticket", "Closed"]
            if chance.random() < 0.3:
                steps.insert(2, "Wait")
            for step in steps:
                yield f"Made{number},{step},{at.isoformat(' ')}\n"
                at += timedelta(seconds=chance.expovariate(1 / 30_000))

    with path.open("w", encoding="utf-8") as file:
        file.write("Case ID,Activity,Complete Timestamp\n")
        file.writelines(rows())
    return path


def compared(log: Path, folder: Path) -> int:
    """Two replays against one simulation. Returns the exit code."""
    longer = folder / "longer"
    longer.mkdir()
    text = (DESK / "agreements" / "helpdesk.toml").read_text(encoding="utf-8")
    for old, new in LONGER.items():
        text = text.replace(old, new)
    (longer / "helpdesk.toml").write_text(text, encoding="utf-8")
    (folder / "first").mkdir()
    (folder / "second").mkdir()
    site = Site(folder / "first")
    before = site.replay(log, DESK / "agreements")
    after = Site(folder / "second").replay(log, longer)
    found, seconds, processor = site.simulate("2010-01-01")
    agree = True
    for name, sides in found["commitments"].items():
        for side, counts in (("before", before), ("after", after)):
            own = {key: sides[side][key] for key in COUNTS}
            print(f"{name} {side}: simulated {own}")
            print(f"{name} {side}: replayed  {counts[name]}")
            agree = agree and own == counts[name]
    print(
        f"{found['tickets']} tickets, {found['flips_in_all']} flips: {seconds:.1f} s, processor {processor:.1f} s"
    )
    print(f"counts agree: {agree}")
    return 0 if agree else 1


def timed(tickets: int, folder: Path) -> int:
    """A year made up, simulated."""
    site = Site(folder)
    site.replay(made_year(folder / "year.csv", tickets), DESK / "agreements")
    found, seconds, processor = site.simulate("2013-01-01")
    print(
        f"{found['tickets']} tickets, {found['flips_in_all']} flips: {seconds:.1f} s, processor {processor:.1f} s"
    )
    print(f"a ticket: {processor / max(1, found['tickets']) * 1000:.2f} ms of the processor")
    return 0


def main() -> int:
    """Compare a log, or time a year."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", nargs="?", type=Path)
    parser.add_argument("--tickets", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.log is not None:
            return compared(given.log.resolve(), Path(name))
        return timed(given.tickets, Path(name))


if __name__ == "__main__":
    sys.exit(main())
