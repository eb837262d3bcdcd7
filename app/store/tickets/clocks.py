"""Tickets and clocks as last evaluated: what lists filter by, and what the next evaluation is compared with.

The truth is always evaluated anew. `next_at` is a hint for the sweep; the revision is the guard: a ticket is written
only against the revision that was read. Instants are microseconds UTC.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import BindParameter, and_, bindparam, false, func, or_, select

from app.sla.clock.evaluation import Evaluation
from app.sla.clock.signals import LastRecorded
from app.sla.clock.transition import State
from app.sla.clock.view import ClockView
from app.sla.report.figures import ClockFigures, figures_of
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection, WriteContention, memoized
from app.store.engine.prepared import Prepared
from app.store.tables import NEVER
from app.store.tables import clock as _clock
from app.store.tables import ticket as _ticket

TicketKey = tuple[str, str]
"""(desk, ticket)."""


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """A ticket as last evaluated. `due_at` is the least due date of its running clocks, NEVER without one."""

    desk: str
    ticket: str
    revision: int
    evaluated_at: Micros
    next_at: Micros | None
    due_at: Micros
    version: int
    status: str
    created_at: Micros | None
    merged_into: str | None
    queue: str | None
    group_key: str | None
    customer: str | None
    organisation: str | None
    plan: str | None
    level: str | None
    priority: str | None
    category: str | None
    service: str | None
    kind: str | None
    assignee: str | None
    group: str | None
    title: str | None
    url: str | None
    known_since: Micros | None
    """When its first event was received; none when that is not known."""
    contract: str | None = None
    """The contract that it belongs to, else the one that it names."""
    contract_key: str | None = None
    """The contract that it names, casefolded; on desks with contracts only."""
    customer_key: str | None = None
    """Its customer, casefolded; on desks with contracts only."""
    is_reported: bool = True
    """False: a release without reports has evaluated it last."""

    @property
    def reported_revision(self) -> int:
        """The revision by which its clocks have what reports count: they are written with it."""
        return self.revision


@dataclass(frozen=True, slots=True)
class StoredClock:
    """A clock as last recorded."""

    commitment: str
    cycle: Micros
    state: str
    kind: str
    due_at: Micros | None
    breached_at: Micros | None
    met: bool | None
    started_at: Micros | None
    ended_at: Micros | None
    counted: Micros | None
    target_length: Micros | None
    late_cause: str | None
    first_pause: str | None

    @classmethod
    def of(cls, view: ClockView, figures: ClockFigures) -> "StoredClock":
        """What is stored of a view."""
        return cls(
            commitment=view.commitment,
            cycle=view.cycle_id,
            state=view.state.value,
            kind=view.kind.value,
            due_at=view.due_at,
            breached_at=view.breached_at,
            met=view.met,
            started_at=figures.started_at,
            ended_at=figures.ended_at,
            counted=figures.counted,
            target_length=figures.target_length,
            late_cause=figures.late_cause,
            first_pause=figures.first_pause,
        )

    @classmethod
    def all_of(cls, evaluation: Evaluation) -> "dict[ClockKey, StoredClock]":
        """What is stored of the clocks of an evaluation."""
        histories = evaluation.histories
        return {
            key: cls.of(view, figures_of(histories[key]))
            for view in evaluation.clocks
            for key in ((view.commitment, view.cycle_id),)
        }

    @property
    def last_recorded(self) -> LastRecorded:
        """What the next evaluation's due date is compared with."""
        return LastRecorded(State(self.state), self.due_at)


ClockKey = tuple[str, Micros]
"""A clock of a subject: (commitment, cycle)."""


_NO_TICKETS: Final = MappingProxyType[str, StoredTicket]({})
_TICKET_FIELDS: Final = tuple(f.name for f in fields(StoredTicket) if f.name != "is_reported")
_WRITTEN: Final = (*_TICKET_FIELDS, "reported_revision")
_CHANGED: Final = tuple(name for name in _WRITTEN if name not in ("desk", "ticket"))
_CLOCK_FIELDS: Final = tuple(f.name for f in fields(StoredClock))
_written: Final[Callable[[StoredTicket], tuple[Any, ...]]] = attrgetter(*_WRITTEN)
_changed: Final[Callable[[StoredTicket], tuple[Any, ...]]] = attrgetter(*_CHANGED)
_of_clock: Final[Callable[[StoredClock], tuple[Any, ...]]] = attrgetter(*_CLOCK_FIELDS)
_SOME: Final[BindParameter[Any]] = bindparam("tickets", expanding=True)

_REPORTED: Final = func.coalesce(_ticket.c.reported_revision == _ticket.c.revision, false())
_TICKETS: Final = Prepared(
    select(*(_ticket.c[name] for name in _TICKET_FIELDS), _REPORTED).where(
        _ticket.c.desk == bindparam("desk"), _ticket.c.ticket.in_(_SOME)
    )
)
_ASKED: Final = "tickets asked for"
_LOCKED: Final = "tickets locked"
"""Of the tickets asked for, those that had a row."""
_LOCK: Final = Prepared(
    select(_ticket.c.ticket)
    .where(_ticket.c.desk == bindparam("desk"), _ticket.c.ticket.in_(_SOME))
    .order_by(_ticket.c.ticket)
    .with_for_update()
)
_SOURCES: Final = Prepared(
    select(_ticket.c.ticket, _ticket.c.merged_into).where(
        _ticket.c.desk == bindparam("desk"),
        _ticket.c.merged_into.is_not(None),
        _ticket.c.merged_into.in_(_SOME),
    )
)
_CLOCKS: Final = Prepared(
    select(_clock.c.subject, *(_clock.c[name] for name in _CLOCK_FIELDS)).where(
        _clock.c.desk == bindparam("desk"), _clock.c.subject.in_(bindparam("subjects", expanding=True))
    )
)
_CLOCKS_SINCE: Final = select(*(_clock.c[name] for name in _CLOCK_FIELDS)).where(
    _clock.c.desk == bindparam("desk"),
    _clock.c.subject == bindparam("subject"),
    _clock.c.commitment == bindparam("commitment"),
    _clock.c.cycle >= bindparam("cycle"),
)
_INSERT_TICKET: Final = Prepared(_ticket.insert())
_THIS_REVISION: Final = (
    (_ticket.c.desk == bindparam("_desk"))
    & (_ticket.c.ticket == bindparam("_ticket"))
    & (_ticket.c.revision == bindparam("_read"))
)
_UPDATE_TICKET: Final = Prepared(
    _ticket.update().where(_THIS_REVISION).values({name: bindparam(name) for name in _CHANGED})
)
_TIMES: Final = ("revision", "evaluated_at", "next_at", "due_at", "version", "reported_revision")
"""What an evaluation changes of a ticket to which nothing has happened."""
_times: Final[Callable[[StoredTicket], tuple[Any, ...]]] = attrgetter(*_TIMES)
_UPDATE_TIMES: Final = Prepared(
    _ticket.update().where(_THIS_REVISION).values({name: bindparam(name) for name in _TIMES})
)
_facts: Final[Callable[[StoredTicket], tuple[Any, ...]]] = attrgetter(
    *(name for name in _TICKET_FIELDS if name not in _TIMES)
)
_THIS_CLOCK: Final = (
    (_clock.c.desk == bindparam("_desk"))
    & (_clock.c.subject == bindparam("_subject"))
    & (_clock.c.commitment == bindparam("_commitment"))
    & (_clock.c.cycle == bindparam("_cycle"))
)
_INSERT_CLOCK: Final = Prepared(_clock.insert())
_UPDATE_CLOCK: Final = Prepared(
    _clock.update()
    .where(_THIS_CLOCK)
    .values({name: bindparam(name) for name in _CLOCK_FIELDS if name not in ("commitment", "cycle")})
)
_BREACH: Final = ("breached_at", "met", "late_cause")
"""What a breach changes of a clock."""
_UPDATE_BREACH: Final = Prepared(
    _clock.update().where(_THIS_CLOCK).values({name: bindparam(name) for name in _BREACH})
)
_but_for_breach: Final[Callable[[StoredClock], tuple[Any, ...]]] = attrgetter(
    *(name for name in _CLOCK_FIELDS if name not in _BREACH)
)
_of_breach: Final[Callable[[StoredClock], tuple[Any, ...]]] = attrgetter(*_BREACH)
_DELETE_CLOCK: Final = Prepared(_clock.delete().where(_THIS_CLOCK))

_OPEN: Final = (
    select(_ticket.c.ticket)
    .where(_ticket.c.desk == bindparam("desk"), _ticket.c.status != "closed", _ticket.c.merged_into.is_(None))
    .order_by(_ticket.c.ticket)
)
_SINCE: Final = (
    select(_ticket.c.ticket)
    .where(_ticket.c.desk == bindparam("desk"), _ticket.c.evaluated_at >= bindparam("at"))
    .limit(1)
)
_OLDEST_OPEN: Final = select(
    func.min(_ticket.c.created_at), func.count(), func.count(_ticket.c.created_at)
).where(_ticket.c.desk == bindparam("desk"), _ticket.c.status != "closed")
_DUE_FROM: Final = (
    select(_clock.c.subject)
    .where(
        _clock.c.desk == bindparam("desk"),
        or_(
            _clock.c.due_at >= bindparam("due_at"),
            and_(_clock.c.due_at.is_(None), _clock.c.state == State.RUNNING.value),
        ),
    )
    .distinct()
)
_EVALUATED_BY: Final = select(_ticket.c.ticket).where(
    _ticket.c.desk == bindparam("desk"), _ticket.c.next_at <= bindparam("at")
)
_ALL: Final = select(_ticket.c.ticket).where(_ticket.c.desk == bindparam("desk")).order_by(_ticket.c.ticket)


def tickets(conn: Connection, desk: str, names: Iterable[str]) -> dict[str, StoredTicket]:
    """Those of these tickets that were evaluated before, as last evaluated."""
    found = (
        StoredTicket(*columns, is_reported=bool(is_reported))
        for part in parts(names)
        for *columns, is_reported in _TICKETS.rows(conn, {"desk": desk, "tickets": part})
    )
    return {each.ticket: each for each in found}


def lock(conn: Connection, keys: Iterable[TicketKey]) -> None:
    """Lock these tickets until the transaction ends, where several processes write.

    What is read of them afterwards is what the last writer left. Every transaction locks in the same order, so that no
    two wait for each other. A ticket without a row cannot be locked: of two transactions that insert it the second fails
    on its key, and is run again; one that appears before it is read is for `lock_appeared`. A ticket that this
    transaction has asked for before costs no further query.
    """
    if not dialect.has_many_writers(conn):
        return
    asked = memoized(conn, _ASKED, set[TicketKey])
    wanted = set(keys) - asked
    asked.update(wanted)
    _lock_rows(conn, wanted)


def lock_appeared(conn: Connection, keys: Iterable[TicketKey]) -> bool:
    """Lock those of these tickets that had no row when `lock` asked for them, and have one now. False: there is none.

    Another transaction has inserted them since. What was read of them before may be out of date.
    """
    if not dialect.has_many_writers(conn):
        return False
    wanted = set(keys) - memoized(conn, _LOCKED, set[TicketKey])
    _lock_rows(conn, wanted)
    return bool(wanted)


def _lock_rows(conn: Connection, keys: Iterable[TicketKey]) -> None:
    locked = memoized(conn, _LOCKED, set[TicketKey])
    by_desk: dict[str, list[str]] = {}
    for desk, ticket in sorted(keys):
        by_desk.setdefault(desk, []).append(ticket)
    for desk, names in by_desk.items():
        for part in parts(names):
            found = _LOCK.rows(conn, {"desk": desk, "tickets": part})
            locked.update((desk, row.ticket) for row in found)


def sources(conn: Connection, desk: str, targets: Iterable[str]) -> list[tuple[str, str]]:
    """The tickets that were merged into one of these, each as (source, target)."""
    return [
        (row.ticket, row.merged_into)
        for part in parts(targets)
        for row in _SOURCES.rows(conn, {"desk": desk, "tickets": part})
    ]


def clocks(
    conn: Connection, desk: str, subjects: Iterable[Subject]
) -> dict[Subject, dict[ClockKey, StoredClock]]:
    """The clocks of these subjects as last recorded."""
    found: dict[Subject, dict[ClockKey, StoredClock]] = {}
    for part in parts(subjects):
        for subject, *columns in _CLOCKS.rows(conn, {"desk": desk, "subjects": part}):
            stored = StoredClock(*columns)
            found.setdefault(subject, {})[stored.commitment, stored.cycle] = stored
    return found


def clocks_since(
    conn: Connection, desk: str, subject: Subject, cycles: Mapping[str, Micros]
) -> dict[ClockKey, StoredClock]:
    """The later clocks of a subject as last recorded; `cycles` says for each commitment from which cycle on."""
    given: dict[str, Any] = {"desk": desk, "subject": subject}
    return {
        (stored.commitment, stored.cycle): stored
        for commitment, cycle in cycles.items()
        for row in conn.execute(_CLOCKS_SINCE, {**given, "commitment": commitment, "cycle": cycle}).all()
        for stored in (StoredClock(*row),)
    }


def write_tickets(
    conn: Connection, rows: Iterable[StoredTicket], before: Mapping[str, StoredTicket] = _NO_TICKETS
) -> None:
    """Store tickets, each with its new revision. Raises WriteContention when another writer was first.

    `before`: the tickets as they were read. Of one to which nothing has happened since only the times are written: an
    UPDATE on SQLite writes every index of a column that it names, changed or not.
    """
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    passed: list[dict[str, Any]] = []
    for row in rows:
        if row.revision == 1:
            new.append(dict(zip(_WRITTEN, _written(row), strict=True)))
            continue
        this: dict[str, Any] = {"_desk": row.desk, "_ticket": row.ticket, "_read": row.revision - 1}
        read = before.get(row.ticket)
        if read is None or _facts(read) != _facts(row):
            this.update(zip(_CHANGED, _changed(row), strict=True))
            changed.append(this)
        else:
            this.update(zip(_TIMES, _times(row), strict=True))
            passed.append(this)
    if new:
        _INSERT_TICKET.write(conn, new)
    for statement, known in ((_UPDATE_TICKET, changed), (_UPDATE_TIMES, passed)):
        if known and statement.write(conn, known) != len(known):
            raise WriteContention("a ticket was changed by another writer")


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A subject's clocks before and after an evaluation, to be stored where they differ."""

    desk: str
    subject: Subject
    before: Mapping[ClockKey, StoredClock]
    after: Mapping[ClockKey, StoredClock]


def write_clocks(conn: Connection, changes: Iterable[ClockChange]) -> None:
    """Store the clocks that changed. One that a version or a withdrawn event took away is deleted.

    Of one that was breached and is otherwise as before only that is written: see `write_tickets`.
    """
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    breached: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for change in changes:
        of = {"_desk": change.desk, "_subject": change.subject}
        for (commitment, cycle), clock in change.after.items():
            before = change.before.get((commitment, cycle))
            if before == clock:
                continue
            this = {**of, "_commitment": commitment, "_cycle": cycle}
            if before is not None and _but_for_breach(before) == _but_for_breach(clock):
                breached.append({**this, **dict(zip(_BREACH, _of_breach(clock), strict=True))})
                continue
            values = dict(zip(_CLOCK_FIELDS, _of_clock(clock), strict=True))
            if before is None:
                new.append({"desk": change.desk, "subject": change.subject, **values})
            else:
                del values["commitment"], values["cycle"]
                changed.append({**this, **values})
        for commitment, cycle in change.before.keys() - change.after.keys():
            gone.append({**of, "_commitment": commitment, "_cycle": cycle})
    statements = (_INSERT_CLOCK, _UPDATE_CLOCK, _UPDATE_BREACH, _DELETE_CLOCK)
    for statement, rows in zip(statements, (new, changed, breached, gone), strict=True):
        if rows:
            statement.write(conn, rows)


def was_evaluated_since(conn: Connection, desk: str, at: Micros) -> bool:
    """Whether a ticket of the desk was evaluated at an instant or later."""
    return conn.execute(_SINCE, {"desk": desk, "at": at}).first() is not None


def oldest_open(conn: Connection, desk: str) -> Micros | None:
    """When the oldest ticket of a desk that is not closed was created; 0 when that is not known, None without any."""
    created_at, count, known = conn.execute(_OLDEST_OPEN, {"desk": desk}).one()
    return None if not count else created_at if known == count else 0


def due_from(conn: Connection, desk: str, due_at: Micros, at: Micros) -> set[str]:
    """The tickets with a clock that is due at an instant or later, or runs without a due date; and those that are to
    be evaluated by `at`."""
    given = {"desk": desk, "due_at": due_at}
    found = {subject.text for (subject,) in conn.execute(_DUE_FROM, given).all()}
    return found | set(conn.execute(_EVALUATED_BY, {"desk": desk, "at": at}).scalars())


def open_tickets(conn: Connection, desk: str) -> list[str]:
    """The tickets of a desk that are neither closed nor merged."""
    return list(conn.execute(_OPEN, {"desk": desk}).scalars())


def all_tickets(conn: Connection, desk: str) -> list[str]:
    """Every ticket of a desk that was ever evaluated."""
    return list(conn.execute(_ALL, {"desk": desk}).scalars())


def least_due(views: Iterable[ClockView]) -> Micros:
    """The least due date of the running clocks; NEVER when none runs."""
    running = (v.due_at for v in views if v.due_at is not None and v.state is State.RUNNING)
    return min(running, default=NEVER)
