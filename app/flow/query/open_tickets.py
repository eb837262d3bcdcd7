"""What breaks next: open tickets by urgency, with the counts of their groups, evaluated for one page.

The list and the counts are of one snapshot. Instants are microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.flow.query.answer import TicketAnswer
from app.flow.query.desks import DeskAnswer
from app.flow.query.tickets import answers
from app.principal import Desks
from app.sla.span import Micros, length_of
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import breaches, open_tickets, unclocked
from app.store.tickets.breaches import Breach
from app.store.tickets.decided import DecidedClock, decided
from app.store.tickets.open_tickets import KeptSince, OpenCounts, OpenFilters, OpenKey, Tile, Urgency

__all__ = [
    "TODAY",
    "UNCLOCKED",
    "DecidedClock",
    "DecidedToday",
    "KeptSince",
    "OpenCounts",
    "OpenFilters",
    "OpenKey",
    "OpenPage",
    "OpenTicket",
    "Tile",
    "UnclockedPage",
    "Urgency",
    "decided_today",
    "filter_choices",
    "kept_this_month",
    "kept_today",
    "open_page",
    "open_ticket",
    "open_tickets_of",
    "unclocked_count",
    "unclocked_page",
]

TODAY: Final = "today"
"""The name of what was decided today, among those of the tiles."""

UNCLOCKED: Final = "unclocked"
"""The name of the open tickets without an open clock, among those of the tiles."""

DUE_SOON: Final = length_of(timedelta(hours=1))
"""What counts as due soon: an hour is what a team can still turn."""

CHOICES_MAX: Final = 200
"""Values offered for one filter: more cannot be chosen from a menu."""


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket of the list, its group, its breaches that stand, and its evaluation; none for one that cannot be
    evaluated."""

    key: OpenKey
    answer: TicketAnswer | None
    breaches: Sequence[Breach] = ()


@dataclass(frozen=True, slots=True)
class OpenPage:
    """The keys of a page of the list, the counts of the whole list, and the cursor of the next page; none at the end."""

    keys: Sequence[OpenKey]
    counts: OpenCounts
    next: str | None


def open_page(
    conn: Connection, filters: OpenFilters, cursor: str | None, limit: int, *, now: Micros
) -> OpenPage:
    """A page of open tickets, the most urgent first. Raises FaultyCursor."""
    soon = now + DUE_SOON
    keys, following = open_tickets.page(conn, filters, cursor, limit, now=now, soon=soon)
    return OpenPage(keys, open_tickets.counts(conn, filters, now=now, soon=soon), following)


def open_tickets_of(
    conn: Connection, catalogue: Catalogue, keys: Sequence[OpenKey], *, now: Micros
) -> dict[OpenKey, OpenTicket]:
    """The tickets of some keys, evaluated."""
    by_desk: dict[str, list[str]] = {}
    for key in keys:
        by_desk.setdefault(key.desk, []).append(key.ticket)
    judged: dict[tuple[str, str], TicketAnswer] = {}
    late: dict[tuple[str, str], list[Breach]] = {}
    for desk, tickets in by_desk.items():
        found = answers(conn, catalogue, desk, tickets, now=now)
        judged.update(((desk, ticket), answer) for ticket, answer in found.items())
        for each in breaches.of_tickets(conn, desk, tickets):
            late.setdefault((desk, each.subject.text), []).append(each)
    return {
        key: OpenTicket(key, judged.get((key.desk, key.ticket)), late.get((key.desk, key.ticket), ()))
        for key in keys
    }


def open_ticket(
    conn: Connection, catalogue: Catalogue, desk: str, ticket: str, *, now: Micros
) -> OpenTicket | None:
    """One ticket as the list has it; None if nothing is known of it."""
    answer = answers(conn, catalogue, desk, [ticket], now=now).get(ticket)
    if answer is None:
        return None
    late = breaches.of_tickets(conn, desk, [ticket])
    return OpenTicket(OpenKey(desk, ticket, Urgency.REST), answer, late)


def kept_this_month(conn: Connection, desk: DeskAnswer, now: Micros) -> KeptSince | None:
    """The clocks of a desk that were met and breached this month, by its own calendar; None without one."""
    if not desk.hours:
        return None
    calendar = desk.calendars[desk.hours[0].name]
    first = calendar.local_date(now).replace(day=1)
    return open_tickets.kept_since(conn, desk.desk, calendar.end_of_day(first - timedelta(days=1)))


def kept_today(conn: Connection, desks: Sequence[DeskAnswer], now: Micros, filters: OpenFilters) -> KeptSince:
    """The clocks that were met and breached today, each desk's day beginning at its own midnight."""
    found = [
        open_tickets.kept_since(conn, desk.desk, _midnight(desk, now), filters)
        for desk in desks
        if desk.hours
    ]
    return KeptSince(sum(each.kept for each in found), sum(each.missed for each in found))


@dataclass(frozen=True, slots=True)
class DecidedToday:
    """A page of the clocks that were met and breached today, their tickets, and the cursor of the next page."""

    clocks: Sequence[DecidedClock]
    tickets: Mapping[tuple[str, str], TicketAnswer]
    next: str | None


def decided_today(
    conn: Connection,
    catalogue: Catalogue,
    desks: Sequence[DeskAnswer],
    filters: OpenFilters,
    cursor: str | None,
    limit: int,
    *,
    now: Micros,
) -> DecidedToday:
    """The list behind `kept_today`, the breached ones first. Raises FaultyCursor."""
    since = {desk.desk: _midnight(desk, now) for desk in desks if desk.hours}
    found, following = decided(conn, since, filters, cursor, limit)
    by_desk: dict[str, dict[str, None]] = {}
    for each in found:
        by_desk.setdefault(each.desk, {})[each.ticket] = None
    judged = {
        (desk, ticket): answer
        for desk, tickets in by_desk.items()
        for ticket, answer in answers(conn, catalogue, desk, list(tickets), now=now).items()
    }
    return DecidedToday(found, judged, following)


@dataclass(frozen=True, slots=True)
class UnclockedPage:
    """A page of the open tickets without an open clock, how many there are, and the cursor of the next page. One that
    cannot be evaluated has no answer."""

    tickets: Mapping[tuple[str, str], TicketAnswer | None]
    count: int
    next: str | None


def unclocked_count(conn: Connection, filters: OpenFilters) -> int:
    """How many open tickets have no open clock."""
    return unclocked.count(conn, filters)


def unclocked_page(
    conn: Connection,
    catalogue: Catalogue,
    filters: OpenFilters,
    cursor: str | None,
    limit: int,
    *,
    now: Micros,
) -> UnclockedPage:
    """Open tickets without an open clock, the oldest first. Raises FaultyCursor."""
    keys, following = unclocked.page(conn, filters, cursor, limit)
    by_desk: dict[str, list[str]] = {}
    for desk, ticket in keys:
        by_desk.setdefault(desk, []).append(ticket)
    judged = {desk: answers(conn, catalogue, desk, tickets, now=now) for desk, tickets in by_desk.items()}
    found = {(desk, ticket): judged[desk].get(ticket) for desk, ticket in keys}
    return UnclockedPage(found, unclocked.count(conn, filters), following)


def filter_choices(conn: Connection, desks: Desks) -> dict[str, list[str]]:
    """The values to filter by that open tickets have, by parameter."""
    return open_tickets.choices(conn, desks, CHOICES_MAX)


def _midnight(desk: DeskAnswer, now: Micros) -> Micros:
    calendar = desk.calendars[desk.hours[0].name]
    return calendar.end_of_day(calendar.local_date(now) - timedelta(days=1))
