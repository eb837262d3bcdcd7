"""How fast is a calendar, measured against the bisection that any such answer needs at least?

Run: python benchmarks/calendar.py
Each figure is the median of several runs over the same random starts, printed beside its ratio to a limit that was
measured in the same run, since the ratio is what holds on another machine.
"""

import statistics
import sys
import time
import tracemalloc
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

# In place of this folder, in which this very file would hide the standard library's `calendar`.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.sla.calendar import Calendar
from app.sla.span import HOUR, SECOND, instant, micros
from benchmarks._figures import Figure, report

RUNS = 9
SINGLE = 20_000
MANY = 1_000_000
TWO_HOURS = timedelta(hours=2)
FIRST, LAST = datetime(2010, 2, 1, tzinfo=UTC), datetime(2029, 11, 1, tzinfo=UTC)
SPEC = {"time_zone": "Europe/Paris", "hours": {"mon-sun": ["10:00-12:00", "14:00-17:00"]}}


def compiled() -> Calendar:
    """HaiSoft's ticket hours with the twenty years 2010 to 2029 compiled."""
    calendar = Calendar.parse(SPEC)
    calendar.within(FIRST, LAST)
    return calendar


def median(task: Callable[[], object], items: int) -> float:
    """Nanoseconds of processor time an item."""
    took: list[float] = []
    for _ in range(RUNS):
        start = time.process_time()
        task()
        took.append(time.process_time() - start)
    return statistics.median(took) / items * 1e9


def row(what: str, took: float, limit: float | None = None) -> None:
    ratio = f"{took / limit:8.2f} x the limit" if limit else ""
    print(f"{what:<58}{took:>10,.0f} ns {ratio}")
    if limit:
        report(Figure(f"calendar: {what}", took, "ns", limit=limit))


def single(calendar: Calendar, edges: list[int], starts: list[int]) -> None:
    """One deadline at a time. The limit is two plain bisections: one for the start, one for the end."""
    transitions = [instant(start) for start in starts]
    end = transitions[0]
    limit = median(
        lambda: [(bisect_right(edges, u), bisect_right(edges, u + 2 * HOUR)) for u in starts], SINGLE
    )
    row("limit: two bisections of a list", limit)
    row("after, in micros", median(lambda: [calendar.after_us(2 * HOUR, u) for u in starts], SINGLE), limit)
    row(
        "after, in datetimes",
        median(lambda: [calendar.after(TWO_HOURS, since=at) for at in transitions], SINGLE),
        limit,
    )
    row(
        "within, in micros", median(lambda: [calendar.within_us(u, starts[0]) for u in starts], SINGLE), limit
    )
    row(
        "within, in datetimes",
        median(lambda: [calendar.within(at, end) for at in transitions], SINGLE),
        limit,
    )


def bulk(calendar: Calendar, edges: list[int]) -> None:
    """A million at once. The limit is one searchsorted of the same million starts."""
    searched = np.array(edges, dtype=np.int64)
    drawn = np.random.default_rng(1).integers(micros(FIRST), micros(LAST), MANY, dtype=np.int64)
    for order, starts in (("random", drawn), ("sorted", np.sort(drawn))):
        limit = median(lambda starts=starts: np.searchsorted(searched, starts, side="right"), MANY)
        row(f"limit: one searchsorted, {order}", limit)
        row(
            f"after_many, {order}",
            median(lambda starts=starts: calendar.after_many(starts, 7200), MANY),
            limit,
        )
        ends = starts + 3 * 86_400 * SECOND
        took = median(lambda starts=starts, ends=ends: calendar.within_many(starts, ends), MANY)
        row(f"within_many, {order}", took, limit)


def main() -> None:
    """Print the table."""
    row("compiling twenty years", median(compiled, 1))
    tracemalloc.start()
    calendar = compiled()
    print(f"{'memory of twenty years':<58}{tracemalloc.get_traced_memory()[0] / 1e6:>10.1f} MB")
    tracemalloc.stop()
    spans = calendar.spans(FIRST - timedelta(days=30), LAST)
    edges = [span.start for span in spans if span.open]
    starts = np.random.default_rng(2).integers(micros(FIRST), micros(LAST), SINGLE).tolist()
    single(calendar, edges, starts)
    bulk(calendar, edges)


if __name__ == "__main__":
    main()
