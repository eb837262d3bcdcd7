"""The reports of availability and of credits, and the objects behind each figure."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query.credit_reports import credits_behind, credits_report
from app.flow.query.report_scope import Answer, Asked
from app.flow.query.serialize import instant_text
from app.flow.query.uptime_reports import availability_report, uptimes_behind
from app.flow.query.uptimes import exact_seconds
from app.settings import Settings
from app.sla.credit.claim import CreditState
from app.sla.report.clock_report import ReportRow
from app.sla.report.measure import COMMITMENT
from app.sla.report.object_report import OBJECT_SPLITS, CountedUptime
from app.sla.span import Span
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets.board import cursor_of, key_of
from app.web.api.contracts.credits import Credit
from app.web.api.reports.asked import FILTERED, ReportQuery, SpanQuery, Split, answered, asked, written
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
_BY_VALUE: Final = "the split's value; empty: none"
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


class _ObjectsQuery(SpanQuery):
    commitment: str | None = None
    service: str | None = Field(None, description=_BY_VALUE)
    contract: str | None = Field(None, description=_BY_VALUE)
    customer: str | None = Field(None, description=_BY_VALUE)
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")

    def wanted(self, *names: str) -> dict[str, str | None]:
        """What the objects must have, of what is given."""
        given = [name for name in (*OBJECT_SPLITS, *names) if name in self.model_fields_set]
        return {name: getattr(self, name) or None for name in given}


class UptimesQuery(_ObjectsQuery):
    """Which uptimes: the span of a row, the values of its split, and what else it is about."""

    kind: UptimeKind | None = None
    of: Literal["services", "contracts"] = "services"


class CreditsBehindQuery(_ObjectsQuery):
    """Which credits: the span of a row, the values of its split, and what else it is about."""

    currency: str | None = Field(None, description="empty: not known")
    state: CreditState | None = None


class CountedObject(BaseModel):
    """An object that the figure counts. Seconds have a fraction where there is one."""

    commitment: str
    kind: UptimeKind
    service: str | None
    contract: str | None
    customer: str | None
    total_seconds: float
    downtime_seconds: float
    excluded_seconds: float
    interruptions: int
    breached_at: InstantOut | None = Field(
        description="when the target of a period of this length was broken"
    )
    url: str = Field(description="the address of its availability in the span, with its outages")


class ObjectPage(BaseModel):
    """A page of the objects behind a figure."""

    objects: list[CountedObject]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class CreditsPage(BaseModel):
    """A page of the credits behind a figure, as `GET /v1/credits` shows them."""

    credits: list[Credit]
    next: str | None = Field(description="the cursor of the next page; null on the last")


@router.get(
    "/availability/objects",
    summary="Objects behind a figure of availability",
    response_model=ObjectPage,
    responses=problems(401, 403, 404, 422),
)
async def list_objects_of_availability(
    request: Request, caller: Viewer, wanted: Annotated[UptimesQuery, Query()]
) -> Response:
    """The services or contracts that a row of the report counts. A row's `objects_url` has the parameters."""
    parts = running(request)
    what = asked(request, caller, wanted, None, None)
    filters, of_contracts = wanted.wanted("kind"), wanted.of == "contracts"
    found = await answered(
        request,
        wanted,
        lambda conn: uptimes_behind(
            conn, parts.catalogue, parts.settings, what, filters, of_contracts=of_contracts
        ),
    )
    keyed = sorted(((_key(each), _object(what, each)) for each in found), key=lambda entry: entry[0])
    after = None if wanted.cursor is None else key_of(wanted.cursor, str, str)
    limit = parts.settings.entries_on_page(wanted.limit)
    rest = [entry for entry in keyed if after is None or entry[0] > after]
    following = cursor_of(*rest[limit - 1][0]) if len(rest) > limit else None
    return Json({"objects": [document for _, document in rest[:limit]], "next": following})


@router.get(
    "/credits/objects",
    summary="Credits behind a figure",
    response_model=CreditsPage,
    responses=problems(401, 403, 404, 422),
)
async def list_credits_of_report(
    request: Request, caller: Viewer, wanted: Annotated[CreditsBehindQuery, Query()]
) -> Response:
    """The credits that a row of the report counts. A row's `objects_url` has the parameters."""
    parts = running(request)
    what = asked(request, caller, wanted, None, None)
    filters = wanted.wanted("currency", "state")
    found = await answered(
        request,
        wanted,
        lambda conn: credits_behind(conn, parts.catalogue, parts.settings, what, filters),
    )
    after = None if wanted.cursor is None else key_of(wanted.cursor, str)[0]
    limit = parts.settings.entries_on_page(wanted.limit)
    rest = [entry for entry in found if after is None or entry[0] > after]
    following = cursor_of(rest[limit - 1][0]) if len(rest) > limit else None
    return Json({"credits": [document for _, document in rest[:limit]], "next": following})


def _key(found: CountedUptime) -> tuple[str, str]:
    return found.of[COMMITMENT] or "", found.of["contract"] or found.of["service"] or ""


def _object(what: Asked, found: CountedUptime) -> dict[str, Any]:
    return {
        **found.of,
        "kind": found.kind,
        "total_seconds": exact_seconds(found.total),
        "downtime_seconds": exact_seconds(found.downtime),
        "excluded_seconds": exact_seconds(found.excluded),
        "interruptions": found.interruptions,
        "breached_at": instant_text(found.breached_at),
        "url": _address(what, found),
    }


def _address(what: Asked, found: CountedUptime) -> str:
    query: dict[str, Any] = {"desk": what.desk, "id": found.of[COMMITMENT]}
    if found.of["contract"] is None:
        query |= {"service": found.of["service"], "resource": ""}
    else:
        query["contract"] = found.of["contract"]
    query |= {"from": instant_text(what.span.start), "to": instant_text(what.span.end)}
    if what.as_of is not None:
        query["as_of"] = instant_text(what.as_of)
    return f"/v1/availability?{urlencode(query)}"
