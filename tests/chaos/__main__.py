"""Long form: `make chaos ROUNDS=50`. SEED repeats a choice of faults, FOLDER keeps the logs.

FAULTS=clocks has the clock of every process wrong by minutes all the time, and sets them anew in each round.
FAULTS=disk has the database on a small disk that is full, slow or stalled for seconds; it needs root.
DATABASE=sqlite has one process on SQLite instead of the fleet.
"""

import os
import sys

from tests.chaos.asked import Asked, say
from tests.chaos.harness import run
from tests.chaos.life import SECOND
from tests.chaos.plan import Plan


def main() -> int:
    """Run ROUNDS rounds. The last line counts the findings: all are 0 after a good run."""
    asked = Asked.read("chaos", rounds=8)
    plan = Plan(os.environ.get("FAULTS") or "any", os.environ.get("DATABASE") or "postgresql")
    say(f"seed {asked.seed}, faults {plan.faults}, {plan.database}, logs in {asked.folder}")
    outcome = run(plan, asked.rounds, asked.folder, asked.seed, say)
    for fault, latest in sorted(outcome.latest.items()):
        say(f"{fault}: maximum detection lag {latest / SECOND:.2f} s")
    say(outcome.counts)
    say(str(outcome))
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
