"""How did a ticket that was closed long ago stand in the end?

Such a ticket is folded: its final view is kept as one document, so that showing it costs the same however much happened
to it. Its facts stay in the log beside, until the desk's agreement lets them go; then the view is what remains. A fact
that comes after all unfolds the ticket. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, bindparam, exists, or_, select

from app.sla.span import Micros
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.dialect import has_partitioned_log
from app.store.tables import event as _event
from app.store.tables import event_key as _key
from app.store.tables import folded as _folded
from app.store.tables import parked as _parked
from app.store.tables import ticket as _ticket


@dataclass(frozen=True, slots=True)
class ArchivedTicket:
    """A folded ticket. `view` is JSON. `emptied_at`: since then its facts are no longer kept."""

    desk: str
    ticket: str
    closed_at: Micros
    emptied_at: Micros | None
    view: str


Ripe = tuple[str, str, Micros]
"""(desk, ticket, instant of its last evaluation) of one that ended and is not folded yet."""

_IS_FOLDED: Final = exists().where(_folded.c.desk == _ticket.c.desk, _folded.c.ticket == _ticket.c.ticket)
_ELIGIBLE: Final = (
    select(_ticket.c.desk, _ticket.c.ticket, _ticket.c.evaluated_at)
    .where(
        _ticket.c.next_at.is_(None),
        or_(_ticket.c.status == "closed", _ticket.c.merged_into.is_not(None)),
        _ticket.c.evaluated_at >= bindparam("since"),
        _ticket.c.evaluated_at < bindparam("before"),
        ~_IS_FOLDED,
        ~exists().where(_parked.c.desk == _ticket.c.desk, _parked.c.ticket == _ticket.c.ticket),
    )
    .order_by(_ticket.c.evaluated_at)
    .limit(bindparam("most"))
)
_FIELDS: Final = (
    _folded.c.desk,
    _folded.c.ticket,
    _folded.c.closed_at,
    _folded.c.emptied_at,
    _folded.c.view,
)
_SOME: Final = select(*_FIELDS).where(
    _folded.c.desk == bindparam("desk"), _folded.c.ticket.in_(bindparam("tickets", expanding=True))
)
_OLDEST: Final = (
    select(*_FIELDS)
    .where(_folded.c.desk == bindparam("desk"), _folded.c.emptied_at.is_(None))
    .order_by(_folded.c.closed_at)
    .limit(bindparam("most"))
)
_EMPTIED: Final = select(_folded.c.ticket).where(
    _folded.c.desk == bindparam("desk"),
    _folded.c.ticket.in_(bindparam("tickets", expanding=True)),
    _folded.c.emptied_at.is_not(None),
)
_INSERT: Final = _folded.insert()
_THESE: Final = and_(
    _folded.c.desk == bindparam("_desk"), _folded.c.ticket.in_(bindparam("tickets", expanding=True))
)
_UNFOLD: Final = _folded.delete().where(_THESE)
_EMPTY: Final = _folded.update().where(_THESE).values(emptied_at=bindparam("now"))
_THEIR_EVENTS: Final = and_(
    _event.c.desk == bindparam("_desk"), _event.c.ticket.in_(bindparam("tickets", expanding=True))
)
_FORGET_KEYS: Final = _key.delete().where(
    _key.c.desk == bindparam("_desk"), _key.c.event_id.in_(select(_event.c.event_id).where(_THEIR_EVENTS))
)
_FORGET: Final = _event.delete().where(_THEIR_EVENTS)


def eligible(conn: Connection, since: Micros, before: Micros, most: int) -> list[Ripe]:
    """Those that ended in between and are not folded yet, the longest ended first.

    Costs what lies in between: `since` is how far folding has come.
    """
    rows = conn.execute(_ELIGIBLE, {"since": since, "before": before, "most": most}).all()
    return [(desk, ticket, evaluated_at) for desk, ticket, evaluated_at in rows]


def fold(conn: Connection, rows: Sequence[ArchivedTicket], now: Micros) -> None:
    """Keep the final views of these."""
    if rows:
        conn.execute(
            _INSERT,
            [
                {
                    "desk": row.desk,
                    "ticket": row.ticket,
                    "folded_at": now,
                    "closed_at": row.closed_at,
                    "view": row.view,
                }
                for row in rows
            ],
        )


def unfold(conn: Connection, desk: str, tickets: Iterable[str]) -> None:
    """These are judged anew: their final views were not final."""
    for part in parts(tickets):
        conn.execute(_UNFOLD, {"_desk": desk, "tickets": part})


def folded(conn: Connection, desk: str, tickets: Iterable[str]) -> dict[str, ArchivedTicket]:
    """Of these tickets the folded ones."""
    return {
        row[1]: ArchivedTicket(*row)
        for part in parts(tickets)
        for row in conn.execute(_SOME, {"desk": desk, "tickets": part}).all()
    }


def emptied(conn: Connection, desk: str, tickets: Iterable[str]) -> set[str]:
    """Of these tickets the ones whose facts are no longer kept."""
    return {
        row[0]
        for part in parts(tickets)
        for row in conn.execute(_EMPTIED, {"desk": desk, "tickets": part}).all()
    }


def oldest(conn: Connection, desk: str, most: int) -> list[ArchivedTicket]:
    """The folded tickets of a desk whose facts are still kept, the longest ended first."""
    return [ArchivedTicket(*row) for row in conn.execute(_OLDEST, {"desk": desk, "most": most}).all()]


def empty(conn: Connection, desk: str, tickets: Iterable[str], now: Micros) -> None:
    """Let go of the facts of these tickets. Their final views, clocks and signals stay."""
    for part in parts(tickets):
        these = {"_desk": desk, "tickets": part}
        if has_partitioned_log(conn):
            conn.execute(_FORGET_KEYS, these)
        conn.execute(_FORGET, these)
        conn.execute(_EMPTY, these | {"now": now})
