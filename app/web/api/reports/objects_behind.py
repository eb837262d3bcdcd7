"""The uptimes behind a figure of availability, and the credits behind a figure of credits."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query.credit_reports import credits_behind
from app.flow.query.report_scope import Asked
from app.flow.query.serialize import instant_text
from app.flow.query.uptime_reports import uptimes_behind
from app.flow.query.uptimes import exact_seconds
from app.sla.credit.claim import CreditState
from app.sla.report.measure import COMMITMENT
from app.sla.report.object_report import OBJECT_SPLITS, CountedUptime
from app.store.tickets.board import cursor_of, key_of
from app.web.api.contracts.credits import Credit
from app.web.api.reports.asked import SpanQuery, answered, asked
from app.web.api.reports.objects import UptimeKind
from app.web.http.access import Viewer
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/reports", tags=["reports"])

_BY_VALUE: Final = "the split's value; empty: none"


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
    keyed = sorted(((_key(each), _object(what, each)) for each in found), key=itemgetter(0))
    after = None if wanted.cursor is None else key_of(wanted.cursor, str, str)
    shown, following = _page(keyed, after, parts.settings.entries_on_page(wanted.limit))
    return Json({"objects": shown, "next": following})


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
    keyed = [((credit_id,), document) for credit_id, document in found]
    after = None if wanted.cursor is None else key_of(wanted.cursor, str)
    shown, following = _page(keyed, after, parts.settings.entries_on_page(wanted.limit))
    return Json({"credits": shown, "next": following})


def _page(
    keyed: Sequence[tuple[tuple[str, ...], dict[str, Any]]], after: tuple[str, ...] | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """The documents after a key, at most so many, and the cursor of those that follow."""
    rest = [entry for entry in keyed if after is None or entry[0] > after]
    following = cursor_of(*rest[limit - 1][0]) if len(rest) > limit else None
    return [document for _, document in rest[:limit]], following


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
