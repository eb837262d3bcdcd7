"""Writes phrases, dates and durations in one language. The catalogues (`*.po`) are compiled in memory on first use.

A checkout therefore needs no build step, and what a translator edits is what runs. Pure apart from reading them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.dates import format_skeleton, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

from app.delivery.wording.language import LOCALES, Language

CATALOGUES: Final = Path(__file__).parent
_UNITS: Final = (("duration-day", 86_400), ("duration-hour", 3_600), ("duration-minute", 60))
_UNITS_SHOWN: Final = 2
"""Units of a duration: "2 days, 3 hours", whose minutes no one acts on."""


@cache
def _translations(language: Language) -> NullTranslations:
    if language is Language.EN:
        return NullTranslations()
    with (CATALOGUES / f"{language.value}.po").open("rb") as source:
        catalogue = read_po(source, locale=language.value)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one language."""

    language: Language

    @property
    def locale(self) -> str:
        """The locale of dates, durations and lists."""
        return LOCALES[self.language]

    def say(self, phrase: str, **values: Any) -> str:
        """A phrase, translated and filled in."""
        return _translations(self.language).gettext(phrase).format(**values)

    def count(self, phrases: tuple[str, str], n: int) -> str:
        """A phrase with a number, in the plural form that the language has for it."""
        return _translations(self.language).ngettext(*phrases, n).format(n=n)

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
