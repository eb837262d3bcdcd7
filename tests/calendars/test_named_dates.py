"""The shipped calendars, held against dates that a person can look up.

Per desk: both days of the clock change, a holiday, a day that moved, and a day that people expect wrongly.
"""

import json
import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from app.sla.calendar import Calendar, parse_calendars
from app.sla.calendar.holiday import HolidaySet
from app.sla.calendar.holiday_package import year_of_holidays
from app.sla.span import HOUR

TESTS = Path(__file__).resolve().parent.parent
FILES = TESTS.parent / "calendars"

# desk, date, why this date, the hours on that day
NAMED = [
    (
        "haisoft/tickets",
        "2026-03-29",
        "a Sunday of 23 hours is worked like any other",
        "10:00-12:00 14:00-17:00",
    ),
    ("haisoft/tickets", "2026-10-25", "a Sunday of 25 hours too", "10:00-12:00 14:00-17:00"),
    ("haisoft/tickets", "2026-07-14", "Bastille Day: the text excepts no holiday", "10:00-12:00 14:00-17:00"),
    (
        "haisoft/tickets",
        "2026-12-25",
        "Christmas Day: the text excepts no holiday",
        "10:00-12:00 14:00-17:00",
    ),
    ("haisoft/phone", "2026-03-28", "a Saturday: calls are answered Monday to Friday", ""),
    ("haisoft/phone", "2026-03-30", "the Monday after the clock change", "10:00-12:00 14:00-17:00"),
    ("haisoft/phone", "2026-10-25", "a Sunday of 25 hours, closed", ""),
    ("haisoft/phone", "2026-07-14", "Bastille Day is a Tuesday like others", "10:00-12:00 14:00-17:00"),
    ("webxtra/desk", "2026-01-01", "New Year's Day", ""),
    ("webxtra/desk", "2026-03-30", "the Monday after the clock change", "09:00-17:30"),
    ("webxtra/desk", "2026-10-26", "the Monday after the other clock change", "09:00-17:30"),
    ("webxtra/desk", "2026-04-03", "Good Friday: the reading keeps it", ""),
    ("webxtra/desk", "2026-04-06", "Easter Monday", ""),
    ("webxtra/desk", "2026-04-27", "King's Day", ""),
    ("webxtra/desk", "2025-04-26", "King's Day on the Saturday, since the 27th is a Sunday", ""),
    ("webxtra/desk", "2025-04-28", "the Monday after it is no holiday", "09:00-17:30"),
    ("webxtra/desk", "2027-04-27", "King's Day, a Tuesday", ""),
    ("webxtra/desk", "2026-05-05", "Liberation Day is kept in lustrum years only", "09:00-17:30"),
    ("webxtra/desk", "2025-05-05", "Liberation Day of a lustrum year", ""),
    ("webxtra/desk", "2026-05-14", "Ascension Day", ""),
    ("webxtra/desk", "2026-05-15", "the Friday after Ascension Day is worked", "09:00-17:30"),
    ("webxtra/desk", "2026-05-25", "Whit Monday", ""),
    ("webxtra/desk", "2026-12-24", "Christmas Eve is a Thursday like others", "09:00-17:30"),
    ("webxtra/desk", "2026-12-28", "Boxing Day on a Saturday moves nothing", "09:00-17:30"),
    ("clamehost/desk", "2026-03-29", "a day of 23 hours", "00:00-24:00"),
    ("clamehost/desk", "2026-10-25", "a day of 25 hours", "00:00-24:00"),
    ("clamehost/desk", "2026-08-15", "Ferragosto changes nothing", "00:00-24:00"),
    ("hvn/desk", "2026-02-16", "Lunar New Year's Eve", ""),
    ("hvn/desk", "2026-02-20", "the fourth day of Tet", ""),
    ("hvn/desk", "2026-02-23", "the Monday after Tet", "08:00-17:30"),
    ("hvn/desk", "2026-04-27", "observed: Hung Kings' Day is a Sunday", ""),
    ("hvn/desk", "2026-08-31", "swapped by decree for Saturday 22 August", ""),
    ("hvn/desk", "2026-08-22", "the make-up Saturday: the reading does not work it", ""),
    ("hvn/desk", "2026-09-01", "National Day, its first day", ""),
    ("hvn/desk", "2026-09-03", "the day after National Day", "08:00-17:30"),
    ("hvn/desk", "2026-11-24", "Vietnam Cultural Day, kept from 2026", ""),
    ("hvn/desk", "2025-11-24", "and not before", "08:00-17:30"),
    ("hvn/desk", "2026-03-29", "a Sunday; Vietnam changes no clocks", ""),
    ("hvn/desk", "2026-12-25", "Christmas Day is a working day", "08:00-17:30"),
    ("phpnet/desk", "2026-03-29", "a Sunday of 23 hours", "09:00-18:00"),
    ("phpnet/desk", "2026-10-25", "a Sunday of 25 hours", "09:00-18:00"),
    ("phpnet/desk", "2026-07-14", "Bastille Day: no holiday is excepted", "09:00-19:00"),
    ("phpnet/desk", "2026-11-11", "Armistice Day: no holiday is excepted", "09:00-19:00"),
    ("phpnet/desk", "2026-12-26", "a Saturday", "09:00-18:00"),
]


@cache
def shipped() -> dict[str, Calendar]:
    found: dict[str, Calendar] = {}
    for file in sorted(FILES.glob("*.toml")):
        found |= parse_calendars(tomllib.loads(file.read_text()), desk=file.stem)
    return found


def hours_on(calendar: Calendar, on: date) -> str:
    """The open hours of a date as the wall clock shows them."""
    start, end = calendar.end_of_day(on - timedelta(days=1)), calendar.end_of_day(on)
    spans = [span for span in calendar.spans_us(start, end) if span.open]
    return " ".join(
        f"{calendar.local(span.start):%H:%M}-{'24:00' if span.end == end else f'{calendar.local(span.end):%H:%M}'}"
        for span in spans
    )


@pytest.mark.parametrize(("name", "on", "why", "hours"), NAMED, ids=lambda value: str(value))
def test_the_hours_of_a_named_date(name: str, on: str, why: str, hours: str) -> None:
    assert hours_on(shipped()[name], date.fromisoformat(on)) == hours, why


def test_the_shipped_calendars_are_these() -> None:
    assert set(shipped()) == {name for name, *_ in NAMED}


@pytest.mark.parametrize(("on", "length"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)])
def test_a_day_round_the_clock_is_as_long_as_the_clock_change_makes_it(on: str, length: int) -> None:
    calendar, day = shipped()["clamehost/desk"], date.fromisoformat(on)
    start, end = calendar.end_of_day(day - timedelta(days=1)), calendar.end_of_day(day)
    assert calendar.within_us(start, end) == length * HOUR


def test_vietnamese_years_without_a_decree_are_provisional() -> None:
    desk = shipped()["hvn/desk"]
    assert not any(day.provisional for day in desk.closed_days(2026))
    assert all(day.provisional for day in desk.closed_days(2027))
    assert not any(day.provisional for day in shipped()["webxtra/desk"].closed_days(2027))


def test_a_make_up_saturday_has_the_hours_of_the_day_that_it_replaces_where_the_desk_works_it() -> None:
    table = tomllib.loads((FILES / "hvn.toml").read_text())["calendars"]["desk"]
    table["holidays"]["make_up_days"] = True
    table["hours"] = {"mon": ["08:00-12:00"], "tue-fri": ["08:00-17:30"]}
    desk = Calendar.parse(table)
    assert hours_on(desk, date(2026, 8, 22)) == "08:00-12:00"
    assert hours_on(desk, date(2026, 8, 29)) == ""
    noon = desk.end_of_day(date(2026, 8, 21)) + 9 * HOUR
    (span,) = desk.spans_us(noon, noon + HOUR)
    assert "make-up day for 2026-08-31" in str(span.source)


def test_the_dutch_choices_shown_in_the_file_do_what_they_say() -> None:
    text = (FILES / "webxtra.toml").read_text()
    for line in ('add = { "2026-05-05" = "Liberation Day" }', 'remove = ["Good Friday"]'):
        assert f"# {line}" in text
        text = text.replace(f"# {line}", line)
    desk = parse_calendars(tomllib.loads(text), desk="webxtra")["webxtra/desk"]
    assert hours_on(desk, date(2026, 5, 5)) == ""
    assert hours_on(desk, date(2026, 4, 3)) == "09:00-17:30"


@pytest.mark.parametrize("country", ["FR", "NL", "IT"])
def test_holidays_are_those_that_a_second_library_knows_but_for_the_known_differences(country: str) -> None:
    years = json.loads((TESTS / "vectors" / "holidays_crosscheck.json").read_text())[country]
    assert len(years) == 21
    for year, known in years.items():
        names = year_of_holidays(HolidaySet(country), int(year)).names
        assert {on.isoformat() for on in names} == {*known["both"], *known["only_holidays"]}
        # The other library keeps 5 May every year.
        assert all(on.endswith("-05-05") for on in known["only_other"])
