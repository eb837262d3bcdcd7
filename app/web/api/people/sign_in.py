"""Sign-in of people: a password, the code after it, a one-time link, or an identity provider."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import RedirectResponse, Response

from app.flow.people.sign_in import Result
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running
from app.web.http.session import Session, session_view
from app.web.http.sign_in import (
    ANSWER_PATH,
    CODE_COOKIE,
    HOME,
    admit_browser,
    begin_at_provider,
    check_not_signed_in,
    finish_at_provider,
    forget_attempt,
    keep_attempt,
    sender_of,
    signing_in,
)

router = Router(prefix="/session", tags=["session"])

_Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class PasswordSignIn(BaseModel):
    """A name and its password."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"name": "ann", "password": "correct horse battery staple"}]},
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    password: _Text


class CodeSignIn(BaseModel):
    """A code of the authenticator app, or a recovery code."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"code": "123456"}]}
    )

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class LinkSignIn(BaseModel):
    """The secret of a one-time link."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"link": "sll_…"}]}
    )

    link: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class AwaitedCode(BaseModel):
    """The password or the link is right; the code is still to be sent to `/session/code`."""

    second_factor: bool = Field(description="always true")


_RESPONSES = {202: {"model": AwaitedCode, "description": "the code of the second factor is awaited"}}


@router.post(
    "/password",
    summary="Sign in with a password",
    operation_id="sign_in_with_password",
    response_model=Session,
    responses={**_RESPONSES, **problems(400, 401, 403, 409, 413, 415, 422, 429, 503)},
)
async def sign_in_with_password(request: Request, body: PasswordSignIn) -> Response:
    """Gives the browser a session cookie, or with a second factor the answer 202 and a cookie that awaits its code.

    An unknown name, a disabled person and a wrong password are answered alike. After some wrong passwords from one
    address, 429 with a delay that doubles; it delays no other address. 409: the page is signed in already.
    """
    await check_not_signed_in(request)
    sign_ins, sender = running(request).sign_ins, sender_of(request)
    return await _answer(
        request,
        await signing_in(request, lambda: sign_ins.by_password(body.name, body.password, sender)),
    )


@router.post(
    "/code",
    summary="Finish a sign-in with the code of the second factor",
    operation_id="sign_in_with_code",
    response_model=Session,
    responses=problems(400, 401, 403, 409, 413, 415, 422, 429),
)
async def sign_in_with_code(request: Request, body: CodeSignIn) -> Response:
    """The code of the app, or a recovery code. After `SLATIMER_SECOND_FACTOR_TRIES` wrong ones, sign in again."""
    await check_not_signed_in(request)
    sign_ins, sender = running(request).sign_ins, sender_of(request)
    secret = request.cookies.get(CODE_COOKIE, "")
    return await _answer(
        request, await signing_in(request, lambda: sign_ins.by_code(secret, body.code, sender))
    )


@router.post(
    "/link",
    summary="Sign in by a one-time link",
    operation_id="sign_in_by_link",
    response_model=Session,
    responses={**_RESPONSES, **problems(400, 401, 403, 409, 413, 415, 422)},
)
async def sign_in_by_link(request: Request, body: LinkSignIn) -> Response:
    """The secret of a link that an administrator or `slatimer user` has made. It is accepted once."""
    await check_not_signed_in(request)
    sign_ins, sender = running(request).sign_ins, sender_of(request)
    return await _answer(request, await signing_in(request, lambda: sign_ins.by_link(body.link, sender)))


@router.get(
    "/provider",
    summary="Sign in at the identity provider",
    operation_id="sign_in_at_provider",
    status_code=303,
    response_class=Response,
    responses={303: {"description": "to the provider"}, **problems(404, 409, 503)},
)
async def sign_in_at_provider(
    request: Request,
    go_to: Annotated[
        str, Query(alias="next", max_length=2000, description="the path to show afterwards")
    ] = HOME,
) -> Response:
    """Sends the browser to the provider of `SLATIMER_OIDC_ISSUER`, by OpenID Connect with PKCE."""
    await check_not_signed_in(request)
    address, attempt = await begin_at_provider(request, go_to)
    answer = RedirectResponse(address, status_code=303)
    keep_attempt(request, answer, attempt)
    return answer


@router.get(
    ANSWER_PATH.removeprefix("/session"),
    summary="The identity provider's answer",
    operation_id="finish_at_provider",
    status_code=303,
    response_class=Response,
    responses={
        303: {"description": "to the path where the person wanted to go"},
        **problems(401, 403, 404, 409, 503),
    },
)
async def finish_sign_in_at_provider(request: Request) -> Response:
    """Where the provider sends the browser back: the redirect URI, to be registered there."""
    await check_not_signed_in(request)
    result, go_to = await finish_at_provider(request)
    answer = RedirectResponse(request.scope.get("root_path", "") + go_to, status_code=303)
    forget_attempt(answer)
    await admit_browser(request, answer, result)
    return answer


async def _answer(request: Request, result: Result) -> Response:
    answer = Response()
    person = await admit_browser(request, answer, result)
    body = Json({"second_factor": True}, 202) if person is None else Json(session_view(person))
    for name, value in answer.raw_headers:
        if name == b"set-cookie":
            body.raw_headers.append((name, value))
    return body
