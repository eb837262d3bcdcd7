"""Tickets: one ticket with its clocks, its explanation, and lists of tickets.

`at` selects the state at another instant by all that is known, `as_of` what was known at an instant.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Final, Literal

from fastapi import Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query import serialize, tickets
from app.flow.query.answer import ArchivedAnswer, TicketAnswer
from app.sla.span import Micros, length_of
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.web.http.access import Caller, Viewer, desks_for, must_see
from app.web.http.budget import budgeted
from app.web.http.encoded_slash import with_slashes
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Place, invalid, not_found, problems
from app.web.http.reason import Detail
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

FURTHEST: Final = timedelta(days=3653)
"""How far ahead of now `at` may lie: ten years are counted quickly, and no commitment is longer."""

LAST_SPAN: Final = 2**31 - 1
"""The largest number of a span that can be asked for."""

router = Router(prefix="/v1", tags=["tickets"])

State = Literal["awaiting", "running", "paused", "stopped", "cancelled"]
CommitmentKind = Literal["guarantee", "objective", "customer"]


class Clock(BaseModel):
    """One commitment on one ticket, one cycle. Durations are whole seconds, rounded down."""

    commitment: str = Field(examples=["ticket-response"])
    label: str = Field(examples=["First response"])
    kind: CommitmentKind
    measure: str = Field(examples=["response"])
    cycle: int = Field(description="1..n, for display", examples=[1])
    state: State
    open_now: bool | None = Field(description="whether its calendar is open; null when it does not run")
    awaiting: list[str] = Field(description="the start events that are missing")
    awaiting_since: InstantOut | None
    started_at: InstantOut | None
    due_at: InstantOut | None
    calendar_local_due: str | None = Field(description="`due_at` in the calendar's zone")
    stopped_at: InstantOut | None
    counted_seconds: int
    target: str | None = Field(examples=["2h"])
    target_seconds: int | None = Field(examples=[7200])
    remaining_seconds: int | None = Field(description="counted time left; negative when overdue")
    overdue_seconds: int | None = Field(description="real time since `due_at`")
    due_if_resumed_now: InstantOut | None
    breached_at: InstantOut | None
    detected_at: InstantOut | None = Field(description="when the breach was recorded")
    met: bool | None
    calendar: str | None = Field(examples=["haisoft/tickets"])
    calendar_reason: str | None = Field(default=None, description="why this one, where there is another")
    calendar_reason_detail: Detail = None
    next_at: InstantOut | None = Field(description="when time alone changes it next")
    cause: str | None = Field(description="why it is paused, stopped or cancelled")
    cause_detail: Detail = None
    flags: list[str]


class NotApplicable(BaseModel):
    """A commitment that the agreement excludes for this ticket."""

    commitment: str
    reason: str
    reason_detail: Detail = None


class Move(BaseModel):
    """A change of a ticket's place in its queue."""

    at: InstantOut
    kind: Literal["joined", "moved", "left"]
    cause: str = Field(examples=["repeat_message"])
    cause_detail: Detail = None
    queue: str


class QueuePlace(BaseModel):
    """Where a ticket waits. Position and length are null in answers `as_of` an earlier instant."""

    name: str
    position: int | None = Field(description="1 is served next")
    length: int | None
    joined_at: InstantOut
    moves: list[Move]
    expected_reply_at: InstantOut | None
    expected_reply_reason: str | None = Field(description="why no reply can be forecast")
    expected_reply_reason_detail: Detail = None


class TicketView(BaseModel):
    """A ticket and all its clocks at an instant."""

    desk: str
    ticket: str
    title: str | None
    url: str | None
    customer: str | None
    organisation: str | None
    contract: str | None = Field(
        default=None,
        description="the contract that it belongs to; the flags say why it has none",
        examples=["C-1001"],
    )
    priority: str | None
    plan: str | None
    level: str | None
    service: str | None
    category: str | None
    domain: str | None
    assignee: str | None
    group: str | None
    status: str
    created_at: InstantOut | None = Field(description="null when its creation was never received")
    at: InstantOut
    as_of: InstantOut
    clocks: list[Clock]
    earlier_cycles: dict[str, int] = Field(
        default_factory=dict[str, int],
        description="by commitment: how many cycles came before the first one shown, where not all are shown; page them "
        "with `cycles_before`",
    )
    not_applicable: list[NotApplicable]
    queue: QueuePlace | None
    merged_into: str | None = Field(default=None, description="where what happens in this ticket counts now")
    merged_from: list[str] = Field(default=[], description="the tickets that were merged into this one")
    flags: list[str]


class TicketPage(BaseModel):
    """A page of tickets, next due first."""

    tickets: list[TicketView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


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


class When(BaseModel):
    """The instant of the query, and by what was known when."""

    model_config = ConfigDict(extra="forbid")

    at: InstantInQuery | None = Field(None, description="how the clocks stand then; default now")
    as_of: InstantInQuery | None = Field(None, description="by what was known then; default now")


class WhichCycles(When):
    """The latest cycles of each commitment, or those before one, at which instant."""

    cycles_before: int | None = Field(
        None, ge=2, description="only cycles with a lower number; without it the latest ones"
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


Desk = Annotated[str, Path(description="the desk", examples=["haisoft"])]
TicketId = Annotated[
    str,
    AfterValidator(with_slashes),
    Path(description="the ticket's id; a slash in it is written as %2F", examples=["4711"]),
]


@router.get(
    "/tickets", summary="List tickets", response_model=TicketPage, responses=problems(401, 403, 404, 422)
)
async def list_tickets(
    request: Request, caller: Viewer, wanted: Annotated[TicketListQuery, Query()]
) -> Response:
    """The tickets that match, as they stand now, next due first. Without `desk`, those of all desks of the key."""
    parts = running(request)
    limit = min(wanted.limit or parts.settings.page_size, parts.settings.max_page_size)
    conditions = wanted.model_dump(exclude={"desk", "cursor", "limit"})
    filters = tickets.Filters(desks=desks_for(caller, wanted.desk), **conditions)
    now = parts.database.now()
    page = await parts.database.read_replicated(
        budgeted(
            parts.settings,
            lambda conn: tickets.tickets_page(conn, parts.catalogue, filters, wanted.cursor, limit, now=now),
        )
    )
    return Json({"tickets": [_view(parts, answer) for answer in page.items], "next": page.next})


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

    return await _answer(running(request), caller, desk, ticket, wanted, render)


@router.get(
    "/tickets/{desk}/{ticket:path}",
    summary="One ticket",
    response_model=TicketView,
    responses=problems(401, 403, 404, 410, 422),
)
async def show_ticket(
    request: Request, caller: Viewer, desk: Desk, ticket: TicketId, wanted: Annotated[WhichCycles, Query()]
) -> Response:
    """A ticket and all its clocks, now or at another instant.

    `at` selects the state at an instant by all that is known today; ahead of now it shows what comes if nothing else
    happens. `as_of` selects what was known at an instant: 404 when nothing was. Of a ticket that ended long ago only its
    final view may exist: 410 for another instant. Of a commitment with many cycles the latest ones are shown;
    `earlier_cycles` says how many came before, and `cycles_before` pages them.
    """
    parts = running(request)
    if wanted.at is not None or wanted.as_of is not None:
        before = wanted.cycles_before
        return await _answer(
            parts, caller, desk, ticket, wanted, lambda answer: Json(_view(parts, answer, before))
        )
    must_see(caller, desk)
    now = parts.database.now()
    try:
        answer = await parts.database.read(
            budgeted(
                parts.settings, lambda conn: tickets.ticket_now(conn, parts.catalogue, desk, ticket, now=now)
            )
        )
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    return Json(_view(parts, answer, wanted.cycles_before))


def _view(
    parts: WebRuntime, answer: TicketAnswer | ArchivedAnswer, before: int | None = None
) -> serialize.Json:
    """The TicketView, with as many cycles and moves as one answer shows."""
    if isinstance(answer, TicketAnswer):
        answer = answer.limited(parts.settings.answer_cycles, before=before)
    return serialize.ticket(answer)


async def _answer(
    parts: WebRuntime,
    caller: Caller,
    desk: str,
    ticket: str,
    wanted: When,
    render: Callable[[TicketAnswer], Json],
) -> Json:
    """The answer about a ticket, rendered in the reader's thread and within its time budget."""
    must_see(caller, desk)
    now = parts.database.now()
    _check(wanted, now)

    def read(conn: Connection) -> Json:
        answer = tickets.ticket_answer(
            conn, parts.catalogue, desk, ticket, now=now, at=wanted.at, as_of=wanted.as_of
        )
        return render(answer)

    try:
        return await parts.database.read(budgeted(parts.settings, read))
    except UnknownDesk as error:
        raise not_found("desk", desk) from error


def _check(wanted: When, now: Micros) -> None:
    """Raises Problem for an `as_of` after now, and for an `at` too far ahead."""
    if wanted.as_of is not None and wanted.as_of > now:
        after = f"is after now, {serialize.instant_text(now)}"
        reason = f"{after}. What will be known then cannot be told; ask with at instead"
        raise invalid([Place("query", "as_of", reason)])
    if wanted.at is not None and wanted.at > now + length_of(FURTHEST):
        raise invalid([Place("query", "at", f"is more than {FURTHEST.days} days ahead of now")])
