"""Duplicate groups: which tickets an event of one may move, and which logs say so.

A ticket moves at most `duplicates_max` tickets before it, so of a group that a mail loop has made only those next to it
of a ticket are read. Instants are microseconds UTC.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.store.engine.database import Connection
from app.store.tickets import queues
from app.store.tickets.queues import Member

FEW: Final = 500
"""Up to so many members of all groups together one query reads them all; of larger groups those next to each ticket."""


@dataclass(frozen=True, slots=True)
class AdjacentTickets:
    """Tickets of one duplicate group next to each other, in the order of creation.

    The wait intervals of those `within` follow from the logs of all of them.
    """

    tickets: tuple[str, ...]
    within: frozenset[str]


def adjacent_tickets(
    conn: Connection,
    desk: str,
    places: Mapping[Member, bool],
    moved: Iterable[str],
    count: int,
    *,
    few: int = FEW,
) -> list[AdjacentTickets]:
    """The tickets next to these places in duplicate groups: those that the ticket there may move or be moved by.

    `places` says of each whether a ticket is there now, or was when it was last evaluated. `moved` are all tickets of
    the places, wherever the store still has them. `count` is the rules' `duplicates_max`.
    """
    stored = _stored(conn, desk, places, count, few)
    gone = set(moved)
    now = {member for member in stored if member[2] not in gone} | {p for p, there in places.items() if there}
    by_group: dict[str, list[Member]] = {}
    for member in sorted(now):
        by_group.setdefault(member[0], []).append(member)
    found: list[AdjacentTickets] = []
    for group, members in by_group.items():
        spots = [bisect_left(members, place) for place in places if place[0] == group]
        found += _around(members, sorted(spots), count)
    return found


def _stored(conn: Connection, desk: str, places: Iterable[Member], count: int, few: int) -> set[Member]:
    places = list(places)
    groups = sorted({group for group, _, _ in places})
    if (found := queues.group_members(conn, desk, groups, few)) is not None:
        return set(found)
    # Twice as far: what moves one of those. One more for each ticket of the transaction that may stand between.
    reach = 2 * count + len(places)
    return {m for place in places for m in queues.group_members_near(conn, desk, place, reach)}


def _around(members: list[Member], spots: list[int], count: int) -> list[AdjacentTickets]:
    """Runs of members that reach twice `count` to both sides of the spots."""
    runs: list[tuple[int, int]] = []
    for spot in spots:
        start, end = max(0, spot - 2 * count), min(len(members), spot + 2 * count + 1)
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    near = {n for spot in spots for n in range(max(0, spot - count), min(len(members), spot + count + 1))}
    names = [ticket for _, _, ticket in members]
    return [
        AdjacentTickets(tuple(names[start:end]), frozenset(names[n] for n in range(start, end) if n in near))
        for start, end in runs
    ]
