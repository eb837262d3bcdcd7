"""Holidays stored with a version: the same days as the package had, whatever it has later."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.sla.calendar import Calendar
from app.sla.calendar.holiday import HolidaySet, HolidaySource
from app.sla.calendar.holiday_changes import changes, in_words
from app.sla.calendar.holiday_package import INSTALLED, package_version
from app.sla.calendar.stored_holidays import StoredHolidays, take
from tests.sla.newer_holidays import NEWER, NewerHolidays

NL, VN = HolidaySet("NL"), HolidaySet("VN")
LAST = 2036
DAY = timedelta(days=1)


def spec(country: str, **more: Any) -> dict[str, Any]:
    return {
        "time_zone": "UTC",
        "hours": {"mon-fri": ["09:00-17:00"]},
        "holidays": {"country": country, "make_up_days": True},
        **more,
    }


def stored(*specs: dict[str, Any], by: HolidaySource = INSTALLED) -> StoredHolidays:
    taken = take([Calendar.parse(each).rules for each in specs], by, LAST)
    return StoredHolidays.of_document(json.loads(json.dumps(taken.document())), INSTALLED)


@pytest.mark.parametrize("holiday_set", [NL, VN])
def test_every_stored_year_equals_the_package(holiday_set: HolidaySet) -> None:
    holidays = stored(spec(holiday_set.country))
    first, _ = INSTALLED.covered(holiday_set)
    assert holidays.sets[holiday_set].years == (first, LAST)
    for year in range(first, LAST + 1):
        assert holidays.year(holiday_set, year) == INSTALLED.year(holiday_set, year)


def test_only_the_years_that_a_calendar_covers_are_stored() -> None:
    holidays = stored(spec("NL", years=[2024, 2030]))
    assert (holidays.sets[NL].years, holidays.covered(NL)) == ((2024, 2030), INSTALLED.covered(NL))
    assert min(min(numbers) for numbers in holidays.sets[NL].days.values()) == 20240101


def test_calendars_with_the_same_set_share_its_days() -> None:
    holidays = stored(spec("NL", years=[2024, 2030]), spec("NL", years=[2028, 2032]), spec("VN"))
    assert {each: held.years[1] for each, held in holidays.sets.items()} == {NL: 2032, VN: LAST}


def test_a_country_takes_at_most_25_kilobytes() -> None:
    for country in ("NL", "VN", "FR", "IT", "US"):
        assert len(json.dumps(stored(spec(country)).document(), separators=(",", ":"))) < 25_000


def test_years_past_the_stored_ones_come_from_the_package_and_are_provisional() -> None:
    calendar = Calendar.parse(spec("NL"), holidays=stored(spec("NL")))
    assert {day.provisional for day in calendar.closed_days(LAST)} == {False}
    beyond = calendar.closed_days(LAST + 1)
    assert [day.date for day in beyond] == list(INSTALLED.year(NL, LAST + 1).names)
    assert {day.provisional for day in beyond} == {True}


def test_a_calendar_counts_by_its_stored_days_and_names_their_version() -> None:
    table = spec("NL")
    newer = Calendar.parse(table, holidays=stored(table, by=NewerHolidays()))
    older = Calendar.parse(table, holidays=stored(table))
    start = datetime(2026, 5, 4, 16, tzinfo=UTC)
    assert older.after(timedelta(hours=2), since=start).date() == date(2026, 5, 5)
    assert newer.after(timedelta(hours=2), since=start).date() == date(2026, 5, 6)
    (closed,) = {span.source for span in newer.spans(start, start + 2 * DAY) if span.source}
    assert closed == f"NL public, {NEWER}"
    assert (older.version, newer.version) == (package_version(), NEWER)


def test_calendars_with_other_holidays_are_not_equal() -> None:
    table = spec("NL")
    one, same = (Calendar.parse(table, holidays=stored(table)) for _ in range(2))
    assert one == same
    assert one != Calendar.parse(table, holidays=stored(table, by=NewerHolidays()))
    assert one.digest == Calendar.parse(table).digest


def test_stored_rules_are_read_though_the_package_no_longer_knows_the_country() -> None:
    class WithoutCountries(NewerHolidays):
        def covered(self, holiday_set: HolidaySet) -> tuple[int, int]:
            return 2000, 2001

    table = spec("NL", years=[2024, 2080])
    holidays = StoredHolidays(stored(table).sets, WithoutCountries())
    calendar = Calendar.parse(table, holidays=holidays)
    assert calendar.holiday_on(date(2026, 4, 27)) is not None
    assert calendar.closed_days(2080) == []


def test_a_difference_is_shown_in_words_with_its_next_date() -> None:
    found = in_words(changes(stored(spec("NL")), NewerHolidays()), NewerHolidays(), date(2026, 3, 2))
    assert found.startswith(f"{NEWER}: NL 2026-05-05 added: Liberation Day, and ")
    assert found.endswith(f" more from 1966-05-05 to {LAST}-05-05")


def test_days_that_went_or_have_another_name_are_shown() -> None:
    class Renamed(NewerHolidays):
        def year(self, holiday_set: HolidaySet, year: int) -> Any:
            found = super().year(holiday_set, year)
            names = {on: name for on, name in found.names.items() if on.month in (1, 4) and on.year == 2026}
            return type(found)(
                {on: name.upper() if on.month == 1 else name for on, name in names.items()},
                {},
                frozenset(),
                NEWER,
            )

    words = in_words(changes(stored(spec("NL", years=[2026, 2026])), Renamed()), Renamed(), date(2026, 1, 1))
    assert "NL 2026-01-01 renamed: NEW YEAR'S DAY, was New Year's Day" in words
    assert "NL 2026-12-25 removed: Christmas Day" in words


def test_the_same_version_has_no_difference() -> None:
    assert changes(stored(spec("NL")), INSTALLED) == []
