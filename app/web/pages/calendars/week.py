"""A week of a calendar as a picture: a row for each day, a bar for each open span, on a scale of 24 hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.delivery.wording.phrases import N_
from app.sla.calendar import Calendar, ClosedDay
from app.sla.span import MINUTE, Micros
from app.web.pages.calendars.dates import weekday
from app.web.pages.frame.words import Words

DAY_MINUTES: Final = 24 * 60
_CLOSED: Final = N_("closed")


@dataclass(frozen=True, slots=True)
class Bar:
    """An open span of a day, in minutes of the local clock since midnight."""

    start: int
    end: int

    @property
    def text(self) -> str:
        """Its hours: "09:00-17:30"."""
        return f"{_clock(self.start)}-{_clock(self.end)}"


@dataclass(frozen=True, slots=True)
class WeekDay:
    """A day of the picture. `reason` is why it has other hours than usual; `now` the minute of the instant, today."""

    on: date
    name: str
    bars: tuple[Bar, ...]
    hours: str
    reason: str | None
    now: int | None


def scale_of(days: list[WeekDay]) -> tuple[int, int]:
    """The hours from and to which the picture reaches: those that are open, in steps of three, at least nine."""
    starts = [bar.start for day in days for bar in day.bars]
    ends = [bar.end for day in days for bar in day.bars]
    first = min(starts, default=9 * 60) // 180 * 3
    last = max(-(-max(ends, default=18 * 60) // 180) * 3, first + 9)
    return (first, last) if last <= 24 else (15, 24)


def monday_of(on: date) -> date:
    """The first day of a date's week."""
    return on - timedelta(days=on.weekday())


def week(
    calendar: Calendar, monday: date, special: Mapping[date, ClosedDay], words: Words, now: Micros
) -> list[WeekDay]:
    """The seven days from a Monday on."""
    return [_day(calendar, monday + timedelta(days=each), special, words, now) for each in range(7)]


def bars_of(calendar: Calendar, on: date) -> tuple[Bar, ...]:
    """The open spans of a date. At a clock change a bar ends where the local clock shows it."""
    start, end = calendar.end_of_day(on - timedelta(days=1)), calendar.end_of_day(on)
    found = (
        Bar(_minute(calendar, each.start, on), _minute(calendar, each.end, on))
        for each in calendar.spans_us(start, end)
        if each.open
    )
    return tuple(bar for bar in found if bar.end > bar.start)


def _day(
    calendar: Calendar, on: date, special: Mapping[date, ClosedDay], words: Words, now: Micros
) -> WeekDay:
    bars = bars_of(calendar, on)
    hours = ", ".join(bar.text for bar in bars) or words.say(_CLOSED)
    cause = special.get(on)
    here = _minute(calendar, now, on) if calendar.local_date(now) == on else None
    return WeekDay(on, weekday(words, on), bars, hours, None if cause is None else cause.name, here)


def _minute(calendar: Calendar, at: Micros, on: date) -> int:
    """The minute of an instant on the local clock of a date; 24:00 for the midnight that ends it."""
    if at >= calendar.end_of_day(on):
        return DAY_MINUTES
    return (at + calendar.utc_offset_us(at)) // MINUTE % DAY_MINUTES


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
