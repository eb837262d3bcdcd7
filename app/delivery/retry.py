"""Retry policy: when a failed delivery is retried, and when a failing endpoint is disabled. Pure.

Retries follow a list of growing waits with jitter; then the delivery is parked. An endpoint is disabled only when it
has failed too many times in a row *and* for too long: a burst of failures in a short outage, or one message that it
rejects, is not enough. Instants and durations are microseconds.
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from app.sla.span import SECOND, Micros, micros

_MAX_DIGITS: Final = 12
"""Digits of Retry-After that are read. More would overflow, and no receiver means 30,000 years."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The back-off schedule, and the thresholds for disabling an endpoint."""

    waits: tuple[Micros, ...]
    """From each failed attempt to the next one."""
    jitter: float
    """Each wait is prolonged by up to this share, at random, so that what failed together does not retry together."""
    max_retry_after: Micros
    """The longest Retry-After that is honoured."""
    failure_threshold: int
    """Failures in a row from which an endpoint counts as down."""
    downtime_threshold: Micros
    """How long a down endpoint must have failed before it is disabled."""

    def next_at(
        self, failed: int, now: Micros, chance: float, retry_after: Micros | None = None
    ) -> Micros | None:
        """When to retry after this many failed attempts; None: park. `chance` is a random number from 0 up to 1.

        Retry-After prolongs the wait, up to the maximum, and never shortens it.
        """
        if failed > len(self.waits):
            return None
        wait = self.waits[failed - 1]
        if retry_after is not None:
            wait = max(wait, min(retry_after, self.max_retry_after))
        return now + wait + int(wait * self.jitter * chance)

    def quiet_until(self, now: Micros, retry_after: Micros | None) -> Micros | None:
        """Until when the endpoint gets no delivery at all, because it answered with Retry-After."""
        if retry_after is None or retry_after <= 0:
            return None
        return now + min(retry_after, self.max_retry_after)

    def is_down(self, failures: int) -> bool:
        """Whether the endpoint itself is down, rather than rejecting single messages."""
        return failures >= self.failure_threshold

    def should_disable(self, failures: int, failing_since: Micros, now: Micros) -> bool:
        """Whether the endpoint has failed too many times and for too long."""
        return self.is_down(failures) and now - failing_since >= self.downtime_threshold


def parse_retry_after(header: str | None, now: Micros) -> Micros | None:
    """The wait of a Retry-After header, a number of seconds or an HTTP date; None if it is neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:_MAX_DIGITS]) * SECOND
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return None if until.tzinfo is None else max(0, micros(until) - now)
