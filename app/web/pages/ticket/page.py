"""One ticket: its clocks with their explanations, its events and its signals. Its script still draws it from the API."""

from starlette.responses import Response

from app.web.http.access import must_see
from app.web.pages.frame.reader import ViewReader
from app.web.pages.frame.room import Room

room = Room("ticket")


@room.get("/tickets/{desk}/{ticket:path}")
async def ticket(reader: ViewReader, desk: str, ticket: str) -> Response:
    """One ticket."""
    must_see(reader.caller, desk)
    return room.page(reader, "ticket.html", desk=desk, ticket=ticket)
