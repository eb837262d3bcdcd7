"""The inbox: webhooks that were not read or mapped, events of unknown types, tickets that cannot be evaluated.

Bodies contain what customers wrote: they are shown to keys that may push, one webhook at a time.
"""

from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.inbound.inbox import inbox, inbox_json, whole_delivery_json
from app.flow.inbound.rerun import run_again
from app.store.inbound import hooks
from app.store.inbound.hooks import HookState
from app.web.http.access import InboxReader, desks_for
from app.web.http.instant import InstantOut
from app.web.http.problems import not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/inbox", tags=["inbox"])

DeskQuery = Annotated[str | None, Query(description="only this desk", examples=["haisoft"])]


class InboxDelivery(BaseModel):
    """A webhook of a ticket system, without its body."""

    id: str
    desk: str
    system: str
    state: HookState = Field(description="`kept`: unread; `done`, `ignored`: read, with warnings; `pending`")
    reason: str | None = Field(description="why it is kept, or reports nothing")
    warnings: list[str] = Field(
        description="words that are not mapped", examples=[["status 'Foo' of zammad is not mapped"]]
    )
    received_at: InstantOut
    interpreted_at: InstantOut | None
    bytes: int = Field(description="length of its body")


class WholeDelivery(InboxDelivery):
    """A webhook as it came."""

    headers: dict[str, str] = Field(description="those that its adapter reads")
    body: str


class WaitingDeliveries(BaseModel):
    """How many webhooks of a system are in the inbox."""

    desk: str
    system: str
    state: HookState
    deliveries: int


class UnknownType(BaseModel):
    """An unknown type of event."""

    desk: str
    type: str
    events: int


class UnknownEvent(BaseModel):
    """An event of an unknown type: stored, and moving no clock."""

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
    """The open items: a page of each list, while `waiting` and `unknown` count all."""

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
    """The result of running the inbox again."""

    deliveries: int = Field(description="webhooks that were read again")
    left: int = Field(description="webhooks in the inbox afterwards")
    tickets: int = Field(description="tickets that were evaluated again")
    failed: int = Field(description="tickets that still cannot be evaluated")


@router.get(
    "",
    summary="List the inbox",
    response_model=InboxView,
    responses=problems(401, 403, 404, 422),
)
async def show_inbox(
    request: Request, caller: InboxReader, query: Annotated[InboxQuery, Query()]
) -> Response:
    """The webhooks that are kept unread or have warnings and the events of unknown types, the latest first, and the
    parked tickets, the longest parked first. `next` continues all three."""
    parts = running(request)
    limit = parts.settings.entries_on_page(query.limit)
    desks = desks_for(caller, query.desk)
    found = await parts.database.read(lambda conn: inbox(conn, limit, desks, query.cursor))
    return Json(inbox_json(found))


@router.get(
    "/{hook}",
    summary="Show a webhook",
    response_model=WholeDelivery,
    responses=problems(401, 403, 404),
)
async def show_delivery(
    request: Request, caller: InboxReader, hook: Annotated[str, Path(description="the webhook's id")]
) -> Response:
    """A webhook with its body, as long as it is stored, also one that was read."""
    known = hook.isprintable()  # no database can be queried for a NUL
    found = await running(request).database.read(lambda conn: hooks.find(conn, hook)) if known else None
    if found is None or not caller.sees(found.desk):
        raise not_found("webhook", hook)
    return Json(whole_delivery_json(found))


@router.post(
    "/run-again", summary="Run the inbox again", response_model=RanAgain, responses=problems(401, 403, 404)
)
async def run_inbox_again(request: Request, caller: InboxReader, desk: DeskQuery = None) -> Response:
    """Reads every webhook in the inbox by the mapping in force now, and evaluates parked tickets again.

    A webhook that is read this time ends as if it had been read at once.
    """
    parts = running(request)
    wanted = desks_for(caller, desk)
    done = await run_again(parts.database, parts.reader, parts.assessor, wanted)
    return Json(
        {"deliveries": done.deliveries, "left": done.left, "tickets": done.tickets, "failed": done.failed}
    )
