"""How does a page get to ask, without keeping a key where a script could read it?

`POST /session` changes a key for a cookie that only this site's requests carry and no script sees; behind it stands a
secret of its own, with the key's desk and scopes and an end. A demonstration may sign its visitor in as a guest.
"""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.flow.query.serialize import moment
from app.sla.span import Micros, length_of
from app.store.people import keys
from app.store.people.keys import EVERY_DESK, Access, Scope
from app.web.http.access import COOKIE, key_ring, unknown_key
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.running import running

SESSION_LASTS: Final = timedelta(hours=12)
"""A working day: whoever comes back tomorrow shows the key again."""

GUEST_SCOPES: Final = frozenset({Scope.READ, Scope.PUSH})

router = APIRouter(tags=["session"])


class SignIn(BaseModel):
    """The key to sign in with."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"examples": [{"key": "slt_…"}]})

    key: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Session(BaseModel):
    """What the page may do from now on."""

    desk: str = Field(description="the desk, `*` for all", examples=["haisoft"])
    scopes: list[str] = Field(examples=[["read"]])
    expires_at: InstantOut


@router.post(
    "/session",
    summary="Sign a page in",
    response_model=Session,
    responses=problems(400, 401, 413, 415, 422),
)
async def sign_in(request: Request, body: SignIn) -> Response:
    """Changes a key for a cookie (`HttpOnly`, `SameSite=Strict`) with the same desk and scopes, for twelve hours.

    A page's request that changes something must also send the header `X-Slatimer`, with any value.
    """
    holder = await key_ring(request).holder(body.key)
    if holder is None:
        raise unknown_key(given=True)
    secret, access = await _begin(request, holder.desk, holder.scopes, holder.id)
    answer = Json(
        {
            "desk": access.desk,
            "scopes": sorted(access.scopes),
            "expires_at": moment(access.expires_at),
        }
    )
    _remember(request, answer, secret)
    return answer


@router.delete("/session", summary="Sign a page out", status_code=204, responses=problems(403))
async def sign_out(request: Request) -> Response:
    """Ends the session of the request's cookie; without one nothing happens."""
    answer = Response(status_code=204)
    secret = request.cookies.get(COOKIE)
    if secret:
        access = await key_ring(request).holder(secret)
        if access is not None and access.expires_at is not None:
            await running(request).database.write(lambda conn, now: keys.revoke(conn, access.id, now))
        key_ring(request).forget(secret)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


async def welcome(request: Request, answer: Response) -> None:
    """Sign a page's visitor in as a guest, where the settings say so and nobody is signed in yet."""
    if not running(request).settings.guest_sign_in:
        return
    secret = request.cookies.get(COOKIE)
    if secret and await key_ring(request).holder(secret):
        return
    secret, _ = await _begin(request, EVERY_DESK, GUEST_SCOPES)
    _remember(request, answer, secret)


async def _begin(
    request: Request, desk: str, scopes: frozenset[Scope], parent: str | None = None
) -> tuple[str, Access]:
    def begin(conn: keys.Connection, now: Micros) -> tuple[str, Access]:
        ends_at = now + length_of(SESSION_LASTS)
        return keys.create(conn, desk, scopes, now, expires_at=ends_at, parent=parent)

    return await running(request).database.write(begin)


def _remember(request: Request, answer: Response, secret: str) -> None:
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
