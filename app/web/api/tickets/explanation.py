"""The explanation of a clock: every span behind its state, counted or not, and why."""

from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query import serialize, tickets
from app.flow.query.answer import TicketAnswer
from app.web.api.tickets.ticket_view import Clock
from app.web.api.tickets.tickets import Desk, TicketId, When, answer_about
from app.web.http.access import Viewer
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.reason import Detail
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

LAST_SPAN: Final = 2**31 - 1
"""The largest number of a span that can be asked for."""

router = Router(prefix="/v1", tags=["tickets"])


class ExplainedSpan(BaseModel):
    """A stretch of a clock's life, counted or not, with its reason and the running total."""

    start: InstantOut
    end: InstantOut
    start_local: str | None
    end_local: str | None
    kind: str = Field(description="what it did to the clock", examples=["counted"])
    counted: bool
    reason: str = Field(examples=["lunch gap"])
    reason_detail: Detail = None
    source: str | None
    seconds: int
    total_seconds: int = Field(description="what has counted by its end")
    planned: bool = Field(description="it lies after the instant of the query")


class TicketExplanation(BaseModel):
    """The spans behind the state of a clock."""

    clock: Clock | None
    calendar: str | None
    calendar_reason: str | None = Field(default=None, description="why this one, where there is another")
    calendar_reason_detail: Detail = None
    calendar_version: str | None
    time_zone: str | None
    target: str | None
    target_seconds: int | None
    due_at: InstantOut | None
    due_local: str | None
    spans: list[ExplainedSpan]
    next: int | None = Field(
        None,
        description="the answer has only some of the spans; go on with this as `after`. Null: no more follow",
    )


class WhichClock(When):
    """Which clock, and at which instant."""

    commitment: str | None = Field(
        None, description="default the one that is due next", examples=["ticket-response"]
    )
    cycle: int | None = Field(None, ge=1, description="default the latest")
    after: int = Field(
        0, ge=0, le=LAST_SPAN, description="`next` of the answer before, to go on after its spans"
    )


@router.get(
    "/tickets/{desk}/{ticket:path}/explanation",
    summary="Explain a clock",
    response_model=TicketExplanation,
    responses=problems(401, 403, 404, 410, 422),
)
async def explain_clock(
    request: Request, caller: Viewer, desk: Desk, ticket: TicketId, wanted: Annotated[WhichClock, Query()]
) -> Response:
    """Every span from the clock's start to its end or its deadline: counted or not, and why."""
    limit = running(request).settings.answer_spans

    def render(answer: TicketAnswer) -> Json:
        explanation = tickets.explanation(answer, wanted.commitment, wanted.cycle)
        view = explanation.clock
        detected_at = answer.detected.get((view.commitment, view.cycle_id)) if view else None
        return Json(serialize.explanation(explanation, detected_at, after=wanted.after, limit=limit))

    return await answer_about(running(request), caller, desk, ticket, wanted, render)
