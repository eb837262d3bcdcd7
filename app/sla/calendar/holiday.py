"""Which days of a year does a country keep as holidays, by what name, and how sure is that?

The data is the `holidays` package's, read once per year and frozen: its own objects grow when they are
looked at. The package answers a year that it does not know with no holidays at all, so `covered` is asked
first. Local dates of the calendar; names in English where the package has them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from holidays import HolidayBase

LANGUAGE = "en_US"
# A year takes a few kilobytes; this many are twenty years of two hundred different holiday sets.
_YEARS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class HolidaySet:
    """The holidays of a country that a calendar keeps: of one subdivision or of all, of some categories."""

    country: str
    subdivision: str | None = None
    categories: tuple[str, ...] = ("public",)

    @property
    def source(self) -> str:
        """Where they come from: "NL public, holidays 0.109"."""
        place = f"{self.country}-{self.subdivision}" if self.subdivision else self.country
        return f"{place} {'+'.join(self.categories)}, {package_version()}"


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """One year of a HolidaySet. `make_up` gives each weekend day that is worked instead of a day off, with
    that day off. `provisional`: no decree for the year is known, so its days are computed by rule."""

    names: Mapping[date, str]
    make_up: Mapping[date, date]
    provisional: frozenset[date]


class UnknownHolidays(LookupError):
    """The `holidays` package does not know this country, subdivision or category."""

    def __init__(self, key: str, wrong: str, known: Iterable[str]) -> None:
        super().__init__(wrong)
        self.key = key
        self.known = tuple(known)


def package_version() -> str:
    """The provenance of computed holidays: "holidays 0.109"."""
    from holidays.version import __version__

    return f"holidays {__version__}"


@cache
def covered(kept: HolidaySet) -> tuple[int, int]:
    """The first and the last year that the package knows of this country. Raises UnknownHolidays."""
    _check(kept)
    entity = _entity(kept, ())
    return entity.start_year, entity.end_year


@lru_cache(maxsize=_YEARS_KEPT)
def year_of_holidays(kept: HolidaySet, year: int) -> HolidayYear:
    """Every holiday of one covered year."""
    entity = _entity(kept, (year,))
    names = {on: name for on, name in sorted(entity.items()) if on.year == year}
    swaps = _swaps(entity)
    make_up = {on: swaps[on] for on in sorted(entity.weekend_workdays) if on.year == year and on in swaps}
    return HolidayYear(
        names=MappingProxyType(names),
        make_up=MappingProxyType(make_up),
        provisional=_provisional(entity, swaps, names, year),
    )


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


def _check(kept: HolidaySet) -> None:
    import holidays

    countries = holidays.list_supported_countries()
    if kept.country not in countries:
        raise UnknownHolidays("country", f"holidays of {kept.country!r} are not known", countries)
    entity = holidays.country_holidays(kept.country)
    if kept.subdivision is not None and kept.subdivision not in entity.subdivisions:
        wrong = f"{kept.country} has no subdivision {kept.subdivision!r}"
        raise UnknownHolidays("subdivision", wrong, entity.subdivisions)
    for category in kept.categories:
        if category not in entity.supported_categories:
            wrong = f"{kept.country} has no category {category!r}"
            raise UnknownHolidays("categories", wrong, entity.supported_categories)


def _entity(kept: HolidaySet, years: tuple[int, ...]) -> "HolidayBase":
    # Importing the package takes a third of a second: only calendars with a country pay for it.
    import holidays

    return holidays.country_holidays(
        kept.country, subdiv=kept.subdivision, years=years, categories=kept.categories, language=LANGUAGE
    )
