"""Agreements: list, detail with every version, and PUT."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.agreement.desk_files import FileKind
from app.flow.query.versions import ListedVersion, listed_versions, version_json
from app.sla.agreement.agreement import Commitment, CycleRule, Kind
from app.sla.span import Micros
from app.store.contracts.stored_version import StoredVersion, VersionState
from app.store.engine.database import Connection
from app.web.api.desks.desk_document import Asked, DeskToPut, DocumentPut, body_of, put_document
from app.web.api.desks.version_views import VersionView, WhichVersion, selected
from app.web.http.access import Configurer, Viewer, must_see
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/agreements", tags=["agreements"])


class CommitmentView(BaseModel):
    """One commitment. `target` is as written: `2h`, `level:gti`, `3 working days`."""

    id: str = Field(examples=["ticket-response"])
    label: str
    kind: Kind
    measure: str
    target: str = Field(examples=["2h"])
    calendar: str = Field(examples=["haisoft/tickets"])
    cycle: CycleRule


class AgreementSummary(BaseModel):
    """A desk's agreement in force."""

    desk: str
    name: str
    version: VersionView
    currency: str | None
    source: str | None = Field(description="the text that the agreement was read from")
    missing: list[str] = Field(description="what that text refers to and does not contain")
    commitments: list[CommitmentView]


class AgreementDetail(AgreementSummary):
    """A whole agreement. `text` is the file with its comments, if it was applied from a file."""

    levels: list[str]
    contracts: list[str]
    document: dict[str, Any] | None
    text: str | None
    versions: list[VersionView]


class AgreementList(BaseModel):
    """The agreements of the desks that the key may see."""

    agreements: list[AgreementSummary]


@router.get("", summary="List agreements", response_model=AgreementList, responses=problems(401, 403))
async def list_agreements(request: Request, caller: Viewer) -> Response:
    """The agreement in force of every desk that the key may see, with its commitments."""
    parts = running(request)
    now = parts.database.now()

    def find(conn: Connection) -> list[dict[str, Any]]:
        desks = sorted(desk for desk in parts.catalogue.desks(conn) if caller.sees(desk))
        return [_in_force(desk, parts.catalogue.recorded(conn, desk), now) for desk in desks]

    return Json({"agreements": await parts.database.read(find)})


@router.get(
    "/{desk}", summary="One agreement", response_model=AgreementDetail, responses=problems(401, 403, 404, 422)
)
async def show_agreement(
    request: Request,
    caller: Viewer,
    desk: Annotated[str, Path(description="the desk", examples=["haisoft"])],
    wanted: Annotated[WhichVersion, Query()],
) -> Response:
    """The desk's agreement in force as written, and every version of the desk.

    `at` selects the one in force at another instant, `as_of` what was known at an instant: 404 when nothing was.
    """
    parts = running(request)
    must_see(caller, desk)
    now = parts.database.now()
    stored, known = await parts.database.read(lambda conn: selected(conn, parts.catalogue, desk, now, wanted))
    listed = listed_versions(known, now if wanted.as_of is None else wanted.as_of)
    return Json(
        _summary(desk, next(each for each in listed if each.stored.number == stored.number))
        | {
            "levels": sorted(stored.agreement.levels),
            "contracts": sorted(stored.agreement.contracts),
            "document": stored.documents.agreement,
            "text": stored.documents.agreement_text,
            "versions": [version_json(each) for each in listed],
        }
    )


_JSON: Final = {
    "desk": "haisoft",
    "name": "HaiSoft support",
    "commitments": [
        {
            "id": "ticket-response",
            "label": "First reply",
            "kind": "guarantee",
            "measure": "response",
            "starts_on": ["ticket.created"],
            "stops_on": ["agent.replied"],
            "target": "2h",
            "calendar": "haisoft/tickets",
        }
    ],
}
_TOML: Final = """desk = "haisoft"
name = "HaiSoft support"

[[commitments]]
id = "ticket-response"
label = "First reply"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "haisoft/tickets"
"""


@router.put(
    "/{desk}",
    summary="Put a desk's agreement into force",
    response_model=DocumentPut,
    responses=problems(400, 401, 403, 404, 413, 415, 422, 503),
    openapi_extra=body_of(_JSON, _TOML),
)
async def put_agreement(request: Request, caller: Configurer, desk: DeskToPut, asked: Asked) -> Response:
    """Takes the whole agreement file of the desk. A changed file makes a new version of the desk.

    The calendars that it names must be in force. A key of one desk may name that desk's calendars, and those that the
    desk counts by already.
    """
    return await put_document(request, caller, FileKind.AGREEMENT, desk, asked)


def _in_force(desk: str, versions: Sequence[StoredVersion], now: Micros) -> dict[str, Any]:
    """The summary of the version in force now."""
    listed = listed_versions(versions, now)
    return _summary(desk, next(each for each in listed if each.state is VersionState.IN_FORCE))


def _summary(desk: str, listed: ListedVersion) -> dict[str, Any]:
    agreement = listed.stored.agreement
    return {
        "desk": desk,
        "name": agreement.name,
        "version": version_json(listed),
        "currency": agreement.currency,
        "source": agreement.source,
        "missing": list(agreement.missing),
        "commitments": [_commitment(each) for each in agreement.commitments],
    }


def _commitment(commitment: Commitment) -> dict[str, Any]:
    return {
        "id": commitment.id,
        "label": commitment.label,
        "kind": commitment.kind.value,
        "measure": commitment.measure,
        "target": commitment.target.written,
        "calendar": commitment.calendar_written,
        "cycle": commitment.cycle.value,
    }
