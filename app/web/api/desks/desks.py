"""Desks: whether each is open, what comes next and why, and how much is due, overdue or waiting."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query.desks import DeskAnswer, Hours, desks_overview
from app.flow.query.serialize import instant_text, local
from app.principal import covers
from app.sla.agreement.version import AppliesTo
from app.sla.calendar import Calendar
from app.store.contracts.stored_version import StoredVersion
from app.store.engine.database import Connection
from app.web.api.desks.calendars import ClosedDate, closed_date
from app.web.http.access import Viewer, desks_for
from app.web.http.instant import InstantOut
from app.web.http.problems import not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1", tags=["desks"])


class OpeningHours(BaseModel):
    """One of the desk's calendars, now."""

    calendar: str = Field(examples=["haisoft/tickets"])
    time_zone: str
    open_now: bool
    next_change_at: InstantOut | None = Field(description="when it closes or opens next")
    next_change_local: str | None
    why: str | None = Field(description="why it is closed then, or now", examples=["lunch gap"])
    source: str | None
    holiday_tomorrow: ClosedDate | None


class Counts(BaseModel):
    """Clocks of the desk's tickets."""

    due_before_closing: int = Field(description="of any kind, due from now to the end of the desk's day")
    overdue: int = Field(description="guarantees that run and are late")
    awaiting: int
    paused: int
    running: int
    objectives_missed: int = Field(description="objectives that run and are late")


class ComingVersion(BaseModel):
    """A version that is not in force yet."""

    number: int = Field(examples=[3])
    effective_from: InstantOut
    applies_to: AppliesTo
    note: str | None = Field(description="what its author says about it")


class Desk(BaseModel):
    """A desk, now. `open_now`, `next_opening_at` and `next_closing_at` are those of its first calendar."""

    desk: str
    name: str
    version: int
    open_now: bool | None
    next_opening_at: InstantOut | None
    next_closing_at: InstantOut | None
    why: str | None
    holiday_tomorrow: ClosedDate | None
    hours: list[OpeningHours]
    counts: Counts
    coming: ComingVersion | None = Field(description="the planned version that comes into force next")


class DeskList(BaseModel):
    """The desks that the key may see."""

    at: InstantOut
    desks: list[Desk]


class DeskListQuery(BaseModel):
    """One desk, or all."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = None


@router.get("/desks", summary="List desks", response_model=DeskList, responses=problems(401, 403, 404, 422))
async def list_desks(request: Request, caller: Viewer, wanted: Annotated[DeskListQuery, Query()]) -> Response:
    """Every desk that the key sees: whether it is open, what comes next and why, and its counts."""
    parts = running(request)
    asked = desks_for(caller, wanted.desk)
    now = parts.database.now()

    def find(conn: Connection) -> list[dict[str, Any]]:
        names = sorted(desk for desk in parts.catalogue.desks(conn) if covers(asked, desk))
        found = desks_overview(conn, parts.catalogue, names, now)
        return [_desk(answer, answer.calendars) for answer in found]

    desks = await parts.database.read(find)
    if wanted.desk is not None and not desks:
        raise not_found("desk", wanted.desk)
    return Json({"at": instant_text(now), "desks": desks})


def _desk(answer: DeskAnswer, calendars: Mapping[str, Calendar]) -> dict[str, Any]:
    first = answer.hours[0] if answer.hours else None
    changes_at = instant_text(first.until) if first else None
    counts = answer.counts
    return {
        "desk": answer.desk,
        "name": answer.name,
        "version": answer.version,
        "open_now": first.open_now if first else None,
        "next_opening_at": changes_at if first and not first.open_now else None,
        "next_closing_at": changes_at if first and first.open_now else None,
        "why": first.why if first else None,
        "holiday_tomorrow": closed_date(first.holiday_tomorrow) if first and first.holiday_tomorrow else None,
        "hours": [_hours(each, calendars[each.name]) for each in answer.hours],
        "counts": {
            "due_before_closing": counts.due_before_closing,
            "overdue": counts.overdue,
            "awaiting": counts.awaiting,
            "paused": counts.paused,
            "running": counts.running,
            "objectives_missed": counts.objectives_missed,
        },
        "coming": None if answer.coming is None else _coming(answer.coming),
    }


def _coming(planned: StoredVersion) -> dict[str, Any]:
    return {
        "number": planned.number,
        "effective_from": instant_text(planned.version.effective_from),
        "applies_to": planned.version.applies_to.value,
        "note": planned.author_note,
    }


def _hours(hours: Hours, calendar: Calendar) -> dict[str, Any]:
    tomorrow = hours.holiday_tomorrow
    return {
        "calendar": hours.name,
        "time_zone": hours.time_zone,
        "open_now": hours.open_now,
        "next_change_at": instant_text(hours.until),
        "next_change_local": local(hours.until, calendar),
        "why": hours.why,
        "source": hours.source,
        "holiday_tomorrow": None if tomorrow is None else closed_date(tomorrow),
    }
