"""Overview of desks: open or closed, until when and why, and the counts of their clocks.

The first calendar of a desk's file decides whether the desk itself is open. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.sla.calendar import Calendar, ClosedDay, NeverCloses, NeverOpen, UncoveredYear
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.contracts.stored_version import StoredVersion, in_force_at, planned_at
from app.store.engine.database import Connection
from app.store.tickets import board
from app.store.tickets.board import DeskCounts

_UNKNOWN: Final = (NeverOpen, NeverCloses, UncoveredYear)


@dataclass(frozen=True, slots=True)
class Hours:
    """A calendar at an instant. `until` is when it closes or opens next, none if it never does; `why` is the reason
    for which it is closed then, or now."""

    name: str
    time_zone: str
    open_now: bool
    until: Micros | None
    why: str | None
    source: str | None
    holiday_tomorrow: ClosedDay | None
    """Tomorrow's holiday or override, if it is one."""


@dataclass(frozen=True, slots=True)
class DeskAnswer:
    """A desk at an instant."""

    desk: str
    name: str
    version: int
    calendars: Mapping[str, Calendar]
    hours: tuple[Hours, ...]
    """The desk's own calendars; the first says whether the desk is open."""
    counts: DeskCounts
    coming: StoredVersion | None
    """The planned version that comes into force next."""


def known_desks(conn: Connection, catalogue: Catalogue) -> list[str]:
    """The names of all desks that have a version, in order."""
    return sorted(catalogue.desks(conn))


def desks_overview(
    conn: Connection, catalogue: Catalogue, desks: Iterable[str], now: Micros
) -> list[DeskAnswer]:
    """Every one of these desks that has a version."""
    known = catalogue.desks(conn)
    return [
        _overview(conn, desk, catalogue.recorded(conn, desk, known[desk]), now)
        for desk in desks
        if desk in known
    ]


def _overview(conn: Connection, desk: str, versions: Sequence[StoredVersion], now: Micros) -> DeskAnswer:
    current = in_force_at(versions, now)
    own = own_calendars(desk, current.calendars)
    hours = tuple(hours_of(calendar, now) for calendar in own)
    closing = _closing(own[0], now) if own else None
    return DeskAnswer(
        desk=desk,
        name=current.agreement.name,
        version=current.number,
        calendars=current.calendars,
        hours=hours,
        counts=board.counts(conn, desk, now, closing),
        coming=next(iter(planned_at(versions, now)), None),
    )


def own_calendars(desk: str, calendars: Mapping[str, Calendar]) -> list[Calendar]:
    """The calendars of the desk's own file, in the order of the file."""
    return [calendar for name, calendar in calendars.items() if name.partition("/")[0] == desk]


def _closing(calendar: Calendar, now: Micros) -> Micros | None:
    """When the desk's day ends, past any gap at lunch: today, or on its next working day once today's is over."""
    today = calendar.local_date(now)
    try:
        if calendar.is_always:
            return calendar.end_of_day(today)
        last_night = calendar.end_of_day(today - timedelta(days=1)) - 1
        ends_at = calendar.close_of_working_day_us(1, last_night)
        return ends_at if ends_at > now else calendar.close_of_working_day_us(1, now)
    except _UNKNOWN:
        return None


def hours_of(calendar: Calendar, now: Micros) -> Hours:
    """Whether a calendar is open at an instant, until when, and why it is closed then or now."""
    open_now, until, closed = False, None, None
    try:
        open_now = calendar.is_open_us(now)
        until = calendar.next_close_us(now) if open_now else calendar.next_open_us(now)
        shut_at = until if open_now else now
        closed = calendar.spans_us(shut_at, shut_at + 1)[0]
        why, source = closed.reason, closed.source
    except NeverCloses:
        why, source = "never closes", None
    except _UNKNOWN as fault:
        why, source = str(fault), None
    return Hours(
        name=calendar.name,
        time_zone=calendar.time_zone,
        open_now=open_now,
        until=until,
        why=why,
        source=source,
        holiday_tomorrow=_holiday_tomorrow(calendar, now),
    )


def _holiday_tomorrow(calendar: Calendar, now: Micros) -> ClosedDay | None:
    tomorrow = calendar.local_date(now) + timedelta(days=1)
    try:
        days = calendar.closed_days(tomorrow.year)
    except _UNKNOWN:
        return None
    return next((day for day in days if day.date == tomorrow), None)
