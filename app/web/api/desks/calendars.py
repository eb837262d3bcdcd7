"""One calendar with its special days, and PUT of a desk's calendar file.

A desk's calendars are those of its latest version.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.agreement.desk_files import FileKind
from app.flow.query.serialize import instant_text
from app.sla.calendar import Calendar, ClosedDay, NeverCloses, NeverOpen
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.web.api.desks.calendar_list import CalendarSummary, summary_json
from app.web.api.desks.calendar_lookup import Desk, Name, calendar_of
from app.web.api.desks.desk_document import Asked, DeskToPut, DocumentPut, body_of, put_document
from app.web.api.desks.version_views import WhichVersion, selected
from app.web.http.access import Configurer, Viewer, must_see
from app.web.http.budget import budgeted
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/calendars", tags=["calendars"])


class ClosedDate(BaseModel):
    """A holiday or an override. `provisional`: computed, not decreed yet."""

    date: str = Field(examples=["2026-04-27"])
    name: str = Field(examples=["King's Day"])
    source: str = Field(examples=["NL public, holidays 0.109"])
    provisional: bool
    hours: list[str] = Field(
        description="the day's own hours; empty when it is closed", examples=[["10:00-12:00"]]
    )


class CalendarDetail(CalendarSummary):
    """A calendar, whether it is open now, and its special days of this year and the next."""

    open_now: bool
    next_open_at: InstantOut | None
    next_close_at: InstantOut | None
    closed_days: list[ClosedDate]


@router.get(
    "/{desk}/{name}",
    summary="One calendar",
    response_model=CalendarDetail,
    responses=problems(401, 403, 404, 422),
)
async def show_calendar(
    request: Request, caller: Viewer, desk: Desk, name: Name, wanted: Annotated[WhichVersion, Query()]
) -> Response:
    """The calendar's rules as written, whether it is open now, and its special days.

    `at` selects the one in force at another instant, and whether it is open then; `as_of` what was known at an instant.
    """
    parts = running(request)
    must_see(caller, desk)
    now = parts.database.now()

    def read(conn: Connection) -> Json:
        stored, _ = selected(conn, parts.catalogue, desk, now, wanted)
        known_at = now if wanted.as_of is None else wanted.as_of
        calendar = calendar_of(stored, desk, name)
        return Json(
            summary_json(desk, name, stored) | _detail(calendar, known_at if wanted.at is None else wanted.at)
        )

    return await parts.database.read(budgeted(parts.settings, read))


_JSON: Final = {
    "calendars": {
        "tickets": {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["10:00-12:00", "14:00-17:00"]}}
    }
}

_TOML: Final = """[calendars.tickets]
time_zone = "Europe/Paris"
hours = { mon-fri = ["10:00-12:00", "14:00-17:00"] }
"""


@router.put(
    "/{desk}",
    summary="Put a desk's calendars into force",
    response_model=DocumentPut,
    responses=problems(400, 401, 403, 404, 413, 415, 422, 503),
    openapi_extra=body_of(_JSON, _TOML),
)
async def put_calendars(request: Request, caller: Configurer, desk: DeskToPut, asked: Asked) -> Response:
    """Takes the whole calendar file of the desk. A changed file makes a new version of the desk.

    With a key of all desks, every desk that counts by these calendars gets a new version too. A key of one desk changes
    that desk only.
    """
    return await put_document(request, caller, FileKind.CALENDARS, desk, asked)


def _detail(calendar: Calendar, now: Micros) -> dict[str, Any]:
    """Whether a calendar is open, and its special days of this year and the next."""
    year = calendar.local(now).year
    return {
        "open_now": calendar.is_open_us(now),
        "next_open_at": _or_none(calendar.next_open_us, now),
        "next_close_at": _or_none(calendar.next_close_us, now),
        "closed_days": [closed_date(day) for each in (year, year + 1) for day in calendar.closed_days(each)],
    }


def closed_date(day: ClosedDay) -> dict[str, Any]:
    """A special day as it is shown."""
    return {
        "date": day.date.isoformat(),
        "name": day.name,
        "source": day.source,
        "provisional": day.provisional,
        "hours": list(day.hours),
    }


def _or_none(verb: Callable[[Micros], Micros], at: Micros) -> str | None:
    try:
        return instant_text(verb(at))
    except (NeverOpen, NeverCloses):
        return None
