"""Figures as a language writes them: money, months, uptimes, and durations to the second.

The amounts and uptimes of answers are texts; they are never made a binary number.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from babel.dates import format_skeleton
from babel.numbers import format_currency, format_percent

from app.web.pages.frame.words import HOURS, MINUTES, SECONDS, Words

_PERCENT: Final = Decimal(100)


def money(words: Words, amount: str, currency: str) -> str:
    """An amount with its currency, with the decimals that it is written with: "€1,234.50"."""
    return format_currency(Decimal(amount), currency, locale=words.locale, decimal_quantization=False)


def month(words: Words, name: str) -> str:
    """A month by its name in an answer, "2026-11": "November 2026"."""
    return format_skeleton("yMMMM", date.fromisoformat(f"{name}-01"), locale=words.locale)


def uptime(words: Words, text: str) -> str:
    """An uptime in per cent with all of its decimals: "99.8634%"."""
    written = Decimal(text)
    decimals = max(0, -int(written.as_tuple().exponent))
    return format_percent(written / _PERCENT, words.percent_pattern("0" * decimals), locale=words.locale)


def exact_length(words: Words, seconds: int) -> str:
    """A duration to the second: "2 h 10 min", "12 min 17 s"."""
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        words.say(HOURS, h=words.number(hours)) if hours else "",
        words.say(MINUTES, min=minutes) if minutes else "",
        words.say(SECONDS, s=rest) if rest or not (hours or minutes) else "",
    ]
    return " ".join(part for part in parts if part)
