"""Signing people in over HTTP: what the routes of the API and the pages share.

A sign-in ends in a cookie: of a new session, or of one that awaits its second factor. The browser's earlier session ends
with it. What a sign-in at the identity provider needs to be finished is in a third cookie.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, TypeVar

import orjson
from fastapi import Request
from starlette.responses import Response

from app.flow.people.identity import Attempt, ProviderFailed, ProviderRefused
from app.flow.people.links import link_below
from app.flow.people.passwords import BusyHashing
from app.flow.people.sign_in import AwaitsCode, Refusal, Result, Sender, SignedIn, SignInRefused
from app.flow.people.throttle import SlowDown
from app.principal import Principal, PrincipalKind
from app.web.http.access import COOKIE, count_refused, host_of
from app.web.http.middleware import request_id
from app.web.http.problems import Kind, Problem, not_found
from app.web.http.refused_sign_ins import network_of
from app.web.http.running import running
from app.web.http.session import end_replaced, origin_of, set_session_cookie

if TYPE_CHECKING:
    from app.flow.people.provider import Provider

T = TypeVar("T")

CODE_COOKIE: Final = "slatimer_second_factor"
"""The secret of a sign-in that awaits its second factor."""
PROVIDER_COOKIE: Final = "slatimer_provider"
"""A sign-in at the identity provider that is not finished. It is of use to this browser alone."""
PROVIDER_LIFETIME: Final = 600
"""Seconds to sign in at the provider."""
ANSWER_PATH: Final = "/session/provider/answer"
"""Where the provider sends the browser back: the redirect URI, to be registered there."""
HOME: Final = "/"


def sender_of(request: Request) -> Sender:
    """Where a request comes from."""
    return Sender(network_of(host_of(request)), origin_of(request), request_id())


async def signing_in(request: Request, attempt: Callable[[], Awaitable[T]]) -> T:
    """Run what needs a proof of who sends it. Raises Problem: 401, counted in the audit log; 429 with a delay; 503."""
    try:
        return await attempt()
    except SignInRefused as error:
        count_refused(request)
        kind = Kind.NOT_ALLOWED if error.reason in _KNOWN else Kind.SIGN_IN_REFUSED
        raise Problem(kind, str(error), extra={"reason": error.reason.value}) from error
    except SlowDown as error:
        raise Problem(Kind.TOO_MANY, str(error), headers={"Retry-After": str(error.seconds)}) from error
    except BusyHashing as error:
        raise Problem(Kind.UNAVAILABLE, str(error), headers={"Retry-After": "1"}) from error


_KNOWN: Final = frozenset({Refusal.DISABLED, Refusal.NO_ROLE, Refusal.NAME_TAKEN})
"""Refusals of somebody who has proved who they are."""


async def check_not_signed_in(request: Request) -> None:
    """Raises Problem when the browser is signed in with a key or as a person: 409. A guest may become somebody."""
    secret = request.cookies.get(COOKIE)
    current = None if secret is None else await running(request).principals.find(secret)
    if current is not None and current.kind is not PrincipalKind.GUEST:
        raise Problem(Kind.CONFLICT, f"This page is signed in as {current.label}. Sign out first.")


async def admit_browser(request: Request, answer: Response, result: Result) -> Principal | None:
    """Set the cookies of a sign-in's result. Returns the person; None while the second factor is awaited."""
    match result:
        case SignedIn(secret, principal):
            await end_replaced(request)
            set_session_cookie(request, answer, secret)
            answer.delete_cookie(CODE_COOKIE, path="/", httponly=True, samesite="lax")
            return principal
        case AwaitsCode(secret):
            seconds = running(request).settings.second_factor_lifetime.total_seconds()
            _set(request, answer, CODE_COOKIE, secret, int(seconds))
            return None


def provider_of(request: Request) -> "Provider":
    """The identity provider. Raises Problem: 404 where the settings name none."""
    found = running(request).provider
    if found is None:
        raise not_found("identity provider", "in SLATIMER_OIDC_ISSUER")
    return found


async def begin_at_provider(request: Request, go_to: str) -> tuple[str, Attempt]:
    """The provider's address at which a person signs in, and what finishes it. Raises Problem: 404, 503."""
    try:
        return await provider_of(request).begin(redirect_uri(request), local(go_to))
    except ProviderFailed as error:
        raise Problem(Kind.UNAVAILABLE, f"The identity provider fails: {error}.") from error


async def finish_at_provider(request: Request) -> tuple[Result, str]:
    """The result of the provider's answer, and the path where the person wanted to go. Raises Problem."""
    attempt = _attempt(request)
    answer = dict(request.query_params)
    try:
        identity = await provider_of(request).finish(redirect_uri(request), answer, attempt)
    except ProviderRefused as error:
        count_refused(request)
        raise Problem(Kind.SIGN_IN_REFUSED, f"The sign-in is refused: {error}.") from error
    except ProviderFailed as error:
        raise Problem(Kind.UNAVAILABLE, f"The identity provider fails: {error}.") from error
    sign_ins, sender = running(request).sign_ins, sender_of(request)
    result = await signing_in(request, lambda: sign_ins.by_provider(identity, sender))
    return result, local(attempt.next)


def keep_attempt(request: Request, answer: Response, attempt: Attempt) -> None:
    """Let the browser keep what finishes a sign-in at the provider."""
    text = orjson.dumps(asdict(attempt)).hex()
    _set(request, answer, PROVIDER_COOKIE, text, PROVIDER_LIFETIME)


def forget_attempt(answer: Response) -> None:
    """Drop it: an answer of the provider is accepted once."""
    answer.delete_cookie(PROVIDER_COOKIE, path="/", httponly=True, samesite="lax")


def base_of(request: Request) -> str:
    """The address of the service as browsers see it, without a slash at its end."""
    return (running(request).settings.public_url or str(request.base_url)).rstrip("/")


def link_address(request: Request, secret: str) -> str:
    """The address of a one-time link."""
    return link_below(base_of(request), secret)


def redirect_uri(request: Request) -> str:
    """Where the provider sends the browser back."""
    return base_of(request) + ANSWER_PATH


def local(path: str) -> str:
    """A path of this site, as it is; else the first page. No address of another site, however it is written."""
    is_path = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_path and path.isprintable() else HOME


def _attempt(request: Request) -> Attempt:
    try:
        return Attempt(**orjson.loads(bytes.fromhex(request.cookies.get(PROVIDER_COOKIE, ""))))
    except (ValueError, TypeError) as error:
        detail = "This browser has begun no sign-in at the provider, or too long ago. Start again."
        raise Problem(Kind.SIGN_IN_REFUSED, detail) from error


def _set(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=secure)
