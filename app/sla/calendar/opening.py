"""Opening rules of a calendar: the hours of each date, and the cause where they differ from the weekday's.

Precedence: an override of the date, else a holiday (closed), else a decreed make-up day where the desk works on those,
else the hours of the weekday. Everything here is local: dates, and hours as microseconds since local midnight, where an
end beyond 24 h belongs to the date on which it began. No time zone is involved.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from app.sla.calendar.holiday import NO_HOLIDAYS, HolidaySet, HolidaySource, HolidayYear
from app.sla.span import DAY, MINUTE, Span

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKEND = (5, 6)
WEEK = 7 * DAY
ALL_DAY = Span(0, DAY)

# Every year whose dates Python can hold with room for a zone's offset at both ends.
ALL_YEARS = (2, 9998)


@dataclass(frozen=True, slots=True)
class Override:
    """The hours of one date instead of what the rules give; none means closed."""

    hours: tuple[Span, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OpeningRules:
    """The rules of a calendar file in their normal form.

    `weekly` has seven entries from Monday; their hours are in order, do not touch, and none is empty.
    """

    time_zone: str
    weekly: tuple[tuple[Span, ...], ...]
    holidays: HolidaySet | None = None
    added: Mapping[date, str] = field(default_factory=dict[date, str])
    removed: frozenset[date] = frozenset()
    make_up_days: bool = False
    overrides: Mapping[date, Override] = field(default_factory=dict[date, Override])
    years: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A holiday or an override with its cause.

    `hours` are the special hours of an override ("10:00-12:00"), empty when it is closed. `provisional`: computed, no
    decree is known yet.
    """

    date: date
    name: str
    source: str
    provisional: bool = False
    hours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The hours of a date, and the cause where they are not the weekday's."""

    hours: tuple[Span, ...]
    cause: str | None = None
    source: str | None = None


class Opening:
    """The hours of one calendar by date, with the holidays of a source. The caller refuses years outside `covered`."""

    def __init__(self, rules: OpeningRules, source: HolidaySource) -> None:
        self.rules = rules
        self.source = source
        self.covered = rules.years or (source.covered(rules.holidays) if rules.holidays else ALL_YEARS)
        """The first and the last year of the calendar: its own, else those of its holidays."""
        self._weekly = tuple(Day(hours) for hours in rules.weekly)

    def day(self, on: date) -> Day:
        """The hours of a date and their cause."""
        override = self.rules.overrides.get(on)
        if override is not None:
            return Day(override.hours, _override_cause(override), "override")
        holiday = self.holiday_on(on)
        if holiday is not None:
            return Day((), holiday.name, holiday.source)
        if self.rules.make_up_days:
            year = self._year(on.year)
            day_off = year.make_up.get(on)
            if day_off is not None:
                cause = f"make-up day for {day_off.isoformat()}"
                return Day(self.rules.weekly[day_off.weekday()], cause, self._source_of(year))
        return self._weekly[on.weekday()]

    def holiday_on(self, on: date) -> ClosedDay | None:
        """The holiday of that date, even where an override gives it other hours."""
        added = self.rules.added.get(on)
        if added is not None:
            return ClosedDay(on, added, "added by the calendar")
        if self.rules.holidays is None or on in self.rules.removed:
            return None
        year = self._year(on.year)
        name = year.names.get(on)
        if name is None:
            return None
        return ClosedDay(on, name, self._source_of(year), on in year.provisional)

    def closed_days(self, year: int) -> Iterator[ClosedDay]:
        """Every holiday and override of a year, in order; an override hides the holiday of its date."""
        overrides = self.rules.overrides
        dates = {*overrides, *self.rules.added, *self._year(year).names}
        for on in sorted(on for on in dates if on.year == year):
            override, holiday = overrides.get(on), self.holiday_on(on)
            if override is not None:
                cause = _override_cause(override)
                yield ClosedDay(on, cause, "override", hours=tuple(map(hours_as_text, override.hours)))
            elif holiday is not None:
                yield holiday

    def may_open_after(self, year: int) -> bool:
        """Whether any date after that year can have hours: the end of a search for the next opening."""
        return any(self.rules.weekly) or any(
            on.year > year and override.hours for on, override in self.rules.overrides.items()
        )

    def may_close_after(self, year: int) -> bool:
        """Whether any instant after that year can be closed: the end of a search for the next closing."""
        if self.rules.holidays is not None or not _fills_the_week(self.rules.weekly):
            return True
        return any(on.year > year for on in (*self.rules.overrides, *self.rules.added))

    def why_no_hours(self, on: date) -> tuple[str, str | None]:
        """(reason, source) for a date without hours."""
        day = self.day(on)
        if day.cause is not None:
            return day.cause, day.source
        if on.weekday() in _WEEKEND:
            return "weekend", None
        return f"no hours on {WEEKDAYS[on.weekday()]}", None

    def _year(self, year: int) -> HolidayYear:
        return NO_HOLIDAYS if self.rules.holidays is None else self.source.year(self.rules.holidays, year)

    def _source_of(self, year: HolidayYear) -> str:
        """Where the holidays of a year come from: "NL public, holidays 0.109"."""
        return f"{self.rules.holidays.name}, {year.version}" if self.rules.holidays else year.version


def hours_as_text(hours: Span) -> str:
    """Hours as a calendar file writes them: "22:00-06:00", "09:00-24:00"."""
    end = hours.end if hours.end <= DAY else hours.end - DAY
    return f"{_clock(hours.start)}-{_clock(end)}"


def _clock(local: int) -> str:
    minutes = local // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _override_cause(override: Override) -> str:
    return override.reason or ("special hours" if override.hours else "closed on this date")


def _fills_the_week(weekly: tuple[tuple[Span, ...], ...]) -> bool:
    """Whether the weekly hours leave no gap, the tails of Sunday counted into Monday."""
    offset = [(day * DAY + hours.start, day * DAY + hours.end) for day in range(7) for hours in weekly[day]]
    reached = max((end - WEEK for _, end in offset), default=0)
    for start, end in sorted(offset):
        if start > max(reached, 0):
            return False
        reached = max(reached, end)
    return reached >= WEEK
