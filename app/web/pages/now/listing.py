"""What Now lists, as of one instant: everybody who looks at the same list shares one reading of it.

The keys and the counts are of one snapshot. A row is evaluated when the first reader needs it, for the instant of the
reading; it may have seen a signal that the list has not, and comes again with that signal.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from app.flow.query.desks import DeskAnswer, desks_overview
from app.flow.query.open_tickets import (
    KeptSince,
    OpenFilters,
    OpenKey,
    OpenPage,
    OpenTicket,
    kept_this_month,
    kept_today,
    open_page,
    open_tickets_of,
    unclocked_count,
)
from app.principal import covers
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.tickets import signals
from app.web.pages.frame.reader import Reader


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list: the filters, the page of it, the desks of the strip, and whether these have their month."""

    filters: OpenFilters
    cursor: str | None
    size: int
    desks: tuple[str, ...]
    with_months: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One reading of a list. `now` is its instant, `stream_at` its place in the stream of signals."""

    page: OpenPage
    desks: Sequence[DeskAnswer]
    today: KeptSince
    months: Mapping[str, KeptSince | None]
    """By desk, if they are wanted."""
    unclocked: int
    """Of an empty list: the open tickets without an open clock. They are not counted where rows are shown."""
    now: Micros
    stream_at: int
    _rows: dict[OpenKey, OpenTicket] = field(default_factory=dict[OpenKey, OpenTicket])
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _parts: dict[Hashable, Markup] = field(default_factory=dict[Hashable, Markup])

    @property
    def changes_at(self) -> Micros | None:
        """When the first of the desks opens or closes."""
        return min(
            (desk.hours[0].until for desk in self.desks if desk.hours and desk.hours[0].until), default=None
        )

    def part(self, seen: Hashable, write: Callable[[], Markup]) -> Markup:
        """A part of the page as HTML, written once for all readers to whom it looks the same; `seen` says how it
        looks: which part, in which language and zone, with which links."""
        part = self._parts.get(seen)
        if part is None:
            part = self._parts[seen] = write()
        return part

    async def rows(
        self, reader: Reader, without: Collection[tuple[str, str]]
    ) -> Mapping[OpenKey, OpenTicket]:
        """The evaluated tickets of the page; those in `without`, (desk, ticket), only if another reader has had them."""
        async with self._turn:
            missing = [
                key
                for key in self.page.keys
                if key not in self._rows and (key.desk, key.ticket) not in without
            ]
            if missing:
                catalogue = reader.runtime.catalogue
                found = await reader.read(
                    lambda conn: open_tickets_of(conn, catalogue, missing, now=self.now)
                )
                self._rows.update(found)
        return self._rows


async def listing(reader: Reader, wanted: Wanted, seen: int | None) -> Listing:
    """A reading of a list. `seen` is the place in the stream up to which the reader's page has followed."""

    async def read() -> Listing:
        now = reader.runtime.database.now()
        return await reader.read(lambda conn: _read(conn, reader, wanted, now))

    return await reader.runtime.shared_reads.get(wanted, read, seen=seen)


def _read(conn: Connection, reader: Reader, wanted: Wanted, now: Micros) -> Listing:
    last = signals.last(conn)
    desks = [desk for desk in wanted.desks if covers(wanted.filters.desks, desk)]
    overview = desks_overview(conn, reader.runtime.catalogue, desks, now)
    page = open_page(conn, wanted.filters, wanted.cursor, wanted.size, now=now)
    shown = overview if wanted.with_months else []
    months = {desk.desk: kept_this_month(conn, desk, now) for desk in shown}
    today = kept_today(conn, overview, now, wanted.filters)
    is_empty = not page.keys and wanted.cursor is None and wanted.filters.tile is None
    unclocked = unclocked_count(conn, wanted.filters) if is_empty else 0
    return Listing(page, overview, today, months, unclocked, now, last)
