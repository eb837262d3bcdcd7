"""Sessions: browsers that are signed in, by a key or as a guest.

A session has the roles of its principal, looked up with each use. So it ends with its key, whichever process revoked
that. People who sign in with a password or at an identity provider will be principals of another kind, with their own
look-up beside `keys.with_id`. Instants are microseconds UTC.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import RowMapping, bindparam, select

from app.principal import EVERY, Principal, PrincipalKind, Role, Roles, roles_on
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection
from app.store.people import keys
from app.store.people.secrets import SESSION_PREFIX, hash_of, new_id, new_secret
from app.store.tables import session as _session

GUEST_ROLES: Final[Roles] = roles_on(EVERY, [Role.VIEWER, Role.PUSH])
"""What a visitor of the demonstration may do."""

_LIVE: Final = select(_session).where(
    _session.c.revoked_at.is_(None), _session.c.expires_at > bindparam("now")
)
_FIND: Final = _LIVE.where(_session.c.hash == bindparam("hash"))
_PRINCIPAL: Final = select(_session.c.principal).where(_session.c.id == bindparam("which"))
_LIST: Final = _LIVE.order_by(_session.c.created_at, _session.c.id)
_CREATE: Final = _session.insert()
_REMOVE_EXPIRED: Final = _session.delete().where(_session.c.expires_at <= bindparam("now"))
_END: Final = (
    _session.update()
    .where(_session.c.id == bindparam("which"), _session.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


class SessionCannotSignIn(ValueError):
    """A session cannot sign in again. Sign in with the key itself."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that has not ended, and its principal."""

    id: str
    principal: Principal
    expires_at: Micros


def create(conn: Connection, principal: Principal, now: Micros, expires_at: Micros) -> tuple[str, Principal]:
    """Sign a principal in. Returns the session's secret and the principal, as it acts through the session.

    Raises SessionCannotSignIn: a session that could make another would outlive its end.
    """
    if principal.session_id is not None:
        raise SessionCannotSignIn("A session cannot sign in again. Sign in with the key itself.")
    secret, signed_in = _create(conn, principal, now, expires_at, new_id())
    audit.record(conn, Action.SESSION_STARTED, principal.roles, _about(signed_in.session_id, principal.id))
    return secret, signed_in


def create_guest(conn: Connection, now: Micros, expires_at: Micros) -> tuple[str, Principal]:
    """Sign a guest in. Returns the session's secret and the guest. It gives no key, so it is not in the audit log."""
    session_id = new_id()
    return _create(conn, Principal(session_id, PrincipalKind.GUEST, GUEST_ROLES), now, expires_at, session_id)


def _create(
    conn: Connection, principal: Principal, now: Micros, expires_at: Micros, session_id: str
) -> tuple[str, Principal]:
    conn.execute(_REMOVE_EXPIRED, {"now": now})
    secret = new_secret(SESSION_PREFIX)
    values: dict[str, Any] = {
        "id": session_id,
        "hash": hash_of(secret),
        "kind": principal.kind.value,
        "principal": principal.id,
        "created_at": now,
        "expires_at": expires_at,
    }
    conn.execute(_CREATE, values)
    return secret, replace(principal, expires_at=expires_at, session_id=session_id)


def find(conn: Connection, secret: str, now: Micros) -> Principal | None:
    """The principal of a session; None for one that is unknown or has ended."""
    row = conn.execute(_FIND, {"hash": hash_of(secret), "now": now}).mappings().first()
    return None if row is None else _principal(conn, row, now)


def listed(conn: Connection, now: Micros) -> list[LiveSession]:
    """Every session that has not ended, the oldest first."""
    rows = conn.execute(_LIST, {"now": now}).mappings().all()
    found = [(row, _principal(conn, row, now)) for row in rows]
    return [LiveSession(row["id"], who, row["expires_at"]) for row, who in found if who is not None]


def end(conn: Connection, session_id: str, now: Micros) -> bool:
    """End a session. False when there is no such session."""
    # One of the release before is a row of `api_key`.
    if not conn.execute(_END, {"which": session_id, "at": now}).rowcount:
        return keys.revoke(conn, session_id, now)
    principal = conn.execute(_PRINCIPAL, {"which": session_id}).scalar_one()
    # A guest has no key, and so no desks here.
    audit.record(conn, Action.SESSION_ENDED, keys.desks_of(conn, principal), _about(session_id, principal))
    return True


def _about(session_id: str | None, principal_id: str) -> str:
    return f"session {session_id} of key {principal_id}"


def _principal(conn: Connection, row: RowMapping, now: Micros) -> Principal | None:
    expires_at, session_id = row["expires_at"], row["id"]
    if row["kind"] == PrincipalKind.GUEST:
        return Principal(row["principal"], PrincipalKind.GUEST, GUEST_ROLES, expires_at, session_id)
    found = keys.with_id(conn, row["principal"], now)
    return None if found is None else replace(found, expires_at=expires_at, session_id=session_id)
