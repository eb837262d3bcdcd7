"""Compiled opening hours: the open spans of some years as flat arrays, for bisection.

Years are compiled on first use, never all that a calendar covers. An OpenTime is immutable; a look-up outside it builds
a larger one and then replaces the reference, so threads need no lock. All instants are microseconds UTC; local time is
converted by `Zone.instants` only.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.sla.budget import charge
from app.sla.calendar.opening import Opening
from app.sla.calendar.zone import Zone, midnight
from app.sla.span import DAY, Micros, Span

# At most this many years are compiled at once: a ticket dated 0202 by mistake moves the compiled years there and
# back instead of compiling eighteen centuries.
MOST_YEARS = 400

# Beyond every instant that a datetime can hold, and small enough that sums of two stay within 64 bits.
FOREVER: Micros = 2**60
_DAYS_A_YEAR = 365.2425


class UncoveredYear(LookupError):
    """A calendar does not cover the year that was requested. Widen its `years`, or use an instant within them."""

    def __init__(self, calendar: str, year: int, covered: tuple[int, int]) -> None:
        self.calendar, self.year, self.covered = calendar, year, covered
        super().__init__(
            f"Calendar {calendar} does not cover the year {year}, only {covered[0]} to {covered[1]}. "
            "Use an instant within these years, or widen its `years` or its holidays."
        )


class NeverOpen(LookupError):
    """A calendar has no open hours left from which to count a deadline. Give it hours."""

    def __init__(self, calendar: str, after: int) -> None:
        self.calendar, self.after = calendar, after
        super().__init__(
            f"Calendar {calendar} has no open hours after {after}. Give it hours, or use `always`."
        )


class NeverCloses(LookupError):
    """A calendar that is always open has no closing time. Use one that has opening hours."""

    def __init__(self, calendar: str) -> None:
        self.calendar = calendar
        super().__init__(f"Calendar {calendar} never closes. Use a calendar that has opening hours.")


@dataclass(frozen=True, slots=True)
class OpenTime:
    """The open spans of some years in order, apart from each other, and the closing of each working day.

    `reached[i]` is the open time from `start` until `ends[i]`; `base[i]` turns an instant of span i into the
    open time until it, by addition. The first span is empty and starts at `start`, so that every instant
    from there on has a span that began at or before it."""

    years: tuple[int, int]
    start: Micros
    end: Micros
    starts: list[Micros]
    ends: list[Micros]
    base: list[Micros]
    reached: list[Micros]
    working_days: list[int]
    closings: list[Micros]

    def counted(self, at: Micros) -> Micros:
        """Open time from `start` until an instant within these years."""
        index = bisect_right(self.starts, at) - 1
        end = self.ends[index]
        # Not min(): the call would cost as much as the bisection.
        return self.base[index] + (at if at < end else end)  # noqa: FURB136


def open_time(
    years: tuple[int, int], within: Span, spans: Iterable[Span], closings: Iterable[tuple[int, Micros]]
) -> OpenTime:
    """The arrays of spans that may overlap, clipped to `within`; `closings` are (date ordinal, instant)."""
    starts, ends = [within.start], [within.start]
    for span in sorted(spans):
        start, end = max(span.start, within.start), min(span.end, within.end)
        if start >= end:
            continue
        if start <= ends[-1] and len(ends) > 1:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    base: list[Micros] = []
    reached: list[Micros] = [0]
    for start, end in zip(starts, ends, strict=True):
        base.append(reached[-1] - start)
        reached.append(reached[-1] + end - start)
    days = list(closings)
    return OpenTime(
        years=years,
        start=within.start,
        end=within.end,
        starts=starts,
        ends=ends,
        base=base,
        reached=reached[1:],
        working_days=[ordinal for ordinal, _ in days],
        closings=[closing for _, closing in days],
    )


NOTHING = open_time((0, 0), Span(0, 0), (), ())
ALWAYS = open_time((1, 9999), Span(-FOREVER, FOREVER), (Span(-FOREVER, FOREVER),), ())


class CompiledYears:
    """The compiled years of one calendar, extended on demand. `open_time` is what is compiled so far."""

    __slots__ = ("_covered", "_days", "_name", "_opening", "_zone", "open_time")

    def __init__(self, name: str, opening: Opening, zone: Zone, *, always: bool) -> None:
        self._name, self._opening, self._zone = name, opening, zone
        self._covered = opening.covered
        self._days: dict[int, list[tuple[int, list[Span]]]] = {}
        self.open_time = ALWAYS if always else NOTHING

    def holding(self, at: Micros) -> OpenTime:
        """Compiled years that contain an instant. Raises UncoveredYear."""
        known = self.open_time
        if known.start <= at < known.end:
            return known
        year = self._year(at)
        joined = (min(year, known.years[0]), max(year, known.years[1]))
        far = known is NOTHING or joined[1] - joined[0] >= MOST_YEARS
        return self._compile((year, year) if far else joined)

    def spanning(self, first: Micros, last: Micros) -> OpenTime:
        """Compiled years that contain two instants. Raises UncoveredYear, also when they are too far apart."""
        self.holding(first)
        known = self.holding(last)
        if not known.start <= first < known.end:
            year = self._year(first)
            raise UncoveredYear(self._name, self._year(last), (year, year + MOST_YEARS - 1))
        return known

    def further(self, known: OpenTime) -> OpenTime:
        """The same and later years, to find more open time. Raises NeverOpen when no later year has any, UncoveredYear
        at the end of the covered years."""
        if not self._opening.may_open_after(known.years[1]):
            raise NeverOpen(self._name, known.years[1])
        return self._extend(known)

    def until_closed(self, known: OpenTime) -> OpenTime:
        """The same and later years, to find the end of a span that reaches the last instant of these. Raises
        NeverCloses, and UncoveredYear at the end of the covered years."""
        if known is ALWAYS or not self._opening.may_close_after(known.years[1]):
            raise NeverCloses(self._name)
        return self._extend(known)

    def _extend(self, known: OpenTime) -> OpenTime:
        first, last = known.years
        if last >= self._covered[1]:
            if first == self._covered[0] and not known.reached[-1]:
                raise NeverOpen(self._name, first)
            raise UncoveredYear(self._name, last + 1, self._covered)
        if last - first + 1 >= MOST_YEARS:
            raise UncoveredYear(self._name, last + 1, known.years)
        more = min(last + (last - first + 1), self._covered[1], first + MOST_YEARS - 1)
        return self._compile((first, more))

    def _compile(self, years: tuple[int, int]) -> OpenTime:
        first, last = years
        whole = Span(self._start_of(first), self._start_of(last + 1))
        days = [day for year in range(first, last + 1) for day in self._year_of_days(year)]
        # Hours past midnight of the day before reach into the year; so do those of the day after, where a clock goes
        # back over midnight of New Year's Eve.
        edges = [self._hours(on) for on in (date(first - 1, 12, 31), date(last + 1, 1, 1))]
        spans = [span for _, spans in days for span in spans]
        closings = [(ordinal, max(span.end for span in spans)) for ordinal, spans in days]
        self.open_time = open_time(years, whole, [*edges[0], *spans, *edges[1]], closings)
        return self.open_time

    def _year_of_days(self, year: int) -> list[tuple[int, list[Span]]]:
        """Each working day of a year, with the instants at which it is open."""
        known = self._days.get(year)
        if known is None:
            dates = range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
            days = ((ordinal, self._hours(date.fromordinal(ordinal))) for ordinal in dates)
            known = self._days[year] = [(ordinal, spans) for ordinal, spans in days if spans]
        return known

    def _hours(self, on: date) -> list[Span]:
        """The hours of a date as instants; none for a date of a year that is not covered."""
        if not self._covered[0] <= on.year <= self._covered[1]:
            return []
        charge()
        start = midnight(on)
        return [
            span
            for hours in self._opening.day(on).hours
            for span in self._zone.instants(start + hours.start, start + hours.end)
        ]

    def _start_of(self, year: int) -> Micros:
        return self._zone.end_of_day(date(year - 1, 12, 31))

    def _year(self, at: Micros) -> int:
        try:
            year = self._zone.local_date(at).year
        except (OverflowError, ValueError):
            year = 1970 + int(at / (DAY * _DAYS_A_YEAR))
        if not self._covered[0] <= year <= self._covered[1]:
            raise UncoveredYear(self._name, year, self._covered)
        return year
