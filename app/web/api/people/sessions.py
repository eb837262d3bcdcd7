"""Sessions: browsers that are signed in. One's own, and for administrators those of the people they manage."""

from typing import Annotated

from fastapi import Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from app.flow.people import manage
from app.store.engine.database import EveryDesk
from app.web.api.people.views import SessionView, session_json
from app.web.http.access import Viewer
from app.web.http.problems import not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running, seeing_every_desk

router = Router(prefix="/v1/sessions", tags=["people"])


class SessionList(BaseModel):
    """Sessions, the oldest first."""

    sessions: list[SessionView]


@router.get("", summary="List sessions", response_model=SessionList, responses=problems(401, 403))
async def list_sessions(request: Request, caller: Viewer) -> Response:
    """The caller's own sessions; for administrators also those of people and keys all of whose desks they manage."""
    parts, who = running(request), caller.principal
    now = parts.database.now()
    # Whether a person is the caller's to manage depends on their roles on all desks.
    with seeing_every_desk():
        found = await parts.database.read(lambda conn: manage.visible_sessions(conn, who, now))
    return Json({"sessions": [session_json(each, who.id, who.session_id) for each in found]})


@router.delete(
    "/{session}",
    summary="End a session",
    operation_id="end_session",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404),
)
async def end_session(
    request: Request, caller: Viewer, session: Annotated[str, Path(description="the session's id")]
) -> Response:
    """Signs that browser out: one of the caller's own, or of a person whom the caller manages."""
    parts, who = running(request), caller.principal
    if not await parts.database.write(
        lambda conn, now: manage.end_session(conn, who, session, now), EveryDesk.PEOPLE
    ):
        raise not_found("session", session)
    parts.principals.clear()
    return Response(status_code=204)
