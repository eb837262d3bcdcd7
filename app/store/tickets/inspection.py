"""What is in the database that should not be, or that nobody could read?

Queries for the doctor and the inbox, each over whole tables: for a person who asks, never for a request. Instants are
microseconds UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, select

from app.principal import EVERY, Desks
from app.sla.event import KNOWN_TYPES
from app.sla.span import Micros
from app.store.engine import dialect, row_security, sqlite
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import archived_ticket as _archived
from app.store.tables import clock as _clock
from app.store.tables import event as _event
from app.store.tables import parked as _parked
from app.store.tables import signal as _signal
from app.store.tables import ticket as _ticket
from app.store.tickets.signals import CLOCK, IS_LATE


@dataclass(frozen=True, slots=True)
class UnreadEvent:
    """An event of a type that nobody knows: kept, and moving nothing."""

    seq: int
    desk: str
    type: str
    id: str
    subject: str
    ticket: str | None
    at: Micros
    received_at: Micros


TicketKey = tuple[str, str]
"""(desk, ticket)."""

ClockName = tuple[str, str, str, Micros]
"""(desk, ticket, commitment, cycle)."""

_UNREAD: Final = (
    select(
        _event.c.seq,
        _event.c.desk,
        _event.c.type,
        _event.c.event_id,
        _event.c.subject,
        _event.c.ticket,
        _event.c.at,
        _event.c.received_at,
    )
    .where(
        ~_event.c.known,
        _event.c.seq < bindparam("before"),
    )
    .order_by(_event.c.seq.desc())
    .limit(bindparam("most"))
)
_UNREAD_TICKETS: Final = (
    select(_event.c.desk, _event.c.ticket).where(~_event.c.known, _event.c.ticket.is_not(None)).distinct()
)
_NOW_KNOWN: Final = (
    _event.update()
    .where(~_event.c.known, _event.c.type.in_(bindparam("types", expanding=True)))
    .values(known=True)
)
_IS_PARKED: Final = exists().where(_parked.c.desk == _ticket.c.desk, _parked.c.ticket == _ticket.c.ticket)
_LONG_DUE: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(_ticket.c.next_at.is_not(None), _ticket.c.next_at < bindparam("before"), ~_IS_PARKED)
    .order_by(_ticket.c.next_at)
)
_SAMPLE: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(
        (_ticket.c.next_at.is_(None)) | (_ticket.c.next_at > bindparam("now")),
        ~_IS_PARKED,
        ~exists().where(_archived.c.desk == _ticket.c.desk, _archived.c.ticket == _ticket.c.ticket),
    )
    .order_by(func.random())
    .limit(bindparam("most"))
)
_NEXT_DUE: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(_ticket.c.next_at > bindparam("now"), ~_IS_PARKED)
    .order_by(_ticket.c.next_at)
    .limit(bindparam("most"))
)
_UNJUDGED: Final = (
    select(_event.c.desk, _event.c.ticket)
    .where(
        _event.c.ticket.is_not(None),
        ~exists().where(_ticket.c.desk == _event.c.desk, _ticket.c.ticket == _event.c.ticket),
        ~exists().where(_parked.c.desk == _event.c.desk, _parked.c.ticket == _event.c.ticket),
    )
    .distinct()
)
# Which row of the stream tells of the breach of which clock.
_TELLS: Final[ColumnElement[bool]] = and_(
    _signal.c.desk == _clock.c.desk,
    _signal.c.ticket == _clock.c.ticket,
    _signal.c.commitment == _clock.c.commitment,
    _signal.c.cycle == _clock.c.cycle,
    IS_LATE,
    _signal.c.retracted_at.is_(None),
)
_CLOCK_NAME: Final = (_clock.c.desk, _clock.c.ticket, _clock.c.commitment, _clock.c.cycle)
_UNTOLD: Final = select(*_CLOCK_NAME).where(_clock.c.breached_at.is_not(None), ~exists().where(_TELLS))
_RECORDED_TWICE: Final = (
    select(_signal.c.desk, _signal.c.ticket, _signal.c.commitment, _signal.c.cycle)
    .where(IS_LATE, _signal.c.retracted_at.is_(None))
    .group_by(_signal.c.desk, _signal.c.ticket, _signal.c.commitment, _signal.c.cycle)
    .having(func.count() > 1)
)
_RECORDED_EARLY: Final = select(
    _signal.c.desk, _signal.c.ticket, _signal.c.commitment, _signal.c.cycle
).where(_signal.c.kind.like(CLOCK + "%"), _signal.c.detected_at < _signal.c.at)


def unread_events(conn: Connection, most: int, before: int, desks: Desks = EVERY) -> list[UnreadEvent]:
    """The latest events of unknown types before a place in the log, of these desks."""
    query = _UNREAD.where(in_desks(_event.c.desk, desks))
    return [UnreadEvent(*row) for row in conn.execute(query, {"most": most, "before": before}).all()]


def tickets_with_unread_events(conn: Connection) -> list[TicketKey]:
    """The tickets that have such events."""
    return [(desk, ticket) for desk, ticket in conn.execute(_UNREAD_TICKETS).all()]


def learn_types(conn: Connection) -> int:
    """Events whose type has become known since they came are no longer unread. Returns how many."""
    return sum(conn.execute(_NOW_KNOWN, {"types": part}).rowcount for part in parts(sorted(KNOWN_TYPES)))


def overdue(conn: Connection, before: Micros) -> list[TicketKey]:
    """Tickets that the sweep should have looked at before this instant, parked ones left out."""
    return _tickets(conn.execute(_LONG_DUE, {"before": before}).all())


def sample(conn: Connection, now: Micros, most: int) -> list[TicketKey]:
    """Some tickets of which nothing is due, at random."""
    return _tickets(conn.execute(_SAMPLE, {"now": now, "most": most}).all())


def next_due(conn: Connection, now: Micros, most: int) -> list[TicketKey]:
    """The tickets that must be looked at next, of which nothing is due yet."""
    return _tickets(conn.execute(_NEXT_DUE, {"now": now, "most": most}).all())


def unjudged(conn: Connection) -> list[TicketKey]:
    """Tickets that have events and were never evaluated."""
    return _tickets(conn.execute(_UNJUDGED).all())


def unrecorded(conn: Connection) -> list[ClockName]:
    """Clocks that are late with no signal that stands and says so."""
    return _clocks(conn.execute(_UNTOLD).all())


def recorded_twice(conn: Connection) -> list[ClockName]:
    """Clocks of which more than one standing signal says that they are late."""
    return _clocks(conn.execute(_RECORDED_TWICE).all())


def recorded_early(conn: Connection) -> list[ClockName]:
    """Clocks of which something was told before it was true."""
    return _clocks(conn.execute(_RECORDED_EARLY).all())


def unguarded(conn: Connection) -> list[str]:
    """The tables whose rows the database does not keep apart by desk though it could."""
    return row_security.unguarded(conn) if dialect.has_many_writers(conn) else []


def passes_by_security(conn: Connection) -> bool:
    """Whether the service's role sees every desk's rows, whatever it asks for."""
    return dialect.has_many_writers(conn) and row_security.is_bypassed(conn)


def risky_version(conn: Connection) -> str | None:
    """The version of the database engine when several writers could corrupt it; none: it is safe."""
    if dialect.has_many_writers(conn):
        return None
    version = sqlite.version()
    return None if version >= sqlite.SAFE_VERSION else ".".join(map(str, version))


def _tickets(rows: Iterable[tuple[str, str]]) -> list[TicketKey]:
    return [(row[0], row[1]) for row in rows]


def _clocks(rows: Iterable[tuple[str, str, str, Micros]]) -> list[ClockName]:
    return [(row[0], row[1], row[2], row[3]) for row in rows]
