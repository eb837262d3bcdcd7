"""What a calendar answers, one fact at a time; the laws and the cases of others are in the files beside this one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.sla.calendar import Calendar, NeverCloses, NeverOpen, UncoveredYear
from app.sla.calendar.holiday_package import package_version
from app.sla.calendar.spans import CalendarSpan
from app.sla.span import HOUR, NaiveInstant, Span, instant, micros

PARIS: dict[str, Any] = {
    "time_zone": "Europe/Paris",
    "hours": {"mon-fri": ["09:00-19:00"], "sat,sun": ["09:00-18:00"]},
}
OFFICE: dict[str, Any] = {
    "time_zone": "Europe/Amsterdam",
    "hours": {"mon-fri": ["09:00-12:00", "13:00-17:00"]},
}


def at(text: str, calendar: Calendar) -> datetime:
    """A local time of the calendar's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(calendar.time_zone))


@pytest.mark.parametrize(
    ("since", "hours", "due"),
    [
        ("2026-10-25T00:15", 12, "2026-10-26T12:00"),
        ("2026-10-24T00:15", 20, "2026-10-26T11:00"),
        ("2026-03-28T23:30", 4, "2026-03-29T13:00"),
        ("2026-03-27T23:30", 12, "2026-03-29T12:00"),
        ("2026-06-05T16:00", 12, "2026-06-06T18:00"),
    ],
)
def test_nights_of_a_clock_change_and_exact_fits(since: str, hours: int, due: str) -> None:
    calendar = Calendar.parse(PARIS)
    assert calendar.after(timedelta(hours=hours), since=at(since, calendar)) == at(due, calendar)


def test_a_closing_instant_is_not_open_and_an_opening_one_is() -> None:
    calendar = Calendar.parse(OFFICE)
    assert calendar.is_open(at("2026-06-03T09:00", calendar))
    assert not calendar.is_open(at("2026-06-03T12:00", calendar))
    assert calendar.next_open(at("2026-06-03T12:00", calendar)) == at("2026-06-03T13:00", calendar)
    assert calendar.next_close(at("2026-06-03T12:00", calendar)) == at("2026-06-03T17:00", calendar)
    assert calendar.next_close(at("2026-06-03T11:00", calendar)) == at("2026-06-03T12:00", calendar)


def test_no_length_is_due_at_the_start_even_when_closed() -> None:
    calendar = Calendar.parse(OFFICE)
    sunday = at("2026-06-07T12:00", calendar)
    assert calendar.after(timedelta(0), since=sunday) == calendar.after(timedelta(-1), since=sunday) == sunday


def test_answers_are_aware_and_in_utc() -> None:
    calendar = Calendar.parse(OFFICE)
    assert calendar.after(timedelta(hours=1), since=at("2026-06-03T09:00", calendar)).tzinfo is UTC


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(NaiveInstant, match=r"no offset.*\+01:00"):
        Calendar.parse(OFFICE).is_open(datetime(2026, 6, 3, 9))  # noqa: DTZ001


def test_an_override_on_the_next_date_leaves_the_tail_of_a_night_alone() -> None:
    night = {
        "time_zone": "Europe/Paris",
        "hours": {"mon-fri": ["22:00-06:00"]},
        "overrides": {"2026-06-03": []},
        "holidays": {"add": {"2026-06-05": "Stocktaking"}},
    }
    calendar = Calendar.parse(night)
    open_spans = [
        (calendar.local(span.start).strftime("%d %H:%M"), calendar.local(span.end).strftime("%d %H:%M"))
        for span in calendar.spans(at("2026-06-02T12:00", calendar), at("2026-06-06T12:00", calendar))
        if span.open
    ]
    assert open_spans == [("02 22:00", "03 06:00"), ("04 22:00", "05 06:00")]
    assert calendar.local_date(
        calendar.close_of_working_day_us(1, micros(at("2026-06-01T12:00", calendar)))
    ) == date(2026, 6, 3)


def test_a_working_day_is_a_date_with_open_hours_and_the_date_of_the_start_never_counts() -> None:
    calendar = Calendar.parse(OFFICE)
    for since in ("2026-06-05T18:00", "2026-06-06T10:00", "2026-06-07T23:59"):
        due = calendar.close_of_working_day(3, since=at(since, calendar))
        assert due == at("2026-06-10T17:00", calendar)
    with pytest.raises(ValueError, match="no working day number 0"):
        calendar.close_of_working_day(0, since=at("2026-06-05T18:00", calendar))


def test_hours_that_the_clock_change_skips_make_no_working_day() -> None:
    spec: dict[str, Any] = {"time_zone": "Europe/Paris", "hours": {"sun": ["02:10-02:50"]}}
    calendar = Calendar.parse(spec)
    due = calendar.close_of_working_day(1, since=at("2026-03-28T12:00", calendar))
    assert due == at("2026-04-05T02:50", calendar)
    spans = calendar.spans(at("2026-03-29T00:00", calendar), at("2026-03-30T00:00", calendar))
    assert [span.reason for span in spans] == ["hours skipped by the clock change"]


def test_every_span_says_why_it_is_open_or_closed() -> None:
    spec = OFFICE | {
        "holidays": {"country": "NL"},
        "overrides": {
            "2026-04-28": {"hours": ["10:00-11:00"], "reason": "stocktaking"},
            "2026-04-30": [],
        },
    }
    calendar = Calendar.parse(spec)
    spans = calendar.spans(at("2026-04-24T10:00", calendar), at("2026-05-01T09:00", calendar))
    assert [(span.reason, span.source, (span.end - span.start) / HOUR) for span in spans] == [
        ("open hours", None, 2),
        ("lunch gap", None, 1),
        ("open hours", None, 4),
        ("after closing", None, 7),
        ("weekend", None, 48),
        ("King's Day", f"NL public, {package_version()}", 24),
        ("before opening", None, 10),
        ("open hours", "override: stocktaking", 1),
        ("after closing", None, 13),
        ("before opening", None, 9),
        ("open hours", None, 3),
        ("lunch gap", None, 1),
        ("open hours", None, 4),
        ("after closing", None, 7),
        ("closed on this date", "override", 24),
        ("before opening", None, 9),
    ]


def test_closed_days_name_their_cause_and_where_it_comes_from() -> None:
    spec = OFFICE | {
        "holidays": {"country": "NL", "add": {"2026-12-31": "stocktaking"}, "remove": ["2026-04-03"]},
        "overrides": {"2026-12-24": ["10:00-12:00"]},
    }
    calendar = Calendar.parse(spec)
    days = {day.date.isoformat(): day for day in calendar.closed_days(2026)}
    assert "2026-04-03" not in days
    assert (days["2026-04-27"].name, days["2026-04-27"].source) == (
        "King's Day",
        f"NL public, {package_version()}",
    )
    assert (days["2026-12-31"].name, days["2026-12-31"].source) == ("stocktaking", "added by the calendar")
    assert (days["2026-12-24"].name, days["2026-12-24"].hours) == ("special hours", ("10:00-12:00",))
    assert list(days) == sorted(days)
    assert calendar.holiday_on(date(2026, 4, 27)) == days["2026-04-27"]
    assert calendar.holiday_on(date(2026, 4, 3)) is None


@pytest.mark.parametrize("year", [1965, 2101])
def test_a_year_that_is_not_covered_is_an_error_by_every_road(year: int) -> None:
    calendar = Calendar.parse(OFFICE | {"holidays": {"country": "NL"}})
    june = datetime(year, 6, 1, tzinfo=UTC)
    many = np.array([micros(june)])
    for ask in (
        lambda: calendar.after(timedelta(hours=1), since=june),
        lambda: calendar.within(june, june),
        lambda: calendar.is_open(june),
        lambda: calendar.next_open(june),
        lambda: calendar.next_close(june),
        lambda: calendar.close_of_working_day(1, since=june),
        lambda: calendar.spans(june, june + timedelta(days=1)),
        lambda: calendar.after_many(many, 60),
        lambda: calendar.within_many(many, many),
        lambda: calendar.closed_days(year),
        lambda: calendar.holiday_on(date(year, 6, 1)),
    ):
        with pytest.raises(UncoveredYear) as error:
            ask()
        assert (error.value.year, error.value.covered) == (year, (1966, 2100))


def test_a_deadline_beyond_the_covered_years_is_an_error() -> None:
    calendar = Calendar.parse(OFFICE | {"years": [2025, 2026]})
    with pytest.raises(UncoveredYear, match="does not cover the year 2027, only 2025 to 2026"):
        calendar.after(timedelta(hours=2_000), since=datetime(2026, 6, 1, tzinfo=UTC))


def test_a_calendar_without_hours_never_opens() -> None:
    calendar = Calendar.parse({"time_zone": "UTC", "hours": {}, "overrides": {"2026-06-01": ["10:00-24:00"]}})
    monday = datetime(2026, 6, 1, tzinfo=UTC)
    assert calendar.after(timedelta(hours=14), since=monday) == calendar.next_close(monday)
    with pytest.raises(NeverOpen, match="no open hours after 2026"):
        calendar.after(timedelta(hours=15), since=monday)
    with pytest.raises(NeverOpen):
        calendar.next_open(datetime(2027, 1, 1, tzinfo=UTC))


def test_a_calendar_that_is_closed_in_all_its_years_never_opens() -> None:
    new_year = {"2026-01-01": "New Year"}
    spec = {
        "time_zone": "UTC",
        "hours": {"thu": ["09:00-10:00"]},
        "holidays": {"add": new_year},
        "years": [2026, 2026],
    }
    overrides = {date(2026, 1, 1 + 7 * n).isoformat(): [] for n in range(5)}
    assert (
        Calendar.parse(spec | {"overrides": overrides}).next_open(datetime(2026, 1, 1, tzinfo=UTC)).month == 2
    )
    every_thursday = {(date(2026, 1, 1) + timedelta(weeks=n)).isoformat(): [] for n in range(53)}
    with pytest.raises(NeverOpen):
        Calendar.parse(spec | {"overrides": every_thursday}).next_open(datetime(2026, 1, 1, tzinfo=UTC))


def test_hours_round_the_clock_close_where_the_file_says_so_and_else_never() -> None:
    spec = {"time_zone": "UTC", "hours": {"mon-sun": ["00:00-24:00"]}, "overrides": {"2031-12-31": []}}
    calendar = Calendar.parse(spec)
    assert calendar.next_close(datetime(2026, 6, 1, tzinfo=UTC)) == datetime(2031, 12, 31, tzinfo=UTC)
    with pytest.raises(NeverCloses):
        calendar.next_close(datetime(2032, 1, 1, tzinfo=UTC))
    with pytest.raises(NeverCloses):
        Calendar.always().next_close(datetime(2026, 6, 1, tzinfo=UTC))
    with pytest.raises(NeverCloses):
        Calendar.always().close_of_working_day(1, since=datetime(2026, 6, 1, tzinfo=UTC))


def test_a_start_centuries_away_compiles_its_own_years_only() -> None:
    calendar = Calendar.parse(OFFICE)
    now, mistake = datetime(2026, 6, 1, 7, tzinfo=UTC), datetime(202, 6, 1, 7, tzinfo=UTC)
    due = calendar.after(timedelta(hours=1), since=now)
    assert calendar.after(timedelta(hours=1), since=mistake) > mistake
    assert calendar.after(timedelta(hours=1), since=now) == due
    with pytest.raises(UncoveredYear):
        calendar.within(mistake, now)


def test_the_end_of_a_date_that_a_place_left_out_is_the_end_of_the_date_before() -> None:
    calendar = Calendar.always("Pacific/Apia")
    assert calendar.end_of_day(date(2011, 12, 30)) == calendar.end_of_day(date(2011, 12, 29))
    assert calendar.local_date(calendar.end_of_day(date(2011, 12, 30))) == date(2011, 12, 31)
    assert calendar.utc_offset_us(calendar.end_of_day(date(2011, 12, 29)) - 1) == -10 * HOUR
    assert calendar.utc_offset_us(calendar.end_of_day(date(2011, 12, 29))) == 14 * HOUR


def test_calendars_are_equal_when_their_words_are_and_say_where_holidays_come_from() -> None:
    one, other = Calendar.parse(OFFICE), Calendar.parse(OFFICE | {"hours": {"mon": ["09:00-10:00"]}})
    one.is_open(datetime(2026, 6, 1, tzinfo=UTC))
    assert one == Calendar.parse(OFFICE)
    assert hash(one) == hash(Calendar.parse(OFFICE))
    assert one.digest != other.digest
    assert one != other
    assert one.version is None
    assert Calendar.parse(OFFICE | {"holidays": {"country": "NL"}}).version == package_version()
    assert Calendar.always("Europe/Rome") is Calendar.always("Europe/Rome")
    assert Calendar.always("Europe/Rome") != Calendar.always("UTC")


def test_spans_of_always_and_of_nothing() -> None:
    always, start = Calendar.always(), datetime(2026, 6, 1, tzinfo=UTC)
    end = start + timedelta(days=1)
    assert always.spans(start, end) == [CalendarSpan(micros(start), micros(end), True, "always open")]
    assert Calendar.parse(OFFICE).spans(start, start) == []
    with pytest.raises(ValueError, match="from the earlier instant"):
        Calendar.parse(OFFICE).spans(end, start)


def test_micros_and_datetimes_are_the_same_instants() -> None:
    for text in (
        "1969-12-31T23:59:59.999999+00:00",
        "2026-03-06T15:30:00+01:00",
        "2400-02-29T00:00:00-11:00",
    ):
        instant_text = datetime.fromisoformat(text)
        assert instant(micros(instant_text)) == instant_text


def test_spans_meet_and_are_taken_from_each_other_half_open() -> None:
    day = Span(0, 24)
    assert day & Span(20, 30) == Span(20, 24)
    assert (day & Span(24, 30)).length == 0
    assert day - Span(10, 12) == (Span(0, 10), Span(12, 24))
    assert day - Span(-5, 30) == ()
    assert day - Span(24, 30) == (day,)
    assert day - Span(10, 10) == (day,)
    assert (0 in day, 24 in day) == (True, False)
    with pytest.raises(ValueError, match="cannot end"):
        Span(2, 1)
