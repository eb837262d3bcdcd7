"""Inbound webhooks of ticket systems: `POST /v1/hooks/{desk}/{system}`, and challenges.

The signature replaces an API key, and it covers the raw bytes of the body, so nothing parses them on the way. The answer
follows the commit; the events are read afterwards, and what cannot be read is in the inbox. A refusal is 4xx, never 5xx,
since some systems retry a 5xx for days. Some systems first check whether their secret is known here, and are answered at
the same address.
"""

from typing import Annotated, Any, Final

from fastapi import Path, Request
from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse, Response

from app.flow.inbound.accept import Accepted
from app.intake.challenge import GLPI_TOKEN, Answer
from app.intake.request import InboundRequest
from app.intake.signature import BadSignature
from app.web.http.elsewhere import forwards
from app.web.http.problems import Kind, Problem, problems
from app.web.http.responses import NO_STORE, Json
from app.web.http.routing import Router, limited_to
from app.web.http.running import running

router = Router(prefix="/v1/hooks", tags=["hooks"])

_UNSIGNED: Final = {"WWW-Authenticate": 'Signature realm="slatimer"'}

Desk = Annotated[str, Path(description="the desk", examples=["haisoft"])]
System = Annotated[str, Path(description="the ticket system, as `slatimer connect` names it")]


class HookAccepted(BaseModel):
    """A webhook that is durable. It is read next."""

    id: str = Field(description="its id in the inbox", examples=["hook-3f0c6b1d2a4e5f607182"])
    repeated: bool = Field(description="it was stored before")


@router.post(
    "/{desk}/{system}",
    summary="Receive a ticket system's webhook",
    status_code=202,
    response_model=HookAccepted,
    responses={
        **problems(400, 401, 404, 413, 422, 503),
        200: {
            "description": "A challenge, answered as its system expects; nothing is stored.",
            "content": {"*/*": {"schema": {}, "example": {"challenge": "5f0c1b"}}},
        },
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The body as the system sends it; the signature covers these bytes.",
            "content": {
                "*/*": {
                    "schema": {},
                    "example": {"ticket": {"id": 4711, "state": "open", "title": "Server down"}},
                }
            },
        }
    },
)
@forwards
@limited_to(lambda settings: settings.inbound_max_body_size)
async def take_hook(request: Request, desk: Desk, system: System) -> Response:
    """Receives a webhook that is signed as its system signs, with a secret that `slatimer connect` made.

    It answers once the webhook is durable. 401: not signed, or not with a live secret, or too long ago. 404: no such
    system is connected to the desk. No body is refused for its content: what cannot be read is kept in the inbox. 200:
    the request was a challenge, as some systems send when their webhook is set up.
    """
    parts = running(request)
    body = await request.body()
    inbound = InboundRequest.of(dict(request.headers), body, parts.database.now(), request.url.query)
    try:
        accepted = await parts.acceptor.accept(desk, system, inbound)
    except BadSignature as error:
        raise _refused("webhook", error) from error
    return _answered(accepted) if isinstance(accepted, Answer) else Json(_json(accepted), 202)


@router.get(
    "/{desk}/{system}",
    summary="Answer a ticket system's challenge",
    response_class=PlainTextResponse,
    response_description="The proof, as the system expects it.",
    responses=problems(401, 404, 503),
    openapi_extra={
        "parameters": [
            {
                "name": GLPI_TOKEN,
                "in": "query",
                "description": "GLPI's: a fixed word, signed with the connection's secret",
                "schema": {"type": "string"},
            }
        ]
    },
)
@forwards
async def answer_challenge(request: Request, desk: Desk, system: System) -> Response:
    """Proves to a system that checks before it sends, as GLPI does, that its secret is known here.

    Only a challenge that is itself made with a live secret is answered, so that nothing is signed for a stranger. 401:
    it is not, or the system sends no such challenge. 404: no such system is connected to the desk.
    """
    parts = running(request)
    challenge = InboundRequest.of(dict(request.headers), b"", parts.database.now(), request.url.query)
    try:
        return _answered(await parts.acceptor.answer(desk, system, challenge))
    except BadSignature as error:
        raise _refused("challenge", error) from error


def _answered(answer: Answer) -> Response:
    return Response(answer.body, media_type=answer.media_type, headers=NO_STORE)


def _refused(what: str, error: BadSignature) -> Problem:
    return Problem(Kind.BAD_SIGNATURE, f"The {what} is refused: {error}.", headers=_UNSIGNED)


def _json(accepted: Accepted) -> dict[str, Any]:
    return {"id": accepted.id, "repeated": accepted.repeated}
