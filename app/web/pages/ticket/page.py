"""One ticket: when it is due and why, what stops it, what happened, where it waits, and what a miss would cost.

`/tickets/{desk}/{ticket}` is the page; `/ticket/live` is the part of it that changes. `clock` in the address names the
clock whose timeline is shown beside those that go on, as in `ticket-response/1`.
"""

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from app.principal import Permission
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.web.http.access import must_see
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.ticket.archived import archived
from app.web.pages.ticket.read import TicketRead, read_ticket
from app.web.pages.ticket.sections import Audience, sections

room = Room("ticket")

Chosen = Annotated[str | None, Query(max_length=400)]


@room.get("/tickets/{desk}/{ticket:path}")
async def ticket(reader: ViewReader, desk: str, ticket: str, clock: Chosen = None) -> Response:
    """The page."""
    context = await _read(reader, desk, ticket, clock)
    template = "archived.html" if "archived" in context else "ticket.html"
    return room.page(reader, template, desk=desk, ticket=ticket, chosen=clock, **context)


@room.get("/ticket/live")
async def live(
    reader: ViewReader,
    desk: Annotated[str, Query(max_length=200)],
    ticket: Annotated[str, Query(max_length=1_000)],
    clock: Chosen = None,
) -> Response:
    """All of the ticket, for the script to swap in."""
    context = await _read(reader, desk, ticket, clock)
    template = "archived_body.html" if "archived" in context else "live.html"
    return room.fragment(reader, template, desk=desk, ticket=ticket, **context)


async def _read(reader: Reader, desk: str, ticket: str, clock: str | None) -> dict[str, Any]:
    must_see(reader.caller, desk)
    runtime = reader.runtime

    def read(conn: Connection) -> TicketRead:
        return read_ticket(conn, runtime.catalogue, runtime.settings, desk, ticket, reader.now)

    try:
        found = await reader.read(read)
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    may = {
        "may_record": reader.caller.may(Permission.RECORD, desk),
        "may_correct": reader.caller.may(Permission.CORRECT, desk)
        and reader.caller.may(Permission.RECORD, desk),
    }
    to = Audience(room.words(reader), reader.now, found.zone)
    if found.answer is None:
        return may | {"archived": archived(found, to)}
    return may | sections(found, found.answer, to, clock)
