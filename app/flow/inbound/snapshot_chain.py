"""The chain of a ticket's snapshots: which events each snapshot reports beside the one before it.

A system that sends the whole ticket never states what changed; a change is the difference between two neighbouring
snapshots. When a snapshot is inserted between two others, or removed because its request is read otherwise now, the
snapshot after it is compared with another one, and the events of that pair replace those it reported before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.intake.mapping.episode import is_mark
from app.intake.mapping.snapshot import Snapshot, changes
from app.intake.mapping.source import Source
from app.sla.event import Event
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.inbound import snapshots
from app.store.inbound.snapshots import StoredSnapshot


@dataclass(frozen=True, slots=True)
class OriginEvents:
    """All events that an origin (a request or a snapshot) reports now. `new`: it has reported none before. `at`: the
    instant of a snapshot. `before`: the events that it reported, where they are known."""

    desk: str
    origin: str
    events: Sequence[Event]
    new: bool
    at: Micros | None = None
    before: Sequence[Event] = ()


def chain_changes(
    conn: Connection, source: Source, hook: str, brought: Sequence[Snapshot], *, new: bool
) -> list[OriginEvents]:
    """Make exactly these snapshots the ones that a request brought. `new`: it is read for the first time.

    Returns the events of each origin that this changes, in order: a later entry of one origin replaces an earlier one.
    """
    changed: list[OriginEvents] = []
    if not new:
        wanted = {_place(snapshot) for snapshot in brought}
        for known in snapshots.of_hook(conn, source.desk, hook):
            if not is_mark(known.digest) and _place(known) not in wanted:
                changed += _remove(conn, source, known)
    for snapshot in brought:
        changed += _insert(conn, source, _stored(snapshot), hook)
    return changed


def _insert(conn: Connection, source: Source, this: StoredSnapshot, hook: str) -> list[OriginEvents]:
    place = snapshots.position(conn, source.desk, this)
    if place.stored:
        return []
    snapshots.add(conn, source.desk, this, hook)
    own = OriginEvents(
        source.desk, this.origin, _difference(place.previous, this, source), new=True, at=this.at
    )
    return [own, *_following(this, place.following, source)]


def _remove(conn: Connection, source: Source, this: StoredSnapshot) -> list[OriginEvents]:
    place = snapshots.position(conn, source.desk, this)
    snapshots.remove(conn, source.desk, this)
    return [
        OriginEvents(source.desk, this.origin, (), new=False, at=this.at),
        *_following(place.previous, place.following, source),
    ]


def _following(
    before: StoredSnapshot | None, after: StoredSnapshot | None, source: Source
) -> list[OriginEvents]:
    if after is None:
        return []
    return [
        OriginEvents(source.desk, after.origin, _difference(before, after, source), new=False, at=after.at)
    ]


def _difference(before: StoredSnapshot | None, this: StoredSnapshot, source: Source) -> tuple[Event, ...]:
    return changes(None if before is None else _read(before), _read(this), source)


def _place(snapshot: Snapshot | StoredSnapshot) -> tuple[str, int, str]:
    return (snapshot.ticket, snapshot.at, snapshot.digest)


def _stored(one: Snapshot) -> StoredSnapshot:
    return StoredSnapshot(one.system, one.ticket, one.at, one.digest, one.created_at, one.state)


def _read(one: StoredSnapshot) -> Snapshot:
    return Snapshot(one.system, one.ticket, one.at, one.created_at, one.state, one.digest)
