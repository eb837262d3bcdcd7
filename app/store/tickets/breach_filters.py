"""Which breaches a list has: the filters as conditions, the counts of what matches, and the values to filter by.

Instants are microseconds UTC.
"""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from app.principal import EVERY, Desks
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import acknowledgement as _acknowledgement
from app.store.tables import clock as _clock
from app.store.tables import signal as _signal
from app.store.tables import ticket as _ticket
from app.store.tickets.signals import IS_LATE

_SEARCHED: Final = ("title", "ticket", "customer", "organisation")
_FILTERED: Final = ("assignee", "group", "customer")
OPEN: Final = ("awaiting", "running", "paused")
"""States of a clock that goes on."""

SOURCES: Final = _signal.outerjoin(
    _clock,
    and_(
        _clock.c.desk == _signal.c.desk,
        _clock.c.subject == _signal.c.subject,
        _clock.c.commitment == _signal.c.commitment,
        _clock.c.cycle == _signal.c.cycle,
    ),
).outerjoin(_acknowledgement, _acknowledgement.c.breach == _signal.c.id)
"""Signals with their clocks and acknowledgements."""
_IS_ITS_TICKET: Final = and_(_ticket.c.desk == _signal.c.desk, _ticket.c.ticket == _signal.c.subject)

_GOES_ON: Final = and_(_signal.c.retracted_at.is_(None), func.coalesce(_clock.c.state, "").in_(OPEN))


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
        .select_from(SOURCES)
        .where(IS_LATE, *conditions(everything))
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


def conditions(filters: BreachFilters) -> list[ColumnElement[bool]]:
    """The filters as conditions on `SOURCES`, all of which must be true."""
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
