"""The first date whose hours differ between two calendars: what lies before it counts the same in both."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from app.sla.calendar.calendar import Calendar
from app.sla.calendar.holiday import HolidaySet, HolidaySource, HolidayYear, UnknownHolidays
from app.sla.calendar.rules import OpeningRules

NEVER: Final = date.max
"""No date differs."""
ANY: Final = date.min
"""Rules differ that hold for every date, or that cannot be compared date by date."""


def first_changed_date(old: Calendar, new: Calendar) -> date:
    """The first date that may have other hours, NEVER for none. Hours of a date have no effect before its midnight."""
    if old.counts_as(new):
        return NEVER
    if _for_every_date(old.rules) != _for_every_date(new.rules) or old.covered != new.covered:
        return ANY
    return min((*_changed_dates(old.rules, new.rules), *_changed_holidays(old, new)), default=NEVER)


def _for_every_date(rules: OpeningRules) -> object:
    """The rules that are no dates."""
    return (
        rules.time_zone,
        rules.weekly,
        rules.alternate,
        rules.seasons,
        rules.holidays,
        rules.added_yearly,
        rules.removed_yearly,
        rules.half_day_hours,
        rules.make_up_days,
        rules.overrides_yearly,
        rules.years,
    )


def _changed_dates(old: OpeningRules, new: OpeningRules) -> Iterator[date]:
    yield from old.removed ^ new.removed
    yield from _unequal(old.added, new.added)
    yield from _unequal(old.overrides, new.overrides)


def _unequal(old: Mapping[date, object], new: Mapping[date, object]) -> Iterator[date]:
    return (on for on in old.keys() | new.keys() if old.get(on) != new.get(on))


def _changed_holidays(old: Calendar, new: Calendar) -> Iterable[date]:
    """The dates whose holidays differ between the sources; ANY where other days are counted from a holiday."""
    holiday_set = new.rules.holidays
    if holiday_set is None or old.holiday_source == new.holiday_source:
        return ()
    if new.rules.needs_years_beside:
        return (ANY,)
    first, last = new.covered
    return (
        on
        for year in range(first, last + 1)
        for on in _changed_in(
            _year(old.holiday_source, holiday_set, year), _year(new.holiday_source, holiday_set, year)
        )
    )


def _year(source: HolidaySource, holiday_set: HolidaySet, year: int) -> HolidayYear | None:
    try:
        return source.year(holiday_set, year)
    except UnknownHolidays:
        return None


def _changed_in(old: HolidayYear | None, new: HolidayYear | None) -> Iterator[date]:
    if old is None or new is None:
        yield ANY
        return
    yield from _unequal(old.names, new.names)
    yield from _unequal(old.make_up, new.make_up)
    yield from _unequal(old.categories, new.categories)
