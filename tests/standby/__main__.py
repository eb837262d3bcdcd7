"""`python -m tests.standby`: ROUNDS= failovers, by default 5. SEED= repeats their instants, FOLDER= keeps the logs."""

import sys
from statistics import median

from tests.chaos.asked import Asked, say
from tests.standby.failover import run


def main() -> int:
    """Run ROUNDS rounds. The last line counts the findings: all are 0 after a good run."""
    asked = Asked.read("standby", rounds=5)
    say(f"seed {asked.seed}, logs in {asked.folder}")
    outcome, away = run(asked.rounds, asked.folder, asked.seed, say)
    say(f"back after {median(away):.1f} s (median), {max(away):.1f} s (maximum)")
    say(outcome.counts)
    say(str(outcome))
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
