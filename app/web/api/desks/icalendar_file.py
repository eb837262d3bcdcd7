"""A calendar's opening hours and special days as an iCalendar file.

The same version and span give the same bytes, so a program that fetches the file again sees no false change.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, cast

from app.sla.calendar import Calendar
from app.sla.span import Micros, Span, instant


def icalendar_file(calendar: Calendar, period: Span, stamped_at: Micros) -> bytes:
    """A span of a calendar as an iCalendar file in UTC. Raises UncoveredYear."""
    # Importing the package takes 0.2 s: only a process that is asked for such a file pays for it.
    from icalendar import Calendar as File
    from icalendar import Event as Entry

    file = File()
    _fill(
        file,
        prodid="-//slatimer//opening hours//EN",
        version="2.0",
        x_wr_calname=calendar.name,
        x_wr_timezone=calendar.time_zone,
    )
    for values in (*_opening_hours(calendar, period), *_special_days(calendar, period)):
        entry = Entry()
        _fill(entry, dtstamp=instant(stamped_at), **values)
        file.add_component(entry)
    return file.to_ical()


_Values = dict[str, str | date | datetime]


def _opening_hours(calendar: Calendar, period: Span) -> Iterator[_Values]:
    for span in calendar.spans_us(period.start, period.end):
        if span.open:
            yield {
                "uid": f"open-{span.start}-{calendar.name}@slatimer",
                "summary": f"{calendar.name}: open",
                "dtstart": instant(span.start),
                "dtend": instant(span.end),
            }


def _special_days(calendar: Calendar, period: Span) -> Iterator[_Values]:
    first, last = calendar.local(period.start).date(), calendar.local(period.end).date()
    for year in range(first.year, last.year + 1):
        for day in calendar.closed_days(year):
            if first <= day.date <= last:
                yield {
                    "uid": f"day-{day.date}-{calendar.name}@slatimer",
                    "summary": f"{calendar.name}: {day.name}, {', '.join(day.hours) or 'closed'}",
                    "description": day.source + (", not decreed yet" if day.provisional else ""),
                    "dtstart": day.date,
                    "dtend": day.date + timedelta(days=1),
                    "transp": "TRANSPARENT",
                }


def _fill(component: object, **values: object) -> None:
    # The package does not declare the types of its values.
    untyped = cast(Any, component)
    for name, value in values.items():
        untyped.add(name.replace("_", "-"), value)
