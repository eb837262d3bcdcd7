"""Lists of tickets, next due first."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query import tickets
from app.web.api.tickets.ticket_view import State, TicketView, ticket_json
from app.web.http.access import Viewer, desks_for
from app.web.http.budget import budgeted
from app.web.http.instant import InstantInQuery
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1", tags=["tickets"])


class TicketPage(BaseModel):
    """A page of tickets, next due first."""

    tickets: list[TicketView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class TicketListQuery(BaseModel):
    """Which tickets. `state`, `breached` and `due_before` hold for any of a ticket's clocks."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = None
    state: State | None = None
    breached: bool | None = None
    due_before: InstantInQuery | None = None
    assignee: str | None = None
    group: str | None = None
    queue: str | None = None
    plan: str | None = None
    contract: str | None = None
    customer: str | None = None
    commitment: str | None = None
    kind: str | None = Field(
        None, description="`guarantee`, `objective` or `customer` of a clock, else the ticket's"
    )
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


@router.get(
    "/tickets", summary="List tickets", response_model=TicketPage, responses=problems(401, 403, 404, 422)
)
async def list_tickets(
    request: Request, caller: Viewer, wanted: Annotated[TicketListQuery, Query()]
) -> Response:
    """The tickets that match, as they stand now, next due first. Without `desk`, those of all desks of the key."""
    parts = running(request)
    limit = parts.settings.entries_on_page(wanted.limit)
    conditions = wanted.model_dump(exclude={"desk", "cursor", "limit"})
    filters = tickets.Filters(desks=desks_for(caller, wanted.desk), **conditions)
    now = parts.database.now()
    page = await parts.database.read_replicated(
        budgeted(
            parts.settings,
            lambda conn: tickets.tickets_page(conn, parts.catalogue, filters, wanted.cursor, limit, now=now),
        )
    )
    return Json({"tickets": [ticket_json(parts, answer) for answer in page.items], "next": page.next})
