"""The spans of a calendar, open or closed: those that deadlines are counted with."""

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query.serialize import instant_text, local, seconds
from app.sla.calendar import Calendar, CalendarSpan
from app.sla.span import Span
from app.store.engine.database import Connection
from app.web.api.desks.calendar_lookup import Desk, Name, calendar_in_force
from app.web.api.desks.calendar_period import Period, checked_period, end_of, start_of
from app.web.http.access import Viewer, must_see
from app.web.http.budget import budgeted
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/calendars", tags=["calendars"])


class CalendarSpanView(BaseModel):
    """A span of time that is open or closed throughout; its end does not belong to it."""

    start: InstantOut
    end: InstantOut
    start_local: str = Field(examples=["2026-03-06T10:00:00+01:00"])
    end_local: str
    open: bool
    reason: str = Field(examples=["lunch gap"])
    source: str | None


class CalendarSpans(BaseModel):
    """Adjacent spans that cover the requested period."""

    calendar: str = Field(examples=["haisoft/tickets"])
    time_zone: str
    start: InstantOut
    end: InstantOut
    open_seconds: int = Field(description="of the whole period")
    spans: list[CalendarSpanView]
    next: InstantOut | None = Field(
        None, description="the answer has only the first spans; go on with this as `from`. Null: it has all"
    )


@router.get(
    "/{desk}/{name}/spans",
    summary="Spans of a calendar",
    operation_id="list_calendar_spans",
    response_model=CalendarSpans,
    responses=problems(401, 403, 404, 422),
)
async def list_spans(
    request: Request, caller: Viewer, desk: Desk, name: Name, asked: Annotated[Period, Query()]
) -> Response:
    """Every span from `from` to `to`, open or closed, with its reason: what deadlines are counted with.

    Of a calendar with very many spans the answer has the first ones, and in `next` the `from` of those that follow.
    """
    parts = running(request)
    must_see(caller, desk)

    def read(conn: Connection) -> Json:
        _, calendar = calendar_in_force(conn, parts.catalogue, desk, name, parts.database.now())
        period = checked_period(start_of(calendar, asked.since), end_of(calendar, asked.until))
        return Json(_spans(calendar, period, parts.settings.answer_spans))

    return await parts.database.read(budgeted(parts.settings, read))


def _spans(calendar: Calendar, period: Span, limit: int) -> dict[str, Any]:
    """The first spans of a period, and where the next ones begin."""
    shown = calendar.spans_us(period.start, period.end, limit)
    is_cut = bool(shown) and shown[-1].end < period.end
    return {
        "calendar": calendar.name,
        "time_zone": calendar.time_zone,
        "start": instant_text(period.start),
        "end": instant_text(period.end),
        "open_seconds": seconds(calendar.within_us(period.start, period.end)),
        "spans": [_span(calendar, span) for span in shown],
        "next": instant_text(shown[-1].end) if is_cut else None,
    }


def _span(calendar: Calendar, span: CalendarSpan) -> dict[str, Any]:
    return {
        "start": instant_text(span.start),
        "end": instant_text(span.end),
        "start_local": local(span.start, calendar),
        "end_local": local(span.end, calendar),
        "open": span.open,
        "reason": span.reason,
        "source": span.source,
    }
