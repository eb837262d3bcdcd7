"""How does a ticket system's own webhook come in?

Its signature is the key here, and it holds for the raw bytes of the body, so nothing parses them on the way. The answer
follows the commit; what the delivery says is read afterwards, and what cannot be read waits in the inbox. A refusal is
4xx, never 5xx: some systems try for days what was answered so.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.hook import Accepted
from app.intake.delivery import Delivery
from app.intake.signature import BadSignature
from app.web.answer import Json
from app.web.problems import Kind, Problem, problems
from app.web.running import running

router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

_CHALLENGE: Final = {"WWW-Authenticate": 'Signature realm="slatimer"'}


class HookAccepted(BaseModel):
    """A delivery that is durable. What it says is read next."""

    id: str = Field(description="what the inbox calls it", examples=["hook-3f0c6b1d2a4e5f607182"])
    repeated: bool = Field(description="it came before, and is kept once")


@router.post(
    "/{desk}/{system}",
    summary="Take a ticket system's webhook",
    status_code=202,
    response_model=HookAccepted,
    responses=problems(400, 401, 404, 413, 422, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The body as the system sends it; its signature holds for these bytes.",
            "content": {
                "*/*": {
                    "schema": {},
                    "example": {"ticket": {"id": 4711, "state": "open", "title": "Server down"}},
                }
            },
        }
    },
)
async def take_hook(
    request: Request,
    desk: Annotated[str, Path(description="the desk", examples=["haisoft"])],
    system: Annotated[str, Path(description="the ticket system, as `slatimer connect` names it")],
) -> Response:
    """Takes a delivery that is signed as its system signs, with a secret that `slatimer connect` made.

    It answers once the delivery is durable. 401: not signed, or not with a live secret, or too long ago. 404: no such
    system is connected to the desk. Of a body nothing is refused for what it says: what cannot be read is kept.
    """
    parts = running(request)
    body = await _body(request, parts.settings.hook_body)
    delivery = Delivery.of(dict(request.headers), body, parts.database.now(), request.url.query)
    try:
        accepted = await parts.acceptor.accept(desk, system, delivery)
    except BadSignature as error:
        raise Problem(Kind.BAD_SIGNATURE, f"The delivery is refused: {error}.", headers=_CHALLENGE) from error
    return Json(_told(accepted), 202)


def _told(accepted: Accepted) -> dict[str, Any]:
    return {"id": accepted.id, "repeated": accepted.repeated}


async def _body(request: Request, most: int) -> bytes:
    """The body's bytes. Raises Problem as soon as more than `most` have arrived."""
    arrived = bytearray()
    async for piece in request.stream():
        arrived += piece
        if len(arrived) > most:
            raise Problem(Kind.TOO_LARGE, f"The body is larger than {most} bytes.")
    return bytes(arrived)
