"""`python -m tests.standby`: ROUNDS= failovers, by default 5. SEED= repeats their instants, FOLDER= keeps the logs."""

import os
import sys
import tempfile
from pathlib import Path
from random import SystemRandom
from statistics import median

from tests.standby.failover import run


def main() -> int:
    """Run ROUNDS rounds. The last line counts the findings: all are 0 after a good run."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    seed = int(os.environ.get("SEED", SystemRandom().randrange(1_000_000)))
    folder = Path(os.environ.get("FOLDER") or tempfile.mkdtemp(prefix="standby-"))
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"seed {seed}, logs in {folder}")
    outcome, away = run(rounds, folder, seed, _say)
    _say(f"back after {median(away):.1f} s (median), {max(away):.1f} s (maximum)")
    _say(f"{outcome.acknowledged} events, {outcome.breaches} breaches, {outcome.delivered} deliveries")
    _say(str(outcome))
    return 1 if outcome.findings else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
