"""Credits by month as a chart for each currency: an SVG, and the rows of a table that says the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from babel.dates import format_skeleton

from app.sla.credit.claim import NOT_COUNTED, OPEN
from app.web.pages.frame.figures import money, month
from app.web.pages.frame.words import Words

MONTHS: Final = 12
"""Months that are shown: a year, the latest."""
COLUMN: Final = 50
HEIGHT: Final = 120
"""Of the tallest bar, in units of the picture."""
_LEAST: Final = 2.0
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Column:
    """A month. Heights are of what is due, and of what is not due yet, which stands on it."""

    x: int
    name: str
    month: str
    due: str
    open: str
    due_height: float
    open_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The months of one currency, the earliest first."""

    currency: str
    columns: tuple[Column, ...]
    width: int


def charts(words: Words, credits: Iterable[Mapping[str, Any]], today: date) -> list[Chart]:
    """The charts of the credits that count, by currency, up to the month of a date or the latest that has a credit."""
    sums: dict[str, dict[str, list[Decimal]]] = {}
    for each in credits:
        if each["amount"] is None or each["state"] in NOT_COUNTED:
            continue
        due, waiting = sums.setdefault(each["currency"], {}).setdefault(each["period"], [_ZERO, _ZERO])
        amount, is_open = Decimal(each["amount"]), each["state"] in OPEN
        sums[each["currency"]][each["period"]] = [due + amount * (not is_open), waiting + amount * is_open]
    return [_chart(words, currency, sums[currency], today) for currency in sorted(sums)]


def _chart(words: Words, currency: str, months: dict[str, list[Decimal]], today: date) -> Chart:
    latest = _months_until(max(*months, f"{today:%Y-%m}"))
    sums = {name: months.get(name, [_ZERO, _ZERO]) for name in latest}
    most = max(sum(each, _ZERO) for each in sums.values())
    columns = tuple(
        _column(words, currency, name, each, most, place) for place, (name, each) in enumerate(sums.items())
    )
    return Chart(currency, columns, len(columns) * COLUMN)


def _months_until(last: str) -> list[str]:
    """The names of so many months up to one, the earliest first."""
    year, number = (int(part) for part in last.split("-"))
    count = year * MONTHS + number - 1
    return [f"{each // MONTHS:04}-{each % MONTHS + 1:02}" for each in range(count - MONTHS + 1, count + 1)]


def _column(words: Words, currency: str, name: str, sums: list[Decimal], most: Decimal, place: int) -> Column:
    due, waiting = sums
    return Column(
        x=place * COLUMN,
        name=format_skeleton("MMM", date.fromisoformat(f"{name}-01"), locale=words.locale),
        month=month(words, name),
        due=money(words, str(due), currency),
        open=money(words, str(waiting), currency),
        due_height=_height(due, most),
        open_height=_height(waiting, most),
    )


def _height(amount: Decimal, most: Decimal) -> float:
    return max(_LEAST, round(float(HEIGHT * amount / most), 2)) if amount > 0 and most > 0 else 0.0
