"""A ticket's events as stored, withdrawn ones too, each with when it was received.

In the order in which the clocks read them. `stands` is false for an event that moves nothing any more.
"""

from typing import Any

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query.serialize import instant_text
from app.sla.event import KNOWN_TYPES, Event, in_order, order_key
from app.store.engine.database import Connection
from app.store.tickets.ledger import logs
from app.web.api.tickets.tickets import Desk, TicketId
from app.web.http.access import Viewer, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import not_found, problems
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


@router.get(
    "/tickets/{desk}/{ticket:path}/events",
    summary="A ticket's events",
    response_model=TicketEvents,
    responses=problems(401, 403, 404, 422),
)
async def list_ticket_events(request: Request, caller: Viewer, desk: Desk, ticket: TicketId) -> Response:
    """Every event of the ticket, with when it was received. Withdrawn events stay in it."""
    must_see(caller, desk)

    def find(conn: Connection) -> list[Event]:
        return logs(conn, desk, [ticket])[ticket]

    log = await running(request).database.read(find)
    if not log:
        raise not_found("ticket", f"{desk}/{ticket}")
    valid = {event.id for event in in_order(log)}
    events = [_stored(event, event.id in valid) for event in sorted(log, key=order_key)]
    return Json({"desk": desk, "ticket": ticket, "events": events})


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
