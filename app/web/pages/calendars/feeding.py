"""Addresses of a calendar for calendar programs: made by a form, and shown once."""

from typing import Annotated

from fastapi import Depends, Request

from app.flow.query.desks import own_calendars
from app.sla.span import Micros
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.store.people import feeds
from app.web.http.access import Publisher
from app.web.http.middleware import FEEDS
from app.web.http.problems import Kind, Problem, not_found
from app.web.pages.frame.reader import Reader, reader_of

_NOTE_LENGTH = 200
"""As of the API."""


async def _publishing(request: Request, caller: Publisher) -> Reader:
    return await reader_of(request, caller)


PublishReader = Annotated[Reader, Depends(_publishing)]
"""A reader who may make addresses that open a calendar to everyone who has them."""


async def new_feed(reader: Reader, desk: str, name: str, note: str) -> str:
    """A new address of a calendar in force. Raises Problem."""
    parts, who = reader.runtime, reader.caller.principal
    most = parts.settings.calendar_feeds_max

    def add(conn: Connection, now: Micros) -> str | None:
        _must_have(conn, reader, desk, name)
        if len(feeds.listed(conn, desk, name)) >= most:
            return None
        made, _ = feeds.add(conn, desk, name, note=note[:_NOTE_LENGTH], created_by=who.signs(who.id), now=now)
        return made

    secret = await parts.database.write(add, reader.caller.desks)
    if secret is None:
        detail = f"The calendar has {most} feeds. Remove one, or set SLATIMER_CALENDAR_FEEDS_MAX."
        raise Problem(Kind.LIMIT_REACHED, detail)
    return f"{str(reader.request.base_url).rstrip('/')}{FEEDS}/{secret}.ics"


def _must_have(conn: Connection, reader: Reader, desk: str, name: str) -> None:
    try:
        current = reader.runtime.catalogue.in_force(conn, desk, at=reader.now)
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    if all(each.name != f"{desk}/{name}" for each in own_calendars(desk, current.calendars)):
        raise not_found("calendar", f"{desk}/{name[:100]}")
