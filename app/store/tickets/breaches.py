"""Breaches, missed objectives and lapsed deadlines as recorded, and who has acknowledged them.

A list is a keyset page, the latest first. It leaves retracted ones out unless they are asked for. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, bindparam, exists, func, or_, select, tuple_

from app.principal import EVERY, Desks
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import acknowledgement as _acknowledgement
from app.store.tables import clock as _clock
from app.store.tables import signal as _signal
from app.store.tables import ticket as _ticket
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.signals import IS_LATE

_SEARCHED: Final = ("title", "ticket", "customer", "organisation")
_TICKET_FIELDS: Final = ("title", "url", "customer", "organisation", "assignee", "group", "plan", "contract")
_FILTERED: Final = ("assignee", "group", "customer")
_NO_FIELDS: Final[Mapping[str, str | None]] = dict.fromkeys(_TICKET_FIELDS)
_OPEN: Final = ("awaiting", "running", "paused")


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
        return self.retracted_at is None and self.clock_state in _OPEN


_SOURCES: Final = _signal.outerjoin(
    _clock,
    and_(
        _clock.c.desk == _signal.c.desk,
        _clock.c.subject == _signal.c.subject,
        _clock.c.commitment == _signal.c.commitment,
        _clock.c.cycle == _signal.c.cycle,
    ),
).outerjoin(_acknowledgement, _acknowledgement.c.breach == _signal.c.id)
_IS_ITS_TICKET: Final = and_(_ticket.c.desk == _signal.c.desk, _ticket.c.ticket == _signal.c.subject)
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
    .select_from(_SOURCES)
    .where(IS_LATE)
)
_ACKNOWLEDGE: Final = _acknowledgement.insert()
_ACKNOWLEDGED: Final = select(
    _acknowledgement.c.author, _acknowledgement.c.note, _acknowledgement.c.at
).where(_acknowledgement.c.breach == bindparam("breach"))


@dataclass(frozen=True, slots=True)
class BreachFilters:
    """Which breaches: at or after `since` and before `until`; `unsettled`: whether the clock still goes on.

    `retracted`: retracted ones too. `acknowledged`: whether anybody has taken it on. `kind` is the commitment's. `text`
    is searched in title, number, customer and organisation of the ticket.
    """

    desks: Desks = EVERY
    since: Micros | None = None
    until: Micros | None = None
    unsettled: bool | None = None
    retracted: bool = False
    acknowledged: bool | None = None
    commitment: str | None = None
    kind: str | None = None
    assignee: str | None = None
    group: str | None = None
    customer: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class BreachCounts:
    """How many breaches are valid, how many of these have a clock that goes on, and how many of those no one has taken
    on; and how many were retracted."""

    valid: int
    unsettled: int
    untaken: int
    retracted: int


def breaches(
    conn: Connection, filters: BreachFilters, cursor: str | None, limit: int
) -> tuple[list[Breach], str | None]:
    """A page of breaches, the latest first, and the cursor of the next page. Raises FaultyCursor."""
    key = (_signal.c.at, _signal.c.seq)
    query = _BREACHES.where(*_conditions(filters)).order_by(*(part.desc() for part in key)).limit(limit + 1)
    if cursor is not None:
        query = query.where(tuple_(*key) < key_of(cursor, int, int))
    found = _made(conn, conn.execute(query).all())
    following = cursor_of(found[limit - 1].at, found[limit - 1].seq) if len(found) > limit else None
    return found[:limit], following


def counts(conn: Connection, filters: BreachFilters) -> BreachCounts:
    """The counts of the breaches that match, whatever their state."""
    everything = replace(filters, unsettled=None, retracted=True, acknowledged=None)
    valid = _signal.c.retracted_at.is_(None)
    wanted = {
        "valid": valid,
        "unsettled": _GOES_ON,
        "untaken": and_(_GOES_ON, _acknowledgement.c.breach.is_(None)),
        "retracted": ~valid,
    }
    query = (
        select(*(func.count().filter(condition).label(name) for name, condition in wanted.items()))
        .select_from(_SOURCES)
        .where(IS_LATE, *_conditions(everything))
    )
    return BreachCounts(**conn.execute(query).mappings().one())


def choices(conn: Connection, desks: Desks, latest: int, limit: int) -> dict[str, list[str]]:
    """The values to filter by that the latest breaches have, by parameter: so many breaches, so many values of each."""
    recent = (
        select(_signal.c.commitment, *(_ticket.c[name] for name in _FILTERED))
        .select_from(_signal.outerjoin(_ticket, _IS_ITS_TICKET))
        .where(IS_LATE, in_desks(_signal.c.desk, desks))
        .order_by(_signal.c.at.desc(), _signal.c.seq.desc())
        .limit(latest)
        .cte("recent")
    )
    found: dict[str, list[str]] = {}
    for name in ("commitment", *_FILTERED):
        column = recent.c[name]
        query = select(column).distinct().where(column.is_not(None), column != "").order_by(column)
        found[name] = list(conn.execute(query.limit(limit)).scalars())
    return found


_GOES_ON: Final = and_(_signal.c.retracted_at.is_(None), func.coalesce(_clock.c.state, "").in_(_OPEN))


def _conditions(filters: BreachFilters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [in_desks(_signal.c.desk, filters.desks)]
    if filters.since is not None:
        wanted.append(_signal.c.at >= filters.since)
    if filters.until is not None:
        wanted.append(_signal.c.at < filters.until)
    if not filters.retracted:
        wanted.append(_signal.c.retracted_at.is_(None))
    if filters.unsettled is not None:
        wanted.append(_GOES_ON if filters.unsettled else ~_GOES_ON)
    if filters.acknowledged is not None:
        taken = _acknowledgement.c.breach.is_not(None)
        wanted.append(taken if filters.acknowledged else ~taken)
    return [*wanted, *_about_the_ticket(filters)]


def _about_the_ticket(filters: BreachFilters) -> list[ColumnElement[bool]]:
    """Conditions on the commitment, and on the ticket: those look it up by its key, and leave the plan as it is."""
    equal = {_signal.c.commitment: filters.commitment, _signal.c.commitment_kind: filters.kind}
    wanted: list[ColumnElement[bool]] = [column == each for column, each in equal.items() if each is not None]
    given = {name: getattr(filters, name) for name in _FILTERED}
    of_ticket: list[ColumnElement[bool]] = [
        _ticket.c[name] == value for name, value in given.items() if value is not None
    ]
    if filters.text is not None:
        text = filters.text.lower()
        of_ticket.append(
            or_(*(func.lower(_ticket.c[name]).contains(text, autoescape=True) for name in _SEARCHED))
        )
    return [*wanted, exists().where(_IS_ITS_TICKET, *of_ticket)] if of_ticket else wanted


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
