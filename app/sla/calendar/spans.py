"""The spans of a calendar between two instants, open or closed, each with its reason.

Open and closed come from the compiled spans that deadlines are counted with; only the reasons are added here, from the
hours of each local date in a closed gap.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from app.sla.budget import charge
from app.sla.calendar.compiled import ALWAYS, OpenTime
from app.sla.calendar.opening import Day, Opening
from app.sla.calendar.zone import Zone, midnight
from app.sla.span import Micros, Span

OPEN_HOURS = "open hours"
ALWAYS_OPEN = "always open"
LUNCH_GAP = "lunch gap"
BEFORE_OPENING = "before opening"
AFTER_CLOSING = "after closing"
SKIPPED_HOURS = "hours skipped by the clock change"


@dataclass(frozen=True, slots=True)
class CalendarSpan:
    """A span from `start` up to `end` (microseconds UTC) that is open or closed throughout.

    `source` is where the cause of a holiday or an override comes from.
    """

    start: Micros
    end: Micros
    open: bool
    reason: str
    source: str | None = None


def timeline(
    known: OpenTime, opening: Opening, zone: Zone, start: Micros, end: Micros, limit: int | None = None
) -> list[CalendarSpan]:
    """Adjacent spans that cover `start` to `end` exactly, both within the compiled years; only the first `limit`."""
    if known is ALWAYS:
        return [CalendarSpan(start, end, open=True, reason=ALWAYS_OPEN)] if start < end else []
    spans: list[CalendarSpan] = []
    index, at = max(bisect_right(known.starts, start) - 1, 0), start
    while at < end and (limit is None or len(spans) < limit):
        charge()
        if index < len(known.starts) and at >= known.ends[index]:
            index += 1
            continue
        opens = known.starts[index] if index < len(known.starts) else end
        if at < opens:
            closed_until = min(opens, end)
            spans += _closed(opening, zone, at, closed_until)
            at = closed_until
        else:
            until = min(known.ends[index], end)
            day = opening.day(zone.local_date(opens))
            spans.append(_open(day, at, until))
            at = until
    return spans[:limit]


def _open(day: Day, start: Micros, end: Micros) -> CalendarSpan:
    special = day.cause is not None and bool(day.hours)
    source = f"{day.source}: {day.cause}" if special else day.source
    return CalendarSpan(start, end, open=True, reason=OPEN_HOURS, source=source)


def _closed(opening: Opening, zone: Zone, start: Micros, end: Micros) -> list[CalendarSpan]:
    """One closed gap, split at local midnight where the reason changes there."""
    spans: list[CalendarSpan] = []
    at = start
    while at < end:
        charge()
        on = zone.local_date(at)
        until = min(end, zone.end_of_day(on))
        reason, source = _why_closed(opening, zone, on, at)
        if spans and (spans[-1].reason, spans[-1].source) == (reason, source):
            spans[-1] = CalendarSpan(spans[-1].start, until, open=False, reason=reason, source=source)
        else:
            spans.append(CalendarSpan(at, until, open=False, reason=reason, source=source))
        at = until
    return spans


def _why_closed(opening: Opening, zone: Zone, on: date, at: Micros) -> tuple[str, str | None]:
    hours = opening.day(on).hours
    if not hours:
        return opening.why_no_hours(on)
    start = midnight(on)
    own: list[Span] = [span for part in hours for span in zone.instants(start + part.start, start + part.end)]
    if not own:
        return SKIPPED_HOURS, None
    if at < min(span.start for span in own):
        return BEFORE_OPENING, None
    return (AFTER_CLOSING, None) if at >= max(span.end for span in own) else (LUNCH_GAP, None)
