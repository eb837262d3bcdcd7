"""What contracts are owed, by when it must be claimed, and their statements. Its script still draws it from the API."""

from starlette.responses import Response

from app.web.pages.frame.reader import ViewReader
from app.web.pages.frame.room import Room

room = Room("credits")


@room.get("/credits")
async def credits_(reader: ViewReader) -> Response:
    """The credits of all desks."""
    return room.page(reader, "credits.html")
