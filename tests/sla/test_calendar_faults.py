"""A bad calendar is refused with every fault at once: which key, what is wrong, what would be right."""

from datetime import date
from typing import Any

import pytest

from app.sla.calendar import Calendar, CalendarFault, parse_calendars

GOOD: dict[str, Any] = {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:00"]}}


@pytest.mark.parametrize(
    ("change", "place", "wrong", "right"),
    [
        ({"time_zone": None}, "time_zone", "missing", "Europe/Paris"),
        ({"time_zone": 1}, "time_zone", "1 is not a text", "Europe/Paris"),
        ({"time_zone": "europe/pariss"}, "time_zone", "not a zone", 'Did you mean "Europe/Paris"?'),
        ({"time_zone": "Europe"}, "time_zone", "not a zone", "Europe/"),
        ({"time_zone": "../etc/passwd"}, "time_zone", "not a zone", "zone of the zone database"),
        ({"hours": None}, "hours", "missing", "mon-fri"),
        ({"hours": ["09:00-17:00"]}, "hours", "not a table", "mon-fri"),
        ({"hours": {"monday": []}}, "hours.monday", "not a weekday", '"mon-fri"'),
        ({"hours": {"mon-": []}}, "hours.mon-", "not a weekday", '"mon-fri"'),
        ({"hours": {"mon-wed": [], "tue": []}}, "hours.tue", "tue has hours already", "once"),
        ({"hours": {"mon": "09:00-17:00"}}, "hours.mon", "not a list", '"10:00-12:00"'),
        ({"hours": {"mon": ["9-17"]}}, "hours.mon[0]", "not a pair of hours", '"10:00-12:00"'),
        ({"hours": {"mon": [9]}}, "hours.mon[0]", "not a pair of hours", '"10:00-12:00"'),
        ({"hours": {"mon": ["09:00-24:30"]}}, "hours.mon[0]", "no clock shows", "24:00"),
        ({"hours": {"mon": ["24:00-06:00"]}}, "hours.mon[0]", "no clock shows", "24:00"),
        ({"hours": {"mon": ["09:75-10:00"]}}, "hours.mon[0]", "no clock shows", "24:00"),
        ({"hours": {"mon": ["09:00-09:00"]}}, "hours.mon[0]", "no length", "00:00-24:00"),
        ({"hours": {"mon": ["09:00-12:00", "11:00-14:00"]}}, "hours.mon", "overlaps", '"09:00-14:00"'),
        ({"hours": {"mon": ["22:00-06:00", "23:00-24:00"]}}, "hours.mon", "overlaps", '"22:00-06:00"'),
        ({"houres": {}}, "houres", "no such key", 'Did you mean "hours"?'),
        ({"holidays": "NL"}, "holidays", "not a table", 'country = "NL"'),
        ({"holidays": {"land": "NL"}}, "holidays.land", "no such key", '"country"'),
        ({"holidays": {"country": "XX"}}, "holidays.country", "not known", "Write one of"),
        ({"holidays": {"country": "Netherland"}}, "holidays.country", "not known", '"NL" (Netherlands)'),
        (
            {"holidays": {"country": "NL", "subdivision": "Nord"}},
            "holidays.subdivision",
            "no subdivision",
            '"Noord"',
        ),
        (
            {"holidays": {"country": "NL", "categories": ["bank"]}},
            "holidays.categories",
            "no category",
            '"public"',
        ),
        (
            {"holidays": {"country": "NL", "categories": []}},
            "holidays.categories",
            "not a list",
            '["public"]',
        ),
        (
            {"holidays": {"country": "NL", "categories": "public"}},
            "holidays.categories",
            "not a list",
            '["public"]',
        ),
        ({"holidays": {"remove": ["2026-04-03"]}}, "holidays.country", "missing beside remove", '"NL"'),
        (
            {"holidays": {"add": {"31 December": "x"}}},
            "holidays.add.31 December",
            "not a date",
            '"2026-12-24"',
        ),
        ({"holidays": {"add": {"2026-12-31": 1}}}, "holidays.add.2026-12-31", "not a name", "Liberation Day"),
        ({"holidays": {"add": ["2026-12-31"]}}, "holidays.add", "not a table", "Liberation Day"),
        (
            {"holidays": {"country": "NL", "remove": "2026-04-03"}},
            "holidays.remove",
            "not a list",
            "2026-04-03",
        ),
        (
            {"holidays": {"country": "NL", "remove": ["soon"]}},
            "holidays.remove[0]",
            "not a date",
            '"2026-12-24"',
        ),
        (
            {"holidays": {"country": "VN", "make_up_days": "no"}},
            "holidays.make_up_days",
            "neither true nor false",
            "make_up_days = true or",
        ),
        ({"overrides": {"2026-02-30": []}}, "overrides.2026-02-30", "not a date", '"2026-12-24"'),
        ({"overrides": {"2026-12-24": "closed"}}, "overrides.2026-12-24", "not a list", '"10:00-12:00"'),
        (
            {"overrides": {"2026-12-24": {"reason": "x"}}},
            "overrides.2026-12-24.hours",
            "not a list",
            "list of hours",
        ),
        (
            {"overrides": {"2026-12-24": {"hours": [], "reason": 1}}},
            "overrides.2026-12-24.reason",
            "not a text",
            "=",
        ),
        (
            {"overrides": {"2026-12-24": {"hours": [], "why": ""}}},
            "overrides.2026-12-24.why",
            "no such key",
            "reason",
        ),
        ({"overrides": []}, "overrides", "not a table", "2026-12-24"),
        ({"years": 2026}, "years", "not a range", "[2020, 2035]"),
        ({"years": [2027, 2026]}, "years", "not a range", "first and the last"),
        (
            {"years": [1800, 2026], "holidays": {"country": "NL"}},
            "years",
            "not a range",
            "within 1966 and 2100",
        ),
    ],
)
def test_a_fault_names_its_place_what_is_wrong_and_what_would_be_right(
    change: dict[str, Any], place: str, wrong: str, right: str
) -> None:
    with pytest.raises(CalendarFault) as error:
        Calendar.parse(GOOD | change)
    (fault,) = error.value.faults
    assert fault.place == place
    assert wrong in fault.wrong
    assert right in fault.right
    assert str(fault) in str(error.value)


def test_all_faults_are_told_at_once() -> None:
    spec = {"time_zone": "Mars", "hours": {"mon": ["9"], "fry": []}, "overrides": {"x": []}, "colour": "red"}
    with pytest.raises(CalendarFault) as error:
        Calendar.parse(spec)
    assert {fault.place for fault in error.value.faults} == {
        "colour", "time_zone", "hours.mon[0]", "hours.fry", "overrides.x",
    }  # fmt: skip


def test_dates_of_a_toml_file_are_dates_however_they_are_written() -> None:
    written = GOOD | {
        "holidays": {"country": "NL", "remove": ["2026-04-03"]},
        "overrides": {"2026-12-24": []},
    }
    typed = GOOD | {
        "holidays": {"country": "NL", "remove": [date(2026, 4, 3)]},
        "overrides": {date(2026, 12, 24): []},
    }
    assert Calendar.parse(written) == Calendar.parse(typed)


def test_weekdays_may_be_ranges_lists_and_pass_sunday() -> None:
    hours = ["09:00-17:00"]
    same = [
        {"sat-mon": hours},
        {"mon,sat,sun": hours},
        {"Sat-Sun": hours, "mon": hours},
        {"sun, sat-sat": hours, "mon": hours},
    ]
    assert len({Calendar.parse(GOOD | {"hours": table}).digest for table in same}) == 1


def test_adjacent_hours_are_one_and_an_empty_list_is_closed() -> None:
    one = Calendar.parse(GOOD | {"hours": {"mon": ["09:00-12:30", "12:30-17:00"], "tue": []}})
    assert one == Calendar.parse(GOOD | {"hours": {"mon": ["09:00-17:00"]}})


def test_a_file_gives_its_calendars_under_their_full_names() -> None:
    found = parse_calendars({"calendars": {"tickets": GOOD, "phone": GOOD}}, desk="haisoft")
    assert {name: calendar.name for name, calendar in found.items()} == {
        "haisoft/tickets": "haisoft/tickets",
        "haisoft/phone": "haisoft/phone",
    }


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({}, ["calendars"]),
        ({"calendars": {}}, ["calendars"]),
        ({"calendars": {"desk": "always"}}, ["calendars.desk"]),
        ({"calendar": {}, "calendars": {"desk": GOOD}}, ["calendar"]),
        (
            {"calendars": {"a": GOOD | {"years": 1}, "b": GOOD, "c": {"hours": {}}}},
            ["calendars.a.years", "calendars.c.time_zone"],
        ),
    ],
)
def test_a_file_is_refused_with_the_faults_of_all_its_calendars(
    document: dict[str, Any], places: list[str]
) -> None:
    with pytest.raises(CalendarFault) as error:
        parse_calendars(document, desk="desk")
    assert [fault.place for fault in error.value.faults] == places
