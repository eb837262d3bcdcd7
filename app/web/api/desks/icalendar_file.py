"""A calendar's opening hours and special days as an iCalendar file.

The same version and span give the same bytes, so a program that fetches the file again sees no false change. Events are
whole: a span that a period cuts is shown from its opening to its closing, with the same id whatever the period is.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

from app.sla.budget import charge
from app.sla.calendar import Calendar
from app.sla.span import DAY, Micros, Span, instant

_LONGEST_EVENT: Final = 2 * DAY
"""Open hours that are longer are shown day by day: round the clock they have neither a first nor a last instant."""

_MARGIN: Final = 3 * DAY
"""Read beyond a period, to see its first and last events whole. It is longer than the longest event."""


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
        charge()
        entry = Entry()
        _fill(entry, dtstamp=instant(stamped_at), **values)
        file.add_component(entry)
    return file.to_ical()


_Values = dict[str, str | date | datetime]


def _opening_hours(calendar: Calendar, period: Span) -> Iterator[_Values]:
    for span in _whole_spans(calendar, period):
        yield {
            "uid": f"open-{span.start}-{calendar.name}@slatimer",
            "summary": f"{calendar.name}: open",
            "dtstart": instant(span.start),
            "dtend": instant(span.end),
        }


def _whole_spans(calendar: Calendar, period: Span) -> Iterator[Span]:
    """The open spans that touch a period, uncut; long ones as the days that touch it."""
    first, last = calendar.covered
    begins = calendar.end_of_day(date(first - 1, 12, 31))
    ends = calendar.end_of_day(date(last, 12, 31))
    around = (
        min(period.start, max(period.start - _MARGIN, begins)),
        max(period.end, min(period.end + _MARGIN, ends)),
    )
    spans = (Span(each.start, each.end) for each in calendar.spans_us(*around) if each.open)
    for whole in spans:
        for each in [whole] if whole.end - whole.start <= _LONGEST_EVENT else _days_of(calendar, whole):
            if each.start < period.end and each.end > period.start:
                yield each


def _days_of(calendar: Calendar, span: Span) -> Iterator[Span]:
    """A span cut at every local midnight."""
    at = span.start
    while at < span.end:
        charge()
        until = min(calendar.end_of_day(calendar.local_date(at)), span.end)
        yield Span(at, until)
        at = until


def _special_days(calendar: Calendar, period: Span) -> Iterator[_Values]:
    first, last = calendar.local_date(period.start), calendar.local_date(max(period.start, period.end - 1))
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
