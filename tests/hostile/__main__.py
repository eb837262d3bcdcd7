"""`make hostile`: every kind of attack for longer, with the times of the other desk's pushes, quiet and beside it.

`python -m tests.hostile KIND ...` runs these kinds only; `figures` are what large things cost. DATABASE=postgresql has
them on PostgreSQL instead of SQLite. Quiet pushes and pushes beside the attack take turns, so that what else the machine
does counts for both.
"""

import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import reduce
from operator import add
from pathlib import Path

from tests.hostile import figures
from tests.hostile.harness import KINDS, Seen, Target, apart, beside, prepare_of, service, settle
from tests.servers import postgres
from tests.servers.databases import POSTGRESQL, Databases, PostgresDatabases, SqliteDatabases
from tests.web.room import with_desks
from tests.web.test_process import Process

FIGURES = "figures"
PUSHES = 500
TURNS = 5
SLOWER = 3.0
"""How many times its usual the p99 of another desk's push may be."""
MOST_GROWTH = 300_000_000


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def _served() -> Generator[tuple[Process, Target]]:
    """A service with a database of its own, on a disk."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases: Databases = SqliteDatabases(folder)
        if os.environ.get("DATABASE") == POSTGRESQL:
            databases = PostgresDatabases(stack.enter_context(postgres.start(durable=True)))
        url = stack.enter_context(databases.copy_of(with_desks))
        yield stack.enter_context(service(url, folder, test_files="256"))


def measured(kind: str) -> tuple[Seen, Seen]:
    """What another desk sees, quiet and beside attacks of this kind."""
    quiet: list[Seen] = []
    attacked: list[Seen] = []
    with apart(kind) as attack, _served() as (process, target):
        prepare_of(kind)(target)
        for _ in range(TURNS):
            settle(process)
            quiet.append(beside(process, target, None, PUSHES // TURNS))
            attacked.append(beside(process, target, attack, PUSHES // TURNS))
    return reduce(add, quiet), reduce(add, attacked)


def attacked(kind: str) -> bool:
    """Print what another desk sees of a kind, and whether that is within bounds."""
    quiet, seen = measured(kind)
    within = seen.p99 < SLOWER * quiet.p99 and seen.growth < MOST_GROWTH
    times = f"p99 {quiet.p99 * 1e3:.1f} ms quiet, {seen.p99 * 1e3:.1f} ms beside {seen.rounds} rounds"
    _write(f"{'ok  ' if within else 'FAIL'} {kind}: {times}, memory +{seen.growth / 1e6:.0f} MB")
    return within


def sized() -> bool:
    """Print the figures of large things, and whether all are within their aims."""
    every = True
    with _served() as (_, target):
        for text, within in figures.measured(target):
            every &= within
            _write(f"{'ok  ' if within else 'FAIL'} {text}")
    return every


def main(chosen: list[str]) -> int:
    """Run these, print a line for each, and return the number that failed."""
    failed = sum(not (sized() if each == FIGURES else attacked(each)) for each in chosen)
    _write(f"{len(chosen) - failed} of {len(chosen)} kinds within bounds")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [*KINDS, FIGURES]))
