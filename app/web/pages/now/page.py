"""Now: what breaks next and who has it, what is broken, whether the desks are open, what waits for somebody else.

`/` is the page and its wall view; `/now/list` is the part of it that changes, and `/now/ticket` the panel of one ticket.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Query
from markupsafe import Markup
from starlette.responses import Response

from app.delivery.wording.phrases import N_
from app.flow.people.views import Page, default
from app.flow.query.open_tickets import (
    TODAY,
    UNCLOCKED,
    OpenFilters,
    OpenKey,
    OpenTicket,
    Tile,
    Urgency,
    decided_today,
    filter_choices,
    open_ticket,
    unclocked_page,
)
from app.principal import Permission
from app.web.http.access import desks_for, must_see
from app.web.http.problems import not_found
from app.web.pages.frame.choices import PARAMETERS
from app.web.pages.frame.labels import commitment_labels
from app.web.pages.frame.posted import lead_to
from app.web.pages.frame.reader import HOME, Reader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.frame.saved import address_of, menu
from app.web.pages.now.listing import Listing, Wanted, listing
from app.web.pages.now.panel import panel
from app.web.pages.now.query import NowQuery, View, key_parts
from app.web.pages.now.rows import Audience, row
from app.web.pages.now.strip import desk_line
from app.web.pages.now.tiles import tiles, today_tile
from app.web.pages.now.today import groups as today_groups
from app.web.pages.now.unclocked import unclocked_rows

WALL_ROWS: Final = 12
"""What can be read from five metres on one screen."""

_TITLES: Final = {
    Urgency.OVERDUE: N_("Breached"),
    Urgency.AT_RISK: N_("At risk"),
    Urgency.REST: N_("Next"),
}

room = Room("now")

Asked = Annotated[NowQuery, Query()]


@room.get("/")
async def now(reader: ViewReader, wanted: Asked) -> Response:
    """The page, or its wall view. Without filters in the address it opens with the reader's default view."""
    if reader.request.query_params.keys() <= PARAMETERS and (opens := await _default(reader)) is not None:
        return lead_to(reader, opens)
    reader, context = await _list(reader, wanted)
    if wanted.view is View.WALL:
        return room.page(reader, "wall.html", desk=wanted.desk, **context)
    desks = desks_for(reader.caller, wanted.desk)
    choices, labels = await reader.read(
        lambda conn: (filter_choices(conn, desks), commitment_labels(conn, reader, desks))
    )
    selected = await _panel(reader, wanted.selected) if wanted.selected else {}
    saved = await menu(reader, Page.NOW)
    context |= {"choices": choices, "labels": labels, "saved": saved} | selected
    return room.page(reader, "now.html", desk=wanted.desk, **context)


@room.get("/now/list")
async def list_(reader: ViewReader, wanted: Asked) -> Response:
    """The strip, the tiles and the rows, for the script to swap in. Rows in `keep` are left to the browser."""
    reader, context = await _list(reader, wanted)
    return room.fragment(reader, "list.html", **context)


@room.get("/now/ticket")
async def ticket(reader: ViewReader, selected: Annotated[str, Query(max_length=400)]) -> Response:
    """The panel of one ticket."""
    return room.fragment(reader, "panel.html", **await _panel(reader, selected))


async def _default(reader: Reader) -> str | None:
    """The address of the reader's default view, with a language or theme that was chosen just now."""
    view = await reader.read(lambda conn: default(conn, reader.caller.principal))
    if view is None:
        return None
    chosen = urlencode(dict(reader.request.query_params))
    return address_of(view) + (f"&{chosen}" if chosen else "")


async def _list(reader: Reader, wanted: NowQuery) -> tuple[Reader, dict[str, Any]]:
    """The list, and the reader at its instant."""
    on_wall = wanted.view is View.WALL
    size = WALL_ROWS if on_wall else reader.runtime.settings.page_size
    filters = wanted.filters(desks_for(reader.caller, wanted.desk))
    asked = Wanted(filters, wanted.cursor, size, reader.desks, with_months=on_wall)
    if wanted.show in (TODAY, UNCLOCKED):  # its cursor is of another list
        asked = replace(asked, cursor=None)
    found = await listing(reader, asked, wanted.seen)
    may = reader.may(Permission.ACKNOWLEDGE)
    reader = replace(reader, now=found.now, stream_at=found.stream_at)
    if wanted.show == TODAY:
        groups, following = await _today(reader, wanted, found, filters, size, may_acknowledge=may)
    elif wanted.show == UNCLOCKED:
        groups, following = await _unclocked(reader, wanted, filters, size)
    else:
        rows, following = await found.rows(reader, wanted.kept), found.page.next
        groups = _groups(reader, wanted, found, rows, may_acknowledge=may)
    return reader, {
        "wanted": wanted,
        "groups": groups,
        "top": _top(reader, wanted, found),
        "overdue": found.page.counts.tiles[Tile.OVERDUE],
        "refresh_at": found.changes_at,
        "next": following,
        "unclocked": found.unclocked,
        "may_acknowledge": may,
    }


async def _today(
    reader: Reader,
    wanted: NowQuery,
    found: Listing,
    filters: OpenFilters,
    size: int,
    *,
    may_acknowledge: bool,
) -> tuple[list[Mapping[str, Any]], str | None]:
    """What was decided today, in groups, and the cursor of the next page."""
    catalogue = reader.runtime.catalogue
    decided = await reader.read(
        lambda conn: decided_today(conn, catalogue, found.desks, filters, wanted.cursor, size, now=reader.now)
    )
    counts = {True: found.today.kept, False: found.today.missed}
    groups: list[Mapping[str, Any]] = []
    for group in today_groups(decided, counts, _audience(reader)):
        rows = [
            room.part(reader, "one_row.html", row=each, may_acknowledge=may_acknowledge)
            for each in group["rows"]
        ]
        groups.append({**group, "rows": [{"html": each} for each in rows]})
    return groups, decided.next


async def _unclocked(
    reader: Reader, wanted: NowQuery, filters: OpenFilters, size: int
) -> tuple[list[Mapping[str, Any]], str | None]:
    """The open tickets without an open clock as one group, and the cursor of the next page."""
    catalogue = reader.runtime.catalogue
    found = await reader.read(
        lambda conn: unclocked_page(conn, catalogue, filters, wanted.cursor, size, now=reader.now)
    )
    rows = [
        {"html": room.part(reader, "unclocked.html", row=each)}
        for each in unclocked_rows(reader, room.words(reader), found)
    ]
    title = room.words(reader).say(N_("Open, without a running commitment"))
    group = {"name": Urgency.REST.name.lower(), "title": title, "count": found.count, "rows": rows}
    return ([group] if rows else []), found.next


def _top(reader: Reader, wanted: NowQuery, found: Listing) -> Markup:
    """The strip and the tiles. Their links have the filters of this address."""

    def write() -> Markup:
        words = room.words(reader)
        lines = [desk_line(desk, words, reader.now, found.months.get(desk.desk)) for desk in found.desks]
        shown = tiles(reader, wanted, found.page.counts)
        today = today_tile(reader, wanted, found.today)
        return room.part(reader, "top.html", lines=lines, tiles=shown, today=today)

    return found.part((reader.address_of(HOME), reader.choices.language, reader.choices.zone), write)


def _groups(
    reader: Reader,
    wanted: NowQuery,
    found: Listing,
    tickets: Mapping[OpenKey, OpenTicket],
    *,
    may_acknowledge: bool,
) -> list[Mapping[str, Any]]:
    """The rows of the page by group, with the count of the whole group. A row that is kept has its key alone."""
    keeps, page = wanted.kept, found.page
    groups: list[Mapping[str, Any]] = []

    def part(key: OpenKey) -> Markup:
        def write() -> Markup:
            shown = row(tickets[key], _audience(reader), wanted.commitment)
            given = {"row": shown, "may_acknowledge": may_acknowledge}
            return room.part(reader, "one_row.html", **given) if shown else Markup()

        return found.part((key, may_acknowledge, reader.choices.language, reader.choices.zone), write)

    for urgency in Urgency:
        rows = [
            {"key": f"{key.desk}/{key.ticket}", "html": None if kept else part(key)}
            for key in page.keys
            if key.urgency is urgency
            for kept in [(key.desk, key.ticket) in keeps]
        ]
        shown = [each for each in rows if each["html"] is None or each["html"]]
        if shown:
            title = room.words(reader).say(_TITLES[urgency])
            count = page.counts.groups[urgency]
            groups.append({"name": urgency.name.lower(), "title": title, "count": count, "rows": shown})
    return groups


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
