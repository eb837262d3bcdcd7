"""Breaches, missed objectives and lapsed deadlines as recorded, and who has acknowledged them.

A list is a keyset page, the latest first. It leaves retracted ones out unless they are asked for. Instants are
microseconds UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, select, tuple_

from app.principal import EVERY, Desks
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import acknowledgement as _acknowledgement
from app.store.tables import clock as _clock
from app.store.tables import signal as _signal
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.signals import IS_LATE


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person has seen a breach."""

    author: str
    note: str | None
    at: Micros


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach, miss or lapse as it was recorded, and its state now."""

    seq: int
    id: str
    desk: str
    subject: Subject
    at: Micros
    detected_at: Micros
    corrected_at: Micros | None
    retracted_at: Micros | None
    body: bytes
    clock_state: str | None
    """The state of its clock now; none when a version took the clock away."""
    acknowledgement: Acknowledgement | None


_BREACHES: Final = (
    select(
        _signal.c.seq,
        _signal.c.id,
        _signal.c.desk,
        _signal.c.subject,
        _signal.c.at,
        _signal.c.detected_at,
        _signal.c.corrected_at,
        _signal.c.retracted_at,
        _signal.c.body,
        _clock.c.state.label("clock_state"),
        _acknowledgement.c.author,
        _acknowledgement.c.note,
        _acknowledgement.c.at.label("acknowledged_at"),
    )
    .select_from(_signal)
    .outerjoin(
        _clock,
        and_(
            _clock.c.desk == _signal.c.desk,
            _clock.c.subject == _signal.c.subject,
            _clock.c.commitment == _signal.c.commitment,
            _clock.c.cycle == _signal.c.cycle,
        ),
    )
    .outerjoin(_acknowledgement, _acknowledgement.c.breach == _signal.c.id)
    .where(IS_LATE)
)
_ACKNOWLEDGE: Final = _acknowledgement.insert()
_ACKNOWLEDGED: Final = select(
    _acknowledgement.c.author, _acknowledgement.c.note, _acknowledgement.c.at
).where(_acknowledgement.c.breach == bindparam("breach"))


@dataclass(frozen=True, slots=True)
class BreachFilters:
    """Which breaches: at or after `since` and before `until`; `unsettled`: whether the clock still goes on.

    `retracted`: retracted ones too.
    """

    desks: Desks = EVERY
    since: Micros | None = None
    until: Micros | None = None
    unsettled: bool | None = None
    retracted: bool = False


def breaches(
    conn: Connection, filters: BreachFilters, cursor: str | None, limit: int
) -> tuple[list[Breach], str | None]:
    """A page of breaches, the latest first, and the cursor of the next page. Raises FaultyCursor."""
    key = (_signal.c.at, _signal.c.seq)
    query = _BREACHES.where(*_conditions(filters)).order_by(*(part.desc() for part in key)).limit(limit + 1)
    if cursor is not None:
        query = query.where(tuple_(*key) < key_of(cursor, int, int))
    found = [_breach(row) for row in conn.execute(query).all()]
    following = cursor_of(found[limit - 1].at, found[limit - 1].seq) if len(found) > limit else None
    return found[:limit], following


def _conditions(filters: BreachFilters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [in_desks(_signal.c.desk, filters.desks)]
    if filters.since is not None:
        wanted.append(_signal.c.at >= filters.since)
    if filters.until is not None:
        wanted.append(_signal.c.at < filters.until)
    if not filters.retracted:
        wanted.append(_signal.c.retracted_at.is_(None))
    if filters.unsettled is not None:
        goes_on = and_(
            _signal.c.retracted_at.is_(None),
            func.coalesce(_clock.c.state, "").in_(("awaiting", "running", "paused")),
        )
        wanted.append(goes_on if filters.unsettled else ~goes_on)
    return wanted


def breach(conn: Connection, breach_id: str) -> Breach | None:
    """One breach, by the id of its signal."""
    row = conn.execute(_BREACHES.where(_signal.c.id == breach_id)).first()
    return None if row is None else _breach(row)


def of_tickets(conn: Connection, desk: str, tickets: Iterable[str]) -> list[Breach]:
    """The breaches of these tickets of a desk that are not retracted, the latest first; by the key of the signals."""
    subjects = [Subject.parse(ticket) for ticket in tickets]
    if not subjects:
        return []
    query = _BREACHES.where(
        _signal.c.desk == desk, _signal.c.subject.in_(subjects), _signal.c.retracted_at.is_(None)
    ).order_by(_signal.c.at.desc(), _signal.c.seq.desc())
    return [_breach(row) for row in conn.execute(query).all()]


def _breach(row: Row[*tuple[Any, ...]]) -> Breach:
    seen = None if row.author is None else Acknowledgement(row.author, row.note, row.acknowledged_at)
    return Breach(
        seq=row.seq,
        id=row.id,
        desk=row.desk,
        subject=row.subject,
        at=row.at,
        detected_at=row.detected_at,
        corrected_at=row.corrected_at,
        retracted_at=row.retracted_at,
        body=row.body.encode(),
        clock_state=row.clock_state,
        acknowledgement=seen,
    )


def acknowledge(conn: Connection, breach_id: str, given: Acknowledgement) -> Acknowledgement:
    """Record that a person has seen a breach. Returns the acknowledgement that stands: the first."""
    first = conn.execute(_ACKNOWLEDGED, {"breach": breach_id}).first()
    if first is not None:
        return Acknowledgement(first.author, first.note, first.at)
    values = {"breach": breach_id, "author": given.author, "note": given.note, "at": given.at}
    conn.execute(_ACKNOWLEDGE, values)
    return given
