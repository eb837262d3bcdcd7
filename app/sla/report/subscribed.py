"""Subscribed reports: the weeks and months of a zone that end, and their names. Instants are microseconds UTC."""

from datetime import date, timedelta
from typing import Final

from app.sla.calendar.zone import Zone
from app.sla.report.cut import By
from app.sla.span import Micros, Span

REPORT_READY: Final = "report.ready"
"""The kind of the signal that carries the figures of an ended week or month."""
CADENCES: Final = (By.WEEK, By.MONTH)
"""The periods of which reports can be subscribed to."""

_DAY: Final = timedelta(days=1)


def ended_by(zone: Zone, by: By, at: Micros) -> Span:
    """The latest ISO week or month that has ended at an instant."""
    first = _first_date(zone.local_date(at), by)
    return Span(_midnight(zone, _first_date(first - _DAY, by)), _midnight(zone, first))


def next_end(zone: Zone, by: By, at: Micros) -> Micros:
    """When the week or month in which an instant lies ends."""
    first = _first_date(zone.local_date(at), by)
    later = first + timedelta(days=7) if by is By.WEEK else (first + timedelta(days=31)).replace(day=1)
    return _midnight(zone, later)


def name_of(zone: Zone, by: By, span: Span) -> str:
    """The name of a period: "2026-W48", "2026-11"."""
    first = zone.local_date(span.start)
    if by is By.MONTH:
        return f"{first:%Y-%m}"
    year, week, _ = first.isocalendar()
    return f"{year}-W{week:02d}"


def _first_date(on: date, by: By) -> date:
    return on - timedelta(days=on.isoweekday() - 1) if by is By.WEEK else on.replace(day=1)


def _midnight(zone: Zone, on: date) -> Micros:
    """The first instant of a date."""
    return zone.end_of_day(on - _DAY)
