"""Who may do what, and on which desk?

A key is 256 random bits, shown once; kept is its hash only. A quick hash is right here: there is nothing to guess in a
random key. A signed-in session of the pages is a key that expires. Instants are microseconds UTC.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from sqlalchemy import RowMapping, bindparam, or_, select

from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.tables import api_key as _key

PREFIX: Final = "slt_"
EVERY_DESK: Final = "*"
_BYTES: Final = 32


class Scope(StrEnum):
    """What a key may do. `admin` includes the others."""

    PUSH = "push"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Access:
    """What the holder of a key may do."""

    id: str
    desk: str
    scopes: frozenset[Scope]
    expires_at: Micros | None = None

    def may(self, scope: Scope) -> bool:
        """Whether this scope is included."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, desk: str) -> bool:
        """Whether the key is for this desk or for all."""
        return self.desk in (desk, EVERY_DESK)


_FIND: Final = select(_key).where(_key.c.hash == bindparam("hash"), _key.c.revoked_at.is_(None))
_LIST: Final = select(_key).order_by(_key.c.created_at, _key.c.id)
_CREATE: Final = _key.insert()
_REVOKE: Final = (
    _key.update()
    .where(
        or_(_key.c.id == bindparam("which"), _key.c.parent == bindparam("which")), _key.c.revoked_at.is_(None)
    )
    .values(revoked_at=bindparam("now"))
)


def create(
    conn: Connection,
    desk: str,
    scopes: frozenset[Scope],
    now: Micros,
    *,
    expires_at: Micros | None = None,
    parent: str | None = None,
) -> tuple[str, Access]:
    """A new key and what it allows. The key is known to nobody but the caller from now on.

    `parent` is the key that a session was signed in with.
    """
    secret = PREFIX + secrets.token_urlsafe(_BYTES)
    access = Access(secrets.token_hex(8), desk, scopes, expires_at)
    conn.execute(
        _CREATE,
        {
            "id": access.id,
            "hash": _hash(secret),
            "parent": parent,
            "desk": desk,
            "scopes": ",".join(sorted(scopes)),
            "created_at": now,
            "expires_at": expires_at,
        },
    )
    return secret, access


def find(conn: Connection, secret: str, now: Micros) -> Access | None:
    """What the holder of this key may do; none for a key that is unknown, revoked or past its time."""
    row = conn.execute(_FIND, {"hash": _hash(secret)}).mappings().first()
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= now):
        return None
    return _access(row)


def revoke(conn: Connection, key_id: str, now: Micros) -> bool:
    """Let the key, and every session signed in with it, be worth nothing. False when there was none to revoke."""
    return conn.execute(_REVOKE, {"which": key_id, "now": now}).rowcount >= 1


def listed(conn: Connection) -> list[Access]:
    """Every key that is not revoked, oldest first."""
    rows = conn.execute(_LIST).mappings().all()
    return [_access(row) for row in rows if row["revoked_at"] is None]


def _access(row: RowMapping) -> Access:
    return Access(row["id"], row["desk"], frozenset(map(Scope, row["scopes"].split(","))), row["expires_at"])


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
