"""Recurring days: rules that give the dates of every year, as a calendar file writes them.

| written | days |
|---|---|
| `*-12-24` | 24 December; `*-02-29` in leap years only |
| `first monday of march`, `last friday of november` | the n-th of a weekday in a month, up to the fifth, or the last |
| `2 days after Ascension Day`, `1 day before Good Friday` | days from a holiday of the calendar's country |
| `friday after Ascension Day`, `monday before Christmas Day` | the next such weekday after it, the last before it |
| `Good Friday` | the holiday |

Case does not matter, and "the" may stand before a rule. Dates are local dates of the calendar.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeAlias

from app.sla.calendar.holiday import HolidayYear

HolidaysOf: TypeAlias = Callable[[int], HolidayYear]
"""The holidays of a year; none of a year that is not known."""

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_COUNTS: Final = ("first", "second", "third", "fourth", "fifth", "last")
_LAST: Final = len(_COUNTS)
_LEAP_YEAR: Final = 2000

MOST_DAYS_FROM: Final = 180
"""Days between a holiday and a day that is counted from it: half a year. What is further off is near another one."""

_YEARLY_DATE: Final = re.compile(r"\*-(\d{2})-(\d{2})")
_NTH: Final = re.compile(rf"({'|'.join(_COUNTS)}) ({'|'.join(WEEKDAYS)}) (?:of|in) ({'|'.join(_MONTHS)})")
_FROM: Final = re.compile(rf"(?:(\d{{1,3}}) days?|({'|'.join(WEEKDAYS)})) (after|before) (.+)")
_ESTIMATED: Final = " (estimated)"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of a rule; provisional when it depends on a holiday that is."""

    date: date
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class YearlyDate:
    """A day of a month in every year that has it."""

    month: int
    day: int
    rank = 0
    needs_holidays = False

    def __str__(self) -> str:
        return f"*-{self.month:02}-{self.day:02}"

    def dates(self, year: int, holidays: HolidaysOf) -> Iterator[Occurrence]:  # noqa: ARG002 - as all rules
        """Its date in a year."""
        if self.day <= monthrange(year, self.month)[1]:
            yield Occurrence(date(year, self.month, self.day))


@dataclass(frozen=True, slots=True)
class MonthWeekday:
    """The n-th of a weekday (from 0, Monday) in a month; `nth` 6 is the last."""

    nth: int
    weekday: int
    month: int
    rank = 1
    needs_holidays = False

    def __str__(self) -> str:
        return f"{_COUNTS[self.nth - 1]} {WEEKDAYS[self.weekday]} of {_MONTHS[self.month - 1]}"

    def dates(self, year: int, holidays: HolidaysOf) -> Iterator[Occurrence]:  # noqa: ARG002 - as all rules
        """Its date in a year; none where the month has no fifth such weekday."""
        first, days = monthrange(year, self.month)
        found = range(1 + (self.weekday - first) % 7, days + 1, 7)
        if self.nth == _LAST:
            yield Occurrence(date(year, self.month, found[-1]))
        elif self.nth <= len(found):
            yield Occurrence(date(year, self.month, found[self.nth - 1]))


@dataclass(frozen=True, slots=True)
class FromHoliday:
    """Days from a holiday, or the nearest weekday after it (`days` 1) or before it (`days` -1)."""

    holiday: str
    days: int = 0
    weekday: int | None = None
    rank = 2
    needs_holidays = True

    def __str__(self) -> str:
        if not self.days:
            return self.holiday
        count = abs(self.days)
        what = f"{count} day{'' if count == 1 else 's'}" if self.weekday is None else WEEKDAYS[self.weekday]
        return f"{what} {'after' if self.days > 0 else 'before'} {self.holiday}"

    def dates(self, year: int, holidays: HolidaysOf) -> Iterator[Occurrence]:
        """Its dates in a year: from every day of that name in it, and in the years beside it."""
        for each in (year - 1, year, year + 1) if self.days else (year,):
            known = holidays(each)
            for on, name in known.names.items():
                if self.holiday in names_in(name) and (found := self._from(on)).year == year:
                    yield Occurrence(found, on in known.provisional)

    def _from(self, on: date) -> date:
        if self.weekday is None:
            return on + timedelta(days=self.days)
        if self.days > 0:
            return on + timedelta(days=(self.weekday - on.weekday() - 1) % 7 + 1)
        return on - timedelta(days=(on.weekday() - self.weekday - 1) % 7 + 1)


DayRule: TypeAlias = YearlyDate | MonthWeekday | FromHoliday


class NoSuchDay(ValueError):
    """A recurring rule whose day does not exist, or is too far off. The message says which."""


def parse_rule(text: str) -> DayRule:
    """The rule of a text; what is no other rule is the name of a holiday. Raises NoSuchDay."""
    written = normalized(text).removeprefix("the ")
    if yearly := _YEARLY_DATE.fullmatch(written):
        month, day = int(yearly[1]), int(yearly[2])
        if not (1 <= month <= 12 and 1 <= day <= monthrange(_LEAP_YEAR, month)[1]):
            raise NoSuchDay("no year has that date")
        return YearlyDate(month, day)
    if nth := _NTH.fullmatch(written):
        return MonthWeekday(_COUNTS.index(nth[1]) + 1, WEEKDAYS.index(nth[2]), _MONTHS.index(nth[3]) + 1)
    if (counted := _FROM.fullmatch(written)) is None:
        return FromHoliday(written)
    days = int(counted[1] or 1)
    if not 1 <= days <= MOST_DAYS_FROM:
        raise NoSuchDay(f"{days} days from a holiday are not between 1 and {MOST_DAYS_FROM}")
    weekday = WEEKDAYS.index(counted[2]) if counted[2] else None
    return FromHoliday(counted[4].removeprefix("the "), days if counted[3] == "after" else -days, weekday)


def names_in(name: str) -> list[str]:
    """The normalized names of a day: the package writes "Ascension Day; Labor Day" where two fall on one date."""
    return [normalized(part).removesuffix(_ESTIMATED) for part in name.split(";")]


def normalized(text: str) -> str:
    """A text without differences of case and space."""
    return " ".join(text.casefold().split())
