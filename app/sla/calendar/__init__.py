"""Business hours: a calendar's rules, its open spans, and the deadlines counted in them."""

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
