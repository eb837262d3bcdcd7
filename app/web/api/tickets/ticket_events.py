"""A ticket's events as stored, withdrawn ones too, each with when it was received.

In the order in which the clocks read them. `stands` is false for an event that moves nothing any more.
"""

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query.serialize import instant_text
from app.sla.event import KNOWN_TYPES, Event, in_order, order_key
from app.store.engine.database import Connection
from app.store.tickets.ledger import logs
from app.web.api.tickets.tickets import Desk, TicketId
from app.web.http.access import Viewer, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import Place, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1", tags=["tickets"])


class StoredEvent(BaseModel):
    """An event of a ticket."""

    id: str = Field(examples=["e1"])
    type: str = Field(examples=["ticket.created"])
    time: InstantOut = Field(description="when it happened")
    sequence: int | str = Field(description="orders events of one instant; texts come after numbers")
    received_at: InstantOut = Field(description="when it was first stored")
    data: dict[str, Any]
    attributes: dict[str, Any] = Field(
        description="further attributes as they were sent, such as extensions of CloudEvents",
        examples=[{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}],
    )
    known: bool = Field(description="its type is one that can move a clock")
    stands: bool = Field(description="false when it was withdrawn, or repeats the ticket's creation")


class TicketEvents(BaseModel):
    """A ticket's events, in the order in which its clocks read them."""

    desk: str
    ticket: str
    events: list[StoredEvent]
    next: str | None = Field(
        None,
        description="the answer has only some of the events; go on with this as `after`. Null: no more follow",
    )


class EventsQuery(BaseModel):
    """From where on."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(None, description="`next` of the answer before: the id of its last event")


@router.get(
    "/tickets/{desk}/{ticket:path}/events",
    summary="A ticket's events",
    response_model=TicketEvents,
    responses=problems(401, 403, 404, 422),
)
async def list_ticket_events(
    request: Request, caller: Viewer, desk: Desk, ticket: TicketId, wanted: Annotated[EventsQuery, Query()]
) -> Response:
    """Every event of the ticket, with when it was received. Withdrawn events stay in it.

    Of a long ticket the answer has the first events, and in `next` the `after` of those that follow.
    """
    must_see(caller, desk)
    limit = running(request).settings.answer_events

    def read(conn: Connection) -> Json:
        log = logs(conn, desk, [ticket])[ticket]
        if not log:
            raise not_found("ticket", f"{desk}/{ticket}")
        return Json({"desk": desk, "ticket": ticket} | _page(log, wanted.after, limit))

    return await running(request).database.read(read)


def _page(log: list[Event], after: str | None, limit: int) -> dict[str, Any]:
    """The events after that one, and where the next ones begin. Raises Problem for an event that is not stored."""
    ordered = sorted(log, key=order_key)
    start = 0 if after is None else 1 + next((n for n, each in enumerate(ordered) if each.id == after), -1)
    if after is not None and not start:
        raise invalid([Place("query", "after", "is no event of this ticket. Leave it out to begin anew")])
    valid, shown = {event.id for event in in_order(log)}, ordered[start : start + limit]
    return {
        "events": [_stored(event, event.id in valid) for event in shown],
        "next": shown[-1].id if start + limit < len(ordered) else None,
    }


def _stored(event: Event, stands: bool) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "time": instant_text(event.at),
        "sequence": event.sequence,
        "received_at": instant_text(event.received_at),
        "data": dict(event.data),
        "attributes": dict(event.attributes or {}),
        "known": event.type in KNOWN_TYPES,
        "stands": stands,
    }
