"""Credits of contracts: the list, with its sums."""

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query.contracts import UnknownContract
from app.flow.query.credit_documents import totals_document
from app.flow.query.credit_list import CreditListing, CreditQuestion, credit_list
from app.flow.query.statements import CreditFilters
from app.principal import covers
from app.sla.calendar.zone import zone
from app.sla.credit.claim import CreditState
from app.sla.period import Months, PeriodFault
from app.store.engine.database import Connection
from app.web.http.access import Viewer, desks_for
from app.web.http.budget import budgeted
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Place, invalid, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/credits", tags=["contracts"])


class CreditBand(BaseModel):
    """The band of uptimes in which the period lies."""

    from_: str = Field(alias="from", examples=["99%"])
    below: str = Field(examples=["99.9%"])
    share: str = Field(examples=["25%"])


class CreditTransition(BaseModel):
    """A change of the credit's state."""

    state: str
    at: InstantOut
    event: str | None = Field(description="the event that made it; null: time alone")
    author: str | None
    reason: str | None


class Credit(BaseModel):
    """One credit of a contract. Amounts are texts with the decimals of the currency, null where they are not known."""

    id: str = Field(
        description="the same whatever becomes known later",
        examples=["haisoft.network-credit.C-1001.2026-11"],
    )
    desk: str
    contract: str
    customer: str | None
    credit: str = Field(description="the id in the agreement file")
    label: str
    availability: str | None = Field(description="the broken availability, if it answers one")
    commitment: str | None = Field(description="the missed commitment, if it answers one")
    service: str | None
    period: str = Field(description="the month of the statement that it is in", examples=["2026-11"])
    ticket: str | None
    tickets: list[str] = Field([], description="all tickets that report the interruption")
    outage: str | None = Field(
        None, description="the event that began the outage, where no ticket has to state it"
    )
    cycle: InstantOut | None
    cause: str
    cause_detail: dict[str, Any]
    base: str | None = Field(description="`monthly_fee`, `annual_fee` or `fee`")
    base_amount: str | None
    units: int | str | None = Field(description="units of downtime; a fraction where parts count")
    band: CreditBand | None
    share: str | None = Field(description="of the base, after the cap", examples=["49.5 %"])
    share_before_cap: str | None
    cap: str | None
    amount_before_cap: str | None
    amount: str | None = Field(examples=["33.00"])
    currency: str | None
    state: str = Field(
        description="`accruing`, `owed`, `claimable`, `claimed`, `granted`, `refused`, `lapsed` or `withdrawn`"
    )
    owed: str = Field(description="`automatic`, `on_request` or `on_claim`")
    as_: str = Field(alias="as", description="`credit`, `account`, `money` or `invoice`")
    caused_at: InstantOut
    arises_at: InstantOut | None = Field(description="when it stops accruing; null: not known yet")
    claim_by: InstantOut | None = Field(description="null: without end")
    next_at: InstantOut | None
    transitions: list[CreditTransition]
    facts: list[str] = Field(description="the ids of the events behind it")
    explanation: list[str]
    explanation_details: list[dict[str, Any]]


class CreditTotal(BaseModel):
    """Sums of a currency. Credits that were refused, lapsed or withdrawn are in none."""

    currency: str = Field(examples=["EUR"])
    amount: str = Field(examples=["57.95"])
    due: str = Field(description="of it what is `owed` or `granted`", examples=["33.00"])
    open: str = Field(description="of it what is `accruing`, `claimable` or `claimed`", examples=["24.95"])


class CreditList(BaseModel):
    """The credits of some contracts, with their sums."""

    credits: list[Credit]
    totals: list[CreditTotal]
    next: str | None = Field(
        None, description="the cursor of the contracts that follow; null: there are none"
    )


class CreditQuery(BaseModel):
    """Which credits, at which instant, by which knowledge."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = None
    contract: str | None = None
    customer: str | None = Field(None, description="compared without case")
    period: str | None = Field(None, description="the month of the statement", examples=["2026-11"])
    state: CreditState | None = None
    at: InstantInQuery | None = Field(None, description="how they are then; default now")
    as_of: InstantInQuery | None = Field(None, description="by what was known then; default now")
    cursor: str | None = Field(None, description="`next` of the answer before")


@router.get(
    "",
    summary="List credits",
    operation_id="list_credits",
    response_model=CreditList,
    responses=problems(401, 403, 404, 422),
)
async def list_credits(request: Request, caller: Viewer, wanted: Annotated[CreditQuery, Query()]) -> Response:
    """What the contracts are owed, by desk and contract, derived from the events.

    An answer has the credits of so many contracts; `next` goes on with those that follow.
    """
    parts = running(request)
    seen = desks_for(caller, wanted.desk)
    if wanted.period is not None:
        _must_be_month(wanted.period)
    filters = CreditFilters(wanted.contract, wanted.customer, wanted.period, wanted.state)
    now, limit = parts.database.now(), parts.settings.answer_contracts
    asked = CreditQuestion(filters, now, limit, wanted.at, wanted.as_of)

    def find(conn: Connection) -> Json:
        known = sorted(parts.catalogue.desks(conn))
        desks = [each for each in known if caller.sees(each) and covers(seen, each)]
        try:
            page = credit_list(conn, parts.catalogue, desks, asked, wanted.cursor)
        except UnknownContract:
            if wanted.desk is not None:
                raise
            page = CreditListing()  # the caller's only desk does not have it
        totals = totals_document(page.totals)
        return Json({"credits": page.documents, "totals": totals, "next": page.next})

    return await parts.database.read_replicated(budgeted(parts.settings, find))


def _must_be_month(name: str) -> None:
    """The months of every zone have the same names. Raises the 422 problem for a text that is no month."""
    try:
        Months(zone("UTC")).named(name)
    except PeriodFault as error:
        raise invalid([Place("query", "period", str(error))]) from error
