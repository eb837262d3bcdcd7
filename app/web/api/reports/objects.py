"""The reports of availability and of credits, by period and split."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query.credit_reports import credits_report
from app.flow.query.report_scope import Answer, Asked
from app.flow.query.uptime_reports import availability_report
from app.settings import Settings
from app.sla.report.clock_report import ReportRow
from app.sla.report.object_report import OBJECT_SPLITS
from app.sla.span import Span
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.web.api.reports.asked import FILTERED, ReportQuery, Split, answered, asked, written
from app.web.api.reports.rendering import as_json, as_table, link_to
from app.web.api.reports.table import FILES
from app.web.http.access import Caller, Viewer
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/reports", tags=["reports"])

_SPLIT_TEXT: Final = "of " + ", ".join(f"`{name}`" for name in OBJECT_SPLITS) + ", with commas"
_RESPONSES: Final = FILES | problems(401, 403, 404, 422)

UptimeKind = Literal["guarantee", "objective"]
Count = Callable[[Connection, Catalogue, Settings, Asked], Answer]


class ObjectReportQuery(ReportQuery):
    """Which report, and how it is written."""

    split: str | None = Field(None, description=_SPLIT_TEXT, examples=["commitment,service"])
    commitment: str | None = Field(None, description=FILTERED)
    service: str | None = Field(None, description=FILTERED)
    contract: str | None = Field(None, description=FILTERED)
    customer: str | None = Field(None, description=FILTERED)


Wanted = Annotated[ObjectReportQuery, Query()]


class ObjectPeriod(BaseModel):
    """A period of a report, and the values by which it is split."""

    since: InstantOut = Field(alias="from")
    until: InstantOut = Field(alias="to")
    split: Split
    objects_url: str = Field(description="the address of the list of what the row counts")


class UpTogether(BaseModel):
    """The uptime of several objects together. Seconds are whole, rounded down."""

    objects: int = Field(description="services, or contracts, each by one commitment")
    breached: int = Field(
        description="of them those that had more downtime than the target allows a period of this length"
    )
    interruptions: int = Field(description="stretches of downtime that count")
    total_seconds: int
    downtime_seconds: int = Field(description="what counts")
    excluded_seconds: int = Field(description="outages that do not count")
    uptime: str | None = Field(
        description="per cent of the time of all objects, rounded down to four decimals; null of nothing",
        examples=["99.9744"],
    )


class AvailabilityRow(UpTogether, ObjectPeriod):
    """The uptime of objects in a period."""

    kind: UptimeKind


class AvailabilityReport(BaseModel):
    """Uptimes by period. The totals are by kind of commitment."""

    rows: list[AvailabilityRow]
    totals: dict[UptimeKind, UpTogether]
    incomplete: Literal[0]


class CreditsTogether(BaseModel):
    """Credits of one currency. Amounts are texts with its decimals."""

    credits: int
    unknown_amounts: int = Field(description="of them those whose amount is not known; they are in no sum")
    amount: str | None = Field(
        description="of those that were not refused, lapsed or withdrawn; null without a currency",
        examples=["57.95"],
    )
    due: str | None = Field(description="of it what is `owed` or `granted`", examples=["33.00"])
    states: dict[str, int] = Field(
        description="by state, of every state that occurs in the report; adds up to `credits`",
        examples=[{"owed": 3, "withdrawn": 1}],
    )


class CreditsRow(CreditsTogether, ObjectPeriod):
    """Credits whose cause was certain in a period."""

    currency: str | None


class CreditsReport(BaseModel):
    """Credits by period. The totals are by currency; the empty one is not known."""

    rows: list[CreditsRow]
    totals: dict[str, CreditsTogether]
    incomplete: Literal[0]


@router.get(
    "/availability", summary="Availability by period", response_model=AvailabilityReport, responses=_RESPONSES
)
async def report_availability(request: Request, caller: Viewer, wanted: Wanted) -> Response:
    """The uptime of services in each period, or of contracts with a split by `contract` or `customer`.

    Each object counts with the figures of `GET /v1/availability` for the same span. `breached` judges a period as if it
    were one of the commitment: by month it is. A running period has its whole length, and the downtime so far. Periods
    that lie ahead, and contracts that are not valid in a period, have no row.
    """
    return await _report(request, caller, wanted, "availability", availability_report)


@router.get("/credits", summary="Credits by period", response_model=CreditsReport, responses=_RESPONSES)
async def report_credits(request: Request, caller: Viewer, wanted: Wanted) -> Response:
    """What contracts are owed, in the period in which the cause of each credit was certain.

    Credits have the state and the amount of now, or of `as_of`, as in `GET /v1/credits`. Currencies have rows of their
    own. A row's list has every credit that it counts, also those in no sum; with `state=owed` added, those.
    """
    return await _report(request, caller, wanted, "credits", credits_report)


async def _report(request: Request, caller: Caller, wanted: Wanted, name: str, count: Count) -> Response:
    parts = running(request)
    what = asked(request, caller, wanted, wanted.by, wanted.split, OBJECT_SPLITS)
    found = await answered(request, wanted, lambda conn: count(conn, parts.catalogue, parts.settings, what))
    link = partial(_link, name, what)
    return await written(
        request,
        wanted,
        lambda: as_table(name, what, found),
        lambda: Json(as_json(what, found, link, behind="objects_url")),
    )


def _link(report: str, what: Asked, span: Span, row: ReportRow) -> str:
    about: dict[str, Any] = dict(row.about)
    if report == "availability" and not {"contract", "customer"}.isdisjoint((*what.splits, *dict(what.only))):
        about["of"] = "contracts"
    return link_to(f"{router.prefix}/{report}/objects", what, span, row, about)
