"""Inspection: what the doctor and the inbox look for, each a query over whole tables.

For a person, never for a request of the API's hot path. Instants are microseconds UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, exists, func, or_, select

from app.principal import EVERY, Desks
from app.sla.event import KNOWN_TYPES
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKey
from app.store.engine import dialect, row_security, sqlite
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import archived_ticket as _archived
from app.store.tables import clock as _clock
from app.store.tables import event as _event
from app.store.tables import parked as _parked
from app.store.tables import signal as _signal
from app.store.tables import subject as _subject
from app.store.tables import ticket as _ticket
from app.store.tickets.signals import CLOCK, IS_LATE


@dataclass(frozen=True, slots=True)
class UnreadEvent:
    """An event of an unknown type: stored, and moving no clock."""

    seq: int
    desk: str
    type: str
    id: str
    subject: str
    ticket: str | None
    at: Micros
    received_at: Micros


ClockName = tuple[str, Subject, str, Micros]
"""(desk, subject, commitment, cycle)."""

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
    .limit(bindparam("limit"))
)
_TICKETS_WITH_UNREAD: Final = (
    select(_event.c.desk, _event.c.ticket).where(~_event.c.known, _event.c.ticket.is_not(None)).distinct()
)
_NOW_KNOWN: Final = (
    _event.update()
    .where(~_event.c.known, _event.c.type.in_(bindparam("types", expanding=True)))
    .values(known=True)
)
_IS_PARKED: Final = exists().where(_parked.c.desk == _ticket.c.desk, _parked.c.subject == _ticket.c.ticket)
_LONG_DUE: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(_ticket.c.next_at.is_not(None), _ticket.c.next_at < bindparam("before"), ~_IS_PARKED)
    .order_by(_ticket.c.next_at)
)
_SUBJECT_IS_PARKED: Final = exists().where(
    _parked.c.desk == _subject.c.desk, _parked.c.subject == _subject.c.subject
)
_LONG_DUE_SUBJECTS: Final = (
    select(_subject.c.desk, _subject.c.subject)
    .where(_subject.c.next_at.is_not(None), _subject.c.next_at < bindparam("before"), ~_SUBJECT_IS_PARKED)
    .order_by(_subject.c.next_at)
)
_SAMPLE: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(
        (_ticket.c.next_at.is_(None)) | (_ticket.c.next_at > bindparam("now")),
        ~_IS_PARKED,
        ~exists().where(_archived.c.desk == _ticket.c.desk, _archived.c.ticket == _ticket.c.ticket),
    )
    .order_by(func.random())
    .limit(bindparam("limit"))
)
_NEXT_DUE: Final = (
    select(_ticket.c.desk, _ticket.c.ticket)
    .where(_ticket.c.next_at > bindparam("now"), ~_IS_PARKED)
    .order_by(_ticket.c.next_at)
    .limit(bindparam("limit"))
)
_UNJUDGED: Final = (
    select(_event.c.desk, _event.c.ticket)
    .where(
        _event.c.ticket.is_not(None),
        ~exists().where(_ticket.c.desk == _event.c.desk, _ticket.c.ticket == _event.c.ticket),
        ~exists().where(_parked.c.desk == _event.c.desk, _parked.c.subject == _event.c.ticket),
    )
    .distinct()
)
# The row of the stream that reports the breach of a clock.
_REPORTS: Final[ColumnElement[bool]] = and_(
    _signal.c.desk == _clock.c.desk,
    _signal.c.subject == _clock.c.subject,
    _signal.c.commitment == _clock.c.commitment,
    _signal.c.cycle == _clock.c.cycle,
    IS_LATE,
    _signal.c.retracted_at.is_(None),
)
_CLOCK_NAME: Final = (_clock.c.desk, _clock.c.subject, _clock.c.commitment, _clock.c.cycle)
_UNRECORDED: Final = select(*_CLOCK_NAME).where(_clock.c.breached_at.is_not(None), ~exists().where(_REPORTS))
_OF_CLOCK: Final = _signal.c.kind.like(CLOCK + "%")
_RECORDED_TWICE: Final = (
    select(_signal.c.desk, _signal.c.subject, _signal.c.commitment, _signal.c.cycle)
    .where(IS_LATE, _signal.c.retracted_at.is_(None))
    .group_by(
        _signal.c.desk,
        _signal.c.subject,
        _signal.c.commitment,
        _signal.c.cycle,
        # A clock is late once; of a service each resource can be, which the occurrence names.
        case((_OF_CLOCK, ""), else_=_signal.c.occurrence),
    )
    .having(func.count() > 1)
)
_RECORDED_EARLY: Final = select(
    _signal.c.desk, _signal.c.subject, _signal.c.commitment, _signal.c.cycle
).where(or_(_OF_CLOCK, IS_LATE), _signal.c.detected_at < _signal.c.at)


def unread_events(conn: Connection, limit: int, before: int, desks: Desks = EVERY) -> list[UnreadEvent]:
    """The latest events of unknown types before a place in the log, of these desks."""
    query = _UNREAD.where(in_desks(_event.c.desk, desks))
    return [UnreadEvent(*row) for row in conn.execute(query, {"limit": limit, "before": before}).all()]


def tickets_with_unread_events(conn: Connection) -> list[SubjectKey]:
    """The tickets that have such events."""
    return _tickets(conn.execute(_TICKETS_WITH_UNREAD).all())


def learn_types(conn: Connection) -> int:
    """Mark events as known whose type has become known since they came. Returns how many."""
    return sum(conn.execute(_NOW_KNOWN, {"types": part}).rowcount for part in parts(sorted(KNOWN_TYPES)))


def overdue(conn: Connection, before: Micros) -> list[SubjectKey]:
    """What the sweep should have evaluated before this instant, parked subjects left out."""
    others = conn.execute(_LONG_DUE_SUBJECTS, {"before": before}).all()
    return [
        *_tickets(conn.execute(_LONG_DUE, {"before": before}).all()),
        *((row.desk, row.subject) for row in others),
    ]


def sample(conn: Connection, now: Micros, limit: int) -> list[SubjectKey]:
    """Random tickets of which nothing is due."""
    return _tickets(conn.execute(_SAMPLE, {"now": now, "limit": limit}).all())


def next_due(conn: Connection, now: Micros, limit: int) -> list[SubjectKey]:
    """The tickets that are due next, of which nothing is due yet."""
    return _tickets(conn.execute(_NEXT_DUE, {"now": now, "limit": limit}).all())


def unjudged(conn: Connection) -> list[SubjectKey]:
    """Tickets that have events and were never evaluated."""
    return _tickets(conn.execute(_UNJUDGED).all())


def unrecorded(conn: Connection) -> list[ClockName]:
    """Clocks that are late without a signal that stands and reports it."""
    return _clocks(conn.execute(_UNRECORDED).all())


def recorded_twice(conn: Connection) -> list[ClockName]:
    """Clocks that more than one valid signal reports as late."""
    return _clocks(conn.execute(_RECORDED_TWICE).all())


def recorded_early(conn: Connection) -> list[ClockName]:
    """Clocks of which something was recorded before it was true."""
    return _clocks(conn.execute(_RECORDED_EARLY).all())


def unguarded(conn: Connection) -> list[str]:
    """The tables that lack row-level security where the database has it."""
    return row_security.unguarded(conn) if dialect.has_many_writers(conn) else []


def passes_by_security(conn: Connection) -> bool:
    """Whether the service's role bypasses row-level security."""
    return dialect.has_many_writers(conn) and row_security.is_bypassed(conn)


def readable_files(conn: Connection) -> list[str]:
    """The database's files that other users of the machine may read, of SQLite."""
    return sqlite.readable_by_others(conn.engine.url.render_as_string(hide_password=False))


def risky_version(conn: Connection) -> str | None:
    """The version of the database engine when several writers could corrupt it; none when it is safe."""
    if dialect.has_many_writers(conn):
        return None
    version = sqlite.version()
    return None if version >= sqlite.SAFE_VERSION else ".".join(map(str, version))


def _tickets(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[SubjectKey]:
    return [(row.desk, Subject.parse(row.ticket)) for row in rows]


def _clocks(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[ClockName]:
    return [(row.desk, row.subject, row.commitment, row.cycle) for row in rows]
