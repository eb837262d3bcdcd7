"""The uptimes of several desks, a page at a time: one list, continued by a cursor across desks."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.flow.query.availability import AvailabilityLimits, AvailabilityQuestion, ObjectKey, availability
from app.flow.query.serialize import Json
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets.board import cursor_of, key_of


@dataclass(frozen=True, slots=True)
class UptimePage:
    """The uptimes of some objects. `next`: the cursor of those that follow; None: there are none."""

    documents: list[Json]
    next: str | None


def uptime_page(
    conn: Connection,
    catalogue: Catalogue,
    desks: Sequence[str],
    asked: AvailabilityQuestion,
    limits: AvailabilityLimits,
    cursor: str | None = None,
) -> UptimePage:
    """The uptimes of these desks, sorted by name, of up to so many objects.

    Raises UnknownDesk, UnknownContract, PeriodFault, FaultyCursor and TooExpensive.
    """
    first, after = _after(cursor)
    found: list[Json] = []
    for desk in (each for each in desks if each >= first):
        left = AvailabilityLimits(limits.objects - len(found), limits.outages)
        page = availability(conn, catalogue, desk, asked, left, after if desk == first else None)
        found += page.documents
        if page.next is not None:
            return UptimePage(found, cursor_of(desk, *page.next))
        if len(found) >= limits.objects and desk != desks[-1]:
            following = desks[desks.index(desk) + 1]
            return UptimePage(found, cursor_of(following, "", "", ""))
    return UptimePage(found, None)


def _after(cursor: str | None) -> tuple[str, ObjectKey | None]:
    """The desk with which a page begins, and its object after which. Raises FaultyCursor."""
    if cursor is None:
        return "", None
    desk, commitment, service, resource = key_of(cursor, str, str, str, str)
    return desk, (commitment, service, resource) if commitment else None
