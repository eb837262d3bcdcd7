"""What does a snapshot of a ticket say beside the ones next to it in time?

A system that sends the whole ticket never says what changed: that is what two neighbours differ in. When a snapshot
turns up between two known ones, or goes because its delivery is read otherwise now, the pairs change, and with them
what the later one of each pair says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.intake.mapping.snapshot import Snapshot, changes
from app.intake.mapping.source import Source
from app.sla.ticket import Event
from app.store.engine.database import Connection
from app.store.inbound import snapshots
from app.store.inbound.snapshots import StoredSnapshot


@dataclass(frozen=True, slots=True)
class OriginEvents:
    """What an origin says now, all of it. `new`: it has said nothing before."""

    desk: str
    origin: str
    events: Sequence[Event]
    new: bool


def chain_changes(
    conn: Connection, source: Source, hook: str, coming: Sequence[Snapshot], *, new: bool
) -> list[OriginEvents]:
    """Have a delivery have brought exactly these snapshots. `new`: it is read for the first time.

    Returns what changes thereby, in order: what is said later of one origin takes the place of what was said before.
    """
    changed: list[OriginEvents] = []
    if not new:
        wanted = {_place(snapshot) for snapshot in coming}
        for known in snapshots.of_hook(conn, source.desk, hook):
            if _place(known) not in wanted:
                changed += _leave(conn, source, known)
    for snapshot in coming:
        changed += _join(conn, source, _stored(snapshot), hook)
    return changed


def _join(conn: Connection, source: Source, this: StoredSnapshot, hook: str) -> list[OriginEvents]:
    near = snapshots.position(conn, source.desk, this)
    if near.known:
        return []
    snapshots.add(conn, source.desk, this, hook)
    own = OriginEvents(source.desk, this.origin, _difference(near.before, this, source), new=True)
    return [own, *_next(this, near.after, source)]


def _leave(conn: Connection, source: Source, this: StoredSnapshot) -> list[OriginEvents]:
    near = snapshots.position(conn, source.desk, this)
    snapshots.remove(conn, source.desk, this)
    return [OriginEvents(source.desk, this.origin, (), new=False), *_next(near.before, near.after, source)]


def _next(before: StoredSnapshot | None, after: StoredSnapshot | None, source: Source) -> list[OriginEvents]:
    if after is None:
        return []
    return [OriginEvents(source.desk, after.origin, _difference(before, after, source), new=False)]


def _difference(before: StoredSnapshot | None, this: StoredSnapshot, source: Source) -> tuple[Event, ...]:
    return changes(None if before is None else _read(before), _read(this), source)


def _place(snapshot: Snapshot | StoredSnapshot) -> tuple[str, int, str]:
    return (snapshot.ticket, snapshot.at, snapshot.digest)


def _stored(one: Snapshot) -> StoredSnapshot:
    return StoredSnapshot(one.system, one.ticket, one.at, one.digest, one.created_at, one.state)


def _read(one: StoredSnapshot) -> Snapshot:
    return Snapshot(one.system, one.ticket, one.at, one.created_at, one.state, one.digest)
