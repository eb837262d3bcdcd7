"""The service with one route more: it verifies a ticket system's delivery as the real one does, and stores nothing."""

import sys
from pathlib import Path

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.flow.inbound.sources import ConfiguredSource, Sources
from app.intake.request import InboundRequest
from app.intake.signature import verify
from app.main import create_app, serve
from app.settings import Settings
from app.store.engine.database import Connection
from app.store.inbound import connections
from app.web.http.responses import Json
from app.web.http.running import running

router = APIRouter()
sources = Sources()
gates: dict[tuple[str, str], tuple[tuple[str, ...], ConfiguredSource]] = {}


@router.post("/limit/{desk}/{system}")
async def verify_only(request: Request, desk: str, system: str) -> Response:
    """Verifies an inbound webhook, without storing it."""
    database = running(request).database
    now = database.now()
    inbound = InboundRequest.of(dict(request.headers), await request.body(), now, request.url.query)
    if (desk, system) not in gates:

        def look_up(conn: Connection) -> tuple[tuple[str, ...], ConfiguredSource]:
            connection = connections.find(conn, desk, system)
            configured = sources.configured(conn, desk, system)
            assert connection is not None
            assert configured is not None
            return connection.live(now), configured

        gates[desk, system] = await database.read(look_up)
    live, configured = gates[desk, system]
    verify(configured.schemes[0], inbound, live, now)
    return Json({"id": configured.adapter.idempotency_key(inbound), "repeated": False}, 202)


if __name__ == "__main__":
    settings = Settings(port=int(sys.argv[2]))
    app = create_app(settings)
    # First, as the route of webhooks is: one that comes last pays for the comparison with all others.
    app.router.routes[:0] = router.routes
    serve(settings, app)
