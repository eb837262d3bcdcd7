"""Clocks of tickets that were decided since an instant: met, or breached. The list behind the share that was kept.

Instants are microseconds UTC; each desk has a beginning of its own, as its midnight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, or_, select, tuple_

from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.tables import clock as _clock
from app.store.tables import ticket as _ticket
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.open_tickets import OpenFilters, conditions


@dataclass(frozen=True, slots=True)
class DecidedClock:
    """A clock that was met, or was breached, and when. `cycle` is its identity among those of the commitment."""

    desk: str
    ticket: str
    commitment: str
    cycle: Micros
    at: Micros
    is_met: bool


def decided(
    conn: Connection, since: Mapping[str, Micros], filters: OpenFilters, cursor: str | None, limit: int
) -> tuple[Sequence[DecidedClock], str | None]:
    """The clocks of some desks that were decided since an instant of each: the breached ones first, then the latest
    first; and the cursor of the next page. Raises FaultyCursor."""
    rank = case((_clock.c.met.is_(True), 1), else_=0)
    at = case((_clock.c.met.is_(True), _clock.c.ended_at), else_=_clock.c.breached_at)
    key = (rank, -at, _clock.c.desk, _ticket.c.ticket, _clock.c.commitment, _clock.c.cycle)
    of_desks = [
        and_(
            _clock.c.desk == desk,
            or_(and_(_clock.c.met.is_(True), _clock.c.ended_at >= began), _clock.c.breached_at >= began),
        )
        for desk, began in since.items()
    ]
    query = (
        select(*key)
        .select_from(_clock)
        .join(_ticket, and_(_ticket.c.desk == _clock.c.desk, _ticket.c.ticket == _clock.c.subject))
        .where(or_(False, *of_desks), *conditions(filters))
        .order_by(*key)
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(tuple_(*key) > key_of(cursor, int, int, str, str, str, int))
    rows = conn.execute(query).all()
    following = cursor_of(*rows[limit - 1]) if len(rows) > limit else None
    found = [
        DecidedClock(desk, ticket, commitment, cycle, -negative, is_met=bool(met))
        for met, negative, desk, ticket, commitment, cycle in rows[:limit]
    ]
    return found, following
