"""What a long run is asked for by environment variables, and where its lines go."""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Self


@dataclass(frozen=True, slots=True)
class Asked:
    """How many rounds (ROUNDS), which choice of faults and instants (SEED), and where the logs are kept (FOLDER)."""

    rounds: int
    seed: int
    folder: Path

    @classmethod
    def read(cls, name: str, rounds: int = 1) -> Self:
        """What the variables say; otherwise so many rounds, any seed and a new folder."""
        given = os.environ
        folder = Path(given.get("FOLDER") or tempfile.mkdtemp(prefix=f"{name}-"))
        folder.mkdir(parents=True, exist_ok=True)
        seed = int(given.get("SEED", SystemRandom().randrange(1_000_000)))
        return cls(int(given.get("ROUNDS", str(rounds))), seed, folder)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
