"""How did a ticket's own system show it, at which instants?

For systems that send the whole ticket each time: a change is what two neighbours in time differ in. The rule it guards:
a snapshot is kept under what it says and when, so one that comes twice is there once, and its neighbours are the same
whatever came first. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Row, and_, bindparam, or_, select

from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.tables import snapshot as _snapshot


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A ticket at an instant. `digest` tells two of one instant apart and orders them."""

    system: str
    ticket: str
    at: Micros
    digest: str
    created_at: Micros | None
    state: Mapping[str, Any]

    @property
    def origin(self) -> str:
        """What the events that it says are kept under."""
        return f"snapshot:{self.system}:{self.ticket}:{self.at}:{self.digest}"


_FIELDS: Final = (
    _snapshot.c.system,
    _snapshot.c.ticket,
    _snapshot.c.at,
    _snapshot.c.digest,
    _snapshot.c.created_at,
    _snapshot.c.state,
)
_OF_TICKET: Final = and_(
    _snapshot.c.desk == bindparam("_desk"),
    _snapshot.c.system == bindparam("_system"),
    _snapshot.c.ticket == bindparam("_ticket"),
)
_THIS: Final = and_(
    _OF_TICKET, _snapshot.c.at == bindparam("_at"), _snapshot.c.digest == bindparam("_digest")
)
_BEFORE: Final = (
    select(*_FIELDS)
    .where(
        _OF_TICKET,
        or_(
            _snapshot.c.at < bindparam("_at"),
            and_(_snapshot.c.at == bindparam("_at"), _snapshot.c.digest < bindparam("_digest")),
        ),
    )
    .order_by(_snapshot.c.at.desc(), _snapshot.c.digest.desc())
    .limit(1)
)
_FROM: Final = (
    select(*_FIELDS)
    .where(
        _OF_TICKET,
        or_(
            _snapshot.c.at > bindparam("_at"),
            and_(_snapshot.c.at == bindparam("_at"), _snapshot.c.digest >= bindparam("_digest")),
        ),
    )
    .order_by(_snapshot.c.at, _snapshot.c.digest)
    .limit(2)
)
_OF_HOOK: Final = select(*_FIELDS).where(
    _snapshot.c.hook == bindparam("hook"), _snapshot.c.desk == bindparam("_desk")
)
_INSERT: Final = _snapshot.insert()
_DELETE: Final = _snapshot.delete().where(_THIS)


@dataclass(frozen=True, slots=True)
class ChainPosition:
    """What is next to a snapshot in time, whether or not that one is `known` itself."""

    before: StoredSnapshot | None
    after: StoredSnapshot | None
    known: bool


def position(conn: Connection, desk: str, snapshot: StoredSnapshot) -> ChainPosition:
    """The snapshots of the same ticket next before and next after this one."""
    key = _key(desk, snapshot)
    before = conn.execute(_BEFORE, key).first()
    later = [_stored(row) for row in conn.execute(_FROM, key).all()]
    known = bool(later) and later[0].origin == snapshot.origin
    after = later[1:2] if known else later[:1]
    return ChainPosition(None if before is None else _stored(before), after[0] if after else None, known)


def add(conn: Connection, desk: str, snapshot: StoredSnapshot, hook: str) -> None:
    """Keep a snapshot that this delivery brought and that is not known yet."""
    conn.execute(
        _INSERT,
        {
            "desk": desk,
            "system": snapshot.system,
            "ticket": snapshot.ticket,
            "at": snapshot.at,
            "digest": snapshot.digest,
            "created_at": snapshot.created_at,
            "state": orjson.dumps(snapshot.state).decode(),
            "hook": hook,
        },
    )


def of_hook(conn: Connection, desk: str, hook: str) -> list[StoredSnapshot]:
    """The snapshots that a delivery brought first."""
    return [_stored(row) for row in conn.execute(_OF_HOOK, {"hook": hook, "_desk": desk}).all()]


def remove(conn: Connection, desk: str, snapshot: StoredSnapshot) -> None:
    """Forget a snapshot: its delivery is read otherwise now."""
    conn.execute(_DELETE, _key(desk, snapshot))


def _key(desk: str, snapshot: StoredSnapshot) -> dict[str, object]:
    return {
        "_desk": desk,
        "_system": snapshot.system,
        "_ticket": snapshot.ticket,
        "_at": snapshot.at,
        "_digest": snapshot.digest,
    }


_Row = Row[Any, Any, Any, Any, Any, Any]


def _stored(row: _Row) -> StoredSnapshot:
    system, ticket, at, digest, created_at, state = row
    return StoredSnapshot(system, ticket, at, digest, created_at, orjson.loads(state))
