"""Processor time of the sweep for each overdue clock, with nothing else done meanwhile.

Run: python benchmarks/sweep.py  (CLOCKS=4000, TIMES=5, PLANS=sqlite,postgresql)
So many clocks have been overdue for six to eight hours; the sweep evaluates them in its batches and records a breach for
each. Processor time is of this process, which is what a worker or an embedded service spends; the database server's is
not in it. The limit: the same rows written in transactions of the same size, with nothing read and nothing judged.
Medians of TIMES runs, by turns.
"""

import gc
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.cli.terminal import log_warnings_only
from app.flow.process.collector import GC_THRESHOLD
from app.flow.process.runtime import Runtime
from app.settings import Settings
from benchmarks._backlog import Backlog
from benchmarks._figures import Figure, report
from benchmarks._shape import opened
from benchmarks._site import EMBEDDED, ONE, server, site

CLOCKS: Final = int(os.environ.get("CLOCKS", "4000"))
TIMES: Final = int(os.environ.get("TIMES", "5"))
KNOWN: Final = {"sqlite": EMBEDDED, "postgresql": ONE}
PLANS: Final = {name: KNOWN[name] for name in os.environ.get("PLANS", "sqlite,postgresql").split(",")}
AIM: Final = 0.2
"""Milliseconds. 100,000 clocks in 30 s leave 0.3 ms each, and a third of that to pushes."""


def swept(url: str, backlog: Backlog) -> float:
    """Milliseconds of processor time for each of so many overdue clocks."""
    with opened(url) as database:
        backlog.fill_overdue(database, CLOCKS)
        sweeper = Runtime(Settings(database_url=url), database).sweeper
        gc.collect()
        gc.freeze()
        before = time.process_time()
        evaluated = sweeper.sweep_now()
        spent = time.process_time() - before
        gc.unfreeze()
    if evaluated != CLOCKS:
        raise SystemExit(f"{evaluated} of {CLOCKS} clocks were swept")
    return spent / CLOCKS * 1000


def main() -> None:
    """Measure, print and report."""
    log_warnings_only()
    gc.set_threshold(GC_THRESHOLD)  # as in the service
    backlog = Backlog()
    for name, plan in PLANS.items():
        taken: list[float] = []
        limits: list[float] = []
        with server(plan) as on:
            for run in range(TIMES):
                with site(plan, on=on, name=f"bare{run}") as bare:
                    limits.append(backlog.limit(bare.url, CLOCKS)[1])
                with site(plan, on=on, name=f"real{run}") as real:
                    taken.append(swept(real.url, backlog))
        cost, limit = median(taken), median(limits)
        spread = f"{min(taken):.3f}-{max(taken):.3f}"
        print(
            f"{plan.name}: {cost:.3f} ms a clock ({spread}), limit {limit:.3f} ms, ratio {cost / limit:.2f}"
        )
        report(Figure(f"sweep: an overdue clock, {name}", cost, "ms", AIM, limit))


if __name__ == "__main__":
    main()
