"""Week plans in a calendar file: weekly hours, alternate weeks, and seasons with their own.

Nothing is guessed: a weekday that is named twice, seasons that overlap and alternate weeks that meet are faults.
"""

from calendar import monthrange
from datetime import date, timedelta
from itertools import combinations
from math import gcd
from typing import Final

from app.sla.calendar.hours_file import DAYS, by_weekday, weekly
from app.sla.calendar.rules import AlternateWeeks, Season, WeekPlan, day_text
from app.sla.document.table import Table

MOST_SEASONS: Final = 100
"""Seasons of one calendar. Every date of a compiled year is looked up in them: a microsecond each, 40 ms a year."""

MOST_ALTERNATE: Final = 14
"""Tables of alternate weeks of one plan: two for each weekday."""

MOST_WEEKS: Final = 53
"""Weeks from one alternate week to the next: a year."""

_SEASONS_EXAMPLE: Final = (
    'seasons = [{ first = "06-01", last = "08-31", hours = { mon-fri = ["08:00-14:00"] } }]'
)
_ALTERNATE_EXAMPLE: Final = (
    'alternate = [{ every = 2, from = "2026-01-03", hours = { sat = ["09:00-13:00"] } }]'
)
_DAY_RIGHT: Final = 'Write "06-01" for every year, or "2027-06-01".'
_LEAP_YEAR: Final = 2000


def week_plan(table: Table) -> WeekPlan:
    """The keys `hours` and `alternate` of a calendar or of a season."""
    return WeekPlan(weekly(table), _alternate(table))


def seasons(table: Table) -> tuple[Season, ...]:
    """The key `seasons`, those of one year before those of every year."""
    tables = table.tables("seasons", example=_SEASONS_EXAMPLE)
    if len(tables) > MOST_SEASONS:
        table.fault(
            "seasons", f"{len(tables)} are more than one calendar may have", f"Write {MOST_SEASONS} or fewer."
        )
        return ()
    read = [(inner, season) for inner in tables if (season := _season(inner)) is not None]
    for (_, early), (inner, late) in combinations(read, 2):
        if early.is_yearly == late.is_yearly and _overlap(early, late):
            wrong = f"the season from {day_text(late.first)} to {day_text(late.last)} overlaps {early.title}"
            inner.fault("first", wrong, "End one the day before the other begins.")
    return tuple(sorted((season for _, season in read), key=lambda each: (each.is_yearly, each.first)))


def _season(table: Table) -> Season | None:
    first, last = (_day(table, key) for key in ("first", "last"))
    name = table.text("name", example='"summer"')
    plan = week_plan(table)
    table.close()
    if first is None or last is None:
        return None
    if len(first) != len(last):
        table.fault("last", "one of first and last has a year and the other has none", _DAY_RIGHT)
        return None
    if len(first) == 3 and last < first:
        table.fault(
            "last", f"{day_text(last)} is before {day_text(first)}", "Write the first day, then the last."
        )
        return None
    return Season(first, last, plan, name)


def _day(table: Table, key: str) -> tuple[int, ...] | None:
    """(month, day) of "06-01", (year, month, day) of "2027-06-01"."""
    value = table.value(key)
    if isinstance(value, date):
        value = value.isoformat()
    parts = value.split("-") if isinstance(value, str) else []
    if len(parts) == 3:
        on = table.date_of(key, value)
        return None if on is None else (on.year, on.month, on.day)
    if len(parts) == 2 and all(len(part) == 2 and part.isdecimal() for part in parts):
        month, day = map(int, parts)
        if 1 <= month <= 12 and 1 <= day <= monthrange(_LEAP_YEAR, month)[1]:
            return month, day
    wrong = "it is missing" if value is None else f"{value!r} is not a day"
    table.fault(key, wrong, _DAY_RIGHT)
    return None


def _overlap(one: Season, other: Season) -> bool:
    """Whether two seasons of the same kind share a day."""
    if not one.is_yearly:
        return one.first <= other.last and other.first <= one.last
    leap = (date(_LEAP_YEAR, 1, 1) + timedelta(days=n) for n in range(366))
    return any(one.includes(on) and other.includes(on) for on in leap)


def _alternate(table: Table) -> tuple[AlternateWeeks, ...]:
    tables = table.tables("alternate", example=_ALTERNATE_EXAMPLE)
    if len(tables) > MOST_ALTERNATE:
        table.fault("alternate", f"{len(tables)} tables are too many", f"Write {MOST_ALTERNATE} or fewer.")
        return ()
    read = [(inner, weeks) for inner in tables if (weeks := _weeks(inner)) is not None]
    for (_, one), (inner, other) in combinations(read, 2):
        shared = sorted(one.hours.keys() & other.hours.keys())
        if shared and _meet(one, other):
            wrong = f"{DAYS[shared[0]]} has the hours of {one.name} already in some of these weeks"
            inner.fault("hours", wrong, "Let the weeks take turns, or name each weekday once.")
    return tuple(
        sorted((weeks for _, weeks in read), key=lambda each: (each.first, each.every, min(each.hours)))
    )


def _weeks(table: Table) -> AlternateWeeks | None:
    every = table.whole("every", 2, least=2) or 2
    if every > MOST_WEEKS:
        table.fault("every", f"{every} weeks are more than a year", "Write every = 2.")
    first = table.date_of("from", table.value("from"))
    hours = by_weekday(table, example=_ALTERNATE_EXAMPLE)
    table.close()
    if not hours:
        table.fault("hours", "no weekday is named", f"Write {_ALTERNATE_EXAMPLE}.")
    return AlternateWeeks(every, first, hours) if first is not None and hours else None


def _meet(one: AlternateWeeks, other: AlternateWeeks) -> bool:
    """Whether some week is one of both: from the later first week on they meet, or they never do."""
    return (one.first_week - other.first_week) % gcd(one.every, other.every) == 0
