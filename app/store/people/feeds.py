"""Calendar feeds: addresses of calendars with a secret of their own, which is stored by its hash only.

Instants are microseconds UTC.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection
from app.store.people.secrets import hash_of, new_id, new_secret
from app.store.tables import calendar_feed as _feed

FEED_PREFIX: Final = "slf_"


@dataclass(frozen=True, slots=True)
class Feed:
    """The address of one calendar, without its secret."""

    id: str
    desk: str
    calendar: str
    note: str
    created_by: str
    created_at: Micros


_FIELDS: Final = (
    _feed.c.id,
    _feed.c.desk,
    _feed.c.calendar,
    _feed.c.note,
    _feed.c.created_by,
    _feed.c.created_at,
)
_OF_CALENDAR: Final = (_feed.c.desk == bindparam("_desk"), _feed.c.calendar == bindparam("_calendar"))
_LIST: Final = select(*_FIELDS).where(*_OF_CALENDAR).order_by(_feed.c.created_at, _feed.c.id)
_FIND: Final = select(*_FIELDS).where(_feed.c.hash == bindparam("hash"))
_INSERT: Final = _feed.insert()
_DELETE: Final = _feed.delete().where(*_OF_CALENDAR, _feed.c.id == bindparam("_id"))


def listed(conn: Connection, desk: str, calendar: str) -> list[Feed]:
    """The feeds of a calendar, the oldest first."""
    return [Feed(*row) for row in conn.execute(_LIST, {"_desk": desk, "_calendar": calendar}).all()]


def add(
    conn: Connection, desk: str, calendar: str, *, note: str, created_by: str, now: Micros
) -> tuple[str, Feed]:
    """Make a feed. Returns its secret, which cannot be read again, and the feed."""
    secret = new_secret(FEED_PREFIX)
    feed = Feed(new_id(), desk, calendar, note, created_by, now)
    values = {"id": feed.id, "desk": desk, "calendar": calendar, "note": note, "created_by": created_by}
    conn.execute(_INSERT, {**values, "created_at": now, "hash": hash_of(secret)})
    audit.record(conn, Action.FEED_CREATED, [desk], feed.id, note=calendar)
    return secret, feed


def find(conn: Connection, secret: str) -> Feed | None:
    """The feed of a secret; none for one that is unknown or was removed."""
    row = conn.execute(_FIND, {"hash": hash_of(secret)}).first()
    return None if row is None else Feed(*row)


def remove(conn: Connection, desk: str, calendar: str, feed_id: str) -> bool:
    """End a feed at once. False when the calendar has no such feed."""
    removed = conn.execute(_DELETE, {"_desk": desk, "_calendar": calendar, "_id": feed_id}).rowcount == 1
    if removed:
        audit.record(conn, Action.FEED_REMOVED, [desk], feed_id, note=calendar)
    return removed
