"""How did each ticket and its clocks stand when last told of?

Rows that lists filter by and that the next telling is compared with; the truth is always evaluated anew. Two rules
it guards: `next_at` is a hint and the revision is the guard, so a row is written only against the revision that was
read. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import BindParameter, Row, bindparam, select

from app.sla.clock.signals import LastRecorded
from app.sla.clock.transition import State
from app.sla.clock.view import ClockView
from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection, WriteContention, memoized
from app.store.tables import NEVER
from app.store.tables import clock as _clock
from app.store.tables import ticket as _ticket


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
    known_since: Micros | None
    """When the first fact of it was received; none when that is not known."""


@dataclass(frozen=True, slots=True)
class StoredClock:
    """A clock as it was when last told of."""

    commitment: str
    cycle: Micros
    state: str
    kind: str
    due_at: Micros | None
    breached_at: Micros | None
    met: bool | None

    @classmethod
    def of(cls, view: ClockView) -> "StoredClock":
        """What is kept of a view."""
        return cls(
            view.commitment,
            view.cycle_id,
            view.state.value,
            view.kind.value,
            view.due_at,
            view.breached_at,
            view.met,
        )

    @property
    def last_recorded(self) -> LastRecorded:
        """What the next telling is compared with."""
        return LastRecorded(State(self.state), self.due_at)


ClockKey = tuple[str, Micros]
"""A clock of a ticket: (commitment, cycle)."""


_TICKET_FIELDS: Final = tuple(f.name for f in fields(StoredTicket))
_CLOCK_FIELDS: Final = tuple(f.name for f in fields(StoredClock))
_SOME: Final[BindParameter[Any]] = bindparam("tickets", expanding=True)

_TICKETS: Final = select(*(_ticket.c[name] for name in _TICKET_FIELDS)).where(
    _ticket.c.desk == bindparam("desk"), _ticket.c.ticket.in_(_SOME)
)
_HOLD: Final = (
    select(_ticket.c.ticket)
    .where(_ticket.c.desk == bindparam("desk"), _ticket.c.ticket.in_(_SOME))
    .order_by(_ticket.c.ticket)
)
_SOURCES: Final = select(_ticket.c.ticket, _ticket.c.merged_into).where(
    _ticket.c.desk == bindparam("desk"),
    _ticket.c.merged_into.is_not(None),
    _ticket.c.merged_into.in_(_SOME),
)
_CLOCKS: Final = select(_clock.c.ticket, *(_clock.c[name] for name in _CLOCK_FIELDS)).where(
    _clock.c.desk == bindparam("desk"), _clock.c.ticket.in_(_SOME)
)
_INSERT_TICKET: Final = _ticket.insert()
_UPDATE_TICKET: Final = (
    _ticket.update()
    .where(
        _ticket.c.desk == bindparam("_desk"),
        _ticket.c.ticket == bindparam("_ticket"),
        _ticket.c.revision == bindparam("_read"),
    )
    .values({name: bindparam(name) for name in _TICKET_FIELDS if name not in ("desk", "ticket")})
)
_THIS_CLOCK: Final = (
    (_clock.c.desk == bindparam("_desk"))
    & (_clock.c.ticket == bindparam("_ticket"))
    & (_clock.c.commitment == bindparam("_commitment"))
    & (_clock.c.cycle == bindparam("_cycle"))
)
_INSERT_CLOCK: Final = _clock.insert()
_UPDATE_CLOCK: Final = (
    _clock.update()
    .where(_THIS_CLOCK)
    .values({name: bindparam(name) for name in ("state", "kind", "due_at", "breached_at", "met")})
)
_DELETE_CLOCK: Final = _clock.delete().where(_THIS_CLOCK)

_OPEN: Final = (
    select(_ticket.c.ticket)
    .where(_ticket.c.desk == bindparam("desk"), _ticket.c.status != "closed", _ticket.c.merged_into.is_(None))
    .order_by(_ticket.c.ticket)
)
_ALL: Final = select(_ticket.c.ticket).where(_ticket.c.desk == bindparam("desk")).order_by(_ticket.c.ticket)


def _stored_ticket(row: Row[Any]) -> StoredTicket:
    return StoredTicket(*row)


def tickets(conn: Connection, desk: str, names: Iterable[str]) -> dict[str, StoredTicket]:
    """Of these tickets the ones that were evaluated before, as they stood then."""
    return {
        stored.ticket: stored
        for part in parts(names)
        for stored in map(_stored_ticket, conn.execute(_TICKETS, {"desk": desk, "tickets": part}).all())
    }


def lock(conn: Connection, keys: Iterable[tuple[str, str]]) -> None:
    """Have these tickets, (desk, ticket), to oneself until the transaction ends, where others write as well.

    What is read of them afterwards is what the last writer left. All who hold several do it in the same order, so that
    no two wait for each other. A ticket that is not there yet is nobody's: of two who make it the second is refused,
    and does the same again.
    """
    if not dialect.has_many_writers(conn):
        return
    held = memoized(conn, "tickets held", set[tuple[str, str]])
    by_desk: dict[str, list[str]] = {}
    for desk, ticket in sorted(set(keys) - held):
        by_desk.setdefault(desk, []).append(ticket)
    for desk, names in by_desk.items():
        for part in parts(names):
            found = conn.execute(dialect.for_update(conn, _HOLD), {"desk": desk, "tickets": part})
            held.update((desk, ticket) for ticket in found.scalars())


def sources(conn: Connection, desk: str, targets: Iterable[str]) -> list[tuple[str, str]]:
    """The tickets that were merged into one of these, each with its target."""
    return [
        (source, target)
        for part in parts(targets)
        for source, target in conn.execute(_SOURCES, {"desk": desk, "tickets": part}).all()
    ]


def clocks(conn: Connection, desk: str, names: Iterable[str]) -> dict[str, dict[ClockKey, StoredClock]]:
    """The clocks of these tickets as they were last told of."""
    found: dict[str, dict[ClockKey, StoredClock]] = {}
    for part in parts(names):
        for ticket, *rest in conn.execute(_CLOCKS, {"desk": desk, "tickets": part}).all():
            stored = StoredClock(*rest)
            found.setdefault(ticket, {})[stored.commitment, stored.cycle] = stored
    return found


def write_tickets(conn: Connection, rows: Sequence[StoredTicket]) -> None:
    """Store tickets, each with its new revision. Raises Raced when another writer was quicker."""
    values = [{name: getattr(row, name) for name in _TICKET_FIELDS} for row in rows]
    new = [value for value in values if value["revision"] == 1]
    known = [_against_revision(value) for value in values if value["revision"] != 1]
    if new:
        conn.execute(_INSERT_TICKET, new)
    if known and dialect.row_count(conn.execute(_UPDATE_TICKET, known), len(known)) != len(known):
        raise WriteContention("a ticket was changed by another writer")


def _against_revision(value: Mapping[str, Any]) -> dict[str, Any]:
    known = dict(value)
    known["_desk"], known["_ticket"] = known.pop("desk"), known.pop("ticket")
    known["_read"] = known["revision"] - 1
    return known


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A ticket's clocks before and after, to be stored where they differ."""

    desk: str
    ticket: str
    before: Mapping[ClockKey, StoredClock]
    after: Mapping[ClockKey, StoredClock]


def write_clocks(conn: Connection, changes: Iterable[ClockChange]) -> None:
    """Store what became of the clocks. A clock that is no more, by a version or a withdrawn fact, goes."""
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for change in changes:
        of = {"_desk": change.desk, "_ticket": change.ticket}
        for (commitment, cycle), clock in change.after.items():
            before = change.before.get((commitment, cycle))
            if before == clock:
                continue
            values: dict[str, Any] = {
                "state": clock.state,
                "kind": clock.kind,
                "due_at": clock.due_at,
                "breached_at": clock.breached_at,
                "met": clock.met,
            }
            if before is None:
                key = {"desk": change.desk, "ticket": change.ticket, "commitment": commitment, "cycle": cycle}
                new.append(key | values)
            else:
                changed.append({**of, "_commitment": commitment, "_cycle": cycle, **values})
        for commitment, cycle in change.before.keys() - change.after.keys():
            gone.append({**of, "_commitment": commitment, "_cycle": cycle})
    for statement, rows in ((_INSERT_CLOCK, new), (_UPDATE_CLOCK, changed), (_DELETE_CLOCK, gone)):
        if rows:
            conn.execute(statement, rows)


def open_tickets(conn: Connection, desk: str) -> list[str]:
    """The tickets of a desk that are neither closed nor merged."""
    return [row[0] for row in conn.execute(_OPEN, {"desk": desk}).all()]


def all_tickets(conn: Connection, desk: str) -> list[str]:
    """Every ticket of a desk that was ever judged."""
    return [row[0] for row in conn.execute(_ALL, {"desk": desk}).all()]


def least_due(views: Iterable[ClockView]) -> Micros:
    """The least due date of the running clocks; NEVER when none runs."""
    running = (v.due_at for v in views if v.due_at is not None and v.state is State.RUNNING)
    return min(running, default=NEVER)
