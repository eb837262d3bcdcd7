"""The uptime of each service this month, its last ninety days, its outages and its announced maintenance.

Its script still draws it from the API.
"""

from starlette.responses import Response

from app.web.pages.frame.reader import ViewReader
from app.web.pages.frame.room import Room

room = Room("service")


@room.get("/services")
async def services(reader: ViewReader) -> Response:
    """The services of all desks."""
    return room.page(reader, "service.html")
