"""Origins: which request or snapshot reports an event.

What an origin reports can change, by a corrected mapping or by a snapshot that arrives late. An event is withdrawn when
the last origin that reported it no longer does, and not before. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from app.sla.span import Micros
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import origin as _origin


@dataclass(frozen=True, slots=True)
class EventOrigin:
    """An event that an origin reports: `name` is the id that the adapter gave it, `event_id` its id in the log."""

    origin: str
    name: str
    event_id: str
    subject: str
    at: Micros


_OF_ORIGIN: Final = select(
    _origin.c.origin, _origin.c.name, _origin.c.event_id, _origin.c.subject, _origin.c.at
).where(_origin.c.desk == bindparam("_desk"), _origin.c.origin == bindparam("_origin"))
_OTHERS: Final = (
    select(_origin.c.event_id)
    .where(
        _origin.c.desk == bindparam("_desk"),
        _origin.c.event_id.in_(bindparam("ids", expanding=True)),
        _origin.c.origin != bindparam("_origin"),
    )
    .distinct()
)
_INSERT: Final = _origin.insert()
_DROP: Final = _origin.delete().where(
    _origin.c.desk == bindparam("_desk"),
    _origin.c.origin == bindparam("_origin"),
    _origin.c.name == bindparam("_name"),
)
_FORGET: Final = _origin.delete().where(_origin.c.origin.in_(bindparam("origins", expanding=True)))


def of_origin(conn: Connection, desk: str, origin: str) -> dict[str, EventOrigin]:
    """The events that an origin reports, by name."""
    rows = conn.execute(_OF_ORIGIN, {"_desk": desk, "_origin": origin}).all()
    return {row[1]: EventOrigin(*row) for row in rows}


def reported_elsewhere(conn: Connection, desk: str, origin: str, event_ids: Iterable[str]) -> set[str]:
    """Of these events the ones that another origin reports too."""
    return {
        row[0]
        for part in parts(event_ids)
        for row in conn.execute(_OTHERS, {"_desk": desk, "_origin": origin, "ids": part}).all()
    }


def add(conn: Connection, desk: str, rows: Sequence[EventOrigin]) -> None:
    """Store that origins report events."""
    if rows:
        conn.execute(
            _INSERT,
            [
                {
                    "desk": desk,
                    "origin": row.origin,
                    "name": row.name,
                    "event_id": row.event_id,
                    "subject": row.subject,
                    "at": row.at,
                }
                for row in rows
            ],
        )


def drop(conn: Connection, desk: str, rows: Sequence[EventOrigin]) -> None:
    """Delete these: their origins no longer report them."""
    if rows:
        conn.execute(_DROP, [{"_desk": desk, "_origin": row.origin, "_name": row.name} for row in rows])


def forget(conn: Connection, origins: Iterable[str]) -> None:
    """Delete the rows of these requests, which are no longer stored; their events stay in force."""
    for part in parts(origins):
        conn.execute(_FORGET, {"origins": part})
