"""Kills a service under load many times: ROUNDS=50 python benchmarks/kill.py. See tests/kill/push_rounds.py."""

import sys
from pathlib import Path

# In place of this folder, in which calendar.py would hide the standard library's.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tests.kill.push_rounds import main

if __name__ == "__main__":
    sys.exit(main())
