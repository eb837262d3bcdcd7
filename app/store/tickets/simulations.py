"""Simulations: the tickets of a span, and each simulation from its start to its removal.

A running simulation has a heartbeat of the process that runs it. One whose heartbeat is too old was orphaned: that
process has ended. Only a running one is written to, so a cancellation by another process is never overwritten.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import BindParameter, RowMapping, and_, bindparam, null, select, tuple_

from app.principal import Desks
from app.sla.span import Micros, Span
from app.store.engine import dialect
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import simulation as _simulation
from app.store.tables import simulation_flip as _flip
from app.store.tables import ticket as _ticket

ORPHANED: Final = "the process that ran it ended before it was done, as in a restart; start it again"


class SimulationState(StrEnum):
    """How a simulation stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StoredSimulation:
    """A simulation. `reason` says why it failed or was cancelled; `result` is that of one that is done."""

    id: str
    desk: str
    state: SimulationState
    progress: float
    created_at: Micros
    heartbeat_at: Micros
    ended_at: Micros | None
    author: str | None
    question: dict[str, Any]
    result: dict[str, Any] | None = None
    reason: str | None = None

    def as_of(self, now: Micros, heartbeat_timeout: Micros) -> "StoredSimulation":
        """The same, failed where it is marked as running and its process is not heard of any more."""
        if self.state is not SimulationState.RUNNING or self.heartbeat_at + heartbeat_timeout >= now:
            return self
        ended_at = self.heartbeat_at
        return replace(self, state=SimulationState.FAILED, reason=ORPHANED, ended_at=ended_at)


_CREATED: Final = (
    select(_ticket.c.ticket)
    .where(
        _ticket.c.desk == bindparam("desk"),
        _ticket.c.created_at >= bindparam("start"),
        _ticket.c.created_at < bindparam("end"),
    )
    .order_by(_ticket.c.created_at, _ticket.c.ticket)
)
_FIND: Final = select(_simulation).where(_simulation.c.id == bindparam("id"))
_RUNNING: Final = select(_simulation).where(
    _simulation.c.desk == bindparam("desk"), _simulation.c.state == SimulationState.RUNNING.value
)
_INSERT: Final = _simulation.insert()
_OF_RUNNING: Final = and_(
    _simulation.c.id == bindparam("_id"), _simulation.c.state == SimulationState.RUNNING.value
)
_BEAT: Final = (
    _simulation.update().where(_OF_RUNNING).values(heartbeat_at=bindparam("at"), progress=bindparam("share"))
)
_END: Final = (
    _simulation.update()
    .where(_OF_RUNNING)
    .values(
        state=bindparam("to_state"),
        ended_at=bindparam("at"),
        result=bindparam("found"),
        reason=bindparam("why"),
    )
)
_DONE_PROGRESS: Final = _simulation.update().where(_simulation.c.id == bindparam("_id")).values(progress=1.0)
_INSERT_FLIPS: Final = _flip.insert()
_FLIPS: Final = (
    select(_flip.c.place, _flip.c.body)
    .where(_flip.c.simulation == bindparam("simulation"), _flip.c.place > bindparam("after"))
    .order_by(_flip.c.place)
    .limit(bindparam("limit"))
)
_ENDED: Final = (
    select(_simulation.c.id)
    .where(_simulation.c.desk == bindparam("desk"), _simulation.c.state != SimulationState.RUNNING.value)
    .order_by(_simulation.c.created_at.desc(), _simulation.c.id)
)
_OLD: Final = (
    select(_simulation.c.id)
    .where(
        _simulation.c.created_at < bindparam("before"), _simulation.c.state != SimulationState.RUNNING.value
    )
    .order_by(_simulation.c.created_at)
    .limit(bindparam("limit"))
)
_SOME: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_REMOVE: Final = (
    _flip.delete().where(_flip.c.simulation.in_(_SOME)),
    _simulation.delete().where(_simulation.c.id.in_(_SOME)),
)


def created_within(conn: Connection, desk: str, span: Span) -> list[str]:
    """The tickets of a desk that were created within a span, the oldest first."""
    given = {"desk": desk, "start": span.start, "end": span.end}
    return list(conn.execute(_CREATED, given).scalars())


def find(conn: Connection, simulation: str) -> StoredSimulation | None:
    """One simulation."""
    row = conn.execute(_FIND, {"id": simulation}).mappings().first()
    return None if row is None else _stored(row)


def listed(
    conn: Connection, desks: Desks, before: tuple[Any, ...] | None, limit: int
) -> list[StoredSimulation]:
    """Simulations of these desks without results, the latest first; those after `before`, an instant and an id."""
    key = (_simulation.c.created_at, _simulation.c.id)
    columns = [each for each in _simulation.c if each.name != "result"]
    query = select(*columns, null().label("result")).where(in_desks(_simulation.c.desk, desks))
    if before is not None:
        query = query.where(tuple_(*key) < before)
    rows = conn.execute(query.order_by(*(each.desc() for each in key)).limit(limit)).mappings()
    return [_stored(row) for row in rows]


def running(conn: Connection, desk: str) -> StoredSimulation | None:
    """The simulation of a desk that is marked as running."""
    row = conn.execute(_RUNNING, {"desk": desk}).mappings().first()
    return None if row is None else _stored(row)


def start(
    conn: Connection, simulation: str, desk: str, question: dict[str, Any], author: str | None, now: Micros
) -> None:
    """Insert a running simulation. The caller has checked, under `lock`, that the desk has no other."""
    conn.execute(
        _INSERT,
        {
            "id": simulation,
            "desk": desk,
            "state": SimulationState.RUNNING.value,
            "progress": 0.0,
            "created_at": now,
            "heartbeat_at": now,
            "author": author,
            "question": orjson.dumps(question).decode(),
        },
    )


def lock(conn: Connection, desk: str) -> None:
    """Lock the simulations of a desk until the transaction ends: of two that start at once one waits."""
    dialect.advisory_lock(conn, [f"simulation:{desk}"])


def beat(conn: Connection, simulation: str, progress: float, now: Micros) -> bool:
    """Record that its process runs, and how far it is. False: it is not running any more, as after a cancellation."""
    given = {"_id": simulation, "at": now, "share": progress}
    return conn.execute(_BEAT, given).rowcount == 1


def end(
    conn: Connection,
    simulation: str,
    state: SimulationState,
    now: Micros,
    *,
    result: dict[str, Any] | None = None,
    reason: str | None = None,
) -> bool:
    """End a running simulation. False: it had ended already, and stays as it was."""
    found = None if result is None else orjson.dumps(result).decode()
    given = {"_id": simulation, "to_state": state.value, "at": now, "found": found, "why": reason}
    ended = conn.execute(_END, given).rowcount == 1
    if ended and state is SimulationState.DONE:
        conn.execute(_DONE_PROGRESS, {"_id": simulation})
    return ended


def add_flips(
    conn: Connection, desk: str, simulation: str, first: int, flips: Sequence[dict[str, Any]]
) -> None:
    """Append flips to a result, from this place on."""
    if flips:
        conn.execute(
            _INSERT_FLIPS,
            [
                {"desk": desk, "simulation": simulation, "place": place, "body": orjson.dumps(flip).decode()}
                for place, flip in enumerate(flips, start=first)
            ],
        )


def flips(
    conn: Connection, simulation: str, after: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """The flips after a place, and the place to continue after; None at the end."""
    rows = conn.execute(_FLIPS, {"simulation": simulation, "after": after, "limit": limit + 1}).all()
    found = [orjson.loads(row.body) for row in rows[:limit]]
    return found, rows[limit - 1].place if len(rows) > limit else None


def remove_surplus(conn: Connection, desk: str, kept: int) -> None:
    """Remove the oldest simulations of a desk that have ended, beyond this many."""
    _remove(conn, list(conn.execute(_ENDED, {"desk": desk}).scalars())[kept:])


def remove_old(conn: Connection, before: Micros, limit: int) -> int:
    """Remove simulations that were asked for before an instant and have ended. Returns how many."""
    found = list(conn.execute(_OLD, {"before": before, "limit": limit}).scalars())
    _remove(conn, found)
    return len(found)


def _remove(conn: Connection, ids: Iterable[str]) -> None:
    wanted = list(ids)
    if wanted:
        for statement in _REMOVE:
            conn.execute(statement, {"ids": wanted})


def _stored(row: RowMapping) -> StoredSimulation:
    return StoredSimulation(
        id=row["id"],
        desk=row["desk"],
        state=SimulationState(row["state"]),
        progress=row["progress"],
        created_at=row["created_at"],
        heartbeat_at=row["heartbeat_at"],
        ended_at=row["ended_at"],
        author=row["author"],
        question=orjson.loads(row["question"]),
        result=None if row["result"] is None else orjson.loads(row["result"]),
        reason=row["reason"],
    )
