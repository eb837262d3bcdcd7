"""Opening hours of a calendar by date, and the cause where they differ from the weekday's.

Precedence: an override of the date, else a holiday (closed, or the hours of a half-day), else a decreed make-up day
where the desk works on those, else the hours of the weekday by the season of the date: a season of that year before one
of every year. Everything here is local; no time zone is involved.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from app.sla.calendar.holiday import HolidaySource
from app.sla.calendar.rules import OpeningRules, Week
from app.sla.calendar.special_days import ClosedDay, SpecialDays
from app.sla.span import DAY, Span

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKEND = (5, 6)
WEEK = 7 * DAY
ALL_DAY = Span(0, DAY)

# Every year whose dates Python can hold with room for a zone's offset at both ends.
ALL_YEARS = (2, 9998)


@dataclass(frozen=True, slots=True)
class Day:
    """The hours of a date, and the cause where a special day changes them. `source`: where they come from, where that
    is not the weekly hours."""

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
        self._plan = rules.plan
        self._weekly = tuple(Day(hours) for hours in rules.weekly)
        self._is_every_week_the_same = not (rules.seasons or rules.alternate)
        self._special = SpecialDays(rules, source)

    def day(self, on: date) -> Day:
        """The hours of a date and their cause."""
        if (overridden := self._special.override_on(on)) is not None:
            override, source = overridden
            return Day(override.hours, override.cause, source)
        if (holiday := self._special.holiday_on(on)) is not None:
            return self._half_day(holiday) if holiday.is_half_day else Day((), holiday.name, holiday.source)
        if self.rules.make_up_days and (made_up := self._special.make_up_on(on)) is not None:
            day_off, source = made_up
            return Day(self._ordinary(day_off).hours, f"make-up day for {day_off.isoformat()}", source)
        return self._ordinary(on)

    def _half_day(self, holiday: ClosedDay) -> Day:
        """A half-day opens no date that would be closed anyway."""
        ordinary = self._ordinary(holiday.date)
        if not ordinary.hours:
            return ordinary
        return Day(self.rules.half_day_hours or (), holiday.name, holiday.source)

    def _ordinary(self, on: date) -> Day:
        """The hours of the weekday, by the season of the date and by alternate weeks."""
        if self._is_every_week_the_same:
            return self._weekly[on.weekday()]
        season = next((each for each in self.rules.seasons if each.includes(on)), None)
        hours, weeks = (self._plan if season is None else season.plan).on(on)
        sources = (f"season: {season.title}" if season else None, weeks)
        return Day(hours, source=", ".join(filter(None, sources)) or None)

    def holiday_on(self, on: date) -> ClosedDay | None:
        """The holiday of that date, even where an override gives it other hours."""
        return self._special.holiday_on(on)

    def closed_days(self, year: int) -> Iterator[ClosedDay]:
        """Every holiday and override of a year, in order; an override hides the holiday of its date."""
        return self._special.of_year(year)

    def may_open_after(self, year: int) -> bool:
        """Whether any date after that year can have hours: the end of a search for the next opening."""
        rules = self.rules
        return (
            self._plan.may_open
            or any(season.plan.may_open for season in rules.seasons if season.may_come_after(year))
            or any(override.hours for _, override in rules.overrides_yearly)
            or any(on.year > year and override.hours for on, override in rules.overrides.items())
        )

    def may_close_after(self, year: int) -> bool:
        """Whether any instant after that year can be closed: the end of a search for the next closing."""
        rules = self.rules
        if rules.holidays is not None or rules.added_yearly or rules.overrides_yearly:
            return True
        plans = [self._plan, *(season.plan for season in rules.seasons if season.may_come_after(year))]
        if len(plans) > 1 or rules.alternate:
            if not all(plan.fills_every_day for plan in plans):
                return True
        elif not _fills_the_week(rules.weekly):
            return True
        return any(on.year > year for on in (*rules.overrides, *rules.added))

    def why_no_hours(self, on: date) -> tuple[str, str | None]:
        """(reason, source) for a date without hours."""
        day = self.day(on)
        if day.cause is not None:
            return day.cause, day.source
        if on.weekday() in _WEEKEND:
            return "weekend", day.source
        return f"no hours on {WEEKDAYS[on.weekday()]}", day.source


def _fills_the_week(weekly: Week) -> bool:
    """Whether the weekly hours leave no gap, the tails of Sunday counted into Monday."""
    offset = [(day * DAY + hours.start, day * DAY + hours.end) for day in range(7) for hours in weekly[day]]
    reached = max((end - WEEK for _, end in offset), default=0)
    for start, end in sorted(offset):
        if start > max(reached, 0):
            return False
        reached = max(reached, end)
    return reached >= WEEK
