"""Open tickets without an open clock: nothing of them runs, waits or is paused, and what breaks next leaves them out.

Each query reads the tickets of the desks that are not solved or closed, and looks up their clocks and deletions by the
indexes of both. Instants are microseconds UTC.
"""

from dataclasses import replace

from sqlalchemy import ColumnElement, exists, func, select, tuple_

from app.sla.ticket import SHUT
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import clock as _clock
from app.store.tables import event as _event
from app.store.tables import ticket as _ticket
from app.store.tickets.board import CLOCK_KINDS, cursor_of, key_of
from app.store.tickets.open_tickets import OPEN_STATES, OpenFilters, conditions


def count(conn: Connection, filters: OpenFilters) -> int:
    """How many there are. Filters of clocks, and the tile, narrow nothing."""
    return conn.execute(select(func.count()).select_from(_ticket).where(*_wanted(filters))).scalar_one()


def page(
    conn: Connection, filters: OpenFilters, cursor: str | None, limit: int
) -> tuple[list[tuple[str, str]], str | None]:
    """(desk, ticket) of a page, the oldest first, and the cursor of the next page. Raises FaultyCursor."""
    key = (func.coalesce(_ticket.c.created_at, 0), _ticket.c.desk, _ticket.c.ticket)
    query = select(*key).where(*_wanted(filters)).order_by(*key).limit(limit + 1)
    if cursor is not None:
        query = query.where(tuple_(*key) > key_of(cursor, int, str, str))
    rows = conn.execute(query).all()
    following = cursor_of(*rows[limit - 1]) if len(rows) > limit else None
    return [(row.desk, row.ticket) for row in rows[:limit]], following


def _wanted(filters: OpenFilters) -> list[ColumnElement[bool]]:
    of_tickets = replace(filters, commitment=None, kind=None if filters.kind in CLOCK_KINDS else filters.kind)
    open_clock = exists().where(
        _clock.c.desk == _ticket.c.desk,
        _clock.c.subject == _ticket.c.ticket,
        _clock.c.state.in_(OPEN_STATES),
    )
    deleted = exists().where(
        _event.c.desk == _ticket.c.desk,
        _event.c.ticket == _ticket.c.ticket,
        _event.c.type == "ticket.deleted",
    )
    return [
        in_desks(_ticket.c.desk, filters.desks),
        _ticket.c.status.not_in(SHUT),
        _ticket.c.merged_into.is_(None),
        ~open_clock,
        ~deleted,
        *conditions(of_tickets),
    ]
