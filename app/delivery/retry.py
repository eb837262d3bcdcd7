"""When is a failed delivery tried again, and when is an endpoint given up? Pure: the time and the chance are given.

A delivery is tried after growing waits and then parked. An endpoint is switched off only when it fails too often *and*
has failed for too long: a burst during a short outage, or one message that it cannot digest, is no reason. Instants and
durations are micros.
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from app.sla.span import SECOND, Micros, micros

_LONGEST_DIGITS: Final = 12
"""Digits of a Retry-After that are read; more are no number of seconds that anybody means."""


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How patient the service is."""

    waits: tuple[Micros, ...]
    """From each failed attempt to the next one."""
    spread: float
    """Share of a wait by which it is prolonged at most, at random, so that what failed together does not return so."""
    most_asked: Micros
    """The longest wait that a receiver may ask for."""
    failures: int
    """Failures in a row from which on an endpoint may be switched off."""
    downtime: Micros
    """Time without a success from which on it may be."""

    def next_at(self, failed: int, now: Micros, chance: float, asked: Micros | None = None) -> Micros | None:
        """When to try again after so many failed attempts; none: give up. `chance` is from 0 up to 1.

        What the receiver asked for prolongs the wait within bounds, and never shortens it.
        """
        if failed > len(self.waits):
            return None
        wait = self.waits[failed - 1]
        if asked is not None:
            wait = max(wait, min(asked, self.most_asked))
        return now + wait + int(wait * self.spread * chance)

    def quiet_until(self, now: Micros, asked: Micros | None) -> Micros | None:
        """Until when an endpoint that asked for patience is left alone altogether."""
        return None if asked is None or asked <= 0 else now + min(asked, self.most_asked)

    def is_down(self, failures: int) -> bool:
        """Whether so many failures in a row mean that nobody is there, and not that one message is indigestible."""
        return failures >= self.failures

    def gives_up(self, failures: int, failing_since: Micros, now: Micros) -> bool:
        """Whether an endpoint has failed too often and for too long."""
        return self.is_down(failures) and now - failing_since >= self.downtime


def asked_wait(retry_after: str | None, now: Micros) -> Micros | None:
    """The wait that a Retry-After header asks for: a number of seconds or an HTTP date; none if it says neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:_LONGEST_DIGITS]) * SECOND
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return None if until.tzinfo is None else max(0, micros(until) - now)
