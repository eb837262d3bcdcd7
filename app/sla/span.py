"""Instants, durations and half-open spans, in microseconds.

Every instant inside the core is an int: microseconds since 1970-01-01T00:00Z (`Micros`), and so is every duration.
Datetimes exist at the edges only, and one without an offset is refused there. The start of a span belongs to it, its
end does not.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

Micros: TypeAlias = int

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECONDS_A_DAY = 86_400


class NaiveInstant(ValueError):
    """An instant was given without an offset. Write one: 2026-03-06T15:30:00+01:00, or Z for UTC."""


def micros(at: datetime) -> Micros:
    """The instant of an aware datetime. Raises NaiveInstant when it has no offset."""
    try:
        passed = at - _EPOCH
    except TypeError as error:
        raise NaiveInstant(f"{at} has no offset. Write one, as in {at.isoformat()}+01:00.") from error
    return (passed.days * _SECONDS_A_DAY + passed.seconds) * SECOND + passed.microseconds


# Cached: callers use few different lengths, and a look-up takes a third of the computation.
@lru_cache(maxsize=1024)
def length_of(duration: timedelta) -> Micros:
    """A timedelta in micros, exactly."""
    return (duration.days * _SECONDS_A_DAY + duration.seconds) * SECOND + duration.microseconds


def duration(us: Micros) -> timedelta:
    """The timedelta of a duration in micros."""
    return us * _MICROSECOND


def instant(us: Micros) -> datetime:
    """The aware UTC datetime of an instant in micros."""
    return _EPOCH + us * _MICROSECOND


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open span of time from `start` up to `end`, in micros. It may be empty."""

    start: Micros
    end: Micros

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"A span cannot end at {self.end}, before it starts at {self.start}.")

    @property
    def length(self) -> Micros:
        """Its length, in micros."""
        return self.end - self.start

    def __contains__(self, at: Micros) -> bool:
        return self.start <= at < self.end

    def __and__(self, other: "Span") -> "Span":
        """The intersection; an empty span where there is none."""
        start = max(self.start, other.start)
        return Span(start, max(start, min(self.end, other.end)))

    def __sub__(self, other: "Span") -> tuple["Span", ...]:
        """The difference: none, one or two spans, none of them empty."""
        before = Span(self.start, max(self.start, min(self.end, other.start)))
        after = Span(min(self.end, max(self.start, other.end)), self.end)
        return tuple(part for part in (before, after) if part.length) if other.length else (self,)
