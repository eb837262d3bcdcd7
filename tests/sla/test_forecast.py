"""Where a message would put a ticket, and when a reply can be expected."""

from dataclasses import replace

import pytest

from app.sla.calendar import Calendar
from app.sla.queue.forecast import Forecast, forecast, key_after_message, pace
from app.sla.queue.position import Key, QueueOrder
from app.sla.reason import Reason, ReasonCode
from app.sla.span import HOUR, MINUTE, Micros
from tests.sla.waiting_room import KEEPS, WEBXTRA, on_the_day

# The day of these tests, 2 March 2026, is a Monday.
DESK = Calendar.parse({"time_zone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}})
LINE = QueueOrder([(0, 5, 5, "m"), (1, 1, 1, "a"), (1, 2, 2, "b"), (1, 3, 3, "c")])


def replies(n: int, until: Micros) -> list[Micros]:
    """So many replies, one each ten minutes before an instant, the last one at it."""
    return [until - i * 10 * MINUTE for i in range(n)]


def seen(at: str, n: int, *, key_if_now: Key = (1, 9, 1, "a"), calendar: Calendar | None = DESK) -> Forecast:
    now = on_the_day(at)
    return forecast(LINE, key_if_now, replies(n, now), WEBXTRA, calendar, now, key_now=(1, 1, 1, "a"))


def test_a_message_now_would_cost_the_place() -> None:
    seen_now = seen("+4 17:00", 40)
    assert (seen_now.position_now, seen_now.position_then) == (2, 4)


def test_a_reply_is_expected_after_the_open_hours_that_its_position_takes() -> None:
    # Monday to Friday are 40 open hours with 40 replies: position 4 takes four hours, counted from Monday 09:00.
    assert seen("+4 17:00", 40).expected_reply_at == on_the_day("+7 13:00")


def test_a_ticket_that_does_not_wait_has_no_position_now() -> None:
    now = on_the_day("+4 17:00")
    found = forecast(LINE, (1, 9, 1, "z"), replies(40, now), WEBXTRA, DESK, now)
    assert (found.position_now, found.position_then) == (None, 5)


def test_a_message_that_keeps_the_place_changes_no_position() -> None:
    found = seen("+4 17:00", 40, key_if_now=(1, 1, 1, "a"))
    assert found.position_now == found.position_then == 2


def test_the_bottom_of_a_better_rank_is_before_all_others() -> None:
    now = on_the_day("+4 17:00")
    found = forecast(LINE, (0, now, 5, "m"), [], WEBXTRA, DESK, now, key_now=(0, 5, 5, "m"))
    assert (found.position_now, found.position_then) == (1, 1)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_too_few_replies_forecast_nothing_and_say_so(n: int) -> None:
    found = seen("+4 17:00", n)
    assert found.reason == Reason(ReasonCode.TOO_FEW_REPLIES, params={"replies": n, "days": 5})
    assert found.expected_reply_at is None


def test_ten_replies_are_enough_to_forecast() -> None:
    found = seen("+4 17:00", 10)
    assert found.reason is None
    assert found.expected_reply_at is not None


def test_the_last_five_working_days_are_those_that_have_begun() -> None:
    monday = on_the_day("+7 12:00")
    assert pace([], WEBXTRA, DESK, monday).open_time == 35 * HOUR
    assert pace([], WEBXTRA, DESK, on_the_day("+7 08:00")).open_time == 40 * HOUR
    assert pace([], WEBXTRA, DESK, on_the_day("+6 12:00")).open_time == 40 * HOUR


def test_replies_outside_these_days_or_after_the_instant_do_not_count() -> None:
    at = on_the_day("+7 12:00")
    inside = [on_the_day("+1 00:00"), on_the_day("+5 10:00"), at]
    outside = [on_the_day("+0 23:59"), at + 1]
    assert pace(inside + outside, WEBXTRA, DESK, at).replies == 3


def test_a_holiday_is_no_working_day_to_take_the_pace_from() -> None:
    closed = Calendar.parse(
        {"time_zone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}, "overrides": {"2026-03-04": []}}
    )
    at = on_the_day("+4 17:00")
    reply = on_the_day("-3 10:00")
    assert pace([reply], WEBXTRA, DESK, at).replies == 0
    assert pace([reply], WEBXTRA, closed, at).replies == 1


def test_a_desk_that_never_closes_counts_days_of_its_wall() -> None:
    at = on_the_day("+4 12:00")
    found = pace([], WEBXTRA, Calendar.always(), at)
    assert found.open_time == (4 * 24 + 12) * HOUR


def test_without_a_calendar_there_is_no_forecast() -> None:
    assert seen("+4 17:00", 40, calendar=None) == Forecast(2, 4, None, Reason(ReasonCode.NO_QUEUE_CALENDAR))


def test_a_year_that_the_calendar_does_not_cover_is_the_reason() -> None:
    narrow = Calendar.parse({"time_zone": "UTC", "hours": {"mon": ["09:00-17:00"]}, "years": [2026, 2026]})
    found = pace([], WEBXTRA, narrow, on_the_day("00:00") - 60 * 24 * HOUR)
    assert found.reason is not None
    assert found.reason.code is ReasonCode.CALENDAR_FAULT
    assert "2026" in str(found.reason.params)


def test_a_forecast_beyond_the_covered_years_is_none_with_the_reason() -> None:
    narrow = Calendar.parse({"time_zone": "UTC", "hours": {"mon": ["09:00-17:00"]}, "years": [2026, 2026]})
    at = on_the_day("+21 12:00")
    rules = replace(WEBXTRA, forecast_days=1)
    expected, reason = pace(replies(10, at), rules, narrow, at).reply_at(100_000, at)
    assert expected is None
    assert reason is not None
    assert "2027" in str(reason.params)


def test_a_desk_with_too_few_working_days_behind_it_has_no_pace() -> None:
    mondays = Calendar.parse({"time_zone": "UTC", "hours": {"mon": ["09:00-17:00"]}})
    found = pace([], replace(WEBXTRA, forecast_days=60), mondays, on_the_day("12:00"))
    assert found.reason == Reason(ReasonCode.TOO_FEW_WORKING_DAYS, params={"days": 60})


def test_the_key_after_a_message_is_what_the_queue_would_make_of_it() -> None:
    now = (1, 5, 3, "a")
    assert key_after_message(now, waits=True, rules=WEBXTRA, at=9) == (1, 9, 3, "a")
    keeping = replace(WEBXTRA, repeat_message=KEEPS)
    assert key_after_message(now, waits=True, rules=keeping, at=9) == now
    assert key_after_message(now, waits=False, rules=keeping, at=9) == (1, 9, 3, "a")


def test_supplying_the_domain_is_spared_only_in_the_other_reading() -> None:
    now = (1, 5, 3, "a")
    sparing = replace(WEBXTRA, domain_reply=KEEPS)
    assert key_after_message(now, waits=True, rules=WEBXTRA, at=9, supplies_domain=True) == (1, 9, 3, "a")
    assert key_after_message(now, waits=True, rules=sparing, at=9, supplies_domain=True) == now
    assert key_after_message(now, waits=True, rules=sparing, at=9) == (1, 9, 3, "a")
