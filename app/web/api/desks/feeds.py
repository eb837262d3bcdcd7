"""Calendar feeds: the address of a calendar's `.ics` with a secret of its own.

Calendar programs fetch an address and can send no header. A feed opens this one calendar and nothing else, is shown
once, listed without its secret, and ends when it is removed.
"""

from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Body, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.flow.query.serialize import instant_text
from app.sla.span import Micros, Span, length_of
from app.store.engine.database import Connection, visible_desks
from app.store.people import feeds
from app.store.people.feeds import Feed
from app.web.api.desks.calendar_lookup import Desk, Name, calendar_in_force
from app.web.api.desks.icalendar import ICALENDAR_AHEAD
from app.web.api.desks.icalendar_file import icalendar_file
from app.web.http.access import Publisher, must_see
from app.web.http.budget import budgeted
from app.web.http.instant import InstantOut
from app.web.http.middleware import FEEDS
from app.web.http.problems import Kind, Problem, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(tags=["calendars"])


class FeedRequest(BaseModel):
    """A feed to make."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "Wall calendar of the first line"}]}
    )

    note: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="who uses it", examples=["Wall calendar of the first line"]
    )


class FeedView(BaseModel):
    """A feed, without its secret."""

    id: str
    note: str
    created_by: str = Field(description="the person, or the id of the key, that made it")
    created_at: InstantOut


class FeedWithAddress(FeedView):
    """A feed that was just made."""

    url: str = Field(description="the address for the calendar program; it is shown this once")


class FeedList(BaseModel):
    """The feeds of a calendar."""

    feeds: list[FeedView]


FeedId = Annotated[str, Path(description="the feed's id")]


@router.get(
    "/v1/calendars/{desk}/{name}/feeds",
    summary="List the feeds of a calendar",
    operation_id="list_calendar_feeds",
    response_model=FeedList,
    responses=problems(401, 403, 404),
)
async def list_feeds(request: Request, caller: Publisher, desk: Desk, name: Name) -> Response:
    """The addresses that were made for this calendar and not removed, without their secrets."""
    parts = running(request)
    must_see(caller, desk)

    def read(conn: Connection) -> list[Feed]:
        calendar_in_force(conn, parts.catalogue, desk, name, parts.database.now())
        return feeds.listed(conn, desk, name)

    found = await parts.database.read(read)
    return Json({"feeds": [_view(feed) for feed in found]})


@router.post(
    "/v1/calendars/{desk}/{name}/feeds",
    summary="Make a feed of a calendar",
    operation_id="create_calendar_feed",
    status_code=201,
    response_model=FeedWithAddress,
    responses=problems(401, 403, 404, 409, 422),
)
async def create_feed(
    request: Request,
    caller: Publisher,
    desk: Desk,
    name: Name,
    wanted: Annotated[
        FeedRequest | None, Body(examples=[{"note": "Wall calendar of the first line"}])
    ] = None,
) -> Response:
    """An address with a secret of its own, which a calendar program subscribes to without a key.

    It opens this calendar's `.ics` only. 409: the calendar has as many feeds as `SLATIMER_CALENDAR_FEEDS_MAX` allows.
    """
    parts = running(request)
    must_see(caller, desk)
    most, note = parts.settings.calendar_feeds_max, "" if wanted is None else wanted.note

    def add(conn: Connection, now: Micros) -> tuple[str, Feed] | None:
        calendar_in_force(conn, parts.catalogue, desk, name, parts.database.now())
        if len(feeds.listed(conn, desk, name)) >= most:
            return None
        by = caller.principal.signs(caller.principal.id)
        return feeds.add(conn, desk, name, note=note, created_by=by, now=now)

    made = await parts.database.write(add)
    if made is None:
        raise Problem(
            Kind.CONFLICT,
            f"The calendar has {most} feeds. Remove one, or set SLATIMER_CALENDAR_FEEDS_MAX.",
        )
    secret, feed = made
    # The base has the path prefix of a reverse proxy, where the server knows it.
    url = f"{str(request.base_url).rstrip('/')}{FEEDS}/{secret}.ics"
    return Json(_view(feed) | {"url": url}, status_code=201)


@router.delete(
    "/v1/calendars/{desk}/{name}/feeds/{feed}",
    summary="Remove a feed of a calendar",
    operation_id="remove_calendar_feed",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404),
)
async def remove_feed(request: Request, caller: Publisher, desk: Desk, name: Name, feed: FeedId) -> Response:
    """From now on its address is unknown."""
    parts = running(request)
    must_see(caller, desk)
    if not await parts.database.write(lambda conn, _: feeds.remove(conn, desk, name, feed)):
        raise not_found("feed", feed)
    return Response(status_code=204)


@router.get(
    FEEDS + "/{secret}.ics",
    summary="A calendar by its feed",
    operation_id="show_calendar_feed",
    response_class=Response,
    responses={
        200: {
            "description": "opening hours and special days from today for half a year",
            "content": {"text/calendar": {"schema": {"type": "string"}, "example": "BEGIN:VCALENDAR…"}},
        },
        304: {"description": "unchanged since the ETag in `If-None-Match`"},
        **problems(404),
    },
)
async def show_feed(
    request: Request, secret: Annotated[str, Path(description="the feed's secret")]
) -> Response:
    """The calendar that the address was made for. It needs no key; one that was removed is unknown, like any other."""
    parts = running(request)
    feed = await parts.database.look_up(lambda conn: feeds.find(conn, secret))
    if feed is None:
        raise Problem(Kind.NOT_FOUND, "There is no such feed. Make one with: POST /v1/calendars/…/feeds")
    visible_desks.set(frozenset({feed.desk}))

    def read(conn: Connection) -> bytes:
        stored, calendar = calendar_in_force(
            conn, parts.catalogue, feed.desk, feed.calendar, parts.database.now()
        )
        # From the start of the local day: the bytes, and so the ETag, are the same all day.
        since = calendar.end_of_day(calendar.local_date(parts.database.now()) - timedelta(days=1))
        return icalendar_file(calendar, Span(since, since + length_of(ICALENDAR_AHEAD)), stored.recorded_at)

    content = await parts.database.read(budgeted(parts.settings, read))
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": "private, max-age=300", "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="text/calendar", headers=headers)


def _view(feed: Feed) -> dict[str, Any]:
    return {
        "id": feed.id,
        "note": feed.note,
        "created_by": feed.created_by,
        "created_at": instant_text(feed.created_at),
    }
