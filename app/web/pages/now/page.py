"""Now: what breaks next and who has it, what is broken, whether the desks are open, what waits for somebody else.

`/` is the page and its wall view; `/now/list` is the part of it that changes, and `/now/ticket` the panel of one ticket.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Query
from starlette.responses import Response

from app.flow.query.desks import DeskAnswer, desks_overview
from app.flow.query.open_tickets import (
    KeptSince,
    OpenFilters,
    OpenPage,
    Urgency,
    filter_choices,
    kept_this_month,
    kept_today,
    open_page,
    open_ticket,
)
from app.principal import Permission, covers
from app.store.engine.database import Connection
from app.web.http.access import desks_for, must_see
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.now.panel import panel
from app.web.pages.now.query import NowQuery, View, key_parts
from app.web.pages.now.rows import Audience, row
from app.web.pages.now.strip import desk_line
from app.web.pages.now.tiles import tiles

WALL_ROWS: Final = 12
"""What can be read from five metres on one screen."""

room = Room("now")

Wanted = Annotated[NowQuery, Query()]


@dataclass(frozen=True, slots=True)
class _Read:
    """What one snapshot of the database says."""

    page: OpenPage
    desks: list[DeskAnswer]
    today: KeptSince
    months: dict[str, KeptSince | None]
    """By desk, on the wall only."""


@room.get("/")
async def now(reader: ViewReader, wanted: Wanted) -> Response:
    """The page, or its wall view."""
    context = await _list(reader, wanted)
    if wanted.view is View.WALL:
        return room.page(reader, "wall.html", desk=wanted.desk, **context)
    desks = desks_for(reader.caller, wanted.desk)
    choices = await reader.read(lambda conn: filter_choices(conn, desks))
    selected = await _panel(reader, wanted.selected) if wanted.selected else {}
    return room.page(reader, "now.html", desk=wanted.desk, choices=choices, **context | selected)


@room.get("/now/list")
async def list_(reader: ViewReader, wanted: Wanted) -> Response:
    """The strip, the tiles and the rows, for the script to swap in. Rows in `keep` are left to the browser."""
    return room.fragment(reader, "list.html", **await _list(reader, wanted))


@room.get("/now/ticket")
async def ticket(reader: ViewReader, selected: Annotated[str, Query(max_length=400)]) -> Response:
    """The panel of one ticket."""
    return room.fragment(reader, "panel.html", **await _panel(reader, selected))


async def _list(reader: Reader, wanted: NowQuery) -> dict[str, Any]:
    filters = wanted.filters(desks_for(reader.caller, wanted.desk))
    size = WALL_ROWS if wanted.view is View.WALL else reader.runtime.settings.page_size

    def read(conn: Connection) -> _Read:
        catalogue = reader.runtime.catalogue
        desks = [desk for desk in reader.desks if covers(filters.desks, desk)]
        overview = desks_overview(conn, catalogue, desks, reader.now)
        page = open_page(conn, catalogue, filters, wanted.cursor, size, now=reader.now, without=wanted.kept)
        shown = overview if wanted.view is View.WALL else []
        months = {desk.desk: kept_this_month(conn, desk, reader.now) for desk in shown}
        return _Read(page, overview, kept_today(conn, overview, reader.now), months)

    found = await reader.read(read)
    words = room.words(reader)
    lines = [desk_line(desk, words, reader.now, found.months.get(desk.desk)) for desk in found.desks]
    return {
        "wanted": wanted,
        "groups": _groups(reader, wanted, found.page, filters),
        "tiles": tiles(reader, wanted, found.page.counts),
        "today": found.today,
        "lines": lines,
        "refresh_at": min((line.changes_at for line in lines if line.changes_at), default=None),
        "next": found.page.next,
        "may_acknowledge": reader.may(Permission.ACKNOWLEDGE),
    }


def _groups(
    reader: Reader, wanted: NowQuery, page: OpenPage, filters: OpenFilters
) -> list[Mapping[str, Any]]:
    """The rows of the page by group, with the count of the whole group. A row that is kept has its key alone."""
    to = _audience(reader)
    found: list[Mapping[str, Any]] = []
    for urgency in Urgency:
        rows: list[Mapping[str, Any]] = []
        for each in page.tickets:
            if each.key.urgency is not urgency:
                continue
            key = f"{each.key.desk}/{each.key.ticket}"
            kept = (each.key.desk, each.key.ticket) in wanted.kept
            shown = None if kept else row(each, to, filters.commitment)
            if kept or shown is not None:
                rows.append({"key": key, "row": shown})
        if rows:
            found.append({"urgency": urgency, "count": page.counts.groups[urgency], "rows": rows})
    return found


def _audience(reader: Reader) -> Audience:
    return Audience(room.words(reader), reader.now)


async def _panel(reader: Reader, selected: str) -> dict[str, Any]:
    desk, name = key_parts(selected)
    must_see(reader.caller, desk)
    found = await reader.read(
        lambda conn: open_ticket(conn, reader.runtime.catalogue, desk, name, now=reader.now)
    )
    if found is None:
        raise not_found("ticket", name)
    may = reader.caller.may(Permission.ACKNOWLEDGE, desk)
    return {"panel": panel(found, _audience(reader)), "may_acknowledge": may}
