"""Holidays from the installed `holidays` package.

Each year is read once and frozen: the package's own objects grow when they are read. The package answers a year that it
does not know with no holidays, so `covered` is checked first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from app.sla.calendar.holiday import HALF_DAY, HolidaySet, HolidaySource, HolidayYear, UnknownHolidays
from app.sla.calendar.place_names import country_names, subdivision_names

if TYPE_CHECKING:
    from holidays import HolidayBase

LANGUAGE: Final = "en_US"

_YEARS_KEPT: Final = 4096
"""Cached years, a few kilobytes each: all the years of some twenty countries."""


class InstalledHolidays:
    """The installed package as a HolidaySource."""

    def version(self, holiday_set: HolidaySet) -> str:  # noqa: ARG002 - one package for all of them
        """The version of the package."""
        return package_version()

    def covered(self, holiday_set: HolidaySet) -> tuple[int, int]:
        """The first and the last year that the package knows of the country. Raises UnknownHolidays."""
        return covered(holiday_set)

    def year(self, holiday_set: HolidaySet, year: int) -> HolidayYear:
        """Every holiday of one covered year."""
        return year_of_holidays(holiday_set, year)


INSTALLED: Final[HolidaySource] = InstalledHolidays()


def package_version() -> str:
    """The package with its version: "holidays 0.109"."""
    from holidays.version import __version__

    return f"holidays {__version__}"


@cache
def covered(holiday_set: HolidaySet) -> tuple[int, int]:
    """The first and the last year that the package knows of this country. Raises UnknownHolidays."""
    _check(holiday_set)
    entity = _entity(holiday_set, ())
    return entity.start_year, entity.end_year


@lru_cache(maxsize=_YEARS_KEPT)
def year_of_holidays(holiday_set: HolidaySet, year: int) -> HolidayYear:
    """Every holiday of one covered year."""
    entity = _entity(holiday_set, (year,))
    names = {on: name for on, name in sorted(entity.items()) if on.year == year}
    swaps = _swaps(entity)
    make_up = {on: swaps[on] for on in sorted(entity.weekend_workdays) if on.year == year and on in swaps}
    return HolidayYear(
        names=MappingProxyType(names),
        make_up=MappingProxyType(make_up),
        provisional=_provisional(entity, swaps, names, year),
        version=package_version(),
        categories=MappingProxyType(_categories(holiday_set, year, names)),
    )


def _categories(holiday_set: HolidaySet, year: int, names: Iterable[date]) -> dict[date, str]:
    """The category of each day. A day of several counts as a whole holiday if one of them is."""
    if holiday_set.only_category:
        return dict.fromkeys(names, holiday_set.only_category)
    found: dict[date, str] = {}
    for category in sorted(
        holiday_set.categories, key=lambda each: (each == HALF_DAY, each != "public", each)
    ):
        for on in _entity(replace(holiday_set, categories=(category,)), (year,)):
            found.setdefault(on, category)
    return {on: found[on] for on in names if on in found}


def _provisional(
    entity: "HolidayBase", swaps: Mapping[date, date], names: Mapping[date, str], year: int
) -> frozenset[date]:
    """A country that swaps days by decree has computed days only after its last decree in the package;
    elsewhere the package itself marks a day as estimated."""
    if swaps and year > max(day_off.year for day_off in swaps.values()):
        return frozenset(names)
    labels = (
        getattr(entity, attribute, None) for attribute in ("estimated_label", "observed_estimated_label")
    )
    marks = tuple(entity.tr(label).replace("%s", "").strip() for label in labels if label)
    return frozenset(on for on, name in names.items() if any(mark in name for mark in marks))


def _swaps(entity: "HolidayBase") -> dict[date, date]:
    """Each make-up day with the day off that it makes up for, from the package's tables of decrees.

    A table holds, by the year of the day off, one or several tuples: (month, day, name) is a further
    holiday, (month, day, from month, from day[, from year]) is a swap."""
    swaps: dict[date, date] = {}
    for category in entity.categories:
        table = cast(Mapping[int, Any], getattr(entity, f"special_{category}_holidays", {}))
        for year, rows in table.items():
            for row in rows if rows and isinstance(rows[0], tuple) else (rows,):
                if len(row) > 3:
                    month, day, from_month, from_day, *from_year = row
                    made_up = date(from_year[0] if from_year else year, from_month, from_day)
                    swaps[made_up] = date(year, month, day)
    return swaps


def _check(holiday_set: HolidaySet) -> None:
    import holidays

    countries = holidays.list_supported_countries()
    if holiday_set.country not in countries:
        names = country_names()
        known = {code: names.get(code, "") for code in countries}
        raise UnknownHolidays("country", f"holidays of {holiday_set.country!r} are not known", known)
    entity = holidays.country_holidays(holiday_set.country)
    if holiday_set.subdivision is not None and holiday_set.subdivision not in entity.subdivisions:
        wrong = f"{holiday_set.country} has no subdivision {holiday_set.subdivision!r}"
        raise UnknownHolidays("subdivision", wrong, subdivision_names(holiday_set.country))
    for category in holiday_set.categories:
        if category not in entity.supported_categories:
            wrong = f"{holiday_set.country} has no category {category!r}"
            raise UnknownHolidays("categories", wrong, dict.fromkeys(entity.supported_categories, ""))


def _entity(holiday_set: HolidaySet, years: tuple[int, ...]) -> "HolidayBase":
    # Importing the package takes a third of a second: only calendars with a country pay for it.
    import holidays

    return holidays.country_holidays(
        holiday_set.country,
        subdiv=holiday_set.subdivision,
        years=years,
        categories=holiday_set.categories,
        language=LANGUAGE,
    )
