"""Calendars: opening hours, holidays, open spans, and deadlines counted in open time."""

from app.sla.calendar.calendar import (
    Calendar,
    CalendarFault,
    CalendarSpan,
    ClosedDay,
    NeverCloses,
    NeverOpen,
    UncoveredYear,
    parse_calendars,
)

__all__ = [
    "Calendar",
    "CalendarFault",
    "CalendarSpan",
    "ClosedDay",
    "NeverCloses",
    "NeverOpen",
    "UncoveredYear",
    "parse_calendars",
]
