"""Names of holidays in the reader's language, where the `holidays` package has them for the country.

Calendars and their versions name holidays in English. A name is looked up among the country's holidays of the same year;
one that the calendar's own file gives, and that of a country without the language, stay as they are.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from app.delivery.wording.language import Language
from app.sla.calendar import Calendar
from app.sla.calendar.holiday import HolidaySet
from app.sla.calendar.holiday_package import LANGUAGE

_YEARS_KEPT: Final = 1024
"""Cached years, some kilobytes each: those that readers look at, of some twenty countries."""


def holiday_name(calendar: Calendar, on: date, name: str, language: Language) -> str:
    """The name of a special day of a calendar, or a reason for being closed on it."""
    closed_on = calendar.rules.holidays
    if closed_on is None or language is Language.EN:
        return name
    return _names(closed_on, on.year, language).get(name, name)


@lru_cache(maxsize=_YEARS_KEPT)
def _names(holiday_set: HolidaySet, year: int, language: Language) -> Mapping[str, str]:
    """The names of a year's holidays in a language, by the English ones."""
    # Importing the package takes a third of a second: only calendars with a country pay for it.
    import holidays

    def of(code: str) -> Mapping[date, str]:
        given = (holiday_set.country, holiday_set.subdivision)
        return holidays.country_holidays(*given, years=year, categories=holiday_set.categories, language=code)

    try:
        known = holidays.country_holidays(holiday_set.country).supported_languages
        code = next((each for each in known if each.partition("_")[0] == language.value), None)
        found = {} if code is None else dict(of(code))
        english = dict(of(LANGUAGE)) if found else {}
    except NotImplementedError:  # a country or a part of it that a newer package no longer has
        return MappingProxyType({})
    return MappingProxyType({name: found[on] for on, name in english.items() if on in found})
