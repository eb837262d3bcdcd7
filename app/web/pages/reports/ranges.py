"""The span of the page: this or the last week, month, quarter or year of a desk's zone, or dates of one's own.

Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.sla.calendar.zone import Zone
from app.sla.report.cut import By
from app.sla.span import Span

_DAY: Final = timedelta(days=1)
_BY_DAY_MAX: Final = 14
"""Days of a span that is shown day by day."""
_BY_WEEK_MAX: Final = 400
"""Days of a span that is shown week by week: a year, and what a chart has room for."""


class Range(StrEnum):
    """The choices of spans. `own`: from and to a date."""

    THIS_WEEK = "this-week"
    LAST_WEEK = "last-week"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    THIS_QUARTER = "this-quarter"
    LAST_QUARTER = "last-quarter"
    THIS_YEAR = "this-year"
    LAST_YEAR = "last-year"
    OWN = "own"


_MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Dates:
    """The first and the last date of a span."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def span(self, zone: Zone) -> Span:
        """From the midnight that begins it to the one that ends it."""
        return Span(max(0, zone.end_of_day(self.first - _DAY)), zone.end_of_day(self.last))

    @property
    def by(self) -> By:
        """How it is cut."""
        if self.days <= _BY_DAY_MAX:
            return By.DAY
        return By.WEEK if self.days <= _BY_WEEK_MAX else By.MONTH


def dates_of(chosen: Range, today: date) -> Dates:
    """The dates of a choice that is not `own`."""
    which, _, unit = chosen.value.partition("-")
    first = _first(unit, today)
    if which == "last":
        first = _first(unit, first - _DAY)
    return Dates(first, _next(unit, first) - _DAY)


def before(chosen: Range, dates: Dates, today: date) -> Dates:
    """The dates that a span is compared with: the unit before, or as many days before.

    While a span is running, as many days of the one before as have begun of it.
    """
    unit = chosen.value.partition("-")[2]
    first = _first(unit, dates.first - _DAY) if unit else dates.first - timedelta(days=dates.days)
    last = dates.first - _DAY
    if dates.first <= today < dates.last:
        last = min(last, first + (today - dates.first))
    return Dates(first, last)


def _first(unit: str, on: date) -> date:
    """The first date of the week, month, quarter or year in which a date lies."""
    if unit == "week":
        return on - timedelta(days=on.isoweekday() - 1)
    months = _MONTHS[unit]
    return on.replace(month=(on.month - 1) // months * months + 1, day=1)


def _next(unit: str, first: date) -> date:
    """The first date of the next one."""
    if unit == "week":
        return first + timedelta(days=7)
    month = first.month - 1 + _MONTHS[unit]
    return first.replace(year=first.year + month // 12, month=month % 12 + 1)
