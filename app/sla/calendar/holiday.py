"""Holidays of a country: which set a calendar closes on, one year of it, and the protocol of a source of them.

A calendar counts with the days that a `HolidaySource` gives: the installed `holidays` package, or the days that were
stored with a version. Dates are local dates of the calendar; names are in English where the package has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

HALF_DAY: Final = "half_day"
"""The category of days with shorter hours: which ones, the calendar must say."""


@dataclass(frozen=True, slots=True)
class HolidaySet:
    """The holidays that a calendar closes on: a country's, of one subdivision or of all, of some categories."""

    country: str
    subdivision: str | None = None
    categories: tuple[str, ...] = ("public",)

    @property
    def name(self) -> str:
        """As sources and messages show it: "NL public", "DE-BY public"."""
        return f"{self.place} {'+'.join(self.categories)}"

    @property
    def only_category(self) -> str | None:
        """Its category, if it has just one."""
        return self.categories[0] if len(self.categories) == 1 else None

    @property
    def place(self) -> str:
        """The country, with its subdivision: "NL", "DE-BY"."""
        return f"{self.country}-{self.subdivision}" if self.subdivision else self.country


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """One year of a HolidaySet.

    `make_up` maps each weekend day that is worked instead of a day off to that day off. `provisional` are days computed
    by rule because no decree for the year is known. `version` is the package that they were taken from. `categories`
    names the category of each day; days that were stored without it have none.
    """

    names: Mapping[date, str]
    make_up: Mapping[date, date]
    provisional: frozenset[date]
    version: str = ""
    categories: Mapping[date, str] = field(default_factory=dict[date, str])


NO_HOLIDAYS: Final = HolidayYear({}, {}, frozenset())


class UnknownHolidays(LookupError):
    """The `holidays` package does not know this country, subdivision or category."""

    def __init__(self, key: str, wrong: str, known: Mapping[str, str]) -> None:
        """`known` are the right words, each with its name where it has one, else with an empty text."""
        super().__init__(wrong)
        self.key = key
        self.known = dict(known)


class HolidaySource(Protocol):
    """Where the holidays of a calendar come from."""

    def version(self, holiday_set: HolidaySet) -> str:
        """The package that they were taken from: "holidays 0.109". Raises UnknownHolidays."""
        ...

    def covered(self, holiday_set: HolidaySet) -> tuple[int, int]:
        """The first and the last year that is known of the country. Raises UnknownHolidays."""
        ...

    def year(self, holiday_set: HolidaySet, year: int) -> HolidayYear:
        """Every holiday of one covered year."""
        ...
