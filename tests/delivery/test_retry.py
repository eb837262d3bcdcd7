"""The retry policy: back-off, Retry-After, and when an endpoint is disabled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.retry import RetryPolicy, parse_retry_after
from app.sla.span import DAY, HOUR, MINUTE, SECOND
from tests.service import at

NOW = at("2026-03-06T16:00:00+01:00")
WAITS = (5 * SECOND, 5 * MINUTE, 30 * MINUTE)
POLICY = RetryPolicy(
    waits=WAITS, jitter=0.1, max_retry_after=HOUR, failure_threshold=20, downtime_threshold=5 * DAY
)


def test_the_waits_grow_and_then_the_delivery_is_parked() -> None:
    assert [POLICY.next_at(failed, NOW, 0.0) for failed in (1, 2, 3, 4)] == [
        *(NOW + wait for wait in WAITS),
        None,
    ]


@given(failed=st.integers(1, 3), chance=st.floats(0, 1, exclude_max=True))
def test_jitter_prolongs_a_wait_by_its_share_at_most(failed: int, chance: float) -> None:
    at = POLICY.next_at(failed, NOW, chance)
    assert at is not None
    assert WAITS[failed - 1] <= at - NOW <= WAITS[failed - 1] * 1.1


def test_retry_after_prolongs_a_wait_up_to_the_maximum_and_never_shortens_it() -> None:
    assert POLICY.next_at(1, NOW, 0.0, retry_after=MINUTE) == NOW + MINUTE
    assert POLICY.next_at(1, NOW, 0.0, retry_after=DAY) == NOW + HOUR
    assert POLICY.next_at(2, NOW, 0.0, retry_after=SECOND) == NOW + 5 * MINUTE


def test_an_endpoint_that_answers_retry_after_is_quiet_up_to_the_maximum() -> None:
    assert POLICY.quiet_until(NOW, MINUTE) == NOW + MINUTE
    assert POLICY.quiet_until(NOW, DAY) == NOW + HOUR
    assert POLICY.quiet_until(NOW, None) is None
    assert POLICY.quiet_until(NOW, 0) is None


def test_an_endpoint_is_disabled_only_when_it_fails_too_many_times_and_for_too_long() -> None:
    assert not POLICY.should_disable(1000, NOW - DAY, NOW)
    assert not POLICY.should_disable(19, NOW - 30 * DAY, NOW)
    assert POLICY.should_disable(20, NOW - 5 * DAY, NOW)


@pytest.mark.parametrize(
    ("header", "wait"),
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
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, wait: int | None) -> None:
    assert parse_retry_after(header, NOW) == wait


@given(st.text(st.characters(max_codepoint=255)))  # headers are decoded as latin-1
def test_any_text_for_retry_after_is_read_or_ignored(header: str) -> None:
    wait = parse_retry_after(header, NOW)
    assert wait is None or wait >= 0


def test_a_retry_after_in_the_far_future_is_bounded() -> None:
    wait = parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", NOW)
    assert wait is not None
    assert POLICY.quiet_until(NOW, wait) == NOW + HOUR
