"""Queues: the waiting tickets in order, and the forecast of a place."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query import tickets
from app.flow.query.queues import (
    QueueForecast,
    QueueListing,
    UnknownQueue,
    Waiting,
    queue_answer,
    queue_forecast,
)
from app.flow.query.reasons import detail, text_or_none
from app.flow.query.serialize import instant_text, move
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.store.tickets.board import cursor_of, key_of
from app.web.api.tickets.ticket_view import Move
from app.web.http.access import Viewer, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import not_found, problems
from app.web.http.reason import Detail
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/queues", tags=["queues"])

Desk = Annotated[str, Path(description="the desk", examples=["webxtra"])]
Queue = Annotated[str, Path(description="the queue", examples=["support"])]


class WaitingTicket(BaseModel):
    """A ticket that waits."""

    ticket: str
    position: int = Field(description="1 is served next")
    joined_at: InstantOut
    rank: int = Field(description="of the customer's plan; 0 is served first")
    moves: list[Move]
    expected_reply_at: InstantOut | None


class QueueView(BaseModel):
    """A queue, or a page of it, as it stands now."""

    desk: str
    queue: str
    at: InstantOut
    length: int
    tickets: list[WaitingTicket]
    expected_reply_reason: str | None = Field(description="why no reply can be forecast")
    expected_reply_reason_detail: Detail = None
    next: str | None = Field(description="the cursor of the next page; null on the last")


class Forecast(BaseModel):
    """Where one more message of its customer would put the ticket, beside its next due date."""

    desk: str
    queue: str
    ticket: str
    effect: str
    at: InstantOut
    position_now: int | None = Field(description="null when it does not wait")
    position_then: int
    expected_reply_at: InstantOut | None
    expected_reply_reason: str | None = Field(description="why no reply can be forecast")
    expected_reply_reason_detail: Detail = None
    due_at: InstantOut | None = Field(description="the next due date of its running clocks")
    in_time: bool | None = Field(description="whether the reply is expected by then")


class QueueQuery(BaseModel):
    """Which part of the queue."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


class ForecastQuery(BaseModel):
    """Of which ticket, and what would happen to it."""

    model_config = ConfigDict(extra="forbid")

    ticket: str
    effect: Literal["repeat_message"] = "repeat_message"


@router.get(
    "/{desk}/{queue}", summary="One queue", response_model=QueueView, responses=problems(401, 403, 404, 422)
)
async def show_queue(
    request: Request, caller: Viewer, desk: Desk, queue: Queue, wanted: Annotated[QueueQuery, Query()]
) -> Response:
    """The waiting tickets in the order in which they are served, with how each came to its place."""
    parts = running(request)
    must_see(caller, desk)
    limit = parts.settings.entries_on_page(wanted.limit)
    # Positions shift between pages, so a page begins at a position and states what it is now.
    (after,) = (0,) if wanted.cursor is None else key_of(wanted.cursor, int)
    after = max(0, after)
    now = parts.database.now()
    try:
        listing = await parts.database.read_replicated(
            lambda conn: queue_answer(conn, parts.catalogue, desk, queue, now, after=after, limit=limit)
        )
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    except UnknownQueue as error:
        raise not_found("queue", f"{desk}/{queue}") from error
    following = after + len(listing.waiting)
    return Json(_queue(listing) | {"next": cursor_of(following) if following < listing.length else None})


@router.get(
    "/{desk}/{queue}/forecast",
    summary="Forecast a place",
    response_model=Forecast,
    responses=problems(401, 403, 404, 422),
)
async def forecast_place(
    request: Request, caller: Viewer, desk: Desk, queue: Queue, wanted: Annotated[ForecastQuery, Query()]
) -> Response:
    """Where one more message of its customer would put the ticket, and when a reply can be expected there."""
    parts = running(request)
    must_see(caller, desk)
    now = parts.database.now()

    def find(conn: Connection) -> QueueForecast:
        answer = tickets.ticket_answer(conn, parts.catalogue, desk, wanted.ticket, now=now)
        return queue_forecast(conn, parts.catalogue, desk, queue, wanted.ticket, answer.evaluation, now)

    try:
        found = await parts.database.read(find)
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    except UnknownQueue as error:
        raise not_found("queue", f"{desk}/{queue} with ticket {wanted.ticket}") from error
    return Json(_forecast(found, wanted.effect))


def _queue(listing: QueueListing) -> dict[str, Any]:
    return {
        "desk": listing.desk,
        "queue": listing.queue,
        "at": instant_text(listing.at),
        "length": listing.length,
        "tickets": [_waiting(each) for each in listing.waiting],
        "expected_reply_reason": text_or_none(listing.reason),
        "expected_reply_reason_detail": detail(listing.reason),
    }


def _waiting(waiting: Waiting) -> dict[str, Any]:
    return {
        "ticket": waiting.ticket,
        "position": waiting.position,
        "joined_at": instant_text(waiting.joined_at),
        "rank": waiting.rank,
        "moves": [move(each) for each in waiting.moves],
        "expected_reply_at": instant_text(waiting.expected_reply_at),
    }


def _forecast(found: QueueForecast, effect: str) -> dict[str, Any]:
    return {
        "desk": found.desk,
        "queue": found.queue,
        "ticket": found.ticket,
        "effect": effect,
        "at": instant_text(found.at),
        "position_now": found.forecast.position_now,
        "position_then": found.forecast.position_then,
        "expected_reply_at": instant_text(found.forecast.expected_reply_at),
        "expected_reply_reason": text_or_none(found.forecast.reason),
        "expected_reply_reason_detail": detail(found.forecast.reason),
        "due_at": instant_text(found.due_at),
        "in_time": found.in_time,
    }
