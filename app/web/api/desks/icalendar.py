"""A calendar as an iCalendar file."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Query, Request
from starlette.responses import Response

from app.sla.span import length_of
from app.store.engine.database import Connection
from app.web.api.desks.calendar_lookup import Desk, Name, calendar_in_force
from app.web.api.desks.calendar_period import PeriodAhead, checked_period, end_of, start_of
from app.web.api.desks.icalendar_file import icalendar_file
from app.web.http.access import Viewer, must_see
from app.web.http.budget import budgeted
from app.web.http.problems import Kind, Place, Problem, problems
from app.web.http.routing import Router
from app.web.http.running import running

ICALENDAR_AHEAD: Final = timedelta(days=184)
"""Period of an iCalendar file without `to`: half a year, so that the file stays small for a phone."""

router = Router(prefix="/v1/calendars", tags=["calendars"])


@router.get(
    "/{desk}/{name}.ics",
    summary="A calendar as an iCalendar file",
    operation_id="show_icalendar",
    response_class=Response,
    responses={
        200: {
            "description": "opening hours and special days",
            "content": {"text/calendar": {"schema": {"type": "string"}, "example": "BEGIN:VCALENDAR…"}},
        },
        **problems(401, 403, 404, 422),
    },
)
async def show_icalendar(
    request: Request, caller: Viewer, desk: Desk, name: Name, asked: Annotated[PeriodAhead, Query()]
) -> Response:
    """The opening hours and the special days as an iCalendar file, for phones and office programs.

    Events are whole, and keep their ids: what lies across the start or the end of the period is not cut.
    """
    parts = running(request)
    limit = parts.settings.answer_spans
    must_see(caller, desk)

    def read(conn: Connection) -> bytes:
        stored, calendar = calendar_in_force(conn, parts.catalogue, desk, name, parts.database.now())
        since = parts.database.now() if asked.since is None else start_of(calendar, asked.since)
        ahead = since + length_of(ICALENDAR_AHEAD)
        period = checked_period(since, ahead if asked.until is None else end_of(calendar, asked.until))
        if len(calendar.spans_us(period.start, period.end, limit + 1)) > limit:
            reason = f"the file has more than {limit} spans (SLATIMER_ANSWER_SPANS). Request a shorter period"
            raise Problem(Kind.INVALID, f"to: {reason}.", errors=[Place("query", "to", reason)])
        return icalendar_file(calendar, period, stored.recorded_at)

    content = await parts.database.read(budgeted(parts.settings, read))
    disposition = {"Content-Disposition": f'attachment; filename="{desk}-{name}.ics"'}
    return Response(
        content, media_type="text/calendar", headers=disposition if _needs_no_encoding(desk + name) else None
    )


def _needs_no_encoding(name: str) -> bool:
    """Whether a name is allowed in a header without encoding."""
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum()
