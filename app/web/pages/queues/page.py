"""Queues: those in which tickets wait, and one of them in its order.

`/queues` lists them, `/queues/{desk}/{queue}` is one; `/queues/list` and `/queues/{desk}/{queue}/list` are the parts of
these pages that change.
"""

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from app.flow.query.queues import UnknownQueue, queue_answer, queue_names
from app.flow.query.tickets import answers
from app.principal import covers
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.store.tickets.board import cursor_of, key_of
from app.web.http.access import desks_for, must_see
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.queues.lines import QueueLine, queue_line
from app.web.pages.queues.places import Audience, places, why_no_forecast

room = Room("queues")

Name = Annotated[str | None, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=1_000)]


@room.get("/queues")
async def queues(reader: ViewReader, desk: Name = None, cursor: Cursor = None) -> Response:
    """The queues in which tickets wait."""
    return room.page(reader, "queues.html", desk=desk, **await _queues(reader, desk, cursor))


@room.get("/queues/list")
async def queues_list(reader: ViewReader, desk: Name = None, cursor: Cursor = None) -> Response:
    """The list of queues, for the script to swap in."""
    return room.fragment(reader, "lines.html", **await _queues(reader, desk, cursor))


@room.get("/queues/{desk}/{queue}")
async def queue(reader: ViewReader, desk: str, queue: str, cursor: Cursor = None) -> Response:
    """One queue."""
    return room.page(reader, "queue.html", desk=desk, **await _queue(reader, desk, queue, cursor))


@room.get("/queues/{desk}/{queue}/list")
async def queue_list(reader: ViewReader, desk: str, queue: str, cursor: Cursor = None) -> Response:
    """The tickets of one queue, for the script to swap in."""
    return room.fragment(reader, "places.html", desk=desk, **await _queue(reader, desk, queue, cursor))


async def _queues(reader: Reader, desk: str | None, cursor: str | None) -> dict[str, Any]:
    """A page of the queues of the reader's desks, by desk and name."""
    wanted = desks_for(reader.caller, desk)
    after = ("", "") if cursor is None else key_of(cursor, str, str)
    size = reader.runtime.settings.page_size
    words, catalogue = room.words(reader), reader.runtime.catalogue

    def read(conn: Connection) -> dict[str, Any]:
        known = sorted(each for each in queue_names(conn) if covers(wanted, each[0]) and each[:2] > after)
        shown = known[:size]
        zones = _zones(conn, reader, {name for name, *_ in shown})
        lines: list[QueueLine] = []
        for name, queue, _ in shown:
            listing = queue_answer(conn, catalogue, name, queue, reader.now, limit=1)
            lines.append(queue_line(listing, Audience(words, reader.now, zones[name])))
        following = cursor_of(*shown[-1][:2]) if len(known) > size else None
        return {"lines": lines, "next": following, "cursor": cursor}

    return await reader.read(read)


async def _queue(reader: Reader, desk: str, queue: str, cursor: str | None) -> dict[str, Any]:
    """A page of one queue. Positions shift between pages: a page begins at a position and says what it is now."""
    must_see(reader.caller, desk)
    (after,) = (0,) if cursor is None else key_of(cursor, int)
    after = max(0, after)
    size, catalogue = reader.runtime.settings.page_size, reader.runtime.catalogue
    words = room.words(reader)

    def read(conn: Connection) -> dict[str, Any]:
        listing = queue_answer(conn, catalogue, desk, queue, reader.now, after=after, limit=size)
        judged = answers(
            conn, catalogue, desk, [each.ticket for each in listing.waiting], now=reader.now, placed=False
        )
        audience = Audience(words, reader.now, _zones(conn, reader, {desk})[desk])
        following = after + len(listing.waiting)
        return {
            "queue": queue,
            "length": listing.length,
            "places": places(listing, judged, audience),
            "reason": why_no_forecast(words, listing.reason),
            "next": cursor_of(following) if following < listing.length else None,
            "cursor": cursor,
        }

    try:
        return await reader.read(read)
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    except UnknownQueue:  # no ticket has been in it yet
        return {"queue": queue, "length": 0, "places": [], "reason": None, "next": None, "cursor": None}


def _zones(conn: Connection, reader: Reader, desks: set[str]) -> dict[str, str]:
    """The time zone of each desk's agreement."""
    catalogue, now = reader.runtime.catalogue, reader.now
    return {desk: catalogue.in_force(conn, desk, at=now).agreement.time_zone for desk in desks}
