"""Periods: the months by which uptime, averages, allowances and credits are judged.

A period is a span of instants with a name. A calendar month has its real length in the zone, an hour more or less when
the clocks change in it. A contract month begins on the contract's billing day, or on the last day of a shorter month,
and bears the name of the month in which it begins. Instants are microseconds UTC.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.sla.calendar.zone import Zone
from app.sla.span import Micros, Span

FIRST_DAY: Final = 1
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


class PeriodFault(ValueError):
    """A period cannot be read. The message says what to write instead."""


class PeriodRule(StrEnum):
    """How a measure cuts time into periods."""

    CALENDAR_MONTH = "calendar month"
    CONTRACT_MONTH = "contract month"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A named span of time, as "2026-11"."""

    span: Span
    name: str

    @property
    def start(self) -> Micros:
        """Its first instant."""
        return self.span.start

    @property
    def end(self) -> Micros:
        """The first instant after it."""
        return self.span.end


@dataclass(frozen=True, slots=True)
class Months:
    """The months of a zone that begin at 00:00 of a day of the month."""

    zone: Zone
    day: int = FIRST_DAY

    def named(self, name: str) -> Period:
        """The month of a name, as "2026-11". Raises PeriodFault."""
        match = _MONTH.fullmatch(name)
        if match is None or not date.min.year < int(match[1]) < date.max.year:
            raise PeriodFault(f'"{name}" is no month. Write it as "2026-11".')
        return self._of(int(match[1]), int(match[2]))

    def at(self, at: Micros) -> Period:
        """The month in which an instant lies. Raises OverflowError outside the years of the calendar."""
        on = self.zone.local_date(at)
        found = self._of(on.year, on.month)
        return found if found.start <= at else self.before(found)

    def after(self, period: Period) -> Period:
        """The month that follows a month."""
        year, month = _year_and_month(period.name)
        return self._of(year + month // 12, month % 12 + 1)

    def before(self, period: Period) -> Period:
        """The month that precedes a month."""
        year, month = _year_and_month(period.name)
        return self._of(year, month - 1) if month > 1 else self._of(year - 1, 12)

    def between(self, start: Micros, end: Micros) -> Iterator[Period]:
        """The months that have an instant from `start` up to `end`, in order; the one of `start` always."""
        found = self.at(start)
        yield found
        while (found := self.after(found)).start < end:
            yield found

    def first_date(self, period: Period) -> date:
        """The local date on which a month begins."""
        year, month = _year_and_month(period.name)
        return self._first_date(year, month)

    def _of(self, year: int, month: int) -> Period:
        following = (year, month + 1) if month < 12 else (year + 1, 1)
        return Period(Span(self._start(year, month), self._start(*following)), f"{year:04d}-{month:02d}")

    def _start(self, year: int, month: int) -> Micros:
        return self.zone.end_of_day(self._first_date(year, month) - timedelta(days=1))

    def _first_date(self, year: int, month: int) -> date:
        return date(year, month, min(self.day, monthrange(year, month)[1]))


def _year_and_month(name: str) -> tuple[int, int]:
    year, _, month = name.partition("-")
    return int(year), int(month)
