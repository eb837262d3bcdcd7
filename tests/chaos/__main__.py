"""Long form: `make chaos ROUNDS=50`. SEED repeats a choice of faults, FOLDER keeps the logs.

FAULTS=clocks has the clock of every process wrong by minutes all the time, and sets them anew in each round.
FAULTS=disk has the database on a small disk that is full, slow or stalled for seconds; it needs root.
DATABASE=sqlite has one process on SQLite instead of the fleet.
"""

import os
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.chaos.harness import run
from tests.chaos.life import SECOND
from tests.chaos.plan import Plan


def main() -> int:
    """Run ROUNDS rounds. The last line counts the findings: all are 0 after a good run."""
    rounds = int(os.environ.get("ROUNDS", "8"))
    plan = Plan(os.environ.get("FAULTS") or "any", os.environ.get("DATABASE") or "postgresql")
    seed = int(os.environ.get("SEED", SystemRandom().randrange(1_000_000)))
    folder = Path(os.environ.get("FOLDER") or tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"seed {seed}, faults {plan.faults}, {plan.database}, logs in {folder}")
    outcome = run(plan, rounds, folder, seed, _say)
    for fault, latest in sorted(outcome.latest.items()):
        _say(f"{fault}: maximum detection lag {latest / SECOND:.2f} s")
    _say(f"{outcome.acknowledged} events, {outcome.breaches} breaches, {outcome.delivered} deliveries")
    _say(str(outcome))
    return 1 if outcome.findings else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
