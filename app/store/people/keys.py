"""API keys and their roles per desk.

A key's secret is shown once; its hash is stored. Roles are rows of `principal_role`. The columns `desk` and `scopes`
of `api_key` are written for processes of the release before, and read for keys that those make. Instants are
microseconds UTC.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import RowMapping, bindparam, select

from app.principal import Principal, PrincipalKind, Roles, Scope, roles_on
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.people import roles as role_rows
from app.store.people.secrets import KEY_PREFIX, hash_of, new_id, new_secret
from app.store.tables import api_key as _key

_NO_DESK: Final = ""
"""The one desk of a key that has several, to the release before: that shows it no desk."""

_LIVE: Final = select(_key).where(_key.c.revoked_at.is_(None))
_FIND: Final = _LIVE.where(_key.c.hash == bindparam("hash"))
_BY_ID: Final = _LIVE.where(_key.c.id == bindparam("id"))
_ANY: Final = select(_key).where(_key.c.id == bindparam("id"))
_LIST: Final = _LIVE.order_by(_key.c.created_at, _key.c.id)
_CREATE: Final = _key.insert()
_CHILDREN: Final = select(_key.c.id).where(_key.c.parent.in_(bindparam("parents", expanding=True)))
_REVOKE: Final = (
    _key.update()
    .where(_key.c.id.in_(bindparam("which", expanding=True)), _key.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


def create(conn: Connection, roles: Roles, now: Micros) -> tuple[str, Principal]:
    """Create a key with these roles. Returns its secret, which cannot be read again, and the principal."""
    secret = new_secret(KEY_PREFIX)
    made = Principal(new_id(), PrincipalKind.KEY, roles)
    desk, scopes = _as_before(made)
    values: dict[str, Any] = {"id": made.id, "hash": hash_of(secret), "created_at": now}
    conn.execute(_CREATE, values | {"desk": desk, "scopes": scopes})
    role_rows.grant(conn, made.id, roles)
    for desk, granted in roles.items():
        audit.record(conn, Action.KEY_CREATED, [desk], made.id, note=",".join(sorted(granted)))
    return secret, made


def find(conn: Connection, secret: str, now: Micros) -> Principal | None:
    """The principal of a key; None for a key that is unknown, revoked or expired."""
    row = conn.execute(_FIND, {"hash": hash_of(secret)}).mappings().first()
    found = [] if row is None else _principals(conn, [row])
    return found[0] if found and not _is_over(found[0], now) else None


def with_id(conn: Connection, key_id: str, now: Micros) -> Principal | None:
    """The principal of the key with this id, while the key is neither revoked nor expired."""
    row = conn.execute(_BY_ID, {"id": key_id}).mappings().first()
    found = [] if row is None else _principals(conn, [row])
    return found[0] if found and not _is_over(found[0], now) else None


def listed(conn: Connection) -> list[Principal]:
    """Every key that is not revoked, the oldest first; sessions of the release before are among them."""
    return _principals(conn, conn.execute(_LIST).mappings().all())


def is_any(conn: Connection) -> bool:
    """Whether there is a key that is not revoked."""
    return conn.execute(_LIVE.limit(1)).first() is not None


def revoke(conn: Connection, key_id: str, now: Micros) -> bool:
    """Revoke a key, and with it every session that it signed in. False when there is no such key.

    A session of this release looks its key up. Those of the release before are rows here, and so are the sessions that
    they signed in: all descendants end.
    """
    descendants, generation = {key_id}, {key_id}
    while generation:
        found: set[str] = set()
        for part in parts(generation):
            found.update(conn.execute(_CHILDREN, {"parents": part}).scalars())
        generation = found - descendants
        descendants |= generation
    desks = desks_of(conn, key_id)
    ended = sum(conn.execute(_REVOKE, {"which": part, "now": now}).rowcount for part in parts(descendants))
    if ended:
        audit.record(conn, Action.KEY_REVOKED, desks, key_id)
    return ended >= 1


def desks_of(conn: Connection, key_id: str) -> list[str]:
    """The desks of a key, also of a revoked one; none when there is no such key."""
    rows = conn.execute(_ANY, {"id": key_id}).mappings().all()
    return [desk for each in _principals(conn, rows) for desk in each.roles]


def _principals(conn: Connection, rows: Sequence[RowMapping]) -> list[Principal]:
    roles = role_rows.of(conn, {row["parent"] or row["id"] for row in rows})
    return [_principal(row, roles.get(row["parent"] or row["id"])) for row in rows]


def _principal(row: RowMapping, roles: Roles | None) -> Principal:
    # A process of the release before writes no roles: the key's one desk and its scopes say the same.
    roles = roles or roles_on([row["desk"]], map(Scope, row["scopes"].split(",")))
    found = Principal(row["id"], PrincipalKind.KEY, roles, row["expires_at"])
    if row["expires_at"] is None:
        return found
    # In that release, what had an end was a session: of its parent, or of a guest.
    kind = PrincipalKind.GUEST if row["parent"] is None else PrincipalKind.KEY
    return replace(found, id=row["parent"] or row["id"], kind=kind, session_id=row["id"])


def _is_over(principal: Principal, now: Micros) -> bool:
    return principal.expires_at is not None and principal.expires_at <= now


def _as_before(principal: Principal) -> tuple[str, str]:
    """A key's desk and scopes as the release before reads them; what it cannot express it must not allow."""
    scopes = principal.scopes or {Scope.READ}
    desk = next(iter(principal.roles)) if len(principal.roles) == 1 else _NO_DESK
    return desk, ",".join(sorted(scopes))
