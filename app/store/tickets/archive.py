"""Archive of tickets that ended long ago: their final views, and what becomes of their events.

An archived ticket is one document, so showing it costs the same however much happened to it. Its events stay in the log
until the desk's agreement lets them be deleted; the document is what remains. An event that arrives after all takes the
ticket out of the archive. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import and_, bindparam, exists, or_, select

from app.sla.span import Micros
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.dialect import has_partitioned_log
from app.store.tables import archived_ticket as _archived
from app.store.tables import event as _event
from app.store.tables import event_key as _key
from app.store.tables import parked as _parked
from app.store.tables import ticket as _ticket


@dataclass(frozen=True, slots=True)
class ArchivedTicket:
    """An archived ticket. `view` is JSON. `events_dropped_at`: when its events were deleted, none while they exist."""

    desk: str
    ticket: str
    closed_at: Micros
    events_dropped_at: Micros | None
    view: str


class Candidate(NamedTuple):
    """A ticket that has ended, is not archived and waits for nothing. `evaluated_at` is when it was last evaluated."""

    desk: str
    ticket: str
    evaluated_at: Micros


_IS_ARCHIVED: Final = exists().where(
    _archived.c.desk == _ticket.c.desk, _archived.c.ticket == _ticket.c.ticket
)
_CANDIDATES: Final = (
    select(_ticket.c.desk, _ticket.c.ticket, _ticket.c.evaluated_at)
    .where(
        _ticket.c.next_at.is_(None),
        or_(_ticket.c.status == "closed", _ticket.c.merged_into.is_not(None)),
        _ticket.c.evaluated_at >= bindparam("since"),
        _ticket.c.evaluated_at < bindparam("before"),
        ~_IS_ARCHIVED,
        ~exists().where(_parked.c.desk == _ticket.c.desk, _parked.c.subject == _ticket.c.ticket),
    )
    .order_by(_ticket.c.evaluated_at)
    .limit(bindparam("limit"))
)
_COLUMNS: Final = (
    _archived.c.desk,
    _archived.c.ticket,
    _archived.c.closed_at,
    _archived.c.events_dropped_at,
    _archived.c.view,
)
_SOME: Final = select(*_COLUMNS).where(
    _archived.c.desk == bindparam("desk"), _archived.c.ticket.in_(bindparam("tickets", expanding=True))
)
_OLDEST_WITH_EVENTS: Final = (
    select(*_COLUMNS)
    .where(_archived.c.desk == bindparam("desk"), _archived.c.events_dropped_at.is_(None))
    .order_by(_archived.c.closed_at)
    .limit(bindparam("limit"))
)
_WITHOUT_EVENTS: Final = select(_archived.c.ticket).where(
    _archived.c.desk == bindparam("desk"),
    _archived.c.ticket.in_(bindparam("tickets", expanding=True)),
    _archived.c.events_dropped_at.is_not(None),
)
_INSERT: Final = _archived.insert()
_THESE: Final = and_(
    _archived.c.desk == bindparam("_desk"), _archived.c.ticket.in_(bindparam("tickets", expanding=True))
)
_RESTORE: Final = _archived.delete().where(_THESE)
_MARK_DROPPED: Final = _archived.update().where(_THESE).values(events_dropped_at=bindparam("now"))
_THEIR_EVENTS: Final = and_(
    _event.c.desk == bindparam("_desk"), _event.c.ticket.in_(bindparam("tickets", expanding=True))
)
_DELETE_KEYS: Final = _key.delete().where(
    _key.c.desk == bindparam("_desk"), _key.c.event_id.in_(bindparam("ids", expanding=True))
)
_DELETE_EVENTS: Final = _event.delete().where(_THEIR_EVENTS)
_DELETE_EVENTS_WITH_IDS: Final = _DELETE_EVENTS.returning(_event.c.event_id)


def candidates(conn: Connection, since: Micros, before: Micros, limit: int) -> list[Candidate]:
    """Tickets that ended in [since, before) and are not archived yet, the longest ended first.

    The cost grows with what lies in between: pass as `since` the instant up to which everything is archived.
    """
    rows = conn.execute(_CANDIDATES, {"since": since, "before": before, "limit": limit}).all()
    return [Candidate(*row) for row in rows]


def archive(conn: Connection, tickets: Sequence[ArchivedTicket], now: Micros) -> None:
    """Store the final views of these tickets."""
    if tickets:
        conn.execute(
            _INSERT,
            [
                {
                    "desk": each.desk,
                    "ticket": each.ticket,
                    "archived_at": now,
                    "closed_at": each.closed_at,
                    "view": each.view,
                }
                for each in tickets
            ],
        )


def restore(conn: Connection, desk: str, tickets: Iterable[str]) -> None:
    """Take tickets out of the archive: they were evaluated again, so their stored views are not final."""
    for part in parts(tickets):
        conn.execute(_RESTORE, {"_desk": desk, "tickets": part})


def archived(conn: Connection, desk: str, tickets: Iterable[str]) -> dict[str, ArchivedTicket]:
    """Those of these tickets that are archived, by id."""
    found = (
        ArchivedTicket(*row)
        for part in parts(tickets)
        for row in conn.execute(_SOME, {"desk": desk, "tickets": part}).all()
    )
    return {each.ticket: each for each in found}


def without_events(conn: Connection, desk: str, tickets: Iterable[str]) -> set[str]:
    """Those of these tickets whose events were deleted."""
    return {
        ticket
        for part in parts(tickets)
        for ticket in conn.execute(_WITHOUT_EVENTS, {"desk": desk, "tickets": part}).scalars()
    }


def oldest_with_events(conn: Connection, desk: str, limit: int) -> list[ArchivedTicket]:
    """Archived tickets of a desk whose events still exist, the longest ended first."""
    rows = conn.execute(_OLDEST_WITH_EVENTS, {"desk": desk, "limit": limit}).all()
    return [ArchivedTicket(*row) for row in rows]


def drop_events(conn: Connection, desk: str, tickets: Iterable[str], now: Micros) -> None:
    """Delete the events of these tickets. Their final views, clocks and signals stay."""
    for part in parts(tickets):
        these = {"_desk": desk, "tickets": part}
        if has_partitioned_log(conn):
            # Their keys by what was deleted: a subquery over the partitions is planned as a scan of all keys.
            for ids in parts(conn.execute(_DELETE_EVENTS_WITH_IDS, these).scalars().all()):
                conn.execute(_DELETE_KEYS, {"_desk": desk, "ids": ids})
        else:
            conn.execute(_DELETE_EVENTS, these)
        conn.execute(_MARK_DROPPED, these | {"now": now})
