"""The chain of a monitor's marks: which episode each firing and each end belongs to.

A mark that arrives late can begin an episode earlier, part one into two or end another one. Only marks between the ends
on both sides of it are concerned; the events of those whose part has changed replace those they reported before.
"""

from collections.abc import Sequence

from app.flow.inbound.snapshot_chain import OriginEvents
from app.intake.mapping.episode import Mark, episode_events, is_mark
from app.intake.mapping.source import Source
from app.sla.event import Event
from app.store.engine.database import Connection
from app.store.inbound import snapshots
from app.store.inbound.snapshots import StoredSnapshot


def episode_changes(
    conn: Connection, source: Source, hook: str, brought: Sequence[Mark], *, new: bool
) -> list[OriginEvents]:
    """Make exactly these marks the ones that a request brought. `new`: it is read for the first time.

    Returns the events of each origin that this changes, in order: a later entry of one origin replaces an earlier one.
    """
    changed: list[OriginEvents] = []
    if not new:
        wanted = {(mark.series, *mark.place) for mark in brought}
        for known in snapshots.of_hook(conn, source.desk, hook):
            if is_mark(known.digest) and (known.ticket, known.at, known.digest) not in wanted:
                changed += _remove(conn, source, _read(known))
    for mark in brought:
        changed += _insert(conn, source, mark, hook)
    return changed


def _insert(conn: Connection, source: Source, this: Mark, hook: str) -> list[OriginEvents]:
    around = _around(conn, source.desk, this)
    if this in around:
        return []
    same = next((each for each in around if (each.at, each.fires) == (this.at, True) and this.fires), None)
    # A monitor repeats a firing with other figures in its texts. One content is kept, the same in any order of arrival.
    if same is not None and same.digest < this.digest:
        return []
    after = [*(each for each in around if each != same), this]
    snapshots.add(conn, source.desk, _stored(this), hook)
    if same is not None:
        snapshots.remove(conn, source.desk, _stored(same))
    return _differences(source, around, after)


def _remove(conn: Connection, source: Source, this: Mark) -> list[OriginEvents]:
    around = _around(conn, source.desk, this)
    snapshots.remove(conn, source.desk, _stored(this))
    return _differences(source, around, [each for each in around if each != this])


def _around(conn: Connection, desk: str, this: Mark) -> list[Mark]:
    return [_read(each) for each in snapshots.episode_around(conn, desk, _stored(this))]


def _differences(source: Source, before: Sequence[Mark], after: Sequence[Mark]) -> list[OriginEvents]:
    """The marks that report other events than before: first those that report any, so that an event that two of them
    report in turn is never withdrawn in between."""
    old, now = dict(episode_events(before, source)), dict(episode_events(after, source))
    other = [mark for mark in old | now if old.get(mark) != now.get(mark)]
    other.sort(key=lambda mark: (not now.get(mark), mark.place))
    return [_reported(source.desk, mark, old.get(mark), now.get(mark, ())) for mark in other]


def _reported(desk: str, mark: Mark, before: Sequence[Event] | None, events: Sequence[Event]) -> OriginEvents:
    origin = _stored(mark).origin
    return OriginEvents(desk, origin, events, new=before is None, at=mark.at, before=before or ())


def _stored(mark: Mark) -> StoredSnapshot:
    return StoredSnapshot(mark.system, mark.series, mark.at, mark.digest, None, mark.state)


def _read(stored: StoredSnapshot) -> Mark:
    return Mark(stored.system, stored.ticket, stored.at, stored.state, stored.digest)
