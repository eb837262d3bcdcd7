"""Writes phrases, dates and durations in one language, from the catalogues of messages or of a page. Pure apart from
reading them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from babel.dates import format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit

from app.delivery.wording.catalogues import Folders, translations
from app.delivery.wording.language import LOCALES, Language

CATALOGUES: Final = Path(__file__).parent
_UNITS: Final = (("duration-day", 86_400), ("duration-hour", 3_600), ("duration-minute", 60))
_UNITS_SHOWN: Final = 2
"""Units of a duration: "2 days, 3 hours", whose minutes no one acts on."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one language, from a chain of catalogues."""

    language: Language
    folders: Folders = (CATALOGUES,)

    @property
    def locale(self) -> str:
        """The locale of dates, durations and lists."""
        return LOCALES[self.language]

    def say(self, phrase: str, **values: Any) -> str:
        """A phrase, translated and filled in."""
        return self.phrase(phrase).format(**values)

    def phrase(self, phrase: str) -> str:
        """A phrase, translated, with its places for values as they are."""
        return translations(self.language, self.folders).gettext(phrase)

    def count(self, phrases: tuple[str, str], n: int, **values: Any) -> str:
        """A phrase with a number, in the plural form that the language has for it."""
        return translations(self.language, self.folders).ngettext(*phrases, n).format(n=n, **values)

    def number(self, number: Decimal) -> str:
        """A number as the language writes it, with all of its decimals."""
        decimals = max(0, -int(number.as_tuple().exponent))
        return format_decimal(number, "#,##0." + "0" * decimals, locale=self.locale)

    def when(self, at: datetime, *, zone: bool) -> str:
        """A local instant: weekday, date and time to the minute, with its offset from UTC if `zone`."""
        day = format_skeleton("yMMMEd", at, locale=self.locale)
        time = format_time(at.timetz(), "HH:mm", locale=self.locale)
        return f"{day}, {time}" + (f" ({at.tzname()})" if zone else "")

    def length(self, seconds: int) -> str:
        """A duration in its two largest units, rounded down, at least a minute."""
        left, found = max(seconds, 60), list[str]()
        for unit, size in _UNITS:
            number, left = divmod(left, size)
            if number:
                found.append(format_unit(number, unit, "short", locale=self.locale))
        return format_list(found[:_UNITS_SHOWN], style="unit-short", locale=self.locale)
