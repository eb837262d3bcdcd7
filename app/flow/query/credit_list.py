"""The credits of several desks, a page at a time: one list, continued by a cursor across desks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.flow.query.contracts import UnknownContract
from app.flow.query.serialize import Json
from app.flow.query.statements import CreditFilters, credit_page
from app.sla.credit.statement import Total
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets.board import cursor_of, key_of


@dataclass(frozen=True, slots=True)
class CreditQuestion:
    """Which credits, at which instant and by which knowledge. `limit` is how many contracts a page derives."""

    filters: CreditFilters
    now: Micros
    limit: int
    at: Micros | None = None
    as_of: Micros | None = None


@dataclass(slots=True)
class CreditListing:
    """A page of the list. `next`: the cursor of the contracts that follow; None: there are none."""

    documents: list[Json] = field(default_factory=list[Json])
    totals: list[Total] = field(default_factory=list[Total])
    next: str | None = None


def credit_list(
    conn: Connection,
    catalogue: Catalogue,
    desks: Sequence[str],
    asked: CreditQuestion,
    cursor: str | None = None,
) -> CreditListing:
    """The credits of these desks, sorted by name. A page ends with the first desk that has any.

    A contract may be another desk's: with several desks, those that do not have it are left out. Raises UnknownDesk,
    UnknownContract, FaultyCursor and TooExpensive.
    """
    first, after = ("", "") if cursor is None else key_of(cursor, str, str)
    found, ahead = CreditListing(), [desk for desk in desks if desk >= first]
    for place, desk in enumerate(ahead):
        try:
            page = credit_page(
                conn,
                catalogue,
                desk,
                asked.filters,
                now=asked.now,
                at=asked.at,
                as_of=asked.as_of,
                after=after if desk == first else "",
                limit=asked.limit,
            )
        except UnknownContract:
            if len(desks) == 1:
                raise
            continue
        found.documents += page.documents
        found.totals += page.totals
        if page.next is not None:
            found.next = cursor_of(desk, page.next)
            return found
        if found.documents and place + 1 < len(ahead):
            found.next = cursor_of(ahead[place + 1], "")
            return found
    return found
