"""Tickets whose clocks lack what reports count, because a release without reports has evaluated them last.

Each evaluation writes a ticket's `reported_revision` with its revision; a release without reports raises the revision
alone, also beside this one while it is being replaced. A partial index has the tickets for which the two differ, which
usually are none. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final, NamedTuple

from sqlalchemy import Text, bindparam, exists, func, or_, select, text, tuple_

from app.sla.report.figures import ClockFigures
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import UNREPORTED
from app.store.tables import archived_ticket as _archived
from app.store.tables import clock as _clock
from app.store.tables import ticket as _ticket
from app.store.tables import wait_interval as _wait_interval
from app.store.tickets.clocks import ClockKey, TicketKey
from app.store.tickets.report_days import mark_all


class UnreportedTicket(NamedTuple):
    """A ticket whose clocks lack what reports count, as it was last evaluated."""

    desk: str
    ticket: str
    revision: int


# Written as in the index: SQLite uses a partial index only for a condition like its own.
_LACKS: Final = text(f"({UNREPORTED})")
_HAS_EVENTS: Final = ~exists().where(
    _archived.c.desk == _ticket.c.desk,
    _archived.c.ticket == _ticket.c.ticket,
    _archived.c.events_dropped_at.is_not(None),
)
_UNREPORTED: Final = (
    select(_ticket.c.desk, _ticket.c.ticket, _ticket.c.revision)
    .where(
        _LACKS,
        _HAS_EVENTS,
        tuple_(_ticket.c.desk, _ticket.c.ticket)
        > tuple_(bindparam("desk", type_=Text), bindparam("ticket", type_=Text)),
    )
    .order_by(_ticket.c.desk, _ticket.c.ticket)
    .limit(bindparam("limit"))
)
_COUNT: Final = select(func.count()).select_from(_ticket).where(_LACKS, _ticket.c.desk == bindparam("desk"))
_SOME: Final = select(_ticket.c.ticket).where(
    _LACKS, _ticket.c.desk == bindparam("desk"), _ticket.c.ticket.in_(bindparam("tickets", expanding=True))
)
_KNOWN: Final = (
    select(_ticket.c.ticket)
    .where(
        _ticket.c.desk == bindparam("desk"),
        or_(_ticket.c.known_since.is_(None), _ticket.c.known_since <= bindparam("as_of")),
    )
    .order_by(_ticket.c.ticket)
    .limit(bindparam("limit"))
)
_EVALUATED: Final = _ticket.c.evaluated_at >= bindparam("since")
_WAITED: Final = exists().where(
    _wait_interval.c.desk == _ticket.c.desk,
    _wait_interval.c.ticket == _ticket.c.ticket,
    or_(_wait_interval.c.to_at.is_(None), _wait_interval.c.to_at >= bindparam("since")),
)
_CANDIDATES: Final = _KNOWN.where(_EVALUATED)
_CANDIDATES_WAITING: Final = _KNOWN.where(or_(_EVALUATED, _WAITED))
_FIGURES: Final = tuple(field.name for field in fields(ClockFigures))
_COMPLETE_CLOCK: Final = (
    _clock.update()
    .where(
        _clock.c.desk == bindparam("_desk"),
        _clock.c.subject == bindparam("_subject"),
        _clock.c.commitment == bindparam("_commitment"),
        _clock.c.cycle == bindparam("_cycle"),
    )
    .values({name: bindparam(name) for name in _FIGURES})
)
_COMPLETE_TICKET: Final = (
    _ticket.update()
    .where(
        _ticket.c.desk == bindparam("_desk"),
        _ticket.c.ticket == bindparam("_ticket"),
        _ticket.c.revision == bindparam("_revision"),
    )
    .values(reported_revision=bindparam("_revision"))
)


START: Final = ("", "")
"""Before the (desk, ticket) of every ticket."""


def unreported(conn: Connection, after: TicketKey, limit: int) -> list[UnreportedTicket]:
    """Such tickets of all desks after a (desk, ticket), in order. Those whose events were deleted are left out."""
    desk, ticket = after
    given = {"desk": desk, "ticket": ticket, "limit": limit}
    return [UnreportedTicket(*row) for row in conn.execute(_UNREPORTED, given).all()]


def count(conn: Connection, desk: str) -> int:
    """How many such tickets a desk has, with those whose events were deleted."""
    return conn.execute(_COUNT, {"desk": desk}).scalar() or 0


def among(conn: Connection, desk: str, tickets: Iterable[str]) -> set[str]:
    """Those of these tickets that are such."""
    return {
        ticket
        for part in parts(tickets)
        for ticket in conn.execute(_SOME, {"desk": desk, "tickets": part}).scalars()
    }


def complete(
    conn: Connection, ticket: UnreportedTicket, clocks: Sequence[tuple[ClockKey, ClockFigures]]
) -> bool:
    """Store what reports count of a ticket's clocks. False: it was evaluated meanwhile, and nothing is stored."""
    of = {"_desk": ticket.desk, "_ticket": ticket.ticket, "_revision": ticket.revision}
    if not conn.execute(_COMPLETE_TICKET, of).rowcount:
        return False
    mark_all(conn, ticket.desk)
    rows: list[dict[str, Any]] = [
        {
            "_desk": ticket.desk,
            "_subject": Subject.parse(ticket.ticket),
            "_commitment": commitment,
            "_cycle": cycle,
            **{name: getattr(figures, name) for name in _FIGURES},
        }
        for (commitment, cycle), figures in clocks
    ]
    if rows:
        conn.execute(_COMPLETE_CLOCK, rows)
    return True


def candidates(
    conn: Connection, desk: str, since: Micros, as_of: Micros, limit: int, *, waiting: bool = False
) -> list[str]:
    """Tickets of which something may lie at or after `since`, by what was known at `as_of`.

    A ticket that was evaluated before `since` and never again has neither facts nor deadlines from there on; but it may
    have waited, and others may have moved it. `waiting`: those too.
    """
    query = _CANDIDATES_WAITING if waiting else _CANDIDATES
    given = {"desk": desk, "since": since, "as_of": as_of, "limit": limit}
    return list(conn.execute(query, given).scalars())
