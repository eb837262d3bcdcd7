"""Requests, grants and refusals of a credit by a person, which are recorded as ordinary events."""

from typing import Annotated, Any, Final

from fastapi import Body, Path, Request
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.responses import Response

from app.flow.judge.decision import ChangesNothing, decision
from app.flow.judge.record import FaultyFact
from app.flow.query.statements import credit
from app.intake.data_fields import Visible
from app.principal import Permission
from app.sla.credit.line import LineKey, UnknownCredit
from app.sla.event import EventType
from app.store.engine.database import Connection
from app.web.api.contracts.credits import Credit
from app.web.http.access import Caller, Recorder, lacking, must_see
from app.web.http.problems import Kind, Place, Problem, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/credits", tags=["contracts"])

_Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), Visible]


class CreditDecisionRequest(BaseModel):
    """Who decides, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"author": "Eva", "reason": "asked for by telephone"}]},
    )

    author: _Text
    reason: _Text


CreditId = Annotated[
    str, Path(description="the credit's id", examples=["haisoft.network-credit.C-1001.2026-11"])
]
Decision = Annotated[CreditDecisionRequest, Body()]
_TO_DECIDE: Final = (Permission.CORRECT, Permission.VIEW)
"""What a grant or refusal requires beside recording. A ticket system may correct and not view: it does neither."""
_ANSWERS: Final = problems(400, 401, 403, 404, 409, 413, 415, 422, 503)


@router.post(
    "/{credit_id}/request",
    summary="Request a credit",
    operation_id="request_credit",
    response_model=Credit,
    responses=_ANSWERS,
)
async def request_credit(request: Request, caller: Recorder, credit_id: CreditId, body: Decision) -> Response:
    """For a customer who asks by telephone or letter: the same as a claim. Recorded as `credit.requested`.

    A credit that still accrues is requested later: 409. Its time to claim does not end before.
    """
    return await _decide(request, caller, credit_id, EventType.CREDIT_REQUESTED, body)


@router.post(
    "/{credit_id}/grant",
    summary="Grant a credit",
    operation_id="grant_credit",
    response_model=Credit,
    responses=_ANSWERS,
)
async def grant_credit(request: Request, caller: Recorder, credit_id: CreditId, body: Decision) -> Response:
    """Also without a claim, or after its time. Recorded as `credit.granted`.

    Of a withdrawn credit: it stands, with the amount that was recorded last, though its cause does not.
    By a lead or an administrator. A credit that still accrues is decided later: 409.
    """
    return await _decide(request, caller, credit_id, EventType.CREDIT_GRANTED, body)


@router.post(
    "/{credit_id}/refuse",
    summary="Refuse a credit",
    operation_id="refuse_credit",
    response_model=Credit,
    responses=_ANSWERS,
)
async def refuse_credit(request: Request, caller: Recorder, credit_id: CreditId, body: Decision) -> Response:
    """With the reason that the customer is given. Recorded as `credit.refused`.

    Of a withdrawn credit: it is taken back. If its cause stands again, it is owed again.
    By a lead or an administrator. A credit that still accrues is decided later: 409.
    """
    return await _decide(request, caller, credit_id, EventType.CREDIT_REFUSED, body)


async def _decide(
    request: Request, caller: Caller, credit_id: str, kind: EventType, body: CreditDecisionRequest
) -> Response:
    parts = running(request)
    key = _key(credit_id)
    must_see(caller, key.desk)
    for needed in () if kind is EventType.CREDIT_REQUESTED else _TO_DECIDE:
        if not caller.may(needed, key.desk):
            raise lacking(needed, key.desk)

    def find(conn: Connection) -> dict[str, Any]:
        try:
            return credit(conn, parts.catalogue, credit_id, now=parts.database.now())[1]
        except UnknownCredit as error:
            raise not_found("credit", credit_id) from error

    document = await parts.database.read(find)
    try:
        incoming = decision(
            document,
            kind,
            author=caller.principal.signs(body.author),
            reason=body.reason,
            at=parts.database.now(),
            max_text=parts.settings.max_text_length,
        )
    except ChangesNothing as error:
        raise Problem(Kind.CONFLICT, str(error)) from error
    except FaultyFact as error:
        raise invalid([Place("body", "", str(error))]) from error
    await parts.receiver.receive([incoming])
    return Json(await parts.database.read(find))


def _key(credit_id: str) -> LineKey:
    try:
        return LineKey.parse(credit_id)
    except UnknownCredit as error:
        raise not_found("credit", credit_id) from error
