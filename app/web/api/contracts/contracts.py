"""Contracts of customers: list and detail."""

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query.contracts import agreement_known, contracts_of, local_date
from app.flow.query.contracts import contract as one_contract
from app.store.engine.database import Connection
from app.store.tickets.board import cursor_of, key_of
from app.web.api.contracts.contract_view import ContractId, ContractView, Desk, view_json
from app.web.http.access import Viewer, desks_for, must_see
from app.web.http.instant import InstantInQuery
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/contracts", tags=["contracts"])


class ContractPage(BaseModel):
    """A page of contracts, by desk and id."""

    contracts: list[ContractView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class ContractQuery(BaseModel):
    """Which contracts."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = None
    customer: str | None = Field(None, description="compared without case")
    at: InstantInQuery | None = Field(None, description="only those that are valid then")
    as_of: InstantInQuery | None = Field(None, description="by what was recorded then; default now")
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


class WhenContract(BaseModel):
    """At which instant, by which knowledge."""

    model_config = ConfigDict(extra="forbid")

    at: InstantInQuery | None = Field(None, description="which term is `valid`; default now")
    as_of: InstantInQuery | None = Field(None, description="by what was recorded then; default now")


Keyed = tuple[tuple[str, str], dict[str, Any]]
"""A contract as it is shown, with its desk and key, by which pages go on."""


@router.get("", summary="List contracts", response_model=ContractPage, responses=problems(401, 403, 404, 422))
async def list_contracts(
    request: Request, caller: Viewer, wanted: Annotated[ContractQuery, Query()]
) -> Response:
    """Contracts by desk and id, also those of agreement files. Without `desk`, those of all desks of the key."""
    parts = running(request)
    limit = parts.settings.entries_on_page(wanted.limit)
    asked = desks_for(caller, wanted.desk)
    first, after = ("", "") if wanted.cursor is None else key_of(wanted.cursor, str, str)
    now = parts.database.now()
    at, as_of = now if wanted.at is None else wanted.at, wanted.as_of

    def find(conn: Connection) -> list[Keyed]:
        # One more than the page shows: there is a next page.
        found: list[Keyed] = []
        for desk in sorted(parts.catalogue.desks(conn)):
            if desk < first or not (caller.sees(desk) and ("*" in asked or desk in asked)):
                continue
            on = local_date(agreement_known(conn, parts.catalogue, desk, as_of, at=at), at)
            page = contracts_of(
                conn,
                parts.catalogue,
                desk,
                customer=wanted.customer,
                on=None if wanted.at is None else on,
                at=at,
                as_of=as_of,
                after=after if desk == first else "",
                limit=limit + 1 - len(found),
            )
            found += [((desk, each.key), view_json(each, on)) for each in page]
            if len(found) > limit:
                break
        return found

    found = await parts.database.read_replicated(find)
    following = cursor_of(*found[limit - 1][0]) if len(found) > limit else None
    return Json({"contracts": [view for _, view in found[:limit]], "next": following})


@router.get(
    "/{desk}/{contract}",
    summary="One contract",
    operation_id="show_contract",
    response_model=ContractView,
    responses=problems(401, 403, 404, 422),
)
async def show_contract(
    request: Request,
    caller: Viewer,
    desk: Desk,
    contract: ContractId,
    wanted: Annotated[WhenContract, Query()],
) -> Response:
    """A contract with all its terms, and the one that is valid."""
    parts = running(request)
    must_see(caller, desk)
    at = parts.database.now() if wanted.at is None else wanted.at

    def find(conn: Connection) -> dict[str, Any]:
        found = one_contract(conn, parts.catalogue, desk, contract, at=at, as_of=wanted.as_of)
        agreement = agreement_known(conn, parts.catalogue, desk, wanted.as_of, at=at)
        return view_json(found, local_date(agreement, at))

    return Json(await parts.database.read(find))
