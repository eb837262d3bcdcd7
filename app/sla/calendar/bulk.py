"""`after` and `within` for whole arrays, from the same open spans as single look-ups.

A grid over the compiled time stores for each of its cells where the search begins, so that a look-up is an index and a
few comparisons instead of a bisection. Arrays are processed in chunks that fit the processor's cache. int64
microseconds in and out.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.sla.calendar.compiled import CompiledYears, OpenTime
from app.sla.span import SECOND

Instants: TypeAlias = NDArray[np.int64]
Seconds: TypeAlias = NDArray[np.int64] | NDArray[np.float64] | float

# Items in a chunk: eight temporaries of this many int64 fit in a 2 MB second-level cache.
_CHUNK = 1 << 14
# Limits of a grid: cells (4 bytes each), and steps beyond a cell's first entry. Where the hours are too uneven for
# both, a binary search is used.
_MOST_CELLS = 1 << 19
_MOST_STEPS = 3


def as_micros(seconds: Seconds) -> Instants:
    """Durations in seconds as int64 microseconds; fractions are rounded to the nearest microsecond."""
    given = np.asarray(seconds)
    if np.issubdtype(given.dtype, np.integer):
        return given.astype(np.int64) * SECOND
    return np.rint(given.astype(np.float64) * SECOND).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Finds the last of sorted, distinct `values` that is at or before each of many numbers."""

    values: Instants
    first: NDArray[np.int32]
    shift: int
    steps: int

    @classmethod
    def over(cls, values: Instants) -> "_Grid":
        """The coarsest grid with one value a cell, or the finest that is allowed."""
        reach = int(values[-1] - values[0])
        gap = int(np.diff(values).min()) if len(values) > 1 else 1
        shift = max(gap.bit_length() - 1, (reach // _MOST_CELLS).bit_length(), 0)
        cells = (values - values[0]) >> shift
        steps = int(np.unique(cells, return_counts=True)[1].max())
        if steps > _MOST_STEPS:
            return cls(values, np.empty(0, np.int32), shift, steps)
        edges = np.arange((reach >> shift) + 2, dtype=np.int64)
        # For each cell the last value of the cells before it; its own values are at most `steps` further.
        first = np.maximum(np.searchsorted(cells, edges, side="left") - 1, 0).astype(np.int32)
        return cls(np.append(values, np.iinfo(np.int64).max), first, shift, steps)

    def last_at_or_before(self, wanted: Instants) -> NDArray[np.intp]:
        """The index for each number, none of them before the first value."""
        if not len(self.first):
            return np.searchsorted(self.values, wanted, side="right") - 1
        cells = np.minimum((wanted - self.values[0]) >> self.shift, len(self.first) - 1)
        found = self.first[cells].astype(np.intp)
        for _ in range(self.steps):
            found += self.values[found + 1] <= wanted
        return found


class BulkTime:
    """One OpenTime as arrays and grids."""

    __slots__ = ("_base", "_begun", "_begun_base", "_ends", "_starts", "open_time")

    def __init__(self, open_time: OpenTime) -> None:
        self.open_time = open_time
        starts = np.array(open_time.starts, dtype=np.int64)
        base = np.array(open_time.base, dtype=np.int64)
        # A grid needs distinct values: the empty first span can share its start, or its open time of 0, with the next.
        real = slice(1 if len(starts) > 1 else 0, None)
        kept = real if len(starts) > 1 and starts[0] == starts[1] else slice(None)
        self._starts = _Grid.over(starts[kept])
        self._ends = np.array(open_time.ends, dtype=np.int64)[kept]
        self._base = base[kept]
        # The open time that has passed when each span begins.
        self._begun = _Grid.over((base + starts)[real])
        self._begun_base = base[real]

    @property
    def total(self) -> int:
        """All the open time of the compiled years."""
        return self.open_time.reached[-1]

    def counted(self, at: Instants) -> Instants:
        """Open time from the start of the compiled years until each instant."""
        out = np.empty(len(at), dtype=np.int64)
        for chunk in _chunks(len(at)):
            part = at[chunk]
            index = self._starts.last_at_or_before(part)
            out[chunk] = self._base[index] + np.minimum(part, self._ends[index])
        return out

    def reaching(self, counted: Instants) -> Instants:
        """The earliest instant by which each open time, above 0 and at most `total`, has passed."""
        out = np.empty(len(counted), dtype=np.int64)
        for chunk in _chunks(len(counted)):
            part = counted[chunk]
            # An exact fit is due at closing time, so a span that begins at exactly this open time is one too late.
            out[chunk] = part - self._begun_base[self._begun.last_at_or_before(part - 1)]
        return out


class BulkYears:
    """The compiled years of a calendar for whole arrays; extended by the same code as for single look-ups."""

    __slots__ = ("_bulk", "_years")

    def __init__(self, years: CompiledYears) -> None:
        self._years = years
        self._bulk = BulkTime(years.open_time)

    def after_each(self, starts: Instants, seconds: Seconds) -> Instants:
        """The deadline of each duration, or of one for all of them, from its start."""
        return self.after(starts, np.broadcast_to(as_micros(seconds), starts.shape))

    def after(self, starts: Instants, lengths: Instants) -> Instants:
        """The deadline of each length from its start; the start itself for no length."""
        if not starts.size or lengths.max() <= 0:
            return starts.copy()
        bulk = self._containing(starts)
        counted = bulk.counted(starts) + lengths
        while counted.max() > bulk.total:
            self._years.further(bulk.open_time)
            bulk = self._containing(starts)
            counted = bulk.counted(starts) + lengths
        if lengths.min() > 0:
            return bulk.reaching(counted)
        return np.where(lengths > 0, bulk.reaching(np.maximum(counted, 1)), starts)

    def within(self, starts: Instants, ends: Instants) -> Instants:
        """The open time between each start and its end."""
        if not starts.size:
            return starts.copy()
        self._containing(starts)
        self._containing(ends)
        bulk = self._containing(starts)
        return bulk.counted(ends) - bulk.counted(starts)

    def _containing(self, at: Instants) -> BulkTime:
        known = self._years.spanning(int(at.min()), int(at.max()))
        if self._bulk.open_time is not known:
            self._bulk = BulkTime(known)
        return self._bulk


def _chunks(size: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, size, _CHUNK)]
