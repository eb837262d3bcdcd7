"""One ticket: when it is due and why, what stops it, what happened, where it waits, and what a miss would cost.

`/tickets/{desk}/{ticket}` is the page, and `/ticket` where the ticket's name cannot stand in a path; `/ticket/live` is
the part of it that changes; the forms are sent to `/ticket/record`, `/ticket/exclude` and `/ticket/withdraw`. `clock` in
the address names the clock whose timeline is shown beside those that go on, as in `ticket-response/1`.
"""

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from app.principal import Permission
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.web.http.access import lacking, must_see
from app.web.http.forms import read_fields, read_form
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader, RecordReader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.ticket.archived import archived
from app.web.pages.ticket.entered import entered_exclusion, entered_withdrawal
from app.web.pages.ticket.read import TicketRead, read_ticket
from app.web.pages.ticket.recording import (
    correct_page,
    may_record_here,
    record_correction,
    record_fact,
    typed,
)
from app.web.pages.ticket.sections import Audience, sections

room = Room("ticket")

Chosen = Annotated[str | None, Query(max_length=400)]
DeskName = Annotated[str, Query(max_length=200)]
TicketName = Annotated[str, Query(max_length=1_000)]


@room.get("/tickets/{desk}/{ticket:path}")
async def show(reader: ViewReader, desk: str, ticket: str, clock: Chosen = None) -> Response:
    """The page."""
    context = await _read(reader, desk, ticket, clock)
    template = "archived.html" if "archived" in context else "ticket.html"
    shown = typed() | {"is_recorded": reader.request.query_params.get("done") == "recorded"}
    return room.page(reader, template, desk=desk, ticket=ticket, chosen=clock, **shown, **context)


@room.get("/ticket")
async def ticket_by_query(
    reader: ViewReader, desk: DeskName, ticket: TicketName, clock: Chosen = None
) -> Response:
    """The page of a ticket whose name cannot stand in a path, as `..`."""
    return await show(reader, desk, ticket, clock)


@room.get("/ticket/live")
async def live(reader: ViewReader, desk: DeskName, ticket: TicketName, clock: Chosen = None) -> Response:
    """All of the ticket, for the script to swap in."""
    context = await _read(reader, desk, ticket, clock)
    template = "archived_body.html" if "archived" in context else "live.html"
    return room.fragment(reader, template, desk=desk, ticket=ticket, **context)


@room.router.post("/ticket/record")
async def record(reader: RecordReader) -> Response:
    """Records that something happened to a ticket just now."""
    form = await read_form(reader.request)
    desk, ticket = form.get("desk", ""), form.get("ticket", "")
    may_record_here(reader, desk, Permission.RECORD)
    await _read(reader, desk, ticket, None)
    return await record_fact(reader, desk, ticket, form.get("fact", ""))


@room.get("/ticket/correct")
async def correct(reader: ViewReader, desk: DeskName, ticket: TicketName) -> Response:
    """The forms of the corrections."""
    context = await _to_correct(reader, desk, ticket)
    for needed in (Permission.CORRECT, Permission.RECORD):
        if not reader.caller.may(needed, desk):
            raise lacking(needed, desk)
    return correct_page(room, reader, desk, ticket, context)


@room.router.post("/ticket/exclude")
async def exclude(reader: RecordReader) -> Response:
    """Grants an exclusion of a period."""
    fields = await read_fields(reader.request)
    desk, ticket = (dict(fields).get(name, "") for name in ("desk", "ticket"))
    may_record_here(reader, desk, Permission.CORRECT)
    context = await _to_correct(reader, desk, ticket)
    known = {card.commitment for card in context["clocks"]}
    entered = entered_exclusion(fields, reader.caller.principal, context["zone"], known)
    return await record_correction(room, reader, desk, ticket, entered, context)


@room.router.post("/ticket/withdraw")
async def withdraw(reader: RecordReader) -> Response:
    """Withdraws an event."""
    form = await read_form(reader.request)
    desk, ticket = form.get("desk", ""), form.get("ticket", "")
    may_record_here(reader, desk, Permission.CORRECT)
    context = await _to_correct(reader, desk, ticket)
    events = {event.id for event in context["events"] if event.is_valid}
    entered = entered_withdrawal(form, reader.caller.principal, events)
    return await record_correction(room, reader, desk, ticket, entered, context)


async def _to_correct(reader: Reader, desk: str, ticket: str) -> dict[str, Any]:
    """What the forms of the corrections show of a ticket. Raises the 404 problem for one without events."""
    context = await _read(reader, desk, ticket, None)
    if "archived" in context:
        raise not_found("ticket", ticket)
    return context


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
        "may_acknowledge": reader.caller.may(Permission.ACKNOWLEDGE, desk),
        "may_record": reader.caller.may(Permission.RECORD, desk),
        "may_correct": reader.caller.may(Permission.CORRECT, desk)
        and reader.caller.may(Permission.RECORD, desk),
    }
    to = Audience(room.words(reader), reader.now, found.zone)
    if found.answer is None:
        return may | {"archived": archived(found, to)}
    return may | sections(found, found.answer, to, clock)
