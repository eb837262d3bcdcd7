"""Time zones: local times of a zone as instants, and back.

The only module that converts between local time and instants. Offsets are read from the zone database by probing, never
from a rule about summer time, so a change of half an hour, one at midnight or a skipped calendar day needs no special
case. Local time is microseconds since 1970-01-01 00:00 local; instants are microseconds UTC.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.sla.span import DAY, Micros, Span, instant, length_of

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

# Changes are searched for one block at a time and cached: about 407 days, so that a year needs two blocks.
_BLOCK: Micros = 2**45
# No place has ever gone to another offset and back within three days (the shortest is Freetown, September
# 1939, at just under four), so a probe every two days misses no change.
_PROBE: Micros = 2 * DAY
# The datetimes that exist, with room for any offset at both ends.
_FIRST: Micros = (date(1, 1, 3).toordinal() - _EPOCH_ORDINAL) * DAY
_LAST: Micros = (date(9999, 12, 29).toordinal() - _EPOCH_ORDINAL) * DAY


class _Block(NamedTuple):
    """The offsets of one block of time: `offsets[i]` applies from `starts[i]` to the next start or `end`."""

    starts: list[Micros]
    offsets: list[Micros]
    end: Micros


def midnight(on: date) -> Micros:
    """The local time 00:00 of a date."""
    return (on.toordinal() - _EPOCH_ORDINAL) * DAY


class Zone:
    """One time zone of the zone database. Raises what `ZoneInfo` raises for a name that it does not know."""

    __slots__ = ("_blocks", "_info", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._info = ZoneInfo(name)
        self._blocks: dict[int, _Block] = {}

    def offset(self, at: Micros) -> Micros:
        """The offset from UTC at an instant; negative west of Greenwich."""
        block = self._block(at // _BLOCK)
        return block.offsets[bisect_right(block.starts, at) - 1]

    def local_date(self, at: Micros) -> date:
        """The local date at an instant. Raises OverflowError outside the years 1 to 9999."""
        return date.fromordinal((at + self.offset(at)) // DAY + _EPOCH_ORDINAL)

    def local(self, at: Micros) -> datetime:
        """The instant as an aware datetime of this zone."""
        return instant(at).astimezone(self._info)

    def instants(self, start: Micros, end: Micros) -> list[Span]:
        """The instants from local `start` up to local `end`: usually one span; none when that hour does not exist, two
        when it comes twice."""
        starts, offsets, block_end = self._block((start - DAY) // _BLOCK)
        index = bisect_right(starts, start - DAY)
        if end + DAY <= (starts[index] if index < len(starts) else block_end):
            return [Span(start - offsets[index - 1], end - offsets[index - 1])]  # no change is near
        found: list[Span] = []
        for first, last, offset in self._periods(start - DAY, end + DAY):
            opens, closes = max(first, start - offset), min(last, end - offset)
            if opens < closes:
                found.append(Span(opens, closes))
        return found

    def offsets(self, span: Span) -> Iterator[tuple[Span, Micros]]:
        """The parts of a span with one offset from UTC, each with that offset, in order."""
        for first, last, offset in self._periods(span.start, span.end):
            start, end = max(first, span.start), min(last, span.end)
            if start < end:
                yield Span(start, end), offset

    def end_of_day(self, on: date) -> Micros:
        """24:00 of a date. A date that the zone skips ends when the one before it does."""
        start = midnight(on)
        spans = self.instants(start, start + DAY)
        return max(span.end for span in spans) if spans else self.end_of_day(on - timedelta(days=1))

    def _periods(self, start: Micros, end: Micros) -> Iterator[tuple[Micros, Micros, Micros]]:
        """(from, to, offset) of every period of one offset that touches the instants start to end."""
        for number in range(start // _BLOCK, end // _BLOCK + 1):
            starts, offsets, block_end = self._block(number)
            for index in range(max(0, bisect_right(starts, start) - 1), bisect_right(starts, end)):
                yield (
                    starts[index],
                    starts[index + 1] if index + 1 < len(starts) else block_end,
                    offsets[index],
                )

    def _block(self, number: int) -> _Block:
        known = self._blocks.get(number)
        if known is None:
            known = self._blocks[number] = self._probe(number * _BLOCK, (number + 1) * _BLOCK)
        return known

    def _probe(self, start: Micros, end: Micros) -> _Block:
        starts, offsets = [start], [self._offset_of(start)]
        at = start
        while at < end:
            probe = min(at + _PROBE, end)
            if self._offset_of(probe) != offsets[-1]:
                probe = self._change(at, probe)
                if probe < end:
                    starts.append(probe)
                    offsets.append(self._offset_of(probe))
            at = probe
        return _Block(starts, offsets, end)

    def _change(self, before: Micros, after: Micros) -> Micros:
        """The first instant of the offset that applies at `after`, to the microsecond."""
        old = self._offset_of(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset_of(middle) == old:
                before = middle
            else:
                after = middle
        return after

    def _offset_of(self, at: Micros) -> Micros:
        offset = self.local(min(max(at, _FIRST), _LAST)).utcoffset()
        return length_of(offset) if offset else 0


@cache
def zone(name: str) -> Zone:
    """The zone of that name; one object per name, since it caches what it has probed."""
    return Zone(name)
