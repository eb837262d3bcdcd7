"""`make hostile`: every kind of attack for longer, with the times of the other desk's pushes, quiet and beside it."""

import sys
import tempfile
from pathlib import Path

from tests.hostile.harness import KINDS, attack_of, beside, service
from tests.web.room import with_desks

PUSHES = 500
SLOWER = 3.0
"""How many times its usual the p99 of another desk's push may be."""
MOST_GROWTH = 300_000_000


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run every kind, print a line for each, and return the number that failed."""
    failed = 0
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as name:
            url = f"sqlite:///{name}/hostile.db"
            with_desks(url)
            with service(url, Path(name), test_files="256") as (process, target):
                quiet = beside(process, target, None, PUSHES)
                seen = beside(process, target, attack_of(kind), PUSHES)
        within = seen.p99 < SLOWER * quiet.p99 and seen.growth < MOST_GROWTH
        failed += not within
        times = f"p99 {quiet.p99 * 1e3:.1f} ms quiet, {seen.p99 * 1e3:.1f} ms beside {seen.rounds} rounds"
        _write(f"{'ok  ' if within else 'FAIL'} {kind}: {times}, memory +{seen.growth / 1e6:.0f} MB")
    _write(f"{len(KINDS) - failed} of {len(KINDS)} kinds within bounds")
    return failed


if __name__ == "__main__":
    sys.exit(main())
