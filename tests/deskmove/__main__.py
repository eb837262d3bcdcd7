"""`python -m tests.deskmove`: ROUNDS= moves, by default 5. SEED= repeats their instants, FOLDER= keeps the logs."""

import sys
from statistics import median
from typing import Final

from tests.chaos.asked import Asked, say
from tests.deskmove.moves import run

RATE: Final = 16.0
"""Tickets a second, each with about three events: some 50 events a second."""


def main() -> int:
    """Run ROUNDS rounds. The last line counts the findings: all are 0 after a good run."""
    asked = Asked.read("deskmove", rounds=5)
    say(f"seed {asked.seed}, logs in {asked.folder}")
    outcome, moves = run(asked.rounds, asked.folder, asked.seed, say, RATE)
    say(f"closed for {median(moves.closed):.2f} s (median), {max(moves.closed):.2f} s (maximum)")
    say(f"{outcome.counts}, {moves.repeated} of them made twice")
    say(str(outcome))
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
