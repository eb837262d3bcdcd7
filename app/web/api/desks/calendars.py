"""Calendars: list, detail, spans, iCalendar file, and PUT.

The spans are those that deadlines are counted with. A desk's calendars are those of its latest version.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.agreement.desk_files import FileKind
from app.flow.query.serialize import instant_text, local, seconds
from app.sla.calendar import Calendar, CalendarSpan, ClosedDay, NeverCloses, NeverOpen
from app.sla.span import Micros, Span, length_of
from app.store.contracts.catalogue import Catalogue, StoredVersion
from app.store.engine.database import Connection
from app.web.api.desks.desk_document import Asked, DeskToPut, DocumentPut, body_of, put_document
from app.web.api.desks.icalendar_file import icalendar_file
from app.web.api.desks.version_views import WhichVersion, selected
from app.web.http.access import Configurer, Viewer, must_see
from app.web.http.budget import budgeted
from app.web.http.day import DayOrInstant
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Place, Problem, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

LONGEST: Final = timedelta(days=2 * 366)
"""The longest period whose spans are listed at once: two years are some 2,000 spans."""

ICALENDAR_AHEAD: Final = timedelta(days=184)
"""Period of an iCalendar file without `to`: half a year, so that the file stays small for a phone."""

router = Router(prefix="/v1/calendars", tags=["calendars"])

Desk = Annotated[str, Path(description="the desk", examples=["haisoft"])]
Name = Annotated[str, Path(description="the calendar's name in the desk's file", examples=["tickets"])]


class CalendarSummary(BaseModel):
    """A calendar in force. `rules` are its table in the desk's file."""

    reference: str = Field(description="how agreements and deadlines name it", examples=["haisoft/tickets"])
    desk: str
    name: str
    time_zone: str = Field(examples=["Europe/Paris"])
    rules: dict[str, Any] = Field(examples=[{"hours": {"mon-sun": ["10:00-12:00", "14:00-17:00"]}}])
    holidays_from: str | None = Field(description="where its holidays come from", examples=["holidays 0.109"])
    digest: str = Field(description="equal for equal rules")


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


class CalendarList(BaseModel):
    """The calendars that the key may see."""

    calendars: list[CalendarSummary]


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


class Period(BaseModel):
    """From when to when. A date means the whole of it: from its 00:00, or to its 24:00, in the calendar's zone."""

    model_config = ConfigDict(extra="forbid")

    since: DayOrInstant = Field(alias="from")
    until: DayOrInstant = Field(alias="to")


class OpenPeriod(BaseModel):
    """From when to when, as for spans; by default from now for half a year."""

    model_config = ConfigDict(extra="forbid")

    since: DayOrInstant | None = Field(None, alias="from")
    until: DayOrInstant | None = Field(None, alias="to")


@router.get("", summary="List calendars", response_model=CalendarList, responses=problems(401, 403))
async def list_calendars(request: Request, caller: Viewer) -> Response:
    """The calendars in force of every desk that the key may see, by reference."""
    parts = running(request)
    now = parts.database.now()

    def find(conn: Connection) -> list[dict[str, Any]]:
        desks = sorted(desk for desk in parts.catalogue.desks(conn) if caller.sees(desk))
        return [
            _summary(desk, name, stored)
            for desk in desks
            for stored in (parts.catalogue.in_force(conn, desk, at=now),)
            for name in _names(desk, stored)
        ]

    return Json({"calendars": await parts.database.read(find)})


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
    request: Request, caller: Viewer, desk: Desk, name: Name, asked: Annotated[OpenPeriod, Query()]
) -> Response:
    """The opening hours and the special days as an iCalendar file, for phones and office programs.

    Events are whole, and keep their ids: what lies across the start or the end of the period is not cut.
    """
    parts, limit = running(request), running(request).settings.answer_spans
    must_see(caller, desk)

    def read(conn: Connection) -> bytes:
        stored, calendar = calendar_in_force(conn, parts.catalogue, desk, name, parts.database.now())
        since = parts.database.now() if asked.since is None else _start_of(calendar, asked.since)
        ahead = since + length_of(ICALENDAR_AHEAD)
        period = _period(since, ahead if asked.until is None else _end_of(calendar, asked.until))
        if len(calendar.spans_us(period.start, period.end, limit + 1)) > limit:
            reason = f"the file has more than {limit} spans (SLATIMER_ANSWER_SPANS). Request a shorter period"
            raise Problem(Kind.INVALID, f"to: {reason}.", errors=[Place("query", "to", reason)])
        return icalendar_file(calendar, period, stored.recorded_at)

    content = await parts.database.read(budgeted(parts.settings, read))
    disposition = {"Content-Disposition": f'attachment; filename="{desk}-{name}.ics"'}
    return Response(content, media_type="text/calendar", headers=disposition if _plain(desk + name) else None)


@router.get(
    "/{desk}/{name}/spans",
    summary="Spans of a calendar",
    operation_id="list_calendar_spans",
    response_model=CalendarSpans,
    responses=problems(401, 403, 404, 422),
)
async def spans(
    request: Request, caller: Viewer, desk: Desk, name: Name, asked: Annotated[Period, Query()]
) -> Response:
    """Every span from `from` to `to`, open or closed, with its reason: what deadlines are counted with.

    Of a calendar with very many spans the answer has the first ones, and in `next` the `from` of those that follow.
    """
    parts = running(request)
    must_see(caller, desk)

    def read(conn: Connection) -> Json:
        _, calendar = calendar_in_force(conn, parts.catalogue, desk, name, parts.database.now())
        period = _period(_start_of(calendar, asked.since), _end_of(calendar, asked.until))
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
        calendar = _calendar_of(stored, desk, name)
        return Json(
            _summary(desk, name, stored) | _detail(calendar, known_at if wanted.at is None else wanted.at)
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


def _names(desk: str, stored: StoredVersion) -> list[str]:
    return sorted(stored.documents.calendars.get(desk, {}).get("calendars", {}))


def calendar_in_force(
    conn: Connection, catalogue: Catalogue, desk: str, name: str, now: Micros
) -> tuple[StoredVersion, Calendar]:
    """A calendar in force and its version. Raises Problem: not found."""
    latest = catalogue.desks(conn).get(desk)
    if latest is None:
        raise not_found("desk", desk)
    stored = catalogue.in_force(conn, desk, latest, at=now)
    return stored, _calendar_of(stored, desk, name)


def _calendar_of(stored: StoredVersion, desk: str, name: str) -> Calendar:
    if name not in _names(desk, stored):
        raise not_found("calendar", f"{desk}/{name}")
    return stored.calendars[f"{desk}/{name}"]


def _summary(desk: str, name: str, stored: StoredVersion) -> dict[str, Any]:
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


def _start_of(calendar: Calendar, asked: Micros | date) -> Micros:
    return calendar.end_of_day(asked - timedelta(days=1)) if isinstance(asked, date) else asked


def _end_of(calendar: Calendar, asked: Micros | date) -> Micros:
    return calendar.end_of_day(asked) if isinstance(asked, date) else asked


def _period(since: Micros, until: Micros) -> Span:
    """The requested period. Raises Problem when it ends before it starts, or is too long."""
    if until < since:
        raise Problem(Kind.INVALID, "to: is before from.", errors=[Place("query", "to", "is before from")])
    if until - since > length_of(LONGEST):
        reason = f"is more than {LONGEST.days} days after from. Request a part at a time"
        raise Problem(Kind.INVALID, f"to: {reason}.", errors=[Place("query", "to", reason)])
    return Span(since, until)


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


def _plain(name: str) -> bool:
    """Whether a name is allowed in a header without encoding."""
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum()
