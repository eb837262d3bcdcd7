"""What the pages of calendars show of a calendar, in words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from app.delivery.wording.phrases import N_
from app.flow.query.desks import DeskAnswer, Hours, hours_of
from app.sla.calendar import Calendar, ClosedDay, UncoveredYear
from app.sla.span import Micros
from app.web.pages.calendars.dates import day_and_date
from app.web.pages.calendars.week import WeekDay, monday_of, scale_of, week
from app.web.pages.calendars.year import Cell, Look, cells, month_columns, next_clock_change
from app.web.pages.frame.holiday_names import holiday_name
from app.web.pages.frame.vocabulary import CLOSED, named
from app.web.pages.frame.words import Words


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A calendar in the list of all."""

    desk: str
    name: str
    zone: str
    is_open: bool
    state: str
    next_special: str | None


@dataclass(frozen=True, slots=True)
class SpecialRow:
    """A holiday or an exception of the year."""

    on: str
    name: str
    hours: str
    source: str
    provisional: bool
    is_past: bool


@dataclass(frozen=True, slots=True)
class CalendarView:
    """One calendar by week and year. The addresses of other weeks and years are None where it does not cover them."""

    zone: str
    is_open: bool
    state: str
    clock_change: str | None
    week: list[WeekDay]
    week_title: str
    scale: tuple[int, int]
    weeks: tuple[date | None, date | None]
    year: int
    years: tuple[int | None, int | None]
    cells: list[Cell]
    months: list[tuple[int, str]]
    special: list[SpecialRow]
    closed: int
    other: int
    holidays_from: str | None


def overview_rows(words: Words, desk: DeskAnswer, now: Micros) -> Iterator[CalendarRow]:
    """The desk's own calendars."""
    for hours in desk.hours:
        calendar = desk.calendars[hours.name]
        today = calendar.local_date(now)
        coming = next((day for day in _special(calendar, today.year, 2, words) if day.date >= today), None)
        yield CalendarRow(
            desk.desk,
            hours.name.partition("/")[2],
            hours.time_zone,
            hours.open_now,
            state_text(words, calendar, hours, now),
            None if coming is None else f"{day_and_date(words, coming.date)}: {coming.name}",
        )


def state_text(words: Words, calendar: Calendar, hours: Hours, now: Micros) -> str:
    """Whether a calendar is open, until when, and why it is closed."""
    if hours.until is None:
        return named(words, CLOSED, "never closes") if hours.open_now else words.say(N_("closed"))
    when = words.until(hours.until, hours.time_zone, now)
    text = words.say(N_("open until {when}") if hours.open_now else N_("closed until {when}"), when=when)
    if not hours.why:
        return text
    why = holiday_name(calendar, calendar.local_date(now), hours.why, words.language)
    return f"{text} ({named(words, CLOSED, why)})"


def view(words: Words, calendar: Calendar, now: Micros, day: date | None, year: int | None) -> CalendarView:
    """A calendar: the week of a day, by default this one, and a year, by default that of the week's Thursday."""
    first, last = calendar.covered
    today = calendar.local_date(now)
    monday = monday_of(_within(day or today, first, last))
    shown = min(max((year or (monday + timedelta(days=3)).year), first), last)
    special = {each.date: each for each in _special(calendar, shown - 1, 3, words)}
    days = [each for each in special.values() if each.date.year == shown]
    hours = hours_of(calendar, now)
    change = next_clock_change(calendar.time_zone, now)
    found = cells(calendar, shown, special, words, today)
    week_special = {each.date: each for each in _special(calendar, monday.year - 1, 3, words)}
    days_of_week = week(calendar, monday, week_special, words, now)
    return CalendarView(
        zone=calendar.time_zone,
        is_open=hours.open_now,
        state=state_text(words, calendar, hours, now),
        clock_change=None
        if change is None
        else _change_text(words, calendar, change.at, change.minutes, now),
        week=days_of_week,
        scale=scale_of(days_of_week),
        week_title=day_and_date(words, monday),
        weeks=(
            _week_in(monday - timedelta(days=7), first, last),
            _week_in(monday + timedelta(days=7), first, last),
        ),
        year=shown,
        years=(shown - 1 if shown > first else None, shown + 1 if shown < last else None),
        cells=found,
        months=list(month_columns(shown, words)),
        special=[_special_row(words, each, today) for each in days],
        closed=sum(cell.look is Look.SHUT for cell in found),
        other=sum(cell.look is Look.OTHER for cell in found),
        holidays_from=calendar.version,
    )


def _within(day: date, first: int, last: int) -> date:
    """A day, moved into the covered years; their first and last weeks may lie in years that are not covered."""
    return min(max(day, date(first, 1, 8)), date(last, 12, 24))


def _week_in(monday: date, first: int, last: int) -> date | None:
    return monday if monday == monday_of(_within(monday, first, last)) else None


def _special(calendar: Calendar, year: int, years: int, words: Words) -> Iterator[ClosedDay]:
    """The special days of some years, without those that are not covered, named in the reader's language."""
    for each in range(year, year + years):
        try:
            for day in calendar.closed_days(each):
                yield replace(day, name=holiday_name(calendar, day.date, day.name, words.language))
        except UncoveredYear:
            continue


def _special_row(words: Words, day: ClosedDay, today: date) -> SpecialRow:
    hours = ", ".join(day.hours) or words.say(N_("closed"))
    on = day_and_date(words, day.date)
    return SpecialRow(on, day.name, hours, day.source, day.provisional, day.date < today)


def _change_text(words: Words, calendar: Calendar, at: Micros, minutes: int, now: Micros) -> str:
    when = words.written(at, calendar.time_zone, now)
    phrase = N_("{when}, {minutes} min forward") if minutes > 0 else N_("{when}, {minutes} min back")
    return words.say(phrase, when=when, minutes=abs(minutes))
