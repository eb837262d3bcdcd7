"""Averages, allowances and charges of a month, now or as they were."""

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query import allowances, averages, charges
from app.flow.query.averages import When
from app.flow.query.measured_calls import months_of
from app.flow.query.serialize import Json as JsonObject
from app.principal import covers
from app.sla.agreement.allowance import PastAllowance
from app.sla.agreement.version import known_versions
from app.sla.average.month import AverageState
from app.sla.period import PeriodFault
from app.store.contracts import contracts
from app.store.contracts.catalogue import Catalogue, UnknownDesk
from app.store.engine.database import Connection
from app.web.http.access import Caller, Viewer, desks_for
from app.web.http.budget import budgeted
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Place, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1", tags=["contracts"])

Find = Callable[[Connection, Catalogue, str, When], list[JsonObject]]
"""What is found of one desk."""


class MonthQuery(BaseModel):
    """Of which desk and month, and when."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = Field(None, description="one desk; without it, all that the key may see")
    id: str | None = Field(None, description="one id of the agreement")
    period: str | None = Field(None, description="the month; without it, that of `at`", examples=["2026-11"])
    at: InstantInQuery | None = Field(None, description="as it stands at this instant; now, unless given")
    as_of: InstantInQuery | None = Field(None, description="by what was known at this instant")


class HolderQuery(MonthQuery):
    """Of which desk, month and contract, and when."""

    contract: str | None = Field(None, description="one contract's, compared without case")


class ChargeQuery(HolderQuery):
    """Of which desk, month, contract and customer, and when."""

    customer: str | None = Field(None, description="one customer's, compared without case")


class AverageView(BaseModel):
    """A month of an average. `mean_seconds` is rounded so that it reads as it is judged."""

    model_config = ConfigDict(populate_by_name=True)

    desk: str
    id: str = Field(examples=["phone-pickup"])
    label: str
    kind: Literal["guarantee", "objective"]
    line: str | None = Field(description="the first line that has a name")
    lines: list[str] | None = Field(description='null: every line; "" stands for calls without one')
    period: str = Field(examples=["2026-03"])
    start: InstantOut = Field(alias="from")
    end: InstantOut = Field(alias="to", description="the first instant after the month")
    target: str = Field(examples=["< 90s"])
    count: int = Field(description="answered calls that were offered in the month")
    abandoned: int = Field(description="calls that were offered and are not answered")
    mean_seconds: float | None = Field(description="null without an answered call")
    state: AverageState = Field(description="`none`: the month is over and had no answered call")
    warned_at: InstantOut | None = Field(description="when the mean so far reached the target")
    breached_at: InstantOut | None = Field(description="the end of a month that missed the target")
    at: InstantOut


class AverageList(BaseModel):
    """The averages of a month."""

    averages: list[AverageView]


class UseView(BaseModel):
    """A ticket that uses up an allowance, with its first fact that counts."""

    ticket: str
    event: str
    at: InstantOut
    exceeded: bool = Field(description="whether it is past the limit")


class AllowanceView(BaseModel):
    """An allowance of one contract, or of a customer without one, in a month."""

    desk: str
    id: str = Field(examples=["interventions"])
    label: str
    counts: str = Field(examples=["intervention.started"])
    past_allowance: PastAllowance
    period: str = Field(examples=["2026-03"])
    contract: str | None
    customer: str | None
    limit: int | None = Field(description="that of the latest ticket; null: there is none")
    used: int
    left: int | None = Field(description="null without a limit")
    tickets: list[str] = Field(description="in the order in which they use it up")
    uses: list[UseView]


class AllowanceList(BaseModel):
    """The allowances of a month of which any is used."""

    allowances: list[AllowanceView]


class ChargeView(BaseModel):
    """A fact that is charged."""

    desk: str
    id: str = Field(examples=["emergency-call"])
    label: str
    fact: str = Field(description="the id of the event")
    subject: str = Field(examples=["call:81"])
    line: str | None
    contract: str | None
    customer: str | None
    at: InstantOut
    amount: str = Field(examples=["10.00"])
    currency: str = Field(examples=["EUR"])


class ChargeList(BaseModel):
    """The charges of a month, in the order of their facts."""

    charges: list[ChargeView]


@router.get(
    "/averages", summary="List averages", response_model=AverageList, responses=problems(401, 403, 404, 422)
)
async def list_averages(request: Request, caller: Viewer, wanted: Annotated[MonthQuery, Query()]) -> Response:
    """How long the callers of a month waited on average, against the target.

    A running month shows the mean so far. A month that is over is kept or breached, and neither without a call.
    """

    def find(conn: Connection, catalogue: Catalogue, desk: str, when: When) -> list[JsonObject]:
        ids = None if wanted.id is None else [wanted.id]
        return [averages.average(desk, each) for each in averages.months(conn, catalogue, desk, when, ids)]

    return Json({"averages": await _found(request, caller, wanted, find)})


@router.get(
    "/allowances",
    summary="List allowances",
    response_model=AllowanceList,
    responses=problems(401, 403, 404, 422),
)
async def list_allowances(
    request: Request, caller: Viewer, wanted: Annotated[HolderQuery, Query()]
) -> Response:
    """What of a month's allowance each contract has used and has left, with the tickets in their order."""

    def find(conn: Connection, catalogue: Catalogue, desk: str, when: When) -> list[JsonObject]:
        ids = None if wanted.id is None else [wanted.id]
        found = allowances.used(conn, catalogue, desk, when, ids, wanted.contract)
        return [allowances.allowance(desk, each) for each in found]

    return Json({"allowances": await _found(request, caller, wanted, find)})


@router.get(
    "/charges", summary="List charges", response_model=ChargeList, responses=problems(401, 403, 404, 422)
)
async def list_charges(request: Request, caller: Viewer, wanted: Annotated[ChargeQuery, Query()]) -> Response:
    """The facts of a month that cost the customer an amount each, as a call to the emergency line."""

    def find(conn: Connection, catalogue: Catalogue, desk: str, when: When) -> list[JsonObject]:
        versions = known_versions(catalogue.versions(conn, desk, at=when.at), when.as_of)
        found = charges.charges(
            conn,
            catalogue,
            desk,
            when.month(months_of(versions)).span,
            at=when.at,
            as_of=when.as_of,
            contract=wanted.contract,
            customer=wanted.customer,
        )
        return [charges.charge(desk, each) for each in found if wanted.id in (None, each.rule.id)]

    return Json({"charges": await _found(request, caller, wanted, find)})


async def _found(request: Request, caller: Caller, wanted: MonthQuery, find: Find) -> list[JsonObject]:
    """What is found of each desk that the caller may see. An unknown desk, an unknown contract and a faulty month are
    problems."""
    parts, visible = running(request), desks_for(caller, wanted.desk)
    when = When.of(parts.database.now(), wanted.at, wanted.as_of, wanted.period)

    def all_desks(conn: Connection) -> list[JsonObject]:
        known = sorted(parts.catalogue.desks(conn)) if wanted.desk is None else [wanted.desk]
        desks = [desk for desk in known if covers(visible, desk)]
        found = [each for desk in desks for each in find(conn, parts.catalogue, desk, when)]
        contract = wanted.contract if isinstance(wanted, HolderQuery) else None
        if contract is not None and not found and _is_unknown(conn, desks, contract):
            raise not_found("contract", contract)
        return found

    try:
        return await parts.database.read_replicated(budgeted(parts.settings, all_desks))
    except UnknownDesk as error:
        raise not_found("desk", wanted.desk or "") from error
    except PeriodFault as fault:
        raise invalid([Place("query", "at" if when.period is None else "period", str(fault))]) from fault


def _is_unknown(conn: Connection, desks: Iterable[str], contract: str) -> bool:
    """Whether these desks have contracts, and never had one of this id. Elsewhere a contract is what tickets name."""
    having = [desk for desk in desks if contracts.exist(conn, desk)]
    return bool(having) and not any(contracts.versions(conn, desk, contract) for desk in having)
