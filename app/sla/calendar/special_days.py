"""Special days of one calendar by year: its overrides, its own closing days, and the holidays that it keeps.

A date stands before a rule that recurs; among rules, a day of a month before a weekday of a month before a day counted
from a holiday. A year is resolved once, then looked up. Dates are local dates of the calendar.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from app.sla.calendar.holiday import HALF_DAY, NO_HOLIDAYS, HolidaySource, HolidayYear
from app.sla.calendar.rules import OpeningRules, Override, hours_as_text

ADDED = "added by the calendar"
OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A holiday or an override with its cause.

    `hours` are the special hours of an override or of a half-day ("10:00-12:00"), empty when it is closed.
    `provisional`: computed, no decree is known yet. `source` names the category: "GR half_day, holidays 0.109".
    """

    date: date
    name: str
    source: str
    provisional: bool = False
    hours: tuple[str, ...] = ()
    is_half_day: bool = False


@dataclass(frozen=True, slots=True)
class _Year:
    overrides: Mapping[date, tuple[Override, str]]
    closed: Mapping[date, ClosedDay]
    make_up: Mapping[date, date]
    version: str


class SpecialDays:
    """The special days of one calendar, with the holidays of a source."""

    def __init__(self, rules: OpeningRules, source: HolidaySource) -> None:
        self._rules, self._source = rules, source
        self._known = source.covered(rules.holidays) if rules.holidays else (0, -1)
        self._years: dict[int, _Year] = {}

    def override_on(self, on: date) -> tuple[Override, str] | None:
        """The override of a date, with its source; None without one."""
        return self._year(on.year).overrides.get(on)

    def holiday_on(self, on: date) -> ClosedDay | None:
        """The holiday of a date, even where an override gives it other hours."""
        return self._year(on.year).closed.get(on)

    def make_up_on(self, on: date) -> tuple[date, str] | None:
        """The day off that a date is worked for by decree, with its source; None where it is not."""
        year = self._year(on.year)
        day_off = year.make_up.get(on)
        return None if day_off is None else (day_off, self._set_and(year.version))

    def of_year(self, year: int) -> Iterator[ClosedDay]:
        """Every holiday and override of a year, in order; an override hides the holiday of its date."""
        days = self._year(year)
        for on in sorted(days.overrides.keys() | days.closed.keys()):
            if on in days.overrides:
                override, source = days.overrides[on]
                yield ClosedDay(on, override.cause, source, hours=tuple(map(hours_as_text, override.hours)))
            else:
                yield days.closed[on]

    def _year(self, year: int) -> _Year:
        known = self._years.get(year)
        if known is None:
            known = self._years[year] = self._resolved(year)
        return known

    def _resolved(self, year: int) -> _Year:
        holidays = self._holidays(year)
        closed = dict(self._kept(holidays, year)) | self._added(year)
        return _Year(self._overrides(year), closed, holidays.make_up, holidays.version)

    def _kept(self, holidays: HolidayYear, year: int) -> Iterator[tuple[date, ClosedDay]]:
        """The country's holidays without those that the calendar works on."""
        removed = {
            each.date for rule in self._rules.removed_yearly for each in rule.dates(year, self._holidays)
        }
        for on, name in holidays.names.items():
            if on in self._rules.removed or on in removed:
                continue
            source = self._set_and(holidays.version, holidays.categories.get(on))
            day = ClosedDay(on, name, source, on in holidays.provisional)
            if holidays.categories.get(on) == HALF_DAY and self._rules.half_day_hours:
                hours = tuple(map(hours_as_text, self._rules.half_day_hours))
                day = replace(day, hours=hours, is_half_day=True)
            yield on, day

    def _added(self, year: int) -> dict[date, ClosedDay]:
        found: dict[date, ClosedDay] = {}
        for rule, name in self._rules.added_yearly:
            for each in rule.dates(year, self._holidays):
                closed = ClosedDay(each.date, name, f"{ADDED}: {rule}", each.provisional)
                found.setdefault(each.date, closed)
        for on, name in self._rules.added.items():
            if on.year == year:
                found[on] = ClosedDay(on, name, ADDED)
        return found

    def _overrides(self, year: int) -> dict[date, tuple[Override, str]]:
        found: dict[date, tuple[Override, str]] = {}
        for rule, override in self._rules.overrides_yearly:
            for each in rule.dates(year, self._holidays):
                found.setdefault(each.date, (override, f"{OVERRIDE} {rule}"))
        for on, override in self._rules.overrides.items():
            if on.year == year:
                found[on] = override, OVERRIDE
        return found

    def _holidays(self, year: int) -> HolidayYear:
        first, last = self._known
        if self._rules.holidays is None or not first <= year <= last:
            return NO_HOLIDAYS
        return self._source.year(self._rules.holidays, year)

    def _set_and(self, version: str, category: str | None = None) -> str:
        """Where a holiday comes from: "NL public, holidays 0.109"."""
        holiday_set = self._rules.holidays
        if holiday_set is None:
            return version
        return f"{f'{holiday_set.place} {category}' if category else holiday_set.name}, {version}"
