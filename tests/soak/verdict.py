"""The verdict over all rows of a soak: whether memory grows, lag is bounded, and nothing failed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

MAX_LAG: Final = 1.0
"""Seconds between a breach and its detection that are still on time, beside those by which the machine was late."""
GROWTH: Final = 0.1
"""Fraction by which a process may grow between the second quarter and the last one: caches that fill up."""
SLACK: Final = 8.0
"""Megabytes that are no growth, however small the process is."""


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one interval. `memory` is by process, in megabytes; `lag` and times of requests are seconds."""

    after: float
    """Seconds since the beginning."""
    events: int
    errors: int
    """Requests that failed, and lines of errors in the logs, in this interval."""
    lag: float
    """The longest time from a breach to its detection by the sweep."""
    machine: float
    """By how much an idle process woke too late at most: what a busy machine adds to the lag."""
    behind: float
    """How long the oldest due ticket has been waiting."""
    push: float
    """The 99th percentile of a push's time."""
    read: float
    """That of a page or list."""
    pending: int
    """Deliveries that wait."""
    memory: Mapping[str, float]


def growths(rows: Sequence[Row]) -> Iterator[tuple[str, float, float]]:
    """Each process that grew, with its megabytes in the second quarter and in the last one, as medians.

    The first quarter does not count: a process that has started loads and caches.
    """
    quarter = len(rows) // 4
    if not quarter:
        return
    early, last = rows[quarter : 2 * quarter], rows[-quarter:]
    for name in sorted(rows[-1].memory):
        before = median(row.memory.get(name, 0.0) for row in early)
        after = median(row.memory.get(name, 0.0) for row in last)
        if after > before * (1 + GROWTH) + SLACK:
            yield name, before, after


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, as sentences, and a summary."""

    faults: tuple[str, ...]
    summary: str

    def __str__(self) -> str:
        found = "; ".join(self.faults) if self.faults else "memory steady, lag bounded, no errors"
        return f"{'FAIL' if self.faults else 'PASS'}: {self.summary}: {found}"


def verdict(rows: Sequence[Row], wrong: Sequence[str]) -> Verdict:
    """The verdict. `wrong` are the findings at the end: lost events, missing deliveries, failed checks."""
    if not rows:
        return Verdict(("no interval was measured", *wrong), "0 h")
    late = [max(row.lag, row.behind) for row in rows if max(row.lag, row.behind) > MAX_LAG + row.machine]
    errors = sum(row.errors for row in rows)
    faults = [f"{name} grew from {before:.0f} to {after:.0f} MB" for name, before, after in growths(rows)]
    if late:
        faults.append(f"breaches up to {max(late):.1f} s late in {len(late)} of {len(rows)} intervals")
    if errors:
        faults.append(f"{errors} errors")
    summary = (
        f"{rows[-1].after / 3600:.2f} h, {sum(row.events for row in rows)} events, "
        f"lag at most {1000 * max(row.lag for row in rows):.0f} ms, "
        f"memory at most {max(max(row.memory.values(), default=0.0) for row in rows):.0f} MB a process"
    )
    return Verdict((*faults, *wrong), summary)
