"""Downtime by local day, for the bars of a chart.

A day has its real length, an hour more or less when the clocks change in it, so that the days of a span sum to the span.
Instants and lengths are microseconds.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from app.sla.availability.uptime import Downtime
from app.sla.calendar.zone import Zone
from app.sla.span import Micros, Span


@dataclass(frozen=True, slots=True)
class Day:
    """A local day: its date and its instants."""

    on: date
    span: Span


@dataclass(frozen=True, slots=True)
class DayOfDowntime:
    """What of a day was downtime, and what of its outages was excluded. `total` is the length of the whole day."""

    day: Day
    total: Micros
    downtime: Micros
    excluded: Micros


def days_until(zone: Zone, at: Micros, count: int) -> list[Day]:
    """The last `count` local days, in order: the last of them is that of an instant. A skipped date is empty."""
    last = zone.local_date(at)
    dates = [last - timedelta(days=back) for back in range(count, -1, -1)]
    ends = [zone.end_of_day(on) for on in dates]
    return [Day(on, Span(*ends[n : n + 2])) for n, on in enumerate(dates[1:])]


def day_of_downtime(downtime: Downtime, day: Day, at: Micros) -> DayOfDowntime:
    """What a day came to, up to an instant."""
    until = Span(day.span.start, max(day.span.start, min(day.span.end, at)))
    counted = downtime.counted.within(until)
    return DayOfDowntime(day, day.span.length, counted, downtime.all.within(until) - counted)
