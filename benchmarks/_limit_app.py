"""The service with routes that show what the machine could do without the service's own work.

`/limit` verifies and validates a push as the real route does, and stores nothing. `/limit/stored` writes besides, in
group commit on the same connection, the very rows that the service writes for such events: none of them is read before,
judged or told. `/limit/stream` sends what `/limit/tell` is given to every client, from memory.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from app.flow.judge.receive import Incoming
from app.intake.cloudevents import Readable, read_event
from app.main import create_app, serve
from app.principal import EVERY
from app.settings import Settings
from app.sla.span import Micros
from app.store.engine.database import Connection, wall_clock
from app.store.engine.group_commit import GroupCommit
from app.web.http.access import Recorder, Viewer
from app.web.http.bodies import read_values
from app.web.http.responses import Json
from app.web.http.routing import Router, called_directly
from app.web.http.running import running
from benchmarks._copyist import Copyist
from benchmarks._shape import PUSHED, Write

router = Router()
SHAPE = "SLATIMER_BENCH_SHAPE"
"""Where the rows are that each kind of event writes: a JSON file."""


async def _incoming(request: Request, caller: Recorder) -> list[Incoming]:
    settings = running(request).settings
    values, _ = await read_values(request, limit=settings.max_events)
    read = [read_event(value, max_text=settings.max_text_length) for value in values]
    return [
        Incoming.of(each.desk, each.event)
        for each in read
        if isinstance(each, Readable) and caller.sees(each.desk)
    ]


def _answer(incoming: list[Incoming]) -> Response:
    return Json({"accepted": len(incoming), "repeated": 0, "refused": [], "tickets": []})


@router.post("/limit")
@called_directly
async def check_only(request: Request, caller: Recorder) -> Response:
    """The way of a push up to the point at which it would be stored."""
    return _answer(await _incoming(request, caller))


class _Store:
    """Writes the rows of whole pushes."""

    def __init__(self) -> None:
        steps = json.loads(Path(os.environ[SHAPE]).read_text())
        self._copyist = Copyist(
            {
                kind: [Write(**write) for write in writes]
                for (_, kind, _), writes in zip(PUSHED.happens, steps, strict=False)
            }
        )
        self.group: GroupCommit[list[Incoming], int] | None = None

    def process(self, conn: Connection, now: Micros, members: Sequence[list[Incoming]]) -> list[int]:
        events = [one.event for member in members for one in member]
        self._copyist.write(conn, now, [(each.type, each.subject, each.id) for each in events])
        return [len(member) for member in members]


store = _Store() if SHAPE in os.environ else None


@router.post("/limit/stored")
async def store_only(request: Request, caller: Recorder) -> Response:
    """The way of a push with the writing of its rows and without all that is between."""
    incoming = await _incoming(request, caller)
    assert store is not None
    if store.group is None:
        parts = running(request)
        store.group = GroupCommit(
            parts.database, store.process, parts.settings.group_commit_size, len, desks_of=lambda _: EVERY
        )
    await store.group.submit(incoming)
    return _answer(incoming)


clients: set[asyncio.Queue[bytes]] = set()


@router.get("/limit/stream")
async def stream(_: Viewer) -> Response:
    """Whatever is told, from memory."""
    return StreamingResponse(_told(), media_type="text/event-stream")


async def _told() -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    clients.add(queue)
    try:
        yield b": here\n\n"
        while True:
            yield await queue.get()
    finally:
        clients.discard(queue)


@router.post("/limit/tell")
async def tell(_: Recorder, request: Request) -> Response:
    """Send the body to every client, with the time."""
    body = await request.body()
    said: dict[str, Any] = {"id": wall_clock(), "text": body.decode()}
    frame = b"id: %d\ndata: %b\n\n" % (said["id"], json.dumps(said).encode())
    for queue in clients:
        queue.put_nowait(frame)
    return Json({"clients": len(clients)})


if __name__ == "__main__":
    settings = Settings(port=int(sys.argv[2]))
    app = create_app(settings)
    # First, as the route of pushes is: one that comes last pays for the comparison with all others.
    app.router.routes[:0] = router.routes
    serve(settings, app)
