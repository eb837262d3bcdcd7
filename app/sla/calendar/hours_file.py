"""Opening hours in a calendar file: hours of weekdays, and overrides of dates and recurring days.

Hours are local times of day, in microseconds since midnight; an end at or before its start lies on the next day.
Nothing is guessed: overlapping hours or a weekday that is named twice are faults.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Final, cast

from app.sla.calendar.days_file import DayReader, Days
from app.sla.calendar.rules import Override, Week, hours_as_text
from app.sla.document.table import Table
from app.sla.span import DAY, MINUTE, Span

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SECONDS: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2})?\s*-\s*\d{1,2}:\d{2}(:\d{2})?")
_HOURS: Final = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_HOURS_RIGHT: Final = 'Write "10:00-12:00", with 24:00 as the latest end.'
_WEEKLY_EXAMPLE: Final = 'hours = { mon-fri = ["09:00-17:30"] }'
_OVERRIDES_EXAMPLE: Final = 'overrides = { "2026-12-24" = ["10:00-12:00"] }'


def weekly(table: Table) -> Week:
    """The hours of the seven weekdays, from Monday."""
    if table.value("hours") is None:
        table.fault("hours", "it is missing", f"Write {_WEEKLY_EXAMPLE}.")
    found = by_weekday(table, example=_WEEKLY_EXAMPLE)
    return tuple(found.get(day, ()) for day in range(7))


def by_weekday(table: Table, *, example: str) -> dict[int, tuple[Span, ...]]:
    """The hours of the weekdays that the key `hours` names, by their number from Monday, 0."""
    found: dict[int, tuple[Span, ...]] = {}
    inner = table.table("hours", example=example)
    for key in map(str, inner.content):
        spans = hours_of(inner, key, inner.value(key))
        for day in _weekdays(inner, key):
            if day in found:
                inner.fault(key, f"{DAYS[day]} has hours already", "Name each weekday once.")
            found[day] = spans
    return found


def overrides(table: Table, reader: DayReader) -> Days[Override]:
    """The hours of single dates and of recurring days."""
    found = Days[Override]()
    outer = table.table("overrides", example=_OVERRIDES_EXAMPLE)
    for key, given in outer.content.items():
        on = reader.read(outer, str(key), key)
        if isinstance(given, Mapping):
            override = _override(outer.inner_of(str(key), cast(Mapping[str, object], given)))
        else:
            override = Override(hours_of(outer, str(key), given))
        if on is not None:
            found.put(outer, str(key), on, override)
    return found


def _override(table: Table) -> Override:
    """`{ hours = [], reason = "stocktaking" }`."""
    reason = table.value("reason")
    if reason is not None and not isinstance(reason, str):
        table.fault("reason", f"{reason!r} is not a text", 'Write reason = "stocktaking".')
    hours = hours_of(table, "hours", table.value("hours"))
    table.close()
    return Override(hours, reason if isinstance(reason, str) else None)


def read_weekdays(key: str) -> tuple[list[int], list[str]]:
    """The weekdays of "mon-fri", "sat,sun" or "mon,wed-fri" from Monday, 0, and the parts that are none.

    A range may pass Sunday.
    """
    days: list[int] = []
    unknown: list[str] = []
    for part in key.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            unknown.append(part)
            continue
        start, end = DAYS.index(first), DAYS.index(last or first)
        days += [day % 7 for day in range(start, end + (1 if end >= start else 8))]
    return days, unknown


def _weekdays(table: Table, key: str) -> list[int]:
    days, unknown = read_weekdays(key)
    for part in unknown:
        right = 'Write weekdays as "mon", "mon-fri" or "sat,sun".'
        table.fault(key, f"{part!r} is not a weekday or a range of weekdays", right)
    return days


def hours_of(table: Table, key: str, value: object) -> tuple[Span, ...]:
    """The hours of one date, in order; adjacent ones are joined, overlapping ones are a fault."""
    if not isinstance(value, list | tuple):
        right = 'Write a list of hours, as ["10:00-12:00", "14:00-17:00"].'
        table.fault(key, f"{value!r} is not a list", right)
        return ()
    entries = enumerate(cast(list[object], value))
    read = (_one_span(table, f"{key}[{n}]", text) for n, text in entries)
    spans = sorted(span for span in read if span is not None)
    for early, late in pairwise(spans):
        if late.start < early.end:
            wrong = f"{hours_as_text(late)} overlaps {hours_as_text(early)}"
            joined = hours_as_text(Span(early.start, max(early.end, late.end)))
            table.fault(key, wrong, f'Write "{joined}", or two that do not overlap.')
    return _joined(spans)


def _one_span(table: Table, key: str, value: object) -> Span | None:
    match = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        with_seconds = isinstance(value, str) and _SECONDS.fullmatch(value.strip())
        right = f"Leave the seconds out. {_HOURS_RIGHT}" if with_seconds else _HOURS_RIGHT
        table.fault(key, f"{value!r} is not a pair of hours", right)
        return None
    hour, minute, end_hour, end_minute = map(int, match.groups())
    start, end = (hour * 60 + minute) * MINUTE, (end_hour * 60 + end_minute) * MINUTE
    if max(minute, end_minute) > 59 or start >= DAY or end > DAY:
        table.fault(key, f"{value!r} has an hour that no clock shows", _HOURS_RIGHT)
        return None
    if start == end:
        right = 'Write "00:00-24:00" for a whole day, or an empty list for a closed one.'
        table.fault(key, f"{value!r} has no length", right)
        return None
    return Span(start, end if end > start else end + DAY)


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)
