"""Changes of a contract: PUT of its terms, or a preview of it, and taking a term back."""

from datetime import date
from typing import Annotated, Any, Final, cast

from fastapi import Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.agreement import contracts
from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.contracts import CreditsRecorded, FaultyContracts, PutContracts, Stated
from app.flow.agreement.effects import Effects
from app.flow.agreement.limits import limits_of
from app.flow.query.contracts import agreement_known
from app.sla.agreement.agreement import Agreement
from app.sla.span import Micros, length_of
from app.store.engine.database import Connection
from app.store.engine.notify import Announcement
from app.web.api.contracts.change_answer import ContractPut, previewed_json, put_json
from app.web.api.contracts.contract_view import ContractId, Desk
from app.web.api.contracts.faults import invalid_contracts
from app.web.api.desks.preview_summary import MOST_CHANGES
from app.web.http.access import Configurer, must_see
from app.web.http.problems import Kind, Place, Problem, invalid, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

router = Router(prefix="/v1/contracts", tags=["contracts"])


class PutContractQuery(BaseModel):
    """Whether to write, and why."""

    model_config = ConfigDict(extra="forbid")

    preview: bool = Field(False, description="show what would change, and write nothing")
    note: str | None = Field(None, max_length=500, description="why, for the record")


class TakeBackQuery(BaseModel):
    """Which term, and why."""

    model_config = ConfigDict(extra="forbid")

    valid_from: date = Field(description="the first date of the term")
    note: str | None = Field(None, max_length=500, description="why, for the record")


_EXAMPLE: Final = {
    "customer": "Acme",
    "level": "gold",
    "fee": {"amount": "49.90", "per": "month"},
    "currency": "EUR",
    "valid_from": "2026-01-01",
}


@router.put(
    "/{desk}/{contract}",
    summary="Put a contract",
    operation_id="put_contract",
    response_model=ContractPut,
    responses=problems(400, 401, 403, 404, 413, 415, 422, 503),
)
async def put_contract(
    request: Request,
    caller: Configurer,
    desk: Desk,
    contract: ContractId,
    asked: Annotated[PutContractQuery, Query()],
    body: Annotated[dict[str, Any], Body(examples=[_EXAMPLE])],
) -> Response:
    """Takes one term, or several as `{"terms": […]}`. A term is known by its `valid_from`.

    The same `valid_from` replaces that term: with a `valid_to` it ends there. Another `valid_from` adds a term. Terms
    must not overlap. Terms that are not named stay. Every change is a version with who and when.
    """
    parts = running(request)
    must_see(caller, desk)
    documents = _documents(contract, body)
    limits, wait = limits_of(parts.settings), length_of(parts.settings.notification_group_wait)

    def stated(conn: Connection, now: Micros) -> tuple[Agreement, list[Stated]]:
        agreement = agreement_known(conn, parts.catalogue, desk, None, at=now)
        found, faults = contracts.read_terms(documents, agreement, limits)
        if faults:
            raise FaultyContracts(faults)
        return agreement, found

    def preview(conn: Connection) -> dict[str, Any]:
        now = parts.database.now()
        agreement, found = stated(conn, now)
        seen = ContractsPreview(Effects(MOST_CHANGES), parts.settings.preview_time_budget.total_seconds())
        plans = seen.add(conn, now, parts.catalogue, desk, found)
        return previewed_json(desk, agreement, plans, seen)

    def put(conn: Connection, now: Micros) -> tuple[Agreement, PutContracts]:
        agreement, found = stated(conn, now)
        return agreement, contracts.put_terms(conn, now, desk, found, notice_wait=wait, note=asked.note)

    try:
        if asked.preview:
            return Json(await parts.database.read_long(preview))
        agreement, done = await parts.database.write(put)
    except FaultyContracts as error:
        raise invalid_contracts(error) from error
    _wake(parts, done)
    return Json(put_json(desk, agreement, done))


@router.delete(
    "/{desk}/{contract}",
    summary="Take a term of a contract back",
    operation_id="take_back_contract_term",
    response_model=ContractPut,
    responses=problems(401, 403, 404, 409, 422, 503),
)
async def take_back(
    request: Request,
    caller: Configurer,
    desk: Desk,
    contract: ContractId,
    asked: Annotated[TakeBackQuery, Query()],
) -> Response:
    """For a term that was entered in error: from now on it never counted. It stays among the versions.

    A term that ends is put again with its `valid_to`. The only term of a contract with recorded credits is not taken
    back (409): no list would have these any more.
    """
    parts = running(request)
    must_see(caller, desk)
    wait = length_of(parts.settings.notification_group_wait)

    def work(conn: Connection, now: Micros) -> tuple[Agreement, PutContracts]:
        agreement = agreement_known(conn, parts.catalogue, desk, None, at=now)
        return agreement, contracts.take_back(
            conn, now, desk, contract, asked.valid_from, notice_wait=wait, note=asked.note
        )

    try:
        agreement, done = await parts.database.write(work)
    except CreditsRecorded as error:
        raise Problem(Kind.CONFLICT, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    _wake(parts, done)
    return Json(put_json(desk, agreement, done))


def _documents(contract_id: str, body: dict[str, Any]) -> list[tuple[str, dict[str, object]]]:
    """The terms of a body, each with its JSON pointer, and with the id of the address."""
    listed = body.get("terms")
    if listed is None:
        return [("", _with_id(contract_id, body, "/id"))]
    if set(body) - {"terms", "id"} or not isinstance(listed, list) or not listed:
        raise invalid([Place("body", "/terms", "must be a list of terms, without other keys beside it")])
    found: list[tuple[str, dict[str, object]]] = []
    for n, each in enumerate(cast("list[object]", listed)):
        if not isinstance(each, dict):
            raise invalid([Place("body", f"/terms/{n}", "is not an object")])
        term = cast("dict[str, Any]", each)
        found.append((f"/terms/{n}", _with_id(contract_id, term, f"/terms/{n}/id")))
    return found


def _with_id(contract_id: str, document: dict[str, Any], place: str) -> dict[str, object]:
    given = document.get("id", contract_id)
    if not isinstance(given, str) or given.strip().casefold() != contract_id.strip().casefold():
        raise invalid([Place("body", place, f"is not the contract of the address, {contract_id!r}")])
    return {**document, "id": contract_id}


def _wake(parts: WebRuntime, done: PutContracts) -> None:
    if done.numbers:
        parts.sweeper.on_announcement(Announcement(None, parts.database.now()))
