"""Reports of ticket clocks: attainment, usage, heatmap and breaches."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final, Literal

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query.report_scope import Asked
from app.flow.query.reports import ReportKind, clock_report
from app.sla.report.clock_report import ReportRow
from app.sla.span import Span
from app.web.api.reports.asked import ClockReportQuery, Split, asked, reported, written
from app.web.api.reports.rendering import as_json, as_table, link_to
from app.web.api.reports.table import FILES
from app.web.api.tickets.ticket_view import CommitmentKind
from app.web.http.access import Caller, Viewer
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/reports", tags=["reports"])

Wanted = Annotated[ClockReportQuery, Query()]
Tickets = Annotated[str, Field(description="the address of the list of the clocks that the row counts")]
Share = Annotated[
    str | None,
    Field(description="per cent, rounded down to four decimals; null of nothing", examples=["97.4358"]),
]


class Period(BaseModel):
    """A period of a report, and the values by which it is split."""

    since: InstantOut = Field(alias="from")
    until: InstantOut = Field(alias="to")
    split: Split
    tickets: Tickets


class Attained(BaseModel):
    """Clocks that ended."""

    met: int = Field(description="stopped in time")
    missed: int = Field(description="late, whether stopped or cancelled afterwards")
    excluded: int = Field(description="cancelled in time, as by a closing without an answer")
    share: Share


class AttainmentRow(Attained, Period):
    """Clocks of one kind that ended in a period."""

    kind: CommitmentKind


class Used(BaseModel):
    """How much of their targets clocks had counted when they ended, met or missed."""

    clocks: int
    tenths: list[int] = Field(
        description="how many counted less than 10 % of the target, less than 20 %, …; the last: 100 % or more"
    )
    deciles: list[str | None] = Field(
        description="per cent of the target that a tenth of the clocks do not exceed, two tenths, … nine tenths, "
        "rounded down to one decimal; null of nothing",
        examples=[["12.5", "20.0", "31.4", "40.0", "48.9", "55.0", "67.5", "80.1", "96.0"]],
    )


class UsageRow(Used, Period):
    """How clocks of one kind that ended in a period had used their targets."""

    kind: CommitmentKind


class Counted(BaseModel):
    """Clocks that started, and clocks that were late."""

    starts: int
    breaches: int


class HeatmapRow(Counted, Period):
    """An hour of the week, in the desk's zone."""

    kind: CommitmentKind
    weekday: int = Field(description="1 is Monday, 7 is Sunday")
    hour: int = Field(description="0 to 23: from this full hour to the next")


class Late(BaseModel):
    """Clocks that were late."""

    breaches: int


class BreachesRow(Late, Period):
    """Clocks of one kind that were late in a period, for one value of one breakdown."""

    kind: CommitmentKind
    breakdown: Literal["cause", "first_pause", "assignee", "hour"]
    value: str | int | None = Field(
        description="cause: `deadline`, `target_changed`, `applied_later`, `merged`; first_pause: the status, or "
        "`exclusion`, null: not paused before; assignee: null for none; hour: 0 to 23"
    )


class ReportEnd(BaseModel):
    """What stands under the rows of a report."""

    incomplete: int = Field(
        description="tickets that are not counted: an earlier release evaluated them and they are completed soon, or "
        "their events were deleted before, or, with `as_of`, they cannot be evaluated"
    )


class AttainmentReport(ReportEnd):
    """How many clocks were met, by period."""

    rows: list[AttainmentRow]
    totals: dict[CommitmentKind, Attained]


class UsageReport(ReportEnd):
    """How much of their targets clocks used, by period."""

    rows: list[UsageRow]
    totals: dict[CommitmentKind, Used]


class HeatmapReport(ReportEnd):
    """When clocks start and when they are late."""

    rows: list[HeatmapRow]
    totals: dict[CommitmentKind, Counted]


class BreachesReport(ReportEnd):
    """Why, when and with whom clocks are late."""

    rows: list[BreachesRow]
    totals: dict[CommitmentKind, Late]


_RESPONSES: Final = FILES | problems(401, 403, 404, 410, 422)


@router.get("/attainment", summary="Attainment", response_model=AttainmentReport, responses=_RESPONSES)
async def report_attainment(request: Request, caller: Viewer, wanted: Wanted) -> Response:
    """Clocks that ended in each period: how many were met, missed and excluded, and the share that was met.

    `missed` are those that were late, also where they were cancelled afterwards; `excluded` were cancelled in time and
    are in no share. Guarantees, objectives and customers' deadlines have rows of their own. A split is by the fields
    that the tickets have now, or had at `as_of`. Without a split each period has a row of each kind, also for nothing:
    its share is null. A row's `tickets` lists what it counts; with `outcome=missed` added, those that were missed.

    As CSV or XLSX with `format` or `Accept`: from and to are then local times of the desk's zone.
    """
    return await _report(request, caller, wanted, ReportKind.ATTAINMENT)


@router.get("/usage", summary="Usage of targets", response_model=UsageReport, responses=_RESPONSES)
async def report_usage(request: Request, caller: Viewer, wanted: Wanted) -> Response:
    """Clocks that were met or missed in each period: how much of the target each had counted when it ended.

    `tenths` is the distribution and adds up to `clocks`; with `tenth=9` added, a row's `tickets` lists those between 90
    and 100 %. A clock can be missed with less than 100 % where its target was raised after it was late.
    """
    return await _report(request, caller, wanted, ReportKind.USAGE)


@router.get("/heatmap", summary="Heatmap", response_model=HeatmapReport, responses=_RESPONSES)
async def report_heatmap(request: Request, caller: Viewer, wanted: Wanted) -> Response:
    """Clocks that started and clocks that were late, by weekday and hour of the desk's zone.

    A clock is late at its due date. Hours with neither are left out. The hour that comes twice when the clocks go
    back is one hour here. A row's `tickets` lists the starts; with `of=breaches` in place of `of=starts`, the breaches.
    """
    return await _report(request, caller, wanted, ReportKind.HEATMAP)


@router.get("/breaches", summary="Breaches by cause", response_model=BreachesReport, responses=_RESPONSES)
async def report_breaches(request: Request, caller: Viewer, wanted: Wanted) -> Response:
    """Clocks that were late in each period, in four breakdowns: by cause, first pause, assignee and hour of the day.

    Each breakdown adds up to all of them. Objectives that were missed and lapsed deadlines of customers have rows of
    their own. The cause is by which terms the due date passed: those of the start (`deadline`), a new target or calendar
    (`target_changed`), those of a commitment that came to apply later (`applied_later`), or the wait of a merged ticket
    (`merged`). A desk whose agreement says `[reports] names = false` has no breakdown by assignee.
    """
    return await _report(request, caller, wanted, ReportKind.BREACHES)


async def _report(request: Request, caller: Caller, wanted: ClockReportQuery, kind: ReportKind) -> Response:
    parts = running(request)
    what = asked(request, caller, wanted, wanted.by, wanted.split)
    found = await reported(
        request, wanted, lambda conn: clock_report(conn, parts.catalogue, parts.settings, kind, what)
    )
    link = partial(_link, kind, what)
    return await written(
        request,
        wanted,
        lambda: as_table(kind.value, what, found),
        lambda: Json(as_json(what, found, link)),
    )


_FIXED: Final[Mapping[ReportKind, Mapping[str, str]]] = {ReportKind.HEATMAP: {"of": "starts"}}


def _link(kind: ReportKind, what: Asked, span: Span, row: ReportRow) -> str:
    """The address of the list of the clocks that a row counts."""
    about = dict(row.about)
    if kind is ReportKind.BREACHES:
        about[str(about.pop("breakdown"))] = about.pop("value")
    return link_to(
        f"{router.prefix}/{kind.value}/tickets", what, span, row, {**_FIXED.get(kind, {}), **about}
    )
