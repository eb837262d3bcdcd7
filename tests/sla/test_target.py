"""What a promise comes to from a given start, and when a warning is due."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sla.calendar import Calendar, UncoveredYear, parse_calendars
from app.sla.calendar.target import _UNITS, NEXT_WORKING_DAY, Target, TargetFault, TargetKind, Threshold
from app.sla.span import DAY, HOUR, MINUTE, SECOND, micros

FILES = Path(__file__).resolve().parent.parent.parent / "calendars"
WEEK: dict[str, Any] = {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:30"]}}


def shipped(name: str) -> Calendar:
    desk = name.partition("/")[0]
    return parse_calendars(tomllib.loads((FILES / f"{desk}.toml").read_text()), desk=desk)[name]


def local(text: str, calendar: Calendar) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(calendar.time_zone)))


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        ("2h", TargetKind.DURATION, 2 * HOUR),
        ("90m", TargetKind.DURATION, 90 * MINUTE),
        ("90min", TargetKind.DURATION, 90 * MINUTE),
        ("1h30m", TargetKind.DURATION, 90 * MINUTE),
        ("1h 30m", TargetKind.DURATION, 90 * MINUTE),
        ("45s", TargetKind.DURATION, 45 * SECOND),
        ("1 working day", TargetKind.WORKING_DAYS, 1),
        ("3 working days", TargetKind.WORKING_DAYS, 3),
        ("7 days", TargetKind.DAYS, 7),
        ("3 months", TargetKind.MONTHS, 3),
    ],
)
def test_a_target_is_read_and_given_back_as_written(text: str, kind: TargetKind, amount: int) -> None:
    target = Target.parse(text)
    assert (target.kind, target.amount, str(target)) == (kind, amount, text)
    assert target.is_real_time == (kind in (TargetKind.DAYS, TargetKind.MONTHS))


def test_every_kind_but_a_duration_is_a_unit() -> None:
    assert set(_UNITS) == set(TargetKind) - {TargetKind.DURATION}


@pytest.mark.parametrize(
    "text",
    [
        *("", "2", "h", "two hours", "-2h", "2d", "1.5h", "0m", "0 days", "3 workdays", "3 weeks"),
        *("2h 3 days", "99999999h", "999 months"),
    ],
)
def test_a_text_that_is_no_target_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(TargetFault, match=r'Write "2h".*"3 working days"'):
        Target.parse(text)


@pytest.mark.parametrize(
    ("name", "since", "target", "due"),
    [
        ("webxtra/desk", "2026-04-02T10:00", "3 working days", "2026-04-09T17:30"),
        ("webxtra/desk", "2026-04-24T23:00", "3 working days", "2026-04-30T17:30"),
        ("webxtra/desk", "2026-12-23T11:00", "7 days", "2026-12-31T00:00"),
        ("hvn/desk", "2026-02-10T09:00", "15 working days", "2026-03-10T17:30"),
        ("hvn/desk", "2027-01-29T09:00", "15 working days", "2027-02-26T17:30"),
        ("hvn/desk", "2026-11-30T09:00", "3 months", "2027-03-01T00:00"),
        ("hvn/desk", "2026-01-15T23:59", "3 months", "2026-04-16T00:00"),
        ("haisoft/tickets", "2026-03-06T16:30", "2h", "2026-03-07T11:30"),
        ("haisoft/tickets", "2026-03-06T15:00", "2h", "2026-03-06T17:00"),
        ("phpnet/desk", "2026-06-05T16:00", "12h", "2026-06-06T18:00"),
    ],
)
def test_the_deadlines_of_the_shipped_desks(name: str, since: str, target: str, due: str) -> None:
    calendar = shipped(name)
    assert Target.parse(target).deadline(local(since, calendar), calendar) == local(due, calendar)


def test_the_last_day_of_a_shorter_month_stands_in() -> None:
    always = Calendar.always("Asia/Ho_Chi_Minh")
    for since, due in (("2026-11-30T12:00", "2027-03-01T00:00"), ("2027-11-30T12:00", "2028-03-01T00:00")):
        assert Target.parse("3 months").deadline(local(since, always), always) == local(due, always)


def test_a_duration_counts_in_the_given_calendar() -> None:
    calendar = Calendar.parse(WEEK)
    measured = Target.parse("2h").measure(local("2026-06-05T17:00", calendar), calendar)
    assert (measured.length, measured.calendar) == (2 * HOUR, calendar)


def test_working_days_are_measured_in_open_time_from_the_start() -> None:
    calendar = Calendar.parse(WEEK)
    monday = local("2026-06-01T10:00", calendar)
    measured = Target.parse("3 working days").measure(monday, calendar)
    assert measured.calendar is calendar
    assert measured.length == 7.5 * HOUR + 3 * 8.5 * HOUR
    # Paused two hours: Friday 11:00; paused two working days: Monday 17:30.
    assert calendar.after_us(measured.length + 2 * HOUR, monday) == local("2026-06-05T11:00", calendar)
    assert calendar.after_us(measured.length + 17 * HOUR, monday) == local("2026-06-08T17:30", calendar)


def test_days_and_months_are_measured_in_real_time_over_a_clock_change() -> None:
    calendar = Calendar.parse(WEEK)
    friday = local("2026-03-27T12:00", calendar)
    measured = Target.parse("7 days").measure(friday, calendar)
    assert measured.calendar == Calendar.always("Europe/Paris")
    assert measured.length == 7 * DAY + 12 * HOUR - HOUR


def test_a_roll_moves_the_end_from_a_closed_date_to_the_next_working_day() -> None:
    calendar = Calendar.parse(WEEK | {"holidays": {"add": {"2026-06-15": "stocktaking"}}})
    friday, saturday = local("2026-06-05T12:00", calendar), local("2026-06-06T12:00", calendar)
    rolled = Target.parse("7 days", roll=NEXT_WORKING_DAY)
    assert Target.parse("7 days").deadline(saturday, calendar) == local("2026-06-14T00:00", calendar)
    assert rolled.deadline(friday, calendar) == local("2026-06-13T00:00", calendar)
    assert rolled.deadline(saturday, calendar) == local("2026-06-17T00:00", calendar)


@pytest.mark.parametrize(
    ("text", "roll"), [("2h", NEXT_WORKING_DAY), ("7 days", "back"), ("3 months", NEXT_WORKING_DAY)]
)
def test_a_roll_goes_with_days_only(text: str, roll: str) -> None:
    with pytest.raises(TargetFault, match='Write "7 days" with roll = "next working day"'):
        Target.parse(text, roll=roll)


def test_working_days_are_refused_with_always() -> None:
    always = Calendar.always("Europe/Rome")
    for target in (Target.parse("3 working days"), Target.parse("7 days", roll=NEXT_WORKING_DAY)):
        for ask in (target.check, lambda calendar, target=target: target.measure(0, calendar)):
            with pytest.raises(TargetFault, match="Name a calendar with hours"):
                ask(always)
    Target.parse("7 days").check(always)
    Target.parse("3 working days").check(Calendar.parse(WEEK))


starts = st.integers(
    micros(datetime.fromisoformat("2024-01-01T00:00Z")), micros(datetime.fromisoformat("2028-01-01T00:00Z"))
)
targets = st.sampled_from(
    ["45s", "1h30m", "100h", "1 working day", "4 working days", "1 days", "30 days", "2 months"]
)


@given(since=starts, text=targets)
def test_a_measured_target_is_due_at_its_deadline(since: int, text: str) -> None:
    calendar, target = Calendar.parse(WEEK | {"holidays": {"country": "NL"}}), Target.parse(text)
    measured = target.measure(since, calendar)
    assert measured.length > 0
    assert measured.calendar.after_us(measured.length, since) == target.deadline(since, calendar)


@pytest.mark.parametrize(
    ("text", "length", "counted"),
    [
        ("75%", 4 * HOUR, 3 * HOUR),
        ("1%", 99, 0),
        ("33 %", 100, 33),
        ("30m before", 2 * HOUR, 90 * MINUTE),
        ("1h30m before", 2 * HOUR, 30 * MINUTE),
        ("3h before", 2 * HOUR, 0),
    ],
)
def test_a_warning_is_reached_at_a_counted_time(text: str, length: int, counted: int) -> None:
    threshold = Threshold.parse(text)
    assert threshold.counted(length) == counted
    assert str(threshold) == text


@pytest.mark.parametrize(
    "text", ["", "75", "0%", "100%", "-5%", "7.5%", "30m", "30 before", "0m before", "1 day before"]
)
def test_a_text_that_is_no_warning_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(TargetFault, match=r'"75%", or "30m before"'):
        Threshold.parse(text)


@pytest.mark.parametrize("written", ["2h", "9 days", "3 months", "next working day", "2 working days"])
@pytest.mark.parametrize(
    "start", ["0001-01-01T00:00:00+00:00", "9998-12-31T23:00:00+00:00", "9999-12-31T23:59:59+00:00"]
)
@pytest.mark.parametrize("kind", ["always", "always elsewhere", "hours"])
def test_a_deadline_beyond_the_years_that_exist_names_the_years(written: str, start: str, kind: str) -> None:
    """Never an overflow."""
    calendar = {
        "always": Calendar.always(),
        "always elsewhere": Calendar.always("Pacific/Kiritimati"),
        "hours": Calendar.parse({"time_zone": "America/Los_Angeles", "hours": {"mon-sun": ["00:00-24:00"]}}),
    }[kind]
    with pytest.raises((UncoveredYear, TargetFault)):
        Target.parse(written).deadline(micros(datetime.fromisoformat(start)), calendar)


@pytest.mark.parametrize("unit", ["h", " m", "s", " working days", " days", " months"])
def test_a_number_with_more_digits_than_can_be_read_is_no_target(unit: str) -> None:
    with pytest.raises(TargetFault, match='Write "2h"'):
        Target.parse("9" * 5_000 + unit)
    with pytest.raises(TargetFault, match="is not a warning"):
        Threshold.parse("9" * 5_000 + "%")
