"""Store of connections: the ticket systems that may send to a desk, and the secrets that sign their webhooks.

A signature is verified with the secret itself, so secrets are stored to be read again: encrypted by the vault where it
has a key, else readable. A replaced secret stays valid for an overlap, so that no request is refused meanwhile.
Instants are microseconds UTC.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Row, bindparam, select

from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection
from app.store.engine.vault import vault
from app.store.tables import connection as _connection


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret. `until`: when it stops being valid; none while it is the newest."""

    text: str
    until: Micros | None = None


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connected system. Its secrets are in order, newest first."""

    desk: str
    system: str
    secrets: tuple[Secret, ...]
    created_at: Micros
    changed_at: Micros

    def live(self, now: Micros) -> tuple[str, ...]:
        """The secrets that are valid now, newest first."""
        return tuple(one.text for one in self.secrets if one.until is None or one.until > now)


_FIELDS: Final = (
    _connection.c.desk,
    _connection.c.system,
    _connection.c.secrets,
    _connection.c.created_at,
    _connection.c.changed_at,
)
_THIS: Final = (_connection.c.desk == bindparam("_desk"), _connection.c.system == bindparam("_system"))
_FIND: Final = select(*_FIELDS).where(*_THIS)
_LIST: Final = select(*_FIELDS).order_by(_connection.c.desk, _connection.c.system)
_INSERT: Final = _connection.insert()
_UPDATE: Final = (
    _connection.update()
    .where(*_THIS)
    .values(secrets=bindparam("secrets"), changed_at=bindparam("changed_at"))
)


def find(conn: Connection, desk: str, system: str) -> StoredConnection | None:
    """The connection of a system to a desk, if there is one."""
    row = conn.execute(_FIND, {"_desk": desk, "_system": system}).first()
    return None if row is None else _stored(conn, row)


def listed(conn: Connection) -> list[StoredConnection]:
    """Every connection, by desk and system."""
    return [_stored(conn, row) for row in conn.execute(_LIST).all()]


def add_secret(
    conn: Connection, desk: str, system: str, secret: str, now: Micros, *, overlap: Micros
) -> StoredConnection:
    """Make this secret the newest of the connection, which is created if there is none.

    Those before it stay valid for `overlap`, or for the time that they have left. A secret that is there already becomes
    the newest again.
    """
    before = find(conn, desk, system)
    if before is None:
        made = StoredConnection(desk, system, (Secret(secret),), now, now)
        conn.execute(
            _INSERT,
            {
                "desk": desk,
                "system": system,
                "secrets": sealed(conn, made.secrets),
                "created_at": now,
                "changed_at": now,
            },
        )
        audit.record(conn, Action.CONNECTION_CREATED, [desk], system)
        return made
    secrets = with_newest(before.secrets, secret, now, overlap)
    changed = StoredConnection(desk, system, secrets, before.created_at, now)
    conn.execute(
        _UPDATE,
        {"_desk": desk, "_system": system, "secrets": sealed(conn, changed.secrets), "changed_at": now},
    )
    audit.record(conn, Action.CONNECTION_CHANGED, [desk], system)
    return changed


def with_newest(secrets: tuple[Secret, ...], newest: str, now: Micros, overlap: Micros) -> tuple[Secret, ...]:
    """Secrets with a newest one. Those before stay valid for `overlap`, or for the time that they have left."""
    ends_at = now + overlap
    older = (
        Secret(one.text, ends_at if one.until is None else min(one.until, ends_at))
        for one in secrets
        if one.text != newest and (one.until is None or one.until > now)
    )
    return (Secret(newest), *older)


def sealed(conn: Connection, secrets: tuple[Secret, ...]) -> str:
    """Secrets as they are stored, encrypted where the vault has a key."""
    text = orjson.dumps([{"text": one.text, "until": one.until} for one in secrets]).decode()
    return vault(conn).seal(text)


def unsealed(conn: Connection, stored: str) -> tuple[Secret, ...]:
    """Secrets from how they are stored. Raises UnreadableSecret."""
    return tuple(Secret(one["text"], one["until"]) for one in orjson.loads(vault(conn).unseal(stored)))


def _stored(conn: Connection, row: Row[Any, Any, Any, Any, Any]) -> StoredConnection:
    desk, system, secrets, created_at, changed_at = row
    return StoredConnection(desk, system, unsealed(conn, secrets), created_at, changed_at)
