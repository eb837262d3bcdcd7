"""Agreements: list, detail with every version, and PUT."""

from typing import Annotated, Any, Final

from fastapi import Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.agreement.desk_files import FileKind
from app.flow.query.serialize import instant_text
from app.sla.agreement.agreement import Commitment, CycleRule, Kind
from app.sla.clock.evaluation import AppliesTo
from app.store.contracts.catalogue import StoredVersion
from app.store.engine.database import Connection
from app.web.api.desks.desk_document import Asked, DeskToPut, DocumentPut, body_of, put_document
from app.web.http.access import Configurer, Viewer, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import not_found, problems
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


class VersionView(BaseModel):
    """One version: from when it is in force, and for which tickets."""

    number: int
    applied_at: InstantOut = Field(description="the same as `recorded_at`")
    recorded_at: InstantOut = Field(
        description="when it was stored; a view as of an earlier instant ignores it"
    )
    effective_from: InstantOut = Field(description="tickets created from this instant on are evaluated by it")
    applies_to: AppliesTo
    digest: str = Field(description="equal for equal documents")
    note: str | None = Field(
        description="what it changes in the holidays",
        examples=["holidays 0.112: NL 2026-05-05 added: Liberation Day"],
    )


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

    def find(conn: Connection) -> list[dict[str, Any]]:
        desks = sorted(desk for desk in parts.catalogue.desks(conn) if caller.sees(desk))
        return [_summary(desk, parts.catalogue.history(conn, desk)[-1]) for desk in desks]

    return Json({"agreements": await parts.database.read(find)})


@router.get(
    "/{desk}", summary="One agreement", response_model=AgreementDetail, responses=problems(401, 403, 404)
)
async def show_agreement(
    request: Request, caller: Viewer, desk: Annotated[str, Path(description="the desk", examples=["haisoft"])]
) -> Response:
    """The desk's agreement in force as written, and every version of the desk."""
    parts = running(request)
    must_see(caller, desk)

    def find(conn: Connection) -> tuple[StoredVersion, ...]:
        latest = parts.catalogue.desks(conn).get(desk)
        return () if latest is None else parts.catalogue.history(conn, desk, latest)

    versions = await parts.database.read(find)
    if not versions:
        raise not_found("desk", desk)
    stored = versions[-1]
    return Json(
        _summary(desk, stored)
        | {
            "levels": sorted(stored.agreement.levels),
            "contracts": sorted(stored.agreement.contracts),
            "document": stored.documents.agreement,
            "text": stored.documents.agreement_text,
            "versions": [_version(each) for each in versions],
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


def _summary(desk: str, stored: StoredVersion) -> dict[str, Any]:
    agreement = stored.agreement
    return {
        "desk": desk,
        "name": agreement.name,
        "version": _version(stored),
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


def _version(stored: StoredVersion) -> dict[str, Any]:
    version = stored.version
    return {
        "number": version.number,
        "applied_at": instant_text(stored.recorded_at),
        "recorded_at": instant_text(stored.recorded_at),
        "effective_from": instant_text(version.effective_from),
        "applies_to": version.applies_to.value,
        "digest": stored.digest,
        "note": stored.note,
    }
