"""The service with one route more, which verifies and validates a push as the real one does, and stores nothing."""

import sys
from pathlib import Path

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from fastapi import APIRouter, Request  # noqa: E402
from starlette.responses import Response  # noqa: E402

from app.flow.receive import Incoming  # noqa: E402
from app.main import create_app, serve  # noqa: E402
from app.settings import Settings  # noqa: E402
from app.web.access import Pusher  # noqa: E402
from app.web.answer import Json  # noqa: E402
from app.web.cloudevent import Readable, read_event  # noqa: E402
from app.web.reading import read_values  # noqa: E402
from app.web.running import running  # noqa: E402

router = APIRouter()


@router.post("/limit")
async def check_only(request: Request, pusher: Pusher) -> Response:
    """The way of a push up to the point at which it would be stored."""
    settings = running(request).settings
    values, _ = await read_values(request, most=settings.max_events)
    read = [read_event(value, max_text=settings.max_text) for value in values]
    incoming = [
        Incoming.of(each.desk, each.event)
        for each in read
        if isinstance(each, Readable) and pusher.sees(each.desk)
    ]
    return Json({"accepted": len(incoming), "repeated": 0, "refused": [], "tickets": []})


if __name__ == "__main__":
    settings = Settings(port=int(sys.argv[2]))
    app = create_app(settings)
    app.include_router(router)
    serve(settings, app)
