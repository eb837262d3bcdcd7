"""When a delivery is tried again, and when an endpoint is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.retry import RetryRules, asked_wait
from app.sla.span import DAY, HOUR, MINUTE, SECOND
from tests.service import at

NOW = at("2026-03-06T16:00:00+01:00")
WAITS = (5 * SECOND, 5 * MINUTE, 30 * MINUTE)
RULES = RetryRules(waits=WAITS, spread=0.1, most_asked=HOUR, failures=20, downtime=5 * DAY)


def test_the_waits_grow_and_then_the_delivery_is_given_up() -> None:
    assert [RULES.next_at(failed, NOW, 0.0) for failed in (1, 2, 3, 4)] == [
        *(NOW + wait for wait in WAITS),
        None,
    ]


@given(failed=st.integers(1, 3), chance=st.floats(0, 1, exclude_max=True))
def test_chance_prolongs_a_wait_by_its_share_at_most(failed: int, chance: float) -> None:
    at = RULES.next_at(failed, NOW, chance)
    assert at is not None
    assert WAITS[failed - 1] <= at - NOW <= WAITS[failed - 1] * 1.1


def test_a_receiver_may_ask_for_a_longer_wait_within_bounds_and_for_no_shorter_one() -> None:
    assert RULES.next_at(1, NOW, 0.0, asked=MINUTE) == NOW + MINUTE
    assert RULES.next_at(1, NOW, 0.0, asked=DAY) == NOW + HOUR
    assert RULES.next_at(2, NOW, 0.0, asked=SECOND) == NOW + 5 * MINUTE


def test_an_endpoint_that_asks_for_patience_is_left_alone_within_bounds() -> None:
    assert RULES.quiet_until(NOW, MINUTE) == NOW + MINUTE
    assert RULES.quiet_until(NOW, DAY) == NOW + HOUR
    assert RULES.quiet_until(NOW, None) is None
    assert RULES.quiet_until(NOW, 0) is None


def test_an_endpoint_is_given_up_only_when_it_fails_too_often_and_for_too_long() -> None:
    assert not RULES.gives_up(1000, NOW - DAY, NOW)
    assert not RULES.gives_up(19, NOW - 30 * DAY, NOW)
    assert RULES.gives_up(20, NOW - 5 * DAY, NOW)


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("120", 120 * SECOND),
        (" 0 ", 0),
        ("Fri, 06 Mar 2026 15:01:00 GMT", MINUTE),
        ("Fri, 06 Mar 2026 14:00:00 GMT", 0),
        ("Fri, 06 Mar 2026 15:01:00 -0000", None),
        ("9" * 400, int("9" * 12) * SECOND),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(written: str | None, wait: int | None) -> None:
    assert asked_wait(written, NOW) == wait


@given(st.text())
def test_any_text_for_retry_after_is_read_or_left(written: str) -> None:
    wait = asked_wait(written, NOW)
    assert wait is None or wait >= 0


def test_a_date_at_the_end_of_time_is_bounded() -> None:
    wait = asked_wait("Fri, 31 Dec 9999 23:59:59 GMT", NOW)
    assert wait is not None
    assert RULES.quiet_until(NOW, wait) == NOW + HOUR
