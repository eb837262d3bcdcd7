"""Open time of a calendar in microseconds: between two instants, and the instant by which so much has passed.

All methods search the same compiled spans, so they agree: `within_us(since, after_us(length, since)) == length`. An
exact fit at closing time is due at closing time; a closing instant is not open.
"""

from bisect import bisect_left, bisect_right
from datetime import date, timedelta

from app.sla.calendar.compiled import CompiledYears, NeverCloses
from app.sla.calendar.opening import Opening
from app.sla.calendar.spans import CalendarSpan, timeline
from app.sla.calendar.zone import Zone
from app.sla.span import Micros

# Most deadlines fall within this many open spans of their start: searching those first saves most of a bisection.
_NEAR = 8


class WorkingTime:
    """A calendar's open time in microseconds UTC. Look-ups raise UncoveredYear beyond the covered years."""

    def __init__(self, name: str, opening: Opening, zone: Zone, *, always: bool) -> None:
        self.name = name
        self.is_always = always
        self._opening, self._zone = opening, zone
        self._years = CompiledYears(name, opening, zone, always=always)

    def after_us(self, length: Micros, since: Micros) -> Micros:
        """The earliest instant from `since` by which `length` of open time has passed; `since` itself for
        no length. Raises NeverOpen when no hours are left to count."""
        if length <= 0:
            return since
        known = self._years.open_time
        if not known.start <= since < known.end:
            known = self._years.holding(since)
        index = bisect_right(known.starts, since) - 1
        end = known.ends[index]
        # As in OpenTime.counted, without the call.
        counted = known.base[index] + (since if since < end else end) + length  # noqa: FURB136
        near = index + _NEAR
        if near < len(known.reached) and counted <= known.reached[near]:
            return counted - known.base[bisect_left(known.reached, counted, index, near)]
        while counted > known.reached[-1]:
            known = self._years.further(known)
            counted = known.counted(since) + length
        return counted - known.base[bisect_left(known.reached, counted)]

    def within_us(self, start: Micros, end: Micros) -> Micros:
        """The open time from `start` to `end`; negative when `end` is before `start`."""
        known = self._years.open_time
        if not (known.start <= start < known.end and known.start <= end < known.end):
            known = self._years.spanning(start, end)
        return known.counted(end) - known.counted(start)

    def is_open_us(self, at: Micros) -> bool:
        """Whether an instant is open."""
        known = self._years.holding(at)
        return at < known.ends[bisect_right(known.starts, at) - 1]

    def next_open_us(self, at: Micros) -> Micros:
        """The first open instant at or after `at`. Raises NeverOpen."""
        known = self._years.holding(at)
        index = bisect_right(known.starts, at)
        if at < known.ends[index - 1]:
            return at
        while index == len(known.starts):
            known = self._years.further(known)
            index = bisect_right(known.starts, at)
        return known.starts[index]

    def next_close_us(self, at: Micros) -> Micros:
        """The end of the open span that contains `at`, else of the next one. Raises NeverOpen, NeverCloses."""
        opening = self.next_open_us(at)
        known = self._years.holding(opening)
        index = bisect_right(known.starts, opening) - 1
        while known.ends[index] == known.end:
            known = self._years.until_closed(known)
            index = bisect_right(known.starts, opening) - 1
        return known.ends[index]

    def close_of_working_day_us(self, n: int, since: Micros) -> Micros:
        """The closing of the n-th working day after the local date of `since`. A working day is a date with
        open hours, those past its midnight included. Raises NeverOpen; NeverCloses for `always`."""
        if n < 1:
            raise ValueError(f"There is no working day number {n}. Use 1 or more.")
        return self._working_day(n, self.local_date(since), since)[1]

    def next_working_day(self, on: date) -> date:
        """That date if it has open hours, else the next one that has. Raises as close_of_working_day_us."""
        before = on - timedelta(days=1)
        return date.fromordinal(self._working_day(1, before, self.end_of_day(before) - 1)[0])

    def spans_us(self, start: Micros, end: Micros, limit: int | None = None) -> list[CalendarSpan]:
        """Every span from `start` to `end`, open or closed, with its reason; they cover it without gaps.

        With `limit` only the first ones.
        """
        if end < start:
            raise ValueError("Spans go from the earlier instant to the later one.")
        known = self._years.spanning(start, max(start, end - 1))
        return timeline(known, self._opening, self._zone, start, end, limit)

    def local_date(self, at: Micros) -> date:
        """The local date at an instant."""
        return self._zone.local_date(at)

    def end_of_day(self, on: date) -> Micros:
        """24:00 local of a date."""
        return self._zone.end_of_day(on)

    def end_of_day_after(self, days: int, since: Micros) -> Micros:
        """24:00 local of the date that is this many days after the local date of `since`."""
        return self.end_of_day(self.local_date(since) + timedelta(days=days))

    def utc_offset_us(self, at: Micros) -> Micros:
        """The offset of local time from UTC at an instant."""
        return self._zone.offset(at)

    def _working_day(self, n: int, after: date, held: Micros) -> tuple[int, Micros]:
        """(ordinal, closing) of the n-th working day after a date whose year holds the instant `held`."""
        if self.is_always:
            raise NeverCloses(self.name)
        known = self._years.holding(held)
        index = bisect_right(known.working_days, after.toordinal()) + n - 1
        while index >= len(known.working_days):
            known = self._years.further(known)
            index = bisect_right(known.working_days, after.toordinal()) + n - 1
        return known.working_days[index], known.closings[index]
