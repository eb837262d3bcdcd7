"""Recurring days, half-days, seasons and alternate weeks: dates that a person can look up, and faults."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from app.sla.calendar import Calendar, CalendarFault, NeverCloses, NeverOpen, parse_calendars
from app.sla.calendar.days_file import MOST_RULES, MOST_SETS
from app.sla.calendar.holiday import HolidaySet, HolidaySource
from app.sla.calendar.holiday_package import INSTALLED, package_version
from app.sla.calendar.seasons_file import MOST_ALTERNATE, MOST_SEASONS
from app.sla.calendar.stored_holidays import StoredHolidays, take
from app.sla.span import DAY, HOUR
from tests.sla.newer_holidays import NewerHolidays

DAILY: dict[str, Any] = {"time_zone": "Europe/Amsterdam", "hours": {"mon-sun": ["09:00-17:00"]}}
OFFICE: dict[str, Any] = {"time_zone": "Europe/Amsterdam", "hours": {"mon-fri": ["09:00-17:00"]}}
ATHENS: dict[str, Any] = {"time_zone": "Europe/Athens", "hours": {"mon-fri": ["08:00-18:00"]}}


def closed(rule: str, year: int, country: str | None = "NL") -> list[str]:
    """The dates that a rule closes in a year."""
    holidays: dict[str, Any] = {"add": {rule: "the rule"}} | ({"country": country} if country else {})
    days = Calendar.parse(DAILY | {"holidays": holidays}).closed_days(year)
    return [day.date.isoformat() for day in days if day.name == "the rule"]


def hours_on(calendar: Calendar, on: date) -> str:
    """The open hours of a date as the wall clock shows them."""
    start, end = calendar.end_of_day(on - timedelta(days=1)), calendar.end_of_day(on)
    spans = [span for span in calendar.spans_us(start, end) if span.open]
    return " ".join(f"{calendar.local(s.start):%H:%M}-{calendar.local(s.end):%H:%M}" for s in spans)


def why(calendar: Calendar, on: date) -> tuple[str, str | None]:
    """The reason and the source at noon of a date."""
    noon = calendar.end_of_day(on) - 12 * HOUR
    (span,) = calendar.spans_us(noon, noon + HOUR)
    return span.reason, span.source


@pytest.mark.parametrize(
    ("rule", "year", "dates"),
    [
        ("*-12-24", 2031, ["2031-12-24"]),
        ("*-02-29", 2028, ["2028-02-29"]),
        ("*-02-29", 2100, []),
        ("first monday of march", 2026, ["2026-03-02"]),
        ("The First Monday in March", 2027, ["2027-03-01"]),
        ("last friday of november", 2026, ["2026-11-27"]),
        ("fifth sunday of march", 2026, ["2026-03-29"]),
        ("fifth sunday of march", 2027, []),
        ("friday after Ascension Day", 2026, ["2026-05-15"]),
        ("the Friday after ascension day", 2027, ["2027-05-07"]),
        ("1 day after Ascension Day", 2026, ["2026-05-15"]),
        ("thursday after Ascension Day", 2026, ["2026-05-21"]),
        ("2 days before Easter Monday", 2026, ["2026-04-04"]),
        ("monday before Christmas Day", 2026, ["2026-12-21"]),
        ("friday before Christmas Day", 2026, ["2026-12-18"]),
        ("8 days after Christmas Day", 2027, ["2027-01-02"]),
        ("8 days before New Year's Day", 2026, ["2026-12-24"]),
    ],
)
def test_the_dates_of_a_recurring_day(rule: str, year: int, dates: list[str]) -> None:
    assert closed(rule, year) == dates


def test_two_holidays_on_one_date_are_both_found_by_their_names() -> None:
    assert closed("friday after Ascension Day", 2016) == ["2016-05-06"]
    spec = {"country": "NL", "add": {"1 day after Liberation Day": "the rule"}}
    days = Calendar.parse(DAILY | {"holidays": spec}).closed_days(2005)
    assert [day.date.isoformat() for day in days if day.name == "the rule"] == ["2005-05-06"]


def test_a_recurring_day_needs_no_country_unless_it_names_a_holiday() -> None:
    assert closed("*-12-24", 2040, None) == ["2040-12-24"]
    with pytest.raises(
        CalendarFault, match=r"holidays\.add\.friday after Ascension Day.*no country is named"
    ):
        closed("friday after Ascension Day", 2040, None)


def test_a_closed_day_names_the_rule_that_closed_it() -> None:
    spec = {"country": "NL", "add": {"Friday after Ascension Day": "bridge day"}}
    calendar = Calendar.parse(OFFICE | {"holidays": spec})
    assert why(calendar, date(2026, 5, 15)) == (
        "bridge day",
        "added by the calendar: friday after ascension day",
    )
    assert why(calendar, date(2027, 5, 7))[0] == "bridge day"


def test_a_date_stands_before_a_rule_and_a_rule_of_a_month_before_one_of_a_holiday() -> None:
    overrides: dict[str, Any] = {
        "1 day before Christmas Day": ["09:00-10:00"],
        "*-12-24": ["09:00-12:00"],
        "fourth thursday of december": ["09:00-11:00"],
        "2026-12-24": ["09:00-13:00"],
    }
    calendar = Calendar.parse(OFFICE | {"holidays": {"country": "NL"}, "overrides": overrides})
    assert hours_on(calendar, date(2026, 12, 24)) == "09:00-13:00"
    assert hours_on(calendar, date(2027, 12, 24)) == "09:00-12:00"
    assert hours_on(calendar, date(2027, 12, 23)) == "09:00-11:00"
    source = calendar.closed_days(2027)[-3].source
    assert source == "override *-12-24"


def test_holidays_are_worked_by_their_name_and_every_year() -> None:
    spec = {"country": "NL", "remove": ["Good Friday", "*-04-27"]}
    calendar = Calendar.parse(OFFICE | {"holidays": spec})
    for year in (2026, 2027, 2035):
        names = {day.name for day in calendar.closed_days(year)}
        assert "Good Friday" not in names
        assert "Ascension Day" in names
    assert "King's Day" not in {day.name for day in calendar.closed_days(2026)}
    assert hours_on(calendar, date(2026, 4, 3)) == "09:00-17:00"


def test_a_holiday_by_its_name_has_its_own_hours() -> None:
    spec = OFFICE | {"holidays": {"country": "NL"}, "overrides": {"Good Friday": ["09:00-12:00"]}}
    calendar = Calendar.parse(spec)
    assert [hours_on(calendar, on) for on in (date(2026, 4, 3), date(2027, 3, 26))] == ["09:00-12:00"] * 2


@pytest.mark.parametrize(
    ("change", "place", "wrong", "right"),
    [
        ({"holidays": {"add": {"*-02-30": "x"}}}, "holidays.add.*-02-30", "no year has that date", "*-12-24"),
        (
            {"holidays": {"add": {"sixth monday of march": "x"}}},
            "holidays.add.sixth monday of march",
            "not a date or a rule",
            "first monday of march",
        ),
        (
            {"holidays": {"country": "NL", "add": {"200 days after Ascension Day": "x"}}},
            "holidays.add.200 days after Ascension Day",
            "between 1 and 180",
            "Write",
        ),
        (
            {"holidays": {"country": "NL", "add": {"friday after Ascention Day": "x"}}},
            "holidays.add.friday after Ascention Day",
            "not a holiday of NL public",
            'Did you mean "ascension day"?',
        ),
        (
            {"holidays": {"country": "NL", "remove": ["Godd Friday"]}},
            "holidays.remove[0]",
            "a holiday of NL public",
            'Did you mean "good friday"?',
        ),
        (
            {"holidays": {"country": "NL", "remove": ["*-05-05", "*-05-05"]}},
            "holidays.remove[1]",
            "named already",
            "once",
        ),
        ({"overrides": {"*-13-01": []}}, "overrides.*-13-01", "no year has that date", "*-12-24"),
        (
            {"holidays": {"country": "GR", "categories": ["public", "half_day"]}},
            "holidays.half_day_hours",
            "missing beside the category half_day",
            'half_day_hours = ["09:00-13:00"]',
        ),
        (
            {"holidays": {"country": "GR", "half_day_hours": ["09:00-13:00"]}},
            "holidays.half_day_hours",
            "no half-days",
            "half_day",
        ),
        (
            {"holidays": {"country": "GR", "categories": ["half_day"], "half_day_hours": "9-13"}},
            "holidays.half_day_hours",
            "not a list",
            "list of hours",
        ),
        (
            {"holidays": {"half_day_hours": ["09:00-13:00"]}},
            "holidays.country",
            "missing beside half_day_hours",
            '"NL"',
        ),
        (
            {"holidays": {"country": "FR", "subdivision": "Bretagne"}},
            "holidays.subdivision",
            "no subdivision 'Bretagne'",
            '"57" (Moselle)',
        ),
        ({"seasons": {}}, "seasons", "not a list", "first"),
        ({"seasons": [{"first": "06-01", "hours": {}}]}, "seasons[0].last", "missing", '"06-01"'),
        ({"seasons": [{"first": "06-01", "last": "08-31"}]}, "seasons[0].hours", "missing", "mon-fri"),
        (
            {"seasons": [{"first": "02-30", "last": "08-31", "hours": {}}]},
            "seasons[0].first",
            "not a day",
            '"06-01"',
        ),
        (
            {"seasons": [{"first": "06-01", "last": "2026-08-31", "hours": {}}]},
            "seasons[0].last",
            "one of first and last has a year",
            "2027-06-01",
        ),
        (
            {"seasons": [{"first": "2026-09-01", "last": "2026-08-31", "hours": {}}]},
            "seasons[0].last",
            "before",
            "first day",
        ),
        (
            {
                "seasons": [
                    {"first": "06-01", "last": "08-31", "hours": {}},
                    {"first": "08-31", "last": "09-05", "hours": {}},
                ]
            },
            "seasons[1].first",
            "overlaps 06-01 to 08-31",
            "the day before",
        ),
        (
            {
                "seasons": [
                    {"first": "12-20", "last": "01-06", "hours": {}, "name": "winter"},
                    {"first": "01-06", "last": "02-01", "hours": {}},
                ]
            },
            "seasons[1].first",
            "overlaps winter",
            "the day before",
        ),
        (
            {"seasons": [{"first": "06-01", "last": "08-31", "hours": {}, "weeks": 2}]},
            "seasons[0].weeks",
            "no such key",
            "alternate",
        ),
        ({"alternate": [{"from": "2026-01-03", "hours": {}}]}, "alternate[0].hours", "no weekday", "sat"),
        (
            {"alternate": [{"every": 1, "from": "2026-01-03", "hours": {"sat": []}}]},
            "alternate[0].every",
            "2 or more",
            "every =",
        ),
        (
            {"alternate": [{"every": 60, "from": "2026-01-03", "hours": {"sat": []}}]},
            "alternate[0].every",
            "more than a year",
            "every = 2",
        ),
        (
            {"alternate": [{"from": "soon", "hours": {"sat": []}}]},
            "alternate[0].from",
            "not a date",
            "2026-12-24",
        ),
        (
            {
                "alternate": [
                    {"from": "2026-01-03", "hours": {"sat": []}},
                    {"every": 3, "from": "2026-01-10", "hours": {"sat": []}},
                ]
            },
            "alternate[1].hours",
            "sat has the hours of every 2 weeks from 2026-01-03",
            "take turns",
        ),
    ],
)
def test_a_fault_names_its_place_what_is_wrong_and_what_would_be_right(
    change: dict[str, Any], place: str, wrong: str, right: str
) -> None:
    with pytest.raises(CalendarFault) as error:
        Calendar.parse(OFFICE | change)
    fault = error.value.faults[0]
    assert fault.place.startswith(place)
    assert wrong in fault.wrong
    assert right in fault.right


def test_seasons_alternate_weeks_and_recurring_days_have_limits() -> None:
    days = {f"*-{1 + n % 12:02}-{1 + n // 12:02}": "closed" for n in range(MOST_RULES + 1)}
    with pytest.raises(CalendarFault, match="more than 100 recurring days"):
        Calendar.parse(OFFICE | {"holidays": {"add": days}})
    many = [
        {"first": f"{2000 + n}-06-01", "last": f"{2000 + n}-06-02", "hours": {}}
        for n in range(MOST_SEASONS + 1)
    ]
    with pytest.raises(CalendarFault, match="101 are more than one calendar may have"):
        Calendar.parse(OFFICE | {"seasons": many})
    weeks = [{"from": "2026-01-03", "hours": {"sat": []}}] * (MOST_ALTERNATE + 1)
    with pytest.raises(CalendarFault, match="15 tables are too many"):
        Calendar.parse(OFFICE | {"alternate": weeks})


def test_more_sets_than_a_file_may_name_are_not_searched_for_names() -> None:
    read: set[HolidaySet] = set()

    class Counting(NewerHolidays):
        def year(self, holiday_set: HolidaySet, year: int) -> Any:
            read.add(holiday_set)
            return super().year(holiday_set, year)

    subdivisions = [
        "BB",
        "BE",
        "BW",
        "BY",
        "HB",
        "HE",
        "HH",
        "MV",
        "NI",
        "NW",
        "RP",
        "SH",
        "SL",
        "SN",
        "ST",
        "TH",
    ]
    countries = ["NL", "FR", "IT", "BE", "PL", "GB", "ES", "PT"]
    sets = [{"country": "DE", "subdivision": each} for each in subdivisions] + [
        {"country": each} for each in countries
    ]
    calendars = {
        f"c{n}": OFFICE | {"holidays": each | {"add": {"1 day after No Such Day": "x"}}}
        for n, each in enumerate(sets)
    }
    with pytest.raises(CalendarFault) as error:
        parse_calendars({"calendars": calendars}, desk="d", holidays=Counting())
    assert len(error.value.faults) == MOST_SETS == len(read)


# Half-days


def half_days(**more: Any) -> dict[str, Any]:
    return {"country": "GR", "categories": ["half_day", "public"], "half_day_hours": ["09:00-13:00"], **more}


def test_a_half_day_has_the_hours_that_the_calendar_names_and_its_category() -> None:
    calendar = Calendar.parse(ATHENS | {"holidays": half_days()})
    assert hours_on(calendar, date(2026, 12, 24)) == "09:00-13:00"
    assert hours_on(calendar, date(2026, 12, 25)) == ""
    days = {day.date: day for day in calendar.closed_days(2026)}
    eve = days[date(2026, 12, 24)]
    assert (eve.name, eve.hours, eve.source) == (
        "Christmas Eve",
        ("09:00-13:00",),
        f"GR half_day, {package_version()}",
    )
    assert days[date(2026, 12, 25)].source == f"GR public, {package_version()}"
    assert why(calendar, date(2026, 12, 24)) == (
        "open hours",
        f"GR half_day, {package_version()}: Christmas Eve",
    )


def test_a_half_day_opens_no_weekend_and_an_empty_list_closes_it() -> None:
    calendar = Calendar.parse(ATHENS | {"holidays": half_days()})
    assert hours_on(calendar, date(2028, 12, 24)) == ""
    assert why(calendar, date(2028, 12, 24)) == ("weekend", None)
    closing = Calendar.parse(ATHENS | {"holidays": half_days(half_day_hours=[])})
    assert why(closing, date(2026, 12, 24)) == ("Christmas Eve", f"GR half_day, {package_version()}")


def test_a_version_that_was_stored_without_hours_of_half_days_still_closes_them() -> None:
    holidays = half_days()
    del holidays["half_day_hours"]
    document = {"calendars": {"desk": ATHENS | {"holidays": holidays}}}
    (calendar,) = parse_calendars(document, desk="d", in_force=True).values()
    assert hours_on(calendar, date(2026, 12, 24)) == ""


# Stored holidays

RULES: dict[str, Any] = {
    "holidays": {
        "country": "NL",
        "add": {"friday after Ascension Day": "bridge day", "8 days after Christmas Day": "inventory"},
        "remove": ["Good Friday"],
    },
    "overrides": {"7 days before New Year's Day": ["09:00-12:00"], "last monday of june": []},
    "years": [2026, 2032],
}


def stored(spec: dict[str, Any], last: int, by: HolidaySource = INSTALLED) -> StoredHolidays:
    taken = take([Calendar.parse(spec).rules], by, last)
    return StoredHolidays.of_document(json.loads(json.dumps(taken.document())), NewerHolidays())


@pytest.mark.parametrize("spec", [OFFICE | RULES, ATHENS | {"holidays": half_days(), "years": [2026, 2032]}])
def test_stored_holidays_give_recurring_days_and_half_days_as_the_package_did(spec: dict[str, Any]) -> None:
    fresh, kept = Calendar.parse(spec), Calendar.parse(spec, holidays=stored(spec, 2032))
    for year in range(2026, 2033):
        assert kept.closed_days(year) == fresh.closed_days(year)


def test_the_years_beside_the_covered_ones_are_stored_for_days_counted_from_a_holiday() -> None:
    held = stored(OFFICE | RULES, 2030).sets[HolidaySet("NL")]
    assert held.years == (2025, 2031)


def test_days_counted_from_a_provisional_holiday_are_provisional() -> None:
    spec = {"country": "VN", "add": {"1 day after National Day": "rest"}}
    days = Calendar.parse(OFFICE | {"holidays": spec}).closed_days(2029)
    assert {day.provisional for day in days if day.name == "rest"} == {True}


# Seasons and alternate weeks

SUMMER: dict[str, Any] = {
    "first": "06-01",
    "last": "08-31",
    "name": "summer",
    "hours": {"mon-thu": ["08:00-14:00"]},
}


def test_a_season_replaces_the_weekly_hours_from_its_first_to_its_last_day_every_year() -> None:
    calendar = Calendar.parse(OFFICE | {"seasons": [SUMMER]})
    for year in (2026, 2044):
        expected = {5: "09:00-17:00", 6: "08:00-14:00", 8: "08:00-14:00", 9: "09:00-17:00"}
        for month, hours in expected.items():
            tuesday = next(on for n in range(7) if (on := date(year, month, 10 + n)).weekday() == 1)
            assert hours_on(calendar, tuesday) == hours
    assert hours_on(calendar, date(2026, 5, 29)) == "09:00-17:00"
    assert why(calendar, date(2026, 6, 1)) == ("open hours", "season: summer")
    assert why(calendar, date(2026, 6, 5)) == ("no hours on Friday", "season: summer")
    assert why(calendar, date(2026, 9, 1)) == ("open hours", None)


def test_a_season_of_one_year_stands_before_one_of_every_year_and_may_pass_the_new_year() -> None:
    seasons = [
        {"first": "12-20", "last": "01-06", "hours": {"mon-fri": ["10:00-12:00"]}},
        {"first": "2027-01-04", "last": "2027-01-05", "hours": {"mon-fri": ["10:00-11:00"]}},
    ]
    calendar = Calendar.parse(OFFICE | {"seasons": seasons})
    found = [hours_on(calendar, date(2027, 1, day)) for day in (4, 5, 6, 7)]
    assert found == ["10:00-11:00", "10:00-11:00", "10:00-12:00", "09:00-17:00"]
    assert hours_on(calendar, date(2027, 12, 20)) == "10:00-12:00"
    assert hours_on(calendar, date(2026, 12, 18)) == "09:00-17:00"


def test_a_holiday_and_an_override_stand_before_a_season() -> None:
    spec = OFFICE | {
        "seasons": [SUMMER],
        "holidays": {"add": {"*-07-01": "founding day"}},
        "overrides": {"2026-07-02": ["12:00-13:00"]},
    }
    calendar = Calendar.parse(spec)
    assert [hours_on(calendar, date(2026, 7, day)) for day in (1, 2, 6)] == ["", "12:00-13:00", "08:00-14:00"]


def test_alternate_saturdays_begin_with_the_week_of_their_first_date() -> None:
    weeks = {"every": 2, "from": "2026-01-03", "hours": {"sat": ["09:00-13:00"]}}
    calendar = Calendar.parse(OFFICE | {"alternate": [weeks]})
    saturdays = [date(2025, 12, 20) + timedelta(weeks=n) for n in range(6)]
    assert [hours_on(calendar, on) for on in saturdays] == ["", "", "09:00-13:00", "", "09:00-13:00", ""]
    assert hours_on(calendar, date(2026, 1, 2)) == "09:00-17:00"
    assert why(calendar, date(2026, 1, 3)) == ("open hours", "every 2 weeks from 2026-01-03")


def test_a_season_has_its_own_alternate_weeks() -> None:
    weeks = [{"from": "2026-01-03", "hours": {"sat": ["09:00-13:00"]}}]
    without = Calendar.parse(OFFICE | {"alternate": weeks, "seasons": [SUMMER]})
    keeping = Calendar.parse(OFFICE | {"alternate": weeks, "seasons": [SUMMER | {"alternate": weeks}]})
    assert (hours_on(without, date(2026, 6, 20)), hours_on(keeping, date(2026, 6, 20))) == ("", "09:00-13:00")
    assert why(keeping, date(2026, 6, 20))[1] == "season: summer, every 2 weeks from 2026-01-03"


def test_seasons_that_only_ever_close_or_open_end_a_search() -> None:
    never = Calendar.parse(OFFICE | {"hours": {}, "seasons": [SUMMER | {"hours": {}}]})
    with pytest.raises(NeverOpen):
        never.next_open_us(0)
    past = {"first": "2026-06-01", "last": "2026-06-30", "hours": {"mon": ["09:00-10:00"]}}
    with pytest.raises(NeverOpen):
        Calendar.parse(OFFICE | {"hours": {}, "seasons": [past]}).next_open_us(60 * 365 * DAY)
    whole = {"mon-sun": ["00:00-24:00"]}
    always = Calendar.parse(OFFICE | {"hours": whole, "seasons": [SUMMER | {"hours": whole}]})
    with pytest.raises(NeverCloses):
        always.next_close_us(0)
    closing = Calendar.parse(OFFICE | {"hours": whole, "seasons": [SUMMER | {"hours": {}}]})
    assert closing.local(closing.next_close_us(50 * 365 * DAY)).strftime("%m-%d %H:%M") == "06-01 00:00"


# Names of places


@pytest.mark.parametrize(
    ("country", "subdivision", "code"),
    [
        ("FR", "Alsace-Moselle", "57"),
        ("FR", "moselle", "57"),
        ("FR", "67", "6AE"),
        ("FR", "68", "6AE"),
        ("France", "alsace", "6AE"),
        ("FR", "La Reunion", "974"),
        ("Germany", "bayern", "BY"),
        ("Netherlands", None, None),
        ("united kingdom", None, None),
    ],
)
def test_places_are_known_by_their_names(country: str, subdivision: str | None, code: str | None) -> None:
    holidays = {"country": country} | ({"subdivision": subdivision} if subdivision else {})
    found = Calendar.parse(OFFICE | {"holidays": holidays}).rules.holidays
    assert found is not None
    codes = {"France": "FR", "Germany": "DE", "Netherlands": "NL", "united kingdom": "GB"}
    assert (found.country, found.subdivision) == (codes.get(country, country), code)


def test_a_code_that_the_package_takes_stays_as_it_is_written() -> None:
    found = Calendar.parse(OFFICE | {"holidays": {"country": "NLD"}}).rules.holidays
    assert found == HolidaySet("NLD")


def test_rules_that_are_not_used_leave_the_digest_as_it_was() -> None:
    assert Calendar.parse(OFFICE).digest == Calendar.parse(OFFICE | {"seasons": [], "alternate": []}).digest
    assert Calendar.parse(OFFICE).digest != Calendar.parse(OFFICE | {"seasons": [SUMMER]}).digest
