"""Store of ticket snapshots: the state of a ticket in its own system at an instant.

For systems that send the whole ticket: a change is the difference between two consecutive snapshots. A snapshot is
stored under its content and instant, so a repetition is stored once, and the chain is the same in any order of arrival.
The marks of a monitor's episodes are stored in the same way, under their series in place of a ticket. Instants are
microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Row, and_, bindparam, func, literal_column, or_, select

from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.tables import snapshot as _snapshot


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A ticket at an instant. `digest` distinguishes and orders those of one instant."""

    system: str
    ticket: str
    at: Micros
    digest: str
    created_at: Micros | None
    state: Mapping[str, Any]

    @property
    def origin(self) -> str:
        """The origin under which its events are stored."""
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
_PLACE_BEFORE: Final = or_(
    _snapshot.c.at < bindparam("_at"),
    and_(_snapshot.c.at == bindparam("_at"), _snapshot.c.digest < bindparam("_digest")),
)
_PLACE_AFTER: Final = or_(
    _snapshot.c.at > bindparam("_at"),
    and_(_snapshot.c.at == bindparam("_at"), _snapshot.c.digest > bindparam("_digest")),
)
_BEFORE: Final = (
    select(*_FIELDS)
    .where(_OF_TICKET, _PLACE_BEFORE)
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
# The first character of a mark's digest is its kind; see `app.intake.mapping.episode`.
_KIND: Final = func.substr(_snapshot.c.digest, 1, 1)
_FIRES: Final[ColumnElement[str]] = literal_column("'1'")
_PLACE: Final = select(_snapshot.c.at, _snapshot.c.digest)
_LAST_END: Final = (
    _PLACE.where(_OF_TICKET, _PLACE_BEFORE, _KIND != _FIRES)
    .order_by(_snapshot.c.at.desc(), _snapshot.c.digest.desc())
    .limit(1)
)
_FIRST_END: Final = (
    _PLACE.where(_OF_TICKET, _PLACE_AFTER, _KIND != _FIRES)
    .order_by(_snapshot.c.at, _snapshot.c.digest)
    .limit(1)
)
_BETWEEN: Final = (
    select(*_FIELDS)
    .where(
        _OF_TICKET,
        _snapshot.c.at >= bindparam("_from"),
        _snapshot.c.at <= bindparam("_to"),
    )
    .order_by(_snapshot.c.at, _snapshot.c.digest)
)
_INSERT: Final = _snapshot.insert()
_LATEST: Final = 2**63 - 1
_DELETE: Final = _snapshot.delete().where(_THIS)


@dataclass(frozen=True, slots=True)
class ChainPosition:
    """The position of a snapshot in its ticket's chain: the previous, the following, and whether it is `stored`."""

    previous: StoredSnapshot | None
    following: StoredSnapshot | None
    stored: bool


def position(conn: Connection, desk: str, snapshot: StoredSnapshot) -> ChainPosition:
    """The position of a snapshot among those of its ticket, by (at, digest)."""
    key = _key(desk, snapshot)
    before = conn.execute(_BEFORE, key).first()
    later = [_stored(row) for row in conn.execute(_FROM, key).all()]
    stored = bool(later) and later[0].origin == snapshot.origin
    following = later[1:2] if stored else later[:1]
    return ChainPosition(
        None if before is None else _stored(before), following[0] if following else None, stored
    )


def episode_around(conn: Connection, desk: str, mark: StoredSnapshot) -> list[StoredSnapshot]:
    """The stored marks of a series after the last end before this place, up to and with the first end after it.

    The mark itself is among them if it is stored. These are all whose events depend on it.
    """
    key = _key(desk, mark)
    before, after = conn.execute(_LAST_END, key).first(), conn.execute(_FIRST_END, key).first()
    first = (-1, "") if before is None else (before.at, before.digest)
    last = (_LATEST, "") if after is None else (after.at, after.digest)
    rows = conn.execute(_BETWEEN, {**key, "_from": first[0], "_to": last[0]}).all()
    return [each for each in map(_stored, rows) if first < (each.at, each.digest) <= last]


def add(conn: Connection, desk: str, snapshot: StoredSnapshot, hook: str) -> None:
    """Store a snapshot that this request brought and that is not stored yet."""
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
    """The snapshots that a request brought first."""
    return [_stored(row) for row in conn.execute(_OF_HOOK, {"hook": hook, "_desk": desk}).all()]


def remove(conn: Connection, desk: str, snapshot: StoredSnapshot) -> None:
    """Delete a snapshot: its request is read otherwise now."""
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
