"""A year of a calendar as a strip: a column for each week, a cell for each day, each special day with its name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.sla.calendar import Calendar, ClosedDay
from app.sla.calendar.zone import zone
from app.sla.span import DAY, MINUTE, Micros, Span
from app.web.pages.calendars.dates import day_and_date, month_name
from app.web.pages.calendars.week import bars_of
from app.web.pages.frame.words import Words

CHANGE_AHEAD: Final = 400 * DAY
"""How far ahead the next change of the clocks is looked for. Zones that change do so within a year."""


class Look(StrEnum):
    """How a cell is drawn."""

    OPEN = "open"
    OFF = "off"
    """Closed as in every week."""
    SHUT = "shut"
    """Closed on this date."""
    OTHER = "other"
    """Other hours on this date."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of the strip: its column and row, and for a special day its title."""

    on: date
    column: int
    look: Look
    title: str | None
    is_today: bool

    @property
    def row(self) -> int:
        """The weekday, Monday is 0."""
        return self.on.weekday()


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A change of the clocks: when, and by how many minutes they go forward; negative back."""

    at: Micros
    minutes: int


def cells(
    calendar: Calendar, year: int, special: Mapping[date, ClosedDay], words: Words, today: date
) -> list[Cell]:
    """Every day of a year."""
    first = date(year, 1, 1)
    monday = first - timedelta(days=first.weekday())
    days = (first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days))
    return [
        Cell(
            on,
            (on - monday).days // 7,
            _look(calendar, on, special.get(on)),
            None if on not in special else f"{day_and_date(words, on)}: {special[on].name}",
            on == today,
        )
        for on in days
    ]


def month_columns(year: int, words: Words) -> Sequence[tuple[int, str]]:
    """The column in which each month begins, with its short name."""
    monday = date(year, 1, 1) - timedelta(days=date(year, 1, 1).weekday())
    firsts = (date(year, month, 1) for month in range(1, 13))
    return [((on - monday).days // 7, month_name(words, on)) for on in firsts]


def next_clock_change(time_zone: str, now: Micros) -> ClockChange | None:
    """The next change of the clocks in a zone; None where there is none ahead."""
    before: Micros | None = None
    for span, offset in zone(time_zone).offsets(Span(now, now + CHANGE_AHEAD)):
        if before is not None and offset != before:
            return ClockChange(span.start, (offset - before) // MINUTE)
        before = offset
    return None


def _look(calendar: Calendar, on: date, special: ClosedDay | None) -> Look:
    if special is not None:
        return Look.OTHER if special.hours else Look.SHUT
    return Look.OPEN if bars_of(calendar, on) else Look.OFF
