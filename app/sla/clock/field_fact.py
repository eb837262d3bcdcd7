"""Start facts that are no events of their own: a status that a ticket takes, an assignment, a date that has come.

Only what some commitment starts on is looked at. A date counts from the start of that day in the desk's zone; it is a
fact when it comes, or, if it is past by then, with the event that names it: no time counts before the desk could know.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import zip_longest
from typing import Final

from app.sla.agreement.agreement import Agreement
from app.sla.calendar.zone import zone
from app.sla.event import BEFORE_EVENTS, SETS_FIELDS, Event, OrderKey, Value, order_key
from app.sla.fields import ASSIGNED_FIELDS, DATE_FIELDS, FIELD_MARK, RELEASED_MARK, STATUS_MARK, casefolded
from app.sla.span import Micros, micros

_DATE_LENGTH: Final = len("2026-03-06")


@dataclass(frozen=True, slots=True)
class Watched:
    """What of a ticket's fields the commitments start on."""

    statuses: bool
    assigned: tuple[str, ...]
    dates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DateComes:
    """A date of the ticket comes at `at`, as `event` had set it; nothing has set another by then."""

    at: Micros
    field: str
    event: Event

    @property
    def order_key(self) -> OrderKey:
        """Before the other events of its instant."""
        return (self.at, 1, BEFORE_EVENTS, 0, f"date:{self.field}")


def watched(agreements: Iterable[Agreement]) -> Watched | None:
    """What these agreements' commitments start on; none where all start on events, as most do."""
    starts = frozenset(fact for each in agreements for fact in each.field_starts)
    if not starts:
        return None
    return Watched(
        statuses=any(fact.startswith(STATUS_MARK) for fact in starts),
        assigned=tuple(name for name in ASSIGNED_FIELDS if FIELD_MARK + name in starts),
        dates=tuple(name for name in DATE_FIELDS if FIELD_MARK + name in starts),
    )


def field_facts(
    of: Watched, event: Event, before: Mapping[str, Value], after: Mapping[str, Value], time_zone: str
) -> Iterator[str]:
    """The facts of an event by the fields before and after it: assignments, releases and dates that are past."""
    for name in of.assigned:
        now = casefolded(after.get(name))
        if now != casefolded(before.get(name)):
            yield (FIELD_MARK if now else RELEASED_MARK) + name
    for name in of.dates:
        if event.type in SETS_FIELDS and name in event.data:
            at = _instant_of(event.data[name], time_zone)
            if at is not None and at <= event.at:
                yield FIELD_MARK + name


def dates_to_come(of: Watched, past: Sequence[Event], time_zone: str) -> list[DateComes]:
    """The dates that were still to come when an event set them, and that no later event has moved before they came."""
    found: list[DateComes] = []
    for name in of.dates:
        setters = [event for event in past if event.type in SETS_FIELDS and name in event.data]
        for event, following in zip_longest(setters, setters[1:]):
            at = _instant_of(event.data[name], time_zone)
            if at is None or at <= event.at:
                continue
            comes = DateComes(at, name, event)
            if following is None or comes.order_key < order_key(following):
                found.append(comes)
    return found


def unreadable_dates(of: Watched, fields: Mapping[str, Value], time_zone: str) -> list[str]:
    """The watched fields whose value is no date. They become flags of the ticket."""
    return [name for name in of.dates if fields.get(name) and _instant_of(fields[name], time_zone) is None]


def _instant_of(value: Value, time_zone: str) -> Micros | None:
    return _read(value, time_zone) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _read(written: str, time_zone: str) -> Micros | None:
    """A date as its first instant in the zone, or an instant with an offset; none for anything else."""
    try:
        if len(written) == _DATE_LENGTH:
            return zone(time_zone).end_of_day(date.fromisoformat(written) - timedelta(days=1))
        return micros(datetime.fromisoformat(written))
    except (ValueError, OverflowError):
        return None
