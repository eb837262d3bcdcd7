"""Sessions: browsers that are signed in, by a person, by a key or as a guest.

A session has the roles of its principal, looked up with each use. So it ends with its key, and with its person's being
disabled, whichever process did that. Instants are microseconds UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import RowMapping, bindparam, select

from app.principal import EVERY, EVERY_DESK, Principal, PrincipalKind, Role, Roles, roles_on
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection, transaction_time
from app.store.engine.vault import vault
from app.store.people import keys, persons
from app.store.people.secrets import SESSION_PREFIX, hash_of, new_id, new_secret
from app.store.tables import session as _session

GUEST_ROLES: Final[Roles] = roles_on(EVERY, [Role.VIEWER, Role.PUSH])
"""What a visitor of the demonstration may do."""

_LIVE: Final = select(_session).where(
    _session.c.revoked_at.is_(None), _session.c.expires_at > bindparam("now")
)
_FIND: Final = _LIVE.where(_session.c.hash == bindparam("hash"))
_BY_ID: Final = _LIVE.where(_session.c.id == bindparam("which"))
_NOT_ENDED: Final = select(_session).where(
    _session.c.id == bindparam("which"), _session.c.revoked_at.is_(None)
)
_OF: Final = _LIVE.where(_session.c.principal == bindparam("principal")).order_by(_session.c.created_at)
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


class Method(StrEnum):
    """How a session was signed in."""

    PASSWORD = "password"
    PROVIDER = "provider"
    """At the identity provider, by OpenID Connect."""
    LINK = "link"
    KEY = "key"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sign-in comes from, for a person to recognise the session by."""

    address: str | None = None
    agent: str | None = None


_UNKNOWN: Final = Origin()


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that has not ended, and its principal."""

    id: str
    principal: Principal
    expires_at: Micros
    created_at: Micros
    method: Method | None
    origin: Origin


def create(
    conn: Connection,
    principal: Principal,
    now: Micros,
    expires_at: Micros,
    origin: Origin = _UNKNOWN,
    *,
    most: int | None = None,
) -> tuple[str, Principal]:
    """Sign a key in. Returns the session's secret and the principal, as it acts through the session.

    With more than `most` sessions of the key, the oldest end.

    Raises SessionCannotSignIn: a session that could make another would outlive its end.
    """
    if principal.session_id is not None:
        raise SessionCannotSignIn("A session cannot sign in again. Sign in with the key itself.")
    if most is not None:
        _end_oldest(conn, principal, now, most)
    return _start(conn, principal, now, expires_at, Method.KEY, origin)


def start(
    conn: Connection,
    principal: Principal,
    expires_at: Micros,
    *,
    method: Method,
    origin: Origin = _UNKNOWN,
    most: int,
    id_token: str | None = None,
) -> tuple[str, Principal]:
    """Sign a person in. With more than `most` sessions, the oldest end.

    Returns the session's secret and the principal, as it acts through the session.
    """
    now = transaction_time(conn)
    _end_oldest(conn, principal, now, most)
    sealed = None if id_token is None else vault(conn).seal(id_token)
    return _start(conn, principal, now, expires_at, method, origin, id_token=sealed)


def _end_oldest(conn: Connection, principal: Principal, now: Micros, most: int) -> None:
    """Make room for one more session of a principal."""
    found = conn.execute(_OF, {"principal": principal.id, "now": now}).mappings().all()
    for row in found[: max(0, len(found) + 1 - most)]:
        conn.execute(_END, {"which": row["id"], "at": now})


def _start(
    conn: Connection,
    principal: Principal,
    now: Micros,
    expires_at: Micros,
    method: Method,
    origin: Origin,
    **more: Any,
) -> tuple[str, Principal]:
    given = {"method": method.value, "address": origin.address, "agent": origin.agent, **more}
    secret, signed_in = _create(conn, principal, now, expires_at, new_id(), **given)
    about = _about(signed_in.session_id, principal)
    audit.record(conn, Action.SESSION_STARTED, principal.roles, about, note=method.value)
    return secret, signed_in


def create_guest(conn: Connection, now: Micros, expires_at: Micros) -> tuple[str, Principal]:
    """Sign a guest in. Returns the session's secret and the guest. It gives no key, so it is not in the audit log."""
    session_id = new_id()
    guest = Principal(session_id, PrincipalKind.GUEST, GUEST_ROLES)
    return _create(conn, guest, now, expires_at, session_id, method=Method.GUEST.value)


def _create(
    conn: Connection, principal: Principal, now: Micros, expires_at: Micros, session_id: str, **more: Any
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
    conn.execute(_CREATE, values | more)
    return secret, replace(principal, expires_at=expires_at, session_id=session_id)


def find(conn: Connection, secret: str, now: Micros) -> Principal | None:
    """The principal of a session; None for one that is unknown or has ended."""
    row = conn.execute(_FIND, {"hash": hash_of(secret), "now": now}).mappings().first()
    return None if row is None else _principal(conn, row, now)


def with_id(conn: Connection, session_id: str, now: Micros) -> LiveSession | None:
    """A session that has not ended."""
    rows = conn.execute(_BY_ID, {"which": session_id, "now": now}).mappings().all()
    return next(iter(_live(conn, rows, now)), None)


def listed(conn: Connection, now: Micros) -> list[LiveSession]:
    """Every session that has not ended, the oldest first."""
    return _live(conn, conn.execute(_LIST, {"now": now}).mappings().all(), now)


def listed_of(conn: Connection, principal_id: str, now: Micros) -> list[LiveSession]:
    """The sessions of a person or a key that have not ended, the oldest first."""
    rows = conn.execute(_OF, {"principal": principal_id, "now": now}).mappings().all()
    return _live(conn, rows, now)


def id_token_of(conn: Connection, session_id: str, now: Micros) -> str | None:
    """The identity provider's token of a session; none for one that was signed in otherwise."""
    row = conn.execute(_BY_ID, {"which": session_id, "now": now}).mappings().first()
    return None if row is None or row["id_token"] is None else vault(conn).unseal(row["id_token"])


def end(conn: Connection, session_id: str, now: Micros) -> bool:
    """End a session. False when there is no such session."""
    # One of the release before is a row of `api_key`.
    return end_own(conn, session_id, now) or keys.revoke(conn, session_id, now)


def end_own(conn: Connection, session_id: str, now: Micros) -> bool:
    """End a session that this release started. False when there is none."""
    row = conn.execute(_NOT_ENDED, {"which": session_id}).mappings().first()
    if row is None or not conn.execute(_END, {"which": session_id, "at": now}).rowcount:
        return False
    principal = _principal(conn, row, now)
    if principal is not None and principal.kind is not PrincipalKind.GUEST:  # a guest is not in the audit log
        desks = list(principal.roles) or [EVERY_DESK]
        audit.record(conn, Action.SESSION_ENDED, desks, _about(session_id, principal))
    return True


def end_all(conn: Connection, principal_id: str, *, but: str | None = None) -> None:
    """End every session of a person `but` one."""
    ending = _session.update().where(_session.c.principal == principal_id, _session.c.revoked_at.is_(None))
    if but is not None:
        ending = ending.where(_session.c.id != but)
    conn.execute(ending.values(revoked_at=transaction_time(conn)))


def _about(session_id: str | None, principal: Principal) -> str:
    return f"session {session_id} of {principal.label}"


def _live(conn: Connection, rows: Iterable[RowMapping], now: Micros) -> list[LiveSession]:
    found = [(row, _principal(conn, row, now)) for row in rows]
    return [
        LiveSession(
            row["id"],
            principal,
            row["expires_at"],
            row["created_at"],
            None if row["method"] is None else Method(row["method"]),
            Origin(row["address"], row["agent"]),
        )
        for row, principal in found
        if principal is not None
    ]


def _principal(conn: Connection, row: RowMapping, now: Micros) -> Principal | None:
    expires_at, session_id = row["expires_at"], row["id"]
    match PrincipalKind(row["kind"]):
        case PrincipalKind.GUEST:
            return Principal(row["principal"], PrincipalKind.GUEST, GUEST_ROLES, expires_at, session_id)
        case PrincipalKind.KEY:
            found = keys.with_id(conn, row["principal"], now)
        case PrincipalKind.USER:
            found = persons.principal(conn, row["principal"])
    return None if found is None else replace(found, expires_at=expires_at, session_id=session_id)
