"""Kills a delivering service many times: ROUNDS=50 python benchmarks/kill_deliveries.py.

See tests/kill/delivery_rounds.py.
"""

import sys
from pathlib import Path

# In place of this folder, in which calendar.py would hide the standard library's.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tests.kill.delivery_rounds import main

if __name__ == "__main__":
    sys.exit(main())
