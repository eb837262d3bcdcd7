"""Store of embedding: the desks whose tickets other systems' pages may show, and the secrets that sign the tokens.

A ticket system computes tokens with the secret itself, so secrets are stored to be read again, as those of connections.
Instants are microseconds UTC.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from sqlalchemy import bindparam, select

from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection
from app.store.inbound.connections import Secret, sealed, unsealed, with_newest
from app.store.tables import embedding as _embedding


@dataclass(frozen=True, slots=True)
class Embedding:
    """How tickets of a desk are embedded. `frame_ancestors` are the origins whose pages may frame them."""

    desk: str
    secrets: tuple[Secret, ...]
    frame_ancestors: tuple[str, ...]
    created_at: Micros
    changed_at: Micros

    def live(self, now: Micros) -> tuple[str, ...]:
        """The secrets that are valid now, newest first."""
        return tuple(one.text for one in self.secrets if one.until is None or one.until > now)

    @property
    def former_secret_until(self) -> Micros | None:
        """When the last of the replaced secrets stops being valid; none without one."""
        return max((one.until for one in self.secrets if one.until is not None), default=None)


_FIELDS: Final = (
    _embedding.c.desk,
    _embedding.c.secrets,
    _embedding.c.frame_ancestors,
    _embedding.c.created_at,
    _embedding.c.changed_at,
)
_FIND: Final = select(*_FIELDS).where(_embedding.c.desk == bindparam("_desk"))
_INSERT: Final = _embedding.insert()
_UPDATE: Final = (
    _embedding.update()
    .where(_embedding.c.desk == bindparam("_desk"))
    .values({name: bindparam(name) for name in ("secrets", "frame_ancestors", "changed_at")})
)


def find(conn: Connection, desk: str) -> Embedding | None:
    """How tickets of a desk are embedded; none where they are not."""
    row = conn.execute(_FIND, {"_desk": desk}).first()
    if row is None:
        return None
    _, secrets, ancestors, created_at, changed_at = row
    return Embedding(desk, unsealed(conn, secrets), tuple(orjson.loads(ancestors)), created_at, changed_at)


def put(
    conn: Connection,
    desk: str,
    now: Micros,
    *,
    frame_ancestors: tuple[str, ...] | None = None,
    secret: str | None = None,
    overlap: Micros = 0,
) -> Embedding:
    """Change the origins, add a newest secret, or both. The first time needs a secret.

    The secrets before it stay valid for `overlap`.
    """
    before = find(conn, desk)
    found = before or Embedding(desk, (), (), now, now)
    if frame_ancestors is not None:
        found = replace(found, frame_ancestors=frame_ancestors)
    if secret is not None:
        found = replace(found, secrets=with_newest(found.secrets, secret, now, overlap))
    found = replace(found, changed_at=now)
    values: dict[str, Any] = {
        "secrets": sealed(conn, found.secrets),
        "frame_ancestors": orjson.dumps(found.frame_ancestors).decode(),
        "changed_at": now,
    }
    if before is None:
        conn.execute(_INSERT, values | {"desk": desk, "created_at": now})
    else:
        conn.execute(_UPDATE, values | {"_desk": desk})
    audit.record(conn, Action.EMBEDDING_CHANGED, [desk], "secret" if secret else "frame_ancestors")
    return found
