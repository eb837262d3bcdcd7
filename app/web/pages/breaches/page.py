"""Breaches: what was broken, since when and why, whether anybody has taken it on, and what it costs.

`/breaches` is the page; `/breaches/list` is the part of it that changes. `/breaches/take-on` is the form of one breach.
"""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response

from app.flow.people.views import Page
from app.flow.query.breaches import BreachBoard, BreachFilters, board, filter_choices
from app.principal import Permission
from app.sla.agreement.agreement import Agreement
from app.store.engine.database import Connection
from app.web.http.access import desks_for
from app.web.http.forms import read_form
from app.web.pages.breaches.query import BreachQuery
from app.web.pages.breaches.rows import KIND_CHOICES, rows
from app.web.pages.breaches.taking import take_on, take_on_page
from app.web.pages.frame.labels import commitment_labels
from app.web.pages.frame.reader import AcknowledgeReader, Reader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.frame.saved import menu
from app.web.pages.reports.query import FILTERS

room = Room("breaches")

Wanted = Annotated[BreachQuery, Query()]


@room.get("/breaches")
async def breaches(reader: ViewReader, wanted: Wanted) -> Response:
    """The page."""
    context = await _list(reader, wanted)
    desks = desks_for(reader.caller, wanted.desk)
    choices, labels, reports = await reader.read(
        lambda conn: (
            filter_choices(conn, desks),
            commitment_labels(conn, reader, desks),
            _reports(conn, reader, wanted.desk),
        )
    )
    saved = await menu(reader, Page.BREACHES)
    return room.page(
        reader,
        "breaches.html",
        desk=wanted.desk,
        choices=choices,
        labels=labels,
        kinds=KIND_CHOICES,
        reports=reports,
        saved=saved,
        **context,
    )


@room.get("/breaches/list")
async def list_(reader: ViewReader, wanted: Wanted) -> Response:
    """The counts and the rows, for the script to swap in."""
    return room.fragment(reader, "list.html", **await _list(reader, wanted))


@room.get("/breaches/take-on")
async def show_take_on(
    reader: AcknowledgeReader, breach: Annotated[str, Query(min_length=1, max_length=200)]
) -> Response:
    """The form with which a breach is taken on."""
    return await take_on_page(room, reader, breach)


@room.router.post("/breaches/take-on")
async def post_take_on(reader: AcknowledgeReader) -> Response:
    """Records that the reader has taken a breach on, and leads back to where they came from."""
    return await take_on(room, reader, await read_form(reader.request))


async def _list(reader: Reader, wanted: BreachQuery) -> dict[str, Any]:
    desks = desks_for(reader.caller, wanted.desk)
    catalogue, size = reader.runtime.catalogue, reader.runtime.settings.page_size

    def read(conn: Connection) -> tuple[BreachBoard, BreachFilters]:
        filters = wanted.filters(desks, _zone(conn, reader, wanted.desk))
        return board(conn, catalogue, filters, wanted.cursor, size, now=reader.now), filters

    found, filters = await reader.read(read)
    parameters = wanted.for_api(filters)
    return {
        "wanted": wanted,
        "rows": rows(found, room.words(reader), reader),
        "counts": found.counts,
        "next": found.next,
        "files": {
            each: f"/v1/breaches?{urlencode({**parameters, 'format': each})}" for each in ("csv", "xlsx")
        },
        "may_acknowledge": reader.may(Permission.ACKNOWLEDGE),
    }


def _zone(conn: Connection, reader: Reader, desk: str | None) -> str:
    """The zone in which days are meant: that of the desk, else the reader's own."""
    if desk is None:
        return reader.choices.zone or "UTC"
    return _agreement(conn, reader, desk).time_zone


def _reports(conn: Connection, reader: Reader, desk: str | None) -> str:
    """The address of the reports of the same dates, with those filters of the list that they know."""
    shown = desk or (reader.desks[0] if len(reader.desks) == 1 else None)
    unknown = ["show", "taken", "q", "cursor"]
    if shown is None:
        unknown += ["kind", *FILTERS]
    elif not _agreement(conn, reader, shown).names_in_reports:
        unknown.append("assignee")
    return reader.address_of("/reports", **{**dict.fromkeys(unknown), "desk": shown})


def _agreement(conn: Connection, reader: Reader, desk: str) -> Agreement:
    return reader.runtime.catalogue.in_force(conn, desk, at=reader.now).agreement
