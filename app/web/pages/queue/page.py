"""The tickets that wait in a queue, in order. Its script still draws it from the API."""

from starlette.responses import Response

from app.web.http.access import must_see
from app.web.pages.frame.reader import ViewReader
from app.web.pages.frame.room import Room

room = Room("queue")


@room.get("/queues/{desk}/{queue}")
async def queue(reader: ViewReader, desk: str, queue: str) -> Response:
    """One queue."""
    must_see(reader.caller, desk)
    return room.page(reader, "queue.html", desk=desk, queue=queue)
