"""Breaches, missed objectives and lapsed deadlines as recorded, and who has acknowledged them.

A list is a keyset page, the latest first. It leaves retracted ones out unless they are asked for. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, tuple_

from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import acknowledgement as _acknowledgement
from app.store.tables import clock as _clock
from app.store.tables import signal as _signal
from app.store.tables import ticket as _ticket
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.breach_filters import OPEN, SOURCES, BreachFilters, conditions
from app.store.tickets.signals import IS_LATE

_TICKET_FIELDS: Final = ("title", "url", "customer", "organisation", "assignee", "group", "plan", "contract")
_NO_FIELDS: Final[Mapping[str, str | None]] = dict.fromkeys(_TICKET_FIELDS)


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
    commitment: str
    cycle: Micros
    at: Micros
    detected_at: Micros
    corrected_at: Micros | None
    retracted_at: Micros | None
    body: bytes
    clock_state: str | None
    """The state of its clock now; none when a version took the clock away."""
    acknowledgement: Acknowledgement | None
    late_cause: str | None
    """Why its clock was late, as reports count it; none until the ticket was evaluated by a release that knows it."""
    clock_ended_at: Micros | None
    fields: Mapping[str, str | None]
    """Of its ticket as it is now: title, url, customer, organisation, assignee, group, plan, contract."""

    @property
    def true_at(self) -> Micros:
        """When it was late: as corrected, where the record was."""
        return self.at if self.corrected_at is None else self.corrected_at

    @property
    def is_open(self) -> bool:
        """Whether its clock goes on and it is not retracted."""
        return self.retracted_at is None and self.clock_state in OPEN


_BREACHES: Final = (
    select(
        _signal.c.seq,
        _signal.c.id,
        _signal.c.desk,
        _signal.c.subject,
        _signal.c.commitment,
        _signal.c.cycle,
        _signal.c.at,
        _signal.c.detected_at,
        _signal.c.corrected_at,
        _signal.c.retracted_at,
        _signal.c.body,
        _clock.c.state.label("clock_state"),
        _clock.c.late_cause,
        _clock.c.ended_at,
        _acknowledgement.c.author,
        _acknowledgement.c.note,
        _acknowledgement.c.at.label("acknowledged_at"),
    )
    .select_from(SOURCES)
    .where(IS_LATE)
)
_ACKNOWLEDGE: Final = _acknowledgement.insert()
_ACKNOWLEDGED: Final = select(
    _acknowledgement.c.author, _acknowledgement.c.note, _acknowledgement.c.at
).where(_acknowledgement.c.breach == bindparam("breach"))


def breaches(
    conn: Connection, filters: BreachFilters, cursor: str | None, limit: int
) -> tuple[list[Breach], str | None]:
    """A page of breaches, the latest first, and the cursor of the next page. Raises FaultyCursor."""
    key = (_signal.c.at, _signal.c.seq)
    query = _BREACHES.where(*conditions(filters)).order_by(*(part.desc() for part in key)).limit(limit + 1)
    if cursor is not None:
        query = query.where(tuple_(*key) < key_of(cursor, int, int))
    found = _made(conn, conn.execute(query).all())
    following = cursor_of(found[limit - 1].at, found[limit - 1].seq) if len(found) > limit else None
    return found[:limit], following


def breach(conn: Connection, breach_id: str) -> Breach | None:
    """One breach, by the id of its signal."""
    row = conn.execute(_BREACHES.where(_signal.c.id == breach_id)).first()
    return None if row is None else _made(conn, [row])[0]


def of_tickets(conn: Connection, desk: str, tickets: Iterable[str]) -> list[Breach]:
    """The breaches of these tickets of a desk that are not retracted, the latest first; by the key of the signals."""
    subjects = [Subject.parse(ticket) for ticket in tickets]
    if not subjects:
        return []
    query = _BREACHES.where(
        _signal.c.desk == desk, _signal.c.subject.in_(subjects), _signal.c.retracted_at.is_(None)
    ).order_by(_signal.c.at.desc(), _signal.c.seq.desc())
    return _made(conn, conn.execute(query).all())


def _made(conn: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Breach]:
    """The breaches of these rows, with the fields of their tickets."""
    by_desk: dict[str, set[str]] = {}
    for row in rows:
        by_desk.setdefault(row.desk, set()).add(row.subject.text)
    fields: dict[tuple[str, str], Mapping[str, str | None]] = {}
    for desk, tickets in by_desk.items():
        for part in parts(sorted(tickets)):
            query = select(_ticket.c.ticket, *(_ticket.c[name] for name in _TICKET_FIELDS)).where(
                _ticket.c.desk == desk, _ticket.c.ticket.in_(part)
            )
            for ticket, *values in conn.execute(query).all():
                fields[desk, ticket] = dict(zip(_TICKET_FIELDS, values, strict=True))
    return [_breach(row, fields.get((row.desk, row.subject.text), _NO_FIELDS)) for row in rows]


def _breach(row: Row[*tuple[Any, ...]], fields: Mapping[str, str | None]) -> Breach:
    seen = None if row.author is None else Acknowledgement(row.author, row.note, row.acknowledged_at)
    return Breach(
        seq=row.seq,
        id=row.id,
        desk=row.desk,
        subject=row.subject,
        commitment=row.commitment,
        cycle=row.cycle,
        at=row.at,
        detected_at=row.detected_at,
        corrected_at=row.corrected_at,
        retracted_at=row.retracted_at,
        body=row.body.encode(),
        clock_state=row.clock_state,
        acknowledgement=seen,
        late_cause=row.late_cause,
        clock_ended_at=row.ended_at,
        fields=fields,
    )


def acknowledge(conn: Connection, breach_id: str, given: Acknowledgement) -> Acknowledgement:
    """Record that a person has seen a breach. Returns the acknowledgement that stands: the first."""
    first = conn.execute(_ACKNOWLEDGED, {"breach": breach_id}).first()
    if first is not None:
        return Acknowledgement(first.author, first.note, first.at)
    values = {"breach": breach_id, "author": given.author, "note": given.note, "at": given.at}
    conn.execute(_ACKNOWLEDGE, values)
    return given
