"""Targets: "2h", "3 working days", "7 days", "3 months", and the deadline of each from a start.

Hours and minutes are a length of open time. Working days, days and months first become an instant, by the local dates
of the calendar; their length is what lies between: open time for working days, real time for days and months. The date
of the start never counts. Lengths and instants are microseconds.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from app.sla.calendar import Calendar, UncoveredYear
from app.sla.calendar.opening import ALL_YEARS
from app.sla.span import HOUR, MINUTE, SECOND, Micros, micros

# Numbers of so many digits are beyond ten years, and more than Python reads could be sent.
_NUMBER = r"(\d{1,15})"
_DURATION = re.compile(rf"(?:{_NUMBER}\s*+h)?\s*+(?:{_NUMBER}\s*+m(?:in)?)?\s*+(?:{_NUMBER}\s*+s)?", re.ASCII)
_PERCENT = re.compile(rf"{_NUMBER}\s*%", re.ASCII)
_BEFORE = re.compile(r"(.+?) before")
NEXT_WORKING_DAY = "next working day"

_FIRST: Final = micros(datetime(ALL_YEARS[0], 1, 1, tzinfo=UTC))
_LAST: Final = micros(datetime(ALL_YEARS[1] + 1, 1, 1, tzinfo=UTC))
"""Between these an instant is a datetime in every zone."""

_MAX_DURATION: Final = 87_600 * HOUR
"""Ten years, as for every unit: a longer target is a typing error."""


class TargetFault(ValueError):
    """A target or a warning cannot be read, or does not fit its calendar. The message says what to write instead."""


class TargetKind(StrEnum):
    """What a target is counted in."""

    DURATION = "duration"
    WORKING_DAYS = "working_days"
    DAYS = "days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit that is counted in whole numbers. `word` is its singular; the plural has an s."""

    word: str
    maximum: int
    example: int
    is_real_time: bool
    """Whether its length is real time whatever the calendar; else it is open time."""


_UNITS: Final = {
    TargetKind.WORKING_DAYS: _Unit("working day", maximum=2_600, example=3, is_real_time=False),
    TargetKind.DAYS: _Unit("day", maximum=3_650, example=7, is_real_time=True),
    TargetKind.MONTHS: _Unit("month", maximum=120, example=3, is_real_time=True),
}
"""Every kind but a duration. The deadline of each is in `Target.deadline`."""

_KINDS: Final = {unit.word: kind for kind, unit in _UNITS.items()}
_COUNT: Final = re.compile(rf"{_NUMBER} ({'|'.join(_KINDS)})s?", re.ASCII)


def _expected() -> str:
    examples = ["2h", "90m", "1h30m", "45s", *(f"{unit.example} {unit.word}s" for unit in _UNITS.values())]
    *others, last = (f'"{example}"' for example in examples)
    return f"Write {', '.join(others)} or {last}."


_RIGHT: Final = _expected()


@dataclass(frozen=True, slots=True)
class Measured:
    """A target from one start: its length, and the calendar in which that length is counted."""

    length: Micros
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Target:
    """A target as written. `amount` is micros for a duration, else the number of days or months; `roll`
    moves the end of `days` from a closed date to the end of the next working day."""

    kind: TargetKind
    amount: int
    written: str
    roll: str | None = None

    @staticmethod
    def parse(text: str, *, roll: str | None = None) -> "Target":
        """The target of a text. Raises TargetFault."""
        written = " ".join(text.split())
        kind, amount = _read(written)
        if roll is not None and (roll != NEXT_WORKING_DAY or kind is not TargetKind.DAYS):
            raise TargetFault(
                f'roll = "{roll}" cannot go with "{text}". Write "7 days" with roll = "{NEXT_WORKING_DAY}".'
            )
        return Target(kind, amount, written, roll)

    def __str__(self) -> str:
        return self.written

    @property
    def is_real_time(self) -> bool:
        """Whether its length is real time whatever the calendar: days and months."""
        return not self.is_duration and _UNITS[self.kind].is_real_time

    @property
    def is_duration(self) -> bool:
        """Whether its length is the same from every start."""
        return self.kind is TargetKind.DURATION

    def check(self, calendar: Calendar) -> None:
        """Raises TargetFault when this target has no meaning in the calendar: working days need hours."""
        if calendar.is_always and (self.kind is TargetKind.WORKING_DAYS or self.roll):
            raise TargetFault(
                f'"{self.written}" counts working days, and `always` has none. '
                'Name a calendar with hours, or write "7 days" or "24h".'
            )

    def measure(self, since: Micros, calendar: Calendar) -> Measured:
        """Its length from a start, and the calendar that counts it. Raises what `deadline` raises."""
        if self.kind is TargetKind.DURATION:
            return Measured(self.amount, calendar)
        due = self.deadline(since, calendar)
        if self.is_real_time:
            return Measured(due - since, Calendar.always(calendar.time_zone))
        return Measured(calendar.within_us(since, due), calendar)

    def deadline(self, since: Micros, calendar: Calendar) -> Micros:
        """The instant at which it is due. Raises TargetFault as `check`, UncoveredYear and NeverOpen."""
        self.check(calendar)
        try:
            due = self._deadline(since, calendar)
        except (OverflowError, ValueError) as error:  # there is no such date
            raise UncoveredYear(calendar.name, ALL_YEARS[1] + 1, ALL_YEARS) from error
        # `always`, days and months count in every year, but not every year has datetimes in every zone.
        for at in (since, due):
            if not _FIRST <= at <= _LAST:
                raise UncoveredYear(
                    calendar.name, ALL_YEARS[0] - 1 if at < _FIRST else ALL_YEARS[1] + 1, ALL_YEARS
                )
        return due

    def _deadline(self, since: Micros, calendar: Calendar) -> Micros:
        match self.kind:
            case TargetKind.DURATION:
                return calendar.after_us(self.amount, since)
            case TargetKind.WORKING_DAYS:
                return calendar.close_of_working_day_us(self.amount, since)
            case TargetKind.DAYS:
                last = calendar.local_date(since) + timedelta(days=self.amount)
                return calendar.end_of_day(calendar.next_working_day(last) if self.roll else last)
            case TargetKind.MONTHS:
                return calendar.end_of_day(_months_after(calendar.local_date(since), self.amount))
            case _:
                assert_never(self.kind)


@dataclass(frozen=True, slots=True)
class Threshold:
    """When to warn: at a share of the target, or some time before the deadline; both in counted time."""

    written: str
    percent: int | None = None
    before: Micros = 0

    @staticmethod
    def parse(text: str) -> "Threshold":
        """The warning threshold of a text: "75%" or "30m before". Raises TargetFault."""
        written = " ".join(text.split())
        percent, before = _PERCENT.fullmatch(written), _BEFORE.fullmatch(written)
        if percent and 0 < int(percent[1]) < 100:
            return Threshold(written, percent=int(percent[1]))
        if before and (length := _duration(before[1])):
            return Threshold(written, before=length)
        raise TargetFault(
            f'"{text}" is not a warning. Write a share below the whole, "75%", or "30m before".'
        )

    def __str__(self) -> str:
        return self.written

    def counted(self, length: Micros) -> Micros:
        """The counted time at which it is reached in a target of that length; never below nothing."""
        if self.percent is not None:
            return length * self.percent // 100
        return max(0, length - self.before)


def _read(written: str) -> tuple[TargetKind, int]:
    length = _duration(written)
    if length is not None:
        if not 0 < length <= _MAX_DURATION:
            raise TargetFault(f'"{written}" is not between a second and ten years. {_RIGHT}')
        return TargetKind.DURATION, length
    match = _COUNT.fullmatch(written)
    if match is None:
        raise TargetFault(f'"{written}" is not a target. {_RIGHT}')
    amount, word = int(match[1]), match[2]
    kind = _KINDS[word]
    if not 0 < amount <= _UNITS[kind].maximum:
        raise TargetFault(f'"{written}" is not between one {word} and ten years. {_RIGHT}')
    return kind, amount


def _duration(written: str) -> Micros | None:
    """The length of "1h30m"; None when the text is no duration."""
    match = _DURATION.fullmatch(written) if written else None
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * HOUR + minutes * MINUTE + seconds * SECOND


def _months_after(on: date, months: int) -> date:
    """The same day of the month this many months later, or the last day of a shorter month."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))
