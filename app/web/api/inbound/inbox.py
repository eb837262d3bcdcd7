"""What did the service not understand, and can it be tried again?

Deliveries of ticket systems that are kept unread or in which a word is not mapped, events of unknown types, tickets
that cannot be judged. Bodies hold what customers wrote: they are shown to keys that may push, one delivery at a time.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.inbound.inbox import inbox, inbox_json, whole_delivery_json
from app.flow.inbound.rerun import run_again
from app.store.inbound import hooks
from app.store.people.keys import EVERY_DESK
from app.web.http.access import Pusher, desk_or_own
from app.web.http.instant import InstantOut
from app.web.http.problems import not_found, problems
from app.web.http.responses import Json
from app.web.http.running import running

router = APIRouter(prefix="/v1/inbox", tags=["inbox"])

DeskQuery = Annotated[str | None, Query(description="only this desk", examples=["haisoft"])]


class InboxDelivery(BaseModel):
    """A delivery of a ticket system, without its body."""

    id: str
    desk: str
    system: str
    state: str = Field(description="`kept`: unread; `done`, `ignored`: read, with warnings; `pending`")
    reason: str | None = Field(description="why it is kept, or means nothing")
    warnings: list[str] = Field(
        description="words that nobody has mapped", examples=[["status 'Foo' of zammad is not mapped"]]
    )
    received_at: InstantOut
    interpreted_at: InstantOut | None
    bytes: int = Field(description="length of its body")


class WholeDelivery(InboxDelivery):
    """A delivery as it came."""

    headers: dict[str, str] = Field(description="those that its reading needs")
    body: str


class WaitingDeliveries(BaseModel):
    """How many deliveries of a system there are in the inbox."""

    desk: str
    system: str
    state: str
    deliveries: int


class UnknownType(BaseModel):
    """A type of event that nobody knows."""

    desk: str
    type: str
    events: int


class UnknownEvent(BaseModel):
    """An event of such a type: kept, and moving no clock."""

    desk: str
    id: str
    type: str
    subject: str
    ticket: str | None
    time: InstantOut
    received_at: InstantOut


class ParkedTicket(BaseModel):
    """A ticket, or another subject, that cannot be judged, and when that is tried again."""

    desk: str
    ticket: str | None = Field(description="null where the subject is no ticket")
    subject: str = Field(description="the ticket's id, or as in `service:web`", examples=["4711"])
    error: str
    times: int
    first_at: InstantOut
    last_at: InstantOut
    retry_at: InstantOut


class InboxView(BaseModel):
    """What waits for somebody: a page of each list, while `waiting` and `unknown` count all."""

    deliveries: list[InboxDelivery]
    waiting: list[WaitingDeliveries]
    unknown: list[UnknownType]
    events: list[UnknownEvent]
    parked: list[ParkedTicket]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class InboxQuery(BaseModel):
    """Which part of the inbox."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = Field(None, description="only this desk", examples=["haisoft"])
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries of each list on the page")


class RanAgain(BaseModel):
    """What came of running again."""

    deliveries: int = Field(description="read again")
    left: int = Field(description="deliveries that are in the inbox still or again")
    tickets: int = Field(description="judged anew")
    failed: int = Field(description="tickets that still cannot be judged")


@router.get(
    "",
    summary="What was not understood",
    response_model=InboxView,
    responses=problems(401, 403, 404, 422),
)
async def show_inbox(request: Request, pusher: Pusher, wanted: Annotated[InboxQuery, Query()]) -> Response:
    """The deliveries that were kept unread or have warnings and the events of unknown types, the latest first, and the
    parked tickets, the longest parked first. `next` goes on with all three."""
    parts = running(request)
    limit = min(wanted.limit or parts.settings.page_size, parts.settings.page_limit)
    desk = desk_or_own(pusher, wanted.desk) or EVERY_DESK
    found = await parts.database.read(lambda conn: inbox(conn, limit, desk, wanted.cursor))
    return Json(inbox_json(found))


@router.get(
    "/{hook}",
    summary="One delivery",
    response_model=WholeDelivery,
    responses=problems(401, 403, 404),
)
async def show_delivery(
    request: Request, pusher: Pusher, hook: Annotated[str, Path(description="the delivery's id")]
) -> Response:
    """A delivery whole, as long as it is kept: understood ones too."""
    known = hook.isprintable()  # no database can be asked for a NUL
    found = await running(request).database.read(lambda conn: hooks.find(conn, hook)) if known else None
    if found is None or not pusher.sees(found.desk):
        raise not_found("delivery", hook)
    return Json(whole_delivery_json(found))


@router.post(
    "/run-again", summary="Try it all again", response_model=RanAgain, responses=problems(401, 403, 404)
)
async def run_inbox_again(request: Request, pusher: Pusher, desk: DeskQuery = None) -> Response:
    """Reads every delivery in the inbox by the mapping that is in force now, and judges parked tickets anew.

    What is understood this time ends as if it had been understood at once.
    """
    parts = running(request)
    wanted = desk_or_own(pusher, desk) or EVERY_DESK
    done = await run_again(parts.database, parts.reader, parts.assessor, wanted)
    return Json(
        {"deliveries": done.deliveries, "left": done.left, "tickets": done.tickets, "failed": done.failed}
    )
