"""Periods of a report: a span cut into the days, ISO weeks or months of a zone.

A day, week or month has its real length, an hour more or less when the clocks change in it. The first and the last
period end where the span does. Instants are microseconds UTC.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.sla.calendar.zone import Zone
from app.sla.span import Micros, Span


class By(StrEnum):
    """How a report cuts its span."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class TooManyPeriods(ValueError):
    """A span has more periods than a report may have. Ask for a shorter span, or for longer periods."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a period with one offset from UTC. `period` is the period's place in the report, from 0."""

    period: int
    span: Span
    offset: Micros


def cut(zone: Zone, span: Span, by: By | None, most: int) -> list[Span]:
    """The periods of a span in order; the span itself for None. Raises TooManyPeriods beyond `most`."""
    found: list[Span] = []
    for period in _periods(zone, span, by):
        if len(found) == most:
            raise TooManyPeriods(f"the span has more than {most} periods by {by}")
        found.append(period)
    return found


def _periods(zone: Zone, span: Span, by: By | None) -> Iterator[Span]:
    if by is None:
        yield span
        return
    start = span.start
    while start < span.end:
        last = _last_date(zone.local_date(start), by)
        end = min(zone.end_of_day(last), span.end)
        # A date that the zone skipped may end at the start of this period: the next one is tried.
        while end <= start:
            last = _last_date(last + timedelta(days=1), by)
            end = min(zone.end_of_day(last), span.end)
        yield Span(start, end)
        start = end


def _last_date(on: date, by: By) -> date:
    """The last date of the day, week or month in which a date lies."""
    match by:
        case By.DAY:
            return on
        case By.WEEK:
            return on + timedelta(days=7 - on.isoweekday())
        case By.MONTH:
            return (on.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def pieces(zone: Zone, periods: list[Span]) -> list[Piece]:
    """The periods in parts of one offset from UTC: within one, local hours follow from plain arithmetic."""
    return [
        Piece(number, part, offset)
        for number, period in enumerate(periods)
        for part, offset in zone.offsets(period)
    ]


def piece_at(parts: Sequence[Piece], at: Micros) -> Piece | None:
    """The piece in which an instant lies; none outside the report. `parts` follow each other without a gap."""
    place = bisect_right(parts, at, key=_start) - 1
    return parts[place] if place >= 0 and at < parts[place].span.end else None


def _start(part: Piece) -> Micros:
    return part.span.start
