"""The first date whose hours differ between two calendars."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.calendar import Calendar
from app.sla.calendar.first_change import ANY, NEVER, first_changed_date
from app.sla.span import HOUR, Micros, micros
from tests.sla.newer_holidays import NewerHolidays

FIRST = date(2026, 3, 1)
BASE: dict[str, Any] = {
    "time_zone": "Europe/Paris",
    "hours": {"mon-fri": ["09:00-17:00"], "sat": ["22:00-02:00"]},
}


def calendar(**more: Any) -> Calendar:
    return Calendar.parse(BASE | more)


CASES = [
    ("nothing", {}, NEVER),
    ("an added holiday", {"holidays": {"add": {"2026-04-01": "closed"}}}, date(2026, 4, 1)),
    ("the first of two overrides", {"overrides": {"2026-05-02": [], "2026-04-30": []}}, date(2026, 4, 30)),
    ("other hours", {"hours": {"mon-fri": ["09:00-18:00"]}}, ANY),
    ("another zone", {"time_zone": "Europe/London"}, ANY),
    ("a day of every year", {"overrides": {"*-12-24": []}}, ANY),
]


@pytest.mark.parametrize(("more", "changed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_it_is_the_first_date_that_is_named_in_one_only(more: dict[str, Any], changed: date) -> None:
    assert first_changed_date(calendar(), calendar(**more)) == changed
    assert first_changed_date(calendar(**more), calendar()) == changed


def test_a_newer_package_changes_from_its_first_other_holiday_on() -> None:
    rules: dict[str, Any] = BASE | {"holidays": {"country": "NL"}}
    newer = Calendar.parse(rules, holidays=NewerHolidays())
    changed = first_changed_date(Calendar.parse(rules), newer)
    assert ANY < changed < NEVER
    assert Calendar.parse(rules).holiday_on(changed) != newer.holiday_on(changed)


days = st.integers(0, 60).map(lambda n: (FIRST + timedelta(days=n)).isoformat())
overrides = st.dictionaries(days, st.sampled_from([[], ["10:00-11:00"], ["20:00-04:00"]]), max_size=3)
MIDNIGHT = micros(datetime(2026, 3, 1, tzinfo=UTC))
starts = st.integers(0, 60 * 24).map(lambda hours: MIDNIGHT + hours * HOUR)


@settings(max_examples=60)
@given(old=overrides, new=overrides, start=starts, length=st.integers(1, 60))
def test_a_deadline_before_its_midnight_is_the_same(
    old: dict[str, Any], new: dict[str, Any], start: Micros, length: int
) -> None:
    before, after = calendar(overrides=old), calendar(overrides=new)
    changed = first_changed_date(before, after)
    midnight = None if changed == NEVER else after.end_of_day(changed - timedelta(days=1))
    deadlines = [
        (each.after_us(length * HOUR, start), each.close_of_working_day_us(1 + length % 5, start))
        for each in (before, after)
    ]
    for old_due, new_due in zip(*deadlines, strict=True):
        assert old_due == new_due or (midnight is not None and old_due >= midnight)
