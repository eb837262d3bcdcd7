"""Statements of a contract's month: as JSON, as CSV, and as a page that prints well."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query.credit_documents import statement_csv
from app.flow.query.statements import statement
from app.sla.period import PeriodFault
from app.store.engine.database import Connection
from app.web.api.contracts.contract_view import ContractId, Desk
from app.web.api.contracts.credits import Credit
from app.web.http.access import Viewer, must_see
from app.web.http.budget import budgeted
from app.web.http.encoded_slash import with_slashes
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Place, invalid, problems
from app.web.http.responses import NO_STORE, Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1", tags=["contracts"])

JSON, CSV, HTML = "application/json", "text/csv", "text/html"


class StatementFormat(StrEnum):
    """What a statement is written as."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


_MEDIA_TYPES: Final = {StatementFormat.JSON: JSON, StatementFormat.CSV: CSV, StatementFormat.HTML: HTML}

StatementPage = Callable[[Request, dict[str, Any]], Awaitable[Response]]
"""Makes a statement's document a page in the reader's language. The app has the one of the pages (`app.main`): pages
and API do not know each other."""


class ChargeOfStatement(BaseModel):
    """A charge, with the fact that it is for."""

    charge: str
    label: str
    at: InstantOut
    amount: str = Field(examples=["10.00"])
    currency: str
    fact: str
    on: str = Field(description="the type of the fact", examples=["call.offered"])
    subject: str = Field(examples=["call:81"])
    line: str | None = Field(description="of a call")
    explanation: list[str]


class StatementTotal(BaseModel):
    """What a currency comes to."""

    currency: str = Field(examples=["EUR"])
    amount: str = Field(description="the sum of the lines")
    due: str = Field(description="of the lines that are `owed` or `granted`")
    open: str = Field(description="of the lines that are `accruing`, `claimable` or `claimed`")
    charges: str = Field(description="the sum of the charges")
    balance: str = Field(description="what is due, less the charges")


class StatementView(BaseModel):
    """The statement of a contract's month."""

    desk: str
    contract: str
    customer: str | None
    period: str = Field(examples=["2026-11"])
    from_: InstantOut = Field(alias="from")
    to: InstantOut
    time_zone: str = Field(description="the desk's", examples=["Europe/Paris"])
    first_day: str = Field(description="of the month, in that zone", examples=["2026-11-01"])
    last_day: str = Field(examples=["2026-11-30"])
    state: str = Field(
        description="`running` until the month is over, then `final`; a late fact can still change it"
    )
    at: InstantOut
    as_of: InstantOut
    lines: list[Credit] = Field(description="the credits that the total adds up")
    without_amount: list[Credit] = Field(
        description="credits of which something is to be entered or agreed, and not closed"
    )
    closed: list[Credit] = Field(description="refused, lapsed or withdrawn; in no total")
    charges: list[ChargeOfStatement]
    unassigned_charges: list[ChargeOfStatement] = Field(
        [],
        description="of the customer, and of no contract or of which one is not known, as with several; in no total. A "
        "fact that names its `contract` assigns them",
    )
    totals: list[StatementTotal]
    flags: list[str] = Field(
        [],
        description="`credit_unknown:ID`: a fact of the month is about a credit that the contract does not have",
    )


class StatementQuery(BaseModel):
    """At which instant, by which knowledge."""

    model_config = ConfigDict(extra="forbid")

    at: InstantInQuery | None = Field(None, description="how it is then; default now")
    as_of: InstantInQuery | None = Field(None, description="by what was known then; default now")
    format: StatementFormat | None = Field(None, description="instead of the header `Accept`, as in a link")


@router.get(
    "/statements/{desk}/{contract}/{period}",
    summary="The statement of a contract's month",
    operation_id="show_statement",
    response_model=StatementView,
    responses=problems(401, 403, 404, 422),
)
async def show_statement(
    request: Request,
    caller: Viewer,
    desk: Desk,
    contract: ContractId,
    period: Annotated[str, AfterValidator(with_slashes), Path(description="a month", examples=["2026-11"])],
    wanted: Annotated[StatementQuery, Query()],
) -> Response:
    """Credits and charges with their totals, each figure with its explanation.

    `Accept` or `format` chooses: JSON, CSV, or HTML for a page that prints well.
    """
    parts = running(request)
    must_see(caller, desk)

    def find(conn: Connection) -> dict[str, Any]:
        try:
            return statement(
                conn,
                parts.catalogue,
                desk,
                contract,
                period,
                now=parts.database.now(),
                at=wanted.at,
                as_of=wanted.as_of,
            )
        except PeriodFault as error:
            raise invalid([Place("path", "period", str(error))]) from error

    found = await parts.database.read_replicated(budgeted(parts.settings, find))
    asked = preferred(request.headers.get("accept", ""))
    match _MEDIA_TYPES[wanted.format] if wanted.format else asked:
        case "text/csv":
            name = f"statement-{desk}-{period}.csv"
            return Response(
                statement_csv([found]),
                media_type="text/csv; charset=utf-8",
                headers=NO_STORE
                | {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept"},
            )
        case "text/html":
            return await statement_page(request, found)
        case _:
            return Json(found, headers={"Vary": "Accept"})


async def statement_page(request: Request, found: dict[str, Any]) -> Response:
    """A statement as a page."""
    render: StatementPage = request.app.state.statement_page
    return await render(request, found)


def preferred(accept: str) -> str:
    """The media type of these three that a client likes best; JSON where it does not say."""
    best, most = JSON, 0.0
    for part in accept.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        weight = next((_weight(each[2:]) for each in parameters if each.startswith("q=")), 1.0)
        if name in (JSON, CSV, HTML) and weight > most:
            best, most = name, weight
    return best


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
