"""Versions of one contract: list, its terms as a version left them, and what one version changes of another by keys."""

from datetime import date
from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query.contracts import contract as one_contract
from app.flow.query.contracts import terms_as_of, versions_of
from app.flow.query.serialize import instant_text
from app.flow.query.versions import UnknownVersion, changes_json
from app.sla.contract_document import document_of
from app.sla.document.difference import difference
from app.store.contracts.contracts import RecordedTerm
from app.store.engine.database import Connection
from app.web.api.contracts.contract_view import ContractId, ContractTerm, Desk
from app.web.api.desks.version_views import ChangedKey, DiffQuestion
from app.web.http.access import Caller, Viewer, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/contracts", tags=["contracts"])


class ContractVersion(BaseModel):
    """What one version of a contract states about one term."""

    number: int
    recorded_at: InstantOut
    recorded_by: str = Field(examples=["key 3f…"])
    note: str | None
    valid_from: date
    term: ContractTerm | None = Field(description="null: the version has taken the term back")


class ContractVersions(BaseModel):
    """Every change of a stored contract, the oldest first."""

    desk: str
    id: str
    versions: list[ContractVersion]


class ContractVersionDetail(BaseModel):
    """A version of a contract with all terms as it left them, not only the one that it states."""

    desk: str
    id: str
    number: int
    recorded_at: InstantOut
    recorded_by: str
    note: str | None
    terms: list[ContractTerm]


class ContractVersionDiff(BaseModel):
    """What differs between the terms as two versions left them. A term is known by its first date."""

    model_config = ConfigDict(populate_by_name=True)

    desk: str
    id: str
    since: int = Field(alias="from")
    to: int
    changes: list[ChangedKey] = Field(
        description='`terms.2026-01-01.fee.amount: "49.90" -> "99.80"` and the like'
    )


async def _recorded(
    request: Request, caller: Caller, desk: str, contract: str
) -> tuple[str, list[RecordedTerm]]:
    """Every version of a stored contract, with its id as written. Raises Problem and UnknownContract."""
    parts = running(request)
    must_see(caller, desk)

    def find(conn: Connection) -> tuple[str, list[RecordedTerm]]:
        recorded = versions_of(conn, desk, contract)
        written = [each.term.id for each in recorded if each.term is not None]
        if written:
            return written[-1], recorded
        return one_contract(conn, parts.catalogue, desk, contract, at=parts.database.now()).id, []

    return await parts.database.read(find)


def _terms(recorded: list[RecordedTerm], number: int) -> dict[str, dict[str, Any]]:
    try:
        return terms_as_of(recorded, number)
    except UnknownVersion as error:
        raise not_found("version", str(number)) from error


@router.get(
    "/{desk}/{contract}/versions",
    summary="The versions of a contract",
    operation_id="list_contract_versions",
    response_model=ContractVersions,
    responses=problems(401, 403, 404, 422),
)
async def list_versions(request: Request, caller: Viewer, desk: Desk, contract: ContractId) -> Response:
    """Every change of the contract: which term, who and when. Empty for one of the agreement file."""
    name, recorded = await _recorded(request, caller, desk, contract)
    return Json({"desk": desk, "id": name, "versions": [_version(each) for each in recorded]})


@router.get(
    "/{desk}/{contract}/versions/diff",
    summary="Compare two versions of a contract",
    operation_id="compare_contract_versions",
    response_model=ContractVersionDiff,
    responses=problems(401, 403, 404, 422),
)
async def compare_versions(
    request: Request,
    caller: Viewer,
    desk: Desk,
    contract: ContractId,
    asked: Annotated[DiffQuestion, Query()],
) -> Response:
    """What one version changes of another, by keys, in the field's words. A term that was taken back is removed."""
    name, recorded = await _recorded(request, caller, desk, contract)
    old, new = ({"terms": _terms(recorded, number)} for number in (asked.since, asked.to))
    changed = changes_json(difference(old, new))
    return Json({"desk": desk, "id": name, "from": asked.since, "to": asked.to, "changes": changed})


@router.get(
    "/{desk}/{contract}/versions/{number}",
    summary="One version of a contract",
    operation_id="show_contract_version",
    response_model=ContractVersionDetail,
    responses=problems(401, 403, 404, 422),
)
async def show_version(
    request: Request,
    caller: Viewer,
    desk: Desk,
    contract: ContractId,
    number: Annotated[int, Path(description="the version", ge=1, examples=[2])],
) -> Response:
    """The contract as this version left it, with who made it, when and why. 404 for one of the agreement file."""
    name, recorded = await _recorded(request, caller, desk, contract)
    terms = _terms(recorded, number)
    made = next(each for each in recorded if each.number == number)
    return Json(
        {
            "desk": desk,
            "id": name,
            "number": number,
            "recorded_at": instant_text(made.recorded_at),
            "recorded_by": made.recorded_by,
            "note": made.note,
            "terms": list(terms.values()),
        }
    )


def _version(recorded: RecordedTerm) -> dict[str, Any]:
    return {
        "number": recorded.number,
        "recorded_at": instant_text(recorded.recorded_at),
        "recorded_by": recorded.recorded_by,
        "note": recorded.note,
        "valid_from": recorded.valid_from.isoformat(),
        "term": None if recorded.term is None else document_of(recorded.term),
    }
