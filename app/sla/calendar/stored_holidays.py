"""Holidays that are stored with a version, so that a newer `holidays` package moves no due date of it.

`take` copies them from a source for the years that the calendars cover, up to a last year; later years come from the
installed package and are provisional. A document of them is a list with one table for each set of holidays; its days
are written as numbers, 20260427 for 27 April 2026: 10 to 25 kB for all the years of a country.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from app.sla.calendar.holiday import NO_HOLIDAYS, HolidaySet, HolidaySource, HolidayYear, UnknownHolidays
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.calendar.rules import OpeningRules

Document = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StoredSet:
    """The stored days of one HolidaySet, as numbers. `covered` are all years that the source knew, `years` the stored
    ones; none are stored when the last lies before the first. `categories` has the days of each category of a set of
    several; days that the release before stored have none."""

    version: str
    covered: tuple[int, int]
    years: tuple[int, int]
    days: Mapping[str, tuple[int, ...]]
    make_up: tuple[tuple[int, int], ...]
    provisional: tuple[int, ...]
    categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def is_same(self, other: "StoredSet") -> bool:
        """Whether the same days of the same years are stored, from whatever version of the package."""
        return replace(self, version="") == replace(other, version="")

    def decoded(self, only_category: str | None) -> dict[int, HolidayYear]:
        """The days by year, as every source gives them. A set of one category names it for all of them."""
        names: dict[int, dict[date, str]] = {}
        for name, numbers in self.days.items():
            for number in numbers:
                names.setdefault(number // _YEAR, {})[_date(number)] = name
        make_up: dict[int, dict[date, date]] = {}
        for worked, day_off in self.make_up:
            make_up.setdefault(worked // _YEAR, {})[_date(worked)] = _date(day_off)
        provisional: dict[int, set[date]] = {}
        for number in self.provisional:
            provisional.setdefault(number // _YEAR, set()).add(_date(number))
        categories: dict[int, dict[date, str]] = {}
        for category, numbers in self.categories.items():
            for number in numbers:
                categories.setdefault(number // _YEAR, {})[_date(number)] = category
        return {
            year: HolidayYear(
                names=dict(sorted(names.get(year, {}).items())),
                make_up=make_up.get(year, {}),
                provisional=frozenset(provisional.get(year, ())),
                version=self.version,
                categories=dict.fromkeys(names.get(year, ()), only_category)
                if only_category
                else dict(sorted(categories.get(year, {}).items())),
            )
            for year in range(self.years[0], self.years[1] + 1)
        }


class StoredHolidays:
    """The stored days of the calendars of one file, as a HolidaySource. Equal when the days and their versions are."""

    def __init__(self, sets: Mapping[HolidaySet, StoredSet], later: HolidaySource = INSTALLED) -> None:
        self.sets = dict(sets)
        self._later = later
        self._decoded: dict[HolidaySet, dict[int, HolidayYear]] = {}

    def version(self, holiday_set: HolidaySet) -> str:
        """The package that the days were taken from. Raises UnknownHolidays."""
        return self._set(holiday_set).version

    def covered(self, holiday_set: HolidaySet) -> tuple[int, int]:
        """The years that the package knew when the days were taken. Raises UnknownHolidays."""
        return self._set(holiday_set).covered

    def year(self, holiday_set: HolidaySet, year: int) -> HolidayYear:
        """One year: as stored, and provisional from the installed package beyond the stored years."""
        decoded = self._decoded.get(holiday_set)
        if decoded is None:
            decoded = self._decoded[holiday_set] = self._set(holiday_set).decoded(holiday_set.only_category)
        return decoded.get(year) or self._beyond(holiday_set, year)

    def _set(self, holiday_set: HolidaySet) -> StoredSet:
        found = self.sets.get(holiday_set)
        if found is None:
            raise UnknownHolidays("country", f"no holidays of {holiday_set.name} are stored", {})
        return found

    def _beyond(self, holiday_set: HolidaySet, year: int) -> HolidayYear:
        """A year that is not stored. It has no holidays when the installed package does not know it any more."""
        try:
            first, last = self._later.covered(holiday_set)
        except UnknownHolidays:
            return NO_HOLIDAYS
        if not first <= year <= last:
            return NO_HOLIDAYS
        found = self._later.year(holiday_set, year)
        return replace(found, provisional=frozenset(found.names))

    def is_same(self, other: "StoredHolidays") -> bool:
        """Whether both store the same days."""
        return self.sets.keys() == other.sets.keys() and all(
            held.is_same(other.sets[holiday_set]) for holiday_set, held in self.sets.items()
        )

    def document(self) -> Document:
        """The days as lists, tables and plain values."""
        return [
            {
                "country": holiday_set.country,
                "subdivision": holiday_set.subdivision,
                "categories": list(holiday_set.categories),
                "version": held.version,
                "covered": list(held.covered),
                "years": list(held.years),
                "days": {name: list(numbers) for name, numbers in held.days.items()},
                "make_up": [list(pair) for pair in held.make_up],
                "provisional": list(held.provisional),
                "categories_of": {name: list(numbers) for name, numbers in held.categories.items()},
            }
            for holiday_set, held in self.sets.items()
        ]

    @staticmethod
    def of_document(document: Document, later: HolidaySource = INSTALLED) -> "StoredHolidays":
        """The days that `document` wrote."""
        return StoredHolidays(
            {
                HolidaySet(table["country"], table["subdivision"], tuple(table["categories"])): StoredSet(
                    version=table["version"],
                    covered=(table["covered"][0], table["covered"][1]),
                    years=(table["years"][0], table["years"][1]),
                    days={name: tuple(numbers) for name, numbers in table["days"].items()},
                    make_up=tuple((worked, day_off) for worked, day_off in table["make_up"]),
                    provisional=tuple(table["provisional"]),
                    categories={name: tuple(days) for name, days in table.get("categories_of", {}).items()},
                )
                for table in document
            },
            later,
        )

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, StoredHolidays) and self.sets == other.sets)

    __hash__ = None  # type: ignore[assignment]


def take(rules: Iterable[OpeningRules], source: HolidaySource, last_year: int) -> StoredHolidays:
    """Copy the holidays that these calendars close on, for the years that they cover, up to a last year.

    Several calendars with the same set share its days. Raises UnknownHolidays.
    """
    wanted: dict[HolidaySet, tuple[int, int]] = {}
    beside = 0
    for each in rules:
        if each.holidays is not None:
            first, last = _years_of(each, each.holidays, source)
            known = wanted.get(each.holidays, (first, last))
            beside = max(beside, int(each.needs_years_beside))
            wanted[each.holidays] = min(first, known[0]), max(last, known[1])
    return StoredHolidays(
        {
            holiday_set: _taken(holiday_set, (first, min(last, last_year + beside)), source)
            for holiday_set, (first, last) in wanted.items()
        },
        source,
    )


def _years_of(rules: OpeningRules, holiday_set: HolidaySet, source: HolidaySource) -> tuple[int, int]:
    """The years whose holidays a calendar reads: those that it covers, and the ones beside them for days that are
    counted from a holiday."""
    covered = source.covered(holiday_set)
    first, last = rules.years or covered
    beside = int(rules.needs_years_beside)
    return max(first - beside, covered[0]), min(last + beside, covered[1])


def _taken(holiday_set: HolidaySet, years: tuple[int, int], source: HolidaySource) -> StoredSet:
    days: dict[str, list[int]] = {}
    make_up: list[tuple[int, int]] = []
    provisional: list[int] = []
    categories: dict[str, list[int]] = {}
    for year in range(years[0], years[1] + 1):
        taken = source.year(holiday_set, year)
        for on, name in taken.names.items():
            days.setdefault(name, []).append(_number(on))
        make_up += [(_number(worked), _number(day_off)) for worked, day_off in taken.make_up.items()]
        provisional += sorted(map(_number, taken.provisional))
        if holiday_set.only_category is None:
            for on, category in taken.categories.items():
                categories.setdefault(category, []).append(_number(on))
    return StoredSet(
        version=source.version(holiday_set),
        covered=source.covered(holiday_set),
        years=years,
        days={name: tuple(numbers) for name, numbers in days.items()},
        make_up=tuple(make_up),
        provisional=tuple(provisional),
        categories={name: tuple(numbers) for name, numbers in categories.items()},
    )


_YEAR: Final = 10_000


def _number(on: date) -> int:
    """20260427 for 27 April 2026."""
    return on.year * _YEAR + on.month * 100 + on.day


def _date(number: int) -> date:
    return date(number // _YEAR, number // 100 % 100, number % 100)
