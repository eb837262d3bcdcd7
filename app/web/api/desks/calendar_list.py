"""The list of calendars in force."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.store.contracts.catalogue import StoredVersion
from app.store.engine.database import Connection
from app.web.api.desks.calendar_lookup import names_of
from app.web.http.access import Viewer
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/calendars", tags=["calendars"])


class CalendarSummary(BaseModel):
    """A calendar in force. `rules` are its table in the desk's file."""

    reference: str = Field(description="how agreements and deadlines name it", examples=["haisoft/tickets"])
    desk: str
    name: str
    time_zone: str = Field(examples=["Europe/Paris"])
    rules: dict[str, Any] = Field(examples=[{"hours": {"mon-sun": ["10:00-12:00", "14:00-17:00"]}}])
    holidays_from: str | None = Field(description="where its holidays come from", examples=["holidays 0.109"])
    digest: str = Field(description="equal for equal rules")


class CalendarList(BaseModel):
    """The calendars that the key may see."""

    calendars: list[CalendarSummary]


@router.get("", summary="List calendars", response_model=CalendarList, responses=problems(401, 403))
async def list_calendars(request: Request, caller: Viewer) -> Response:
    """The calendars in force of every desk that the key may see, by reference."""
    parts = running(request)
    now = parts.database.now()

    def find(conn: Connection) -> list[dict[str, Any]]:
        desks = sorted(desk for desk in parts.catalogue.desks(conn) if caller.sees(desk))
        return [
            summary_json(desk, name, stored)
            for desk in desks
            for stored in (parts.catalogue.in_force(conn, desk, at=now),)
            for name in names_of(desk, stored)
        ]

    return Json({"calendars": await parts.database.read(find)})


def summary_json(desk: str, name: str, stored: StoredVersion) -> dict[str, Any]:
    """The `CalendarSummary` of a calendar of this version."""
    calendar = stored.calendars[f"{desk}/{name}"]
    return {
        "reference": f"{desk}/{name}",
        "desk": desk,
        "name": name,
        "time_zone": calendar.time_zone,
        "rules": stored.documents.calendars[desk]["calendars"][name],
        "holidays_from": calendar.version,
        "digest": calendar.digest,
    }
