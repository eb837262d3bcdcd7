"""Sign-in of the pages: `POST /session` exchanges a key for a cookie that no script can read.

Behind the cookie is a session with a secret of its own, the key's desks and roles, and an end. Another site can neither
read it nor send it with a request that changes something. A demonstration may sign its visitors in as guests.
"""

from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.flow.query.serialize import instant_text
from app.principal import Permission, Principal, PrincipalKind, Role, Scope
from app.sla.span import Micros, length_of
from app.store.audit import acting
from app.store.engine.database import EveryDesk
from app.store.people import sessions
from app.web.http.access import COOKIE, Viewer, actor_of, count_refused, host_of, secret_of, unknown_key
from app.web.http.hosts import is_own_name
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Problem, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

_AGENT_LENGTH: Final = 200
"""Characters that are stored of a browser's description of itself."""

router = Router(tags=["session"])


class SignIn(BaseModel):
    """The key to sign in with."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"examples": [{"key": "slt_…"}]})

    key: Annotated[str, StringConstraints(min_length=1, max_length=200)]


Permissions = Annotated[
    dict[str, list[Permission]],
    Field(description="what the roles allow by desk", examples=[{"haisoft": ["view"]}]),
]


class Session(BaseModel):
    """What the page may do until the session ends."""

    desk: str = Field(description="the desk, `*` for all; several with commas", examples=["haisoft"])
    scopes: list[Scope] = Field(
        description="what the roles amount to on each of the desks", examples=[["read"]]
    )
    roles: dict[str, list[Role]] = Field(description="the roles by desk", examples=[{"haisoft": ["viewer"]}])
    permissions: Permissions
    expires_at: InstantOut


class Access(BaseModel):
    """What the sender of a request may do, on which desks."""

    desk: str = Field(description="the desk, `*` for all; several with commas", examples=["haisoft"])
    roles: dict[str, list[Role]] = Field(description="the roles by desk", examples=[{"haisoft": ["viewer"]}])
    permissions: Permissions
    expires_at: InstantOut | None = Field(description="null: a key without an end")


@router.get(
    "/session",
    summary="Show what the caller may do",
    operation_id="show_session",
    response_model=Access,
    responses=problems(401, 403),
)
async def show_session(caller: Viewer) -> Response:
    """The roles and permissions of the session or the key. A page offers what they allow; each route checks again."""
    view = session_view(caller.principal)
    return Json({name: view[name] for name in Access.model_fields})


@router.post(
    "/session",
    summary="Sign a page in",
    response_model=Session,
    responses=problems(400, 401, 403, 409, 413, 415, 422),
)
async def sign_in(request: Request, body: SignIn) -> Response:
    """Exchanges a key for a cookie (`HttpOnly`, `SameSite=Lax`) with the same desks and roles, for twelve hours.

    A page's request that changes something must also send the header `X-Slatimer`, with any value. 403: the secret is
    that of a session, which cannot sign in again. 409: the page is signed in with another key; sign out first, so that
    no link can replace who is signed in.
    """
    runtime = running(request)
    principal = await runtime.principals.find(body.key)
    if principal is None:
        count_refused(request)
        raise unknown_key(given=True)
    acting.set(actor_of(request, principal))
    await check_not_another(request, principal.id)
    most = runtime.settings.key_sessions_max
    try:
        secret, signed_in = await runtime.database.write(
            lambda conn, now: sessions.create(
                conn, principal, now, _end(request, now), origin_of(request), most=most
            ),
            EveryDesk.SIGN_IN,
        )
    except sessions.SessionCannotSignIn as error:
        count_refused(request)
        raise Problem(Kind.NOT_ALLOWED, str(error)) from error
    await end_replaced(request)
    answer = Json(session_view(signed_in))
    set_session_cookie(request, answer, secret)
    return answer


@router.delete("/session", summary="Sign a page out", status_code=204, responses=problems(403))
async def sign_out(request: Request) -> Response:
    """Ends the session of the request's cookie. Without one, nothing happens."""
    answer = Response(status_code=204)
    secret = request.cookies.get(COOKIE)
    if secret:
        runtime = running(request)
        principal = await runtime.principals.find(secret)
        session_id = principal and principal.session_id
        if principal and session_id:
            acting.set(actor_of(request, principal))
            await runtime.database.write(
                lambda conn, now: sessions.end(conn, session_id, now), EveryDesk.SIGN_IN
            )
        runtime.principals.forget(secret)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


async def guest_secret(request: Request) -> str | None:
    """The secret of a new session of a guest, if the settings allow guests and the visitor is not signed in yet."""
    runtime = running(request)
    settings = runtime.settings
    if not settings.guest_sign_in or not is_own_name(request.headers.get("host", ""), settings.allowed_hosts):
        return None
    secret, _ = secret_of(request)
    if secret and await runtime.principals.find(secret):
        return None
    secret, _ = await runtime.database.write(
        lambda conn, now: sessions.create_guest(conn, now, _end(request, now)), EveryDesk.SIGN_IN
    )
    return secret


async def check_not_another(request: Request, principal_id: str) -> None:
    """Raises Problem when the request's cookie is a session of another principal. A guest may become somebody."""
    current = await _current(request)
    if current is None or current.kind is PrincipalKind.GUEST or current.id == principal_id:
        return
    raise Problem(Kind.CONFLICT, f"This page is signed in as {current.label}. Sign out first.")


async def end_replaced(request: Request) -> None:
    """End the session of the request's cookie: a new one takes its place, so that no earlier secret stays valid."""
    current = await _current(request)
    if current is not None and current.session_id is not None:
        replaced = current.session_id
        await running(request).database.write(
            lambda conn, now: sessions.end_own(conn, replaced, now), EveryDesk.SIGN_IN
        )
        running(request).principals.forget(request.cookies[COOKIE])


async def _current(request: Request) -> Principal | None:
    secret = request.cookies.get(COOKIE)
    return None if secret is None else await running(request).principals.find(secret)


def origin_of(request: Request) -> sessions.Origin:
    """Where a sign-in comes from, as the list of sessions shows it."""
    agent = request.headers.get("user-agent")
    return sessions.Origin(host_of(request), agent and agent[:_AGENT_LENGTH])


def _end(request: Request, now: Micros) -> Micros:
    return now + length_of(running(request).settings.session_lifetime)


def session_view(principal: Principal) -> dict[str, object]:
    """What a principal may do, and until when, as JSON."""
    return {
        "desk": ",".join(sorted(principal.desks)),
        "scopes": sorted(principal.scopes),
        "roles": {desk: sorted(roles) for desk, roles in sorted(principal.roles.items())},
        "permissions": {desk: _permissions(principal, desk) for desk in sorted(principal.roles)},
        "expires_at": instant_text(principal.expires_at),
    }


def _permissions(principal: Principal, desk: str) -> list[Permission]:
    return sorted(permission for permission in Permission if principal.may(permission, desk))


def set_session_cookie(request: Request, answer: Response, secret: str) -> None:
    """Give the browser its session, in a cookie that no script can read.

    `Lax` and not `Strict`: the browser sends it when a link of a ticket system, or the identity provider's answer, opens
    a page. It is sent with no other request from another site, and reading a page changes nothing.
    """
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(running(request).settings.session_lifetime.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
