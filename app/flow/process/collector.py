"""Garbage collection of a process that runs for long: web process and worker."""

import gc
from typing import Final

GC_THRESHOLD: Final = 20_000
"""Allocations between two runs of the garbage collector. At Python's default of 700, a push pays for several runs over
every object of the process; reference counting frees most of what an evaluation allocates."""


def spare_collections() -> None:
    """Once all is started: leave out what is there from collections (`gc.freeze`), and have fewer of them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
