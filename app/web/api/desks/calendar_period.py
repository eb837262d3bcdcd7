"""The period for which a calendar is requested, in dates of its zone or instants."""

from datetime import date, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from app.sla.calendar import Calendar
from app.sla.span import Micros, Span, length_of
from app.web.http.day import DayOrInstant
from app.web.http.problems import Kind, Place, Problem

LONGEST: Final = timedelta(days=2 * 366)
"""The longest period whose spans are listed at once: two years are some 2,000 spans."""


class Period(BaseModel):
    """From when to when. A date means the whole of it: from its 00:00, or to its 24:00, in the calendar's zone."""

    model_config = ConfigDict(extra="forbid")

    since: DayOrInstant = Field(alias="from")
    until: DayOrInstant = Field(alias="to")


class PeriodAhead(BaseModel):
    """From when to when, as for spans; by default from now for half a year."""

    model_config = ConfigDict(extra="forbid")

    since: DayOrInstant | None = Field(None, alias="from")
    until: DayOrInstant | None = Field(None, alias="to")


def start_of(calendar: Calendar, asked: Micros | date) -> Micros:
    """An instant as it is; of a date its 00:00 in the calendar's zone."""
    return calendar.end_of_day(asked - timedelta(days=1)) if isinstance(asked, date) else asked


def end_of(calendar: Calendar, asked: Micros | date) -> Micros:
    """An instant as it is; of a date its 24:00 in the calendar's zone."""
    return calendar.end_of_day(asked) if isinstance(asked, date) else asked


def checked_period(since: Micros, until: Micros) -> Span:
    """The requested period. Raises Problem when it ends before it starts, or is too long."""
    if until < since:
        raise Problem(Kind.INVALID, "to: is before from.", errors=[Place("query", "to", "is before from")])
    if until - since > length_of(LONGEST):
        reason = f"is more than {LONGEST.days} days after from. Request a part at a time"
        raise Problem(Kind.INVALID, f"to: {reason}.", errors=[Place("query", "to", reason)])
    return Span(since, until)
