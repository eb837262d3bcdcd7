"""The audit log: sign-ins, and what administrators did.

An act is recorded in its own transaction by the function of the store that does it, so every caller is recorded.
Who acts is a context variable, which a request and a command set. Rows are appended, and deleted by retention; only the
count of refused sign-ins of a minute grows. No row contains a secret. Instants are microseconds UTC.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import RowMapping, bindparam, select

from app.principal import EVERY, EVERY_DESK, Desks
from app.sla.span import MINUTE, Micros
from app.store.engine.database import Connection, transaction_time
from app.store.engine.desks import in_desks
from app.store.tables import audit as _audit


class Action(StrEnum):
    """What was done."""

    SESSION_STARTED = "session.started"
    SESSION_ENDED = "session.ended"
    SIGN_IN_REFUSED = "sign_in.refused"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    USER_CREATED = "user.created"
    USER_ROLES = "user.roles"
    """The roles of a person were changed."""
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    LINK_CREATED = "link.created"
    """A one-time link was made, which signs a person in."""
    PASSWORD_CHANGED = "password.changed"
    SECOND_FACTOR_ADDED = "second_factor.added"
    SECOND_FACTOR_REMOVED = "second_factor.removed"
    VERSION_APPLIED = "version.applied"
    """A calendar or an agreement was put into force."""
    CONTRACT_APPLIED = "contract.applied"
    """Contracts of customers were entered or changed."""
    VERSION_WITHDRAWN = "version.withdrawn"
    """A planned version was taken back."""
    SOURCES_APPLIED = "sources.applied"
    CONNECTION_CREATED = "connection.created"
    CONNECTION_CHANGED = "connection.changed"
    EMBEDDING_CHANGED = "embedding.changed"
    """Who may embed a desk's tickets, or the secret that signs their tokens, was changed."""
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_REMOVED = "subscription.removed"
    FEED_CREATED = "feed.created"
    FEED_REMOVED = "feed.removed"
    VIEW_SHARED = "view.shared"
    """A saved view was shared with a desk."""
    VIEW_CHANGED = "view.changed"
    VIEW_REMOVED = "view.removed"
    DESK_EXPORTED = "desk.exported"
    DESK_IMPORTED = "desk.imported"
    SECRETS_ROTATED = "secrets.rotated"


class Outcome(StrEnum):
    """Whether it was done."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `user NAME`, `key ID`, `guest ID`, `command USER`, or the service; and by which request from where."""

    who: str
    request_id: str | None = None
    address: str | None = None


_SERVICE: Final = Actor("service")

acting: ContextVar[Actor] = ContextVar("acting", default=_SERVICE)
"""Who acts in this context."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the log. `count` is above one for refused sign-ins of one minute and address."""

    id: int
    at: Micros
    desk: str
    action: Action
    who: str
    about: str
    outcome: Outcome
    note: str | None
    count: int
    request_id: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Which entries: at or after `since` and before `until`."""

    desks: Desks = EVERY
    action: Action | None = None
    who: str | None = None
    since: Micros | None = None
    until: Micros | None = None


_FIELDS: Final = tuple(_audit.c[name] for name in Entry.__dataclass_fields__)
_INSERT: Final = _audit.insert()
_ADD: Final = (
    _audit.update()
    .where(_audit.c.once == bindparam("_once"))
    .values(count=_audit.c.count + bindparam("_more"))
)
_OLDEST: Final = (
    select(_audit.c.id)
    .where(_audit.c.at < bindparam("before"))
    .order_by(_audit.c.at)
    .limit(bindparam("most"))
)
_DELETE: Final = _audit.delete().where(_audit.c.id.in_(bindparam("ids", expanding=True)))


def record(
    conn: Connection, action: Action, desks: Iterable[str], about: str, *, note: str | None = None
) -> None:
    """Record what the actor of this context does in this write transaction: one row for each desk."""
    actor = acting.get()
    rows = [
        _row(transaction_time(conn), action, desk, actor, about) | {"note": note}
        for desk in sorted(set(desks))
    ]
    if rows:
        conn.execute(_INSERT, rows)


def record_refused(
    conn: Connection, minute: Micros, address: str, count: int, request_id: str | None
) -> None:
    """Add refused sign-ins from an address to the one row of their minute."""
    once = f"{minute // MINUTE} {address}"
    if conn.execute(_ADD, {"_once": once, "_more": count}).rowcount:
        return
    actor = Actor("unknown", request_id, address)
    row = _row(minute, Action.SIGN_IN_REFUSED, EVERY_DESK, actor, "")
    conn.execute(_INSERT, row | {"outcome": Outcome.REFUSED.value, "count": count, "once": once})


def page(
    conn: Connection, filters: AuditFilters, before: int | None, limit: int
) -> tuple[list[Entry], int | None]:
    """A page of the log, the latest entry first, and the id before which the next one starts; none on the last."""
    query = select(*_FIELDS).where(in_desks(_audit.c.desk, filters.desks))
    if filters.action is not None:
        query = query.where(_audit.c.action == filters.action.value)
    if filters.who is not None:
        query = query.where(_audit.c.who == filters.who)
    if filters.since is not None:
        query = query.where(_audit.c.at >= filters.since)
    if filters.until is not None:
        query = query.where(_audit.c.at < filters.until)
    if before is not None:
        query = query.where(_audit.c.id < before)
    rows = conn.execute(query.order_by(_audit.c.id.desc()).limit(limit + 1)).mappings().all()
    found = [_entry(row) for row in rows]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def drop(conn: Connection, before: Micros, most: int) -> int:
    """Delete at most so many entries that are older than an instant, the oldest first. Returns how many."""
    ids = conn.execute(_OLDEST, {"before": before, "most": most}).scalars().all()
    if ids:
        conn.execute(_DELETE, {"ids": ids})
    return len(ids)


def _entry(row: RowMapping) -> Entry:
    read: dict[str, Any] = {"action": Action(row["action"]), "outcome": Outcome(row["outcome"])}
    return Entry(**dict[str, Any](row) | read)


def _row(at: Micros, action: Action, desk: str, actor: Actor, about: str) -> dict[str, Any]:
    return {
        "at": at,
        "desk": desk,
        "action": action.value,
        "who": actor.who,
        "about": about,
        "outcome": Outcome.DONE.value,
        "note": None,
        "count": 1,
        "once": None,
        "request_id": actor.request_id,
        "address": actor.address,
    }
