"""The report of queues, and the steps behind each figure."""

from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query.queue_reports import queue_report, steps_behind
from app.flow.query.report_scope import Asked
from app.flow.query.serialize import instant_text, seconds
from app.sla.report.clock_report import ReportRow
from app.sla.report.measure import COMMITMENT, TICKET_SPLITS
from app.sla.report.queue_report import QueueStep, Step
from app.sla.span import Span
from app.web.api.reports.asked import SpanQuery, answered, asked, reported, written
from app.web.api.reports.rendering import as_json, as_table, link_to
from app.web.api.reports.reports import Period, ReportEnd, Wanted
from app.web.api.reports.table import FILES
from app.web.http.access import Viewer
from app.web.http.instant import InstantOut
from app.web.http.problems import Place, invalid, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/reports/queues", tags=["reports"])

_BY_FIELD: Final = "the split's value; empty: none"
_BY_CAUSE: Final = "by cause, as in the moves of a ticket; of every cause that occurs in the report"


class Waited(BaseModel):
    """What happened in a queue."""

    waits: int = Field(
        description="waits that ended: tickets that left, however often they were moved before"
    )
    waited_seconds: int = Field(description="how long these waits were together, rounded down")
    mean_seconds: int | None = Field(description="rounded down; null of nothing")
    longest_seconds: int | None
    joined: dict[str, int] = Field(description=_BY_CAUSE, examples=[{"created": 40, "reopened": 2}])
    moved: dict[str, int] = Field(description=_BY_CAUSE, examples=[{"repeat_message": 7}])
    left: dict[str, int] = Field(description=_BY_CAUSE + "; adds up to `waits`", examples=[{"answered": 39}])
    replies: int = Field(description="waits that an answer ended")
    replies_an_hour: str | None = Field(
        description="replies by open hour of the queues' calendar, up to now, with four decimals, rounded down; null "
        "without a calendar",
        examples=["4.2500"],
    )


class QueuesRow(Waited, Period):
    """What happened in a queue in a period."""

    queue: str


class QueuesReport(ReportEnd):
    """What happened in queues, by period. The totals are by queue."""

    rows: list[QueuesRow]
    totals: dict[str, Waited]


class StepQuery(SpanQuery):
    """Which steps: the span of a row, the values of its split, the queue, and what happened."""

    queue: str | None = None
    step: Step | None = None
    cause: str | None = Field(None, examples=["answered"])
    plan: str | None = Field(None, description=_BY_FIELD)
    level: str | None = Field(None, description=_BY_FIELD)
    priority: str | None = Field(None, description=_BY_FIELD)
    assignee: str | None = Field(None, description=_BY_FIELD)
    group: str | None = Field(None, description=_BY_FIELD)
    customer: str | None = Field(None, description=_BY_FIELD)
    service: str | None = Field(None, description=_BY_FIELD)
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


class StepView(BaseModel):
    """A ticket joined a queue, was moved in it, or left it."""

    ticket: str
    url: str = Field(description="the address of the ticket's view")
    at: InstantOut
    step: Step
    queue: str
    cause: str
    waited_seconds: int | None = Field(
        description="of one that left: how long it was in the queue, rounded down"
    )


class StepPage(BaseModel):
    """A page of the steps behind a figure, in the order of time."""

    steps: list[StepView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


@router.get(
    "",
    summary="Queues",
    response_model=QueuesReport,
    responses=FILES | problems(401, 403, 404, 410, 422),
)
async def report_queues(request: Request, caller: Viewer, wanted: Wanted) -> Response:
    """How long tickets waited in each queue, why they joined, moved and left, and replies by open hour.

    A wait is a ticket's time in one queue until it leaves it, and counts in the period in which it ends. A ticket that
    is put into another queue leaves one and joins the other. Each queue has rows of its own; `split` takes the other
    fields of a ticket. A row's `tickets` lists the waits; with another `step`, or without one, what else the row counts.
    """
    parts = running(request)
    what = asked(request, caller, wanted, wanted.by, wanted.split)
    if wrong := {COMMITMENT, "queue"} & {*what.splits, *(name for name, _ in what.only)}:
        reason = f"queues have no split by {min(wrong)}: a wait has no commitment, and each row has its queue"
        raise invalid([Place("query", "split" if min(wrong) in what.splits else min(wrong), reason)])
    found = await reported(
        request, wanted, lambda conn: queue_report(conn, parts.catalogue, parts.settings, what)
    )
    return await written(
        request,
        wanted,
        lambda: as_table("queues", what, found),
        lambda: Json(as_json(what, found, partial(_link, what))),
    )


@router.get(
    "/tickets",
    summary="Tickets behind a figure of queues",
    response_model=StepPage,
    responses=problems(401, 403, 404, 410, 422),
)
async def list_steps_of_queues(
    request: Request, caller: Viewer, wanted: Annotated[StepQuery, Query()]
) -> Response:
    """The steps of tickets that a row of the report counts: with `step=left` its waits, with `step=moved` its moves."""
    parts = running(request)
    what = asked(request, caller, wanted, None, None)
    given = wanted.model_fields_set
    names = [name for name in ("step", "queue", "cause", *TICKET_SPLITS) if name in given]
    filters: dict[str, str | None] = {name: getattr(wanted, name) or None for name in dict.fromkeys(names)}
    limit = parts.settings.entries_on_page(wanted.limit)
    found, following = await answered(
        request,
        wanted,
        lambda conn: steps_behind(conn, parts.catalogue, parts.settings, what, filters, wanted.cursor, limit),
    )
    return Json({"steps": [_step(wanted.desk, each) for each in found], "next": following})


def _link(what: Asked, span: Span, row: ReportRow) -> str:
    return link_to(f"{router.prefix}/tickets", what, span, row, {**row.about, "step": Step.LEFT.value})


def _step(desk: str, step: QueueStep) -> dict[str, Any]:
    return {
        "ticket": step.ticket,
        "url": f"/v1/tickets/{quote(desk, safe='')}/{quote(step.ticket, safe='')}",
        "at": instant_text(step.at),
        "step": step.step.value,
        "queue": step.queue,
        "cause": step.cause,
        "waited_seconds": seconds(step.waited),
    }
