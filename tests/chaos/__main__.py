"""The long form: `make chaos ROUNDS=50`. SEED repeats the choice of faults, FOLDER keeps what is left of it."""

import os
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.chaos.harness import run
from tests.chaos.life import SECOND


def main() -> int:
    """As many rounds as ROUNDS says. The last line counts what was wrong; it is all noughts when nothing was."""
    rounds = int(os.environ.get("ROUNDS", "8"))
    seed = int(os.environ.get("SEED", SystemRandom().randrange(1_000_000)))
    folder = Path(os.environ.get("FOLDER") or tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"seed {seed}, everything is left in {folder}")
    outcome = run(rounds, folder, seed, _say)
    for fault, latest in sorted(outcome.latest.items()):
        _say(f"{fault}: the latest breach was told after {latest / SECOND:.2f} s")
    _say(f"{outcome.acknowledged} events, {outcome.breaches} breaches, {outcome.delivered} deliveries")
    _say(str(outcome))
    return 1 if outcome.findings else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
