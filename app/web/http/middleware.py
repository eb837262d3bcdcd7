"""The middleware of every request: request id, access log, metric, security headers, unhandled errors.

The request id is the caller's or a new one; it is in the response, in every log line and on the way to the signal. An
unhandled error becomes a problem document; a sender that hangs up is no error. Pure ASGI: a stream passes through
unbuffered.
"""

import re
import secrets
from collections.abc import Collection
from time import perf_counter
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.flow.metrics import observe_request
from app.log import REQUEST_ID
from app.web.http.encoded_slash import APART
from app.web.http.hosts import is_allowed
from app.web.http.problems import Kind, Problem, respond

_log = structlog.stdlib.get_logger("app.web.request")

_ID_HEADER: Final = b"x-request-id"
_GIVEN_ID: Final = re.compile(rb"[\w.:-]{1,64}")
"""A caller's id is used only if it can do no harm in a log."""

CLIENT_CLOSED_REQUEST: Final = 499
"""The status in log and metric of a request whose sender hung up before it was answered."""

FEEDS: Final = "/feeds/calendars"
"""Below it are addresses with a secret."""

_FEED_SECRET: Final = re.compile(r"slf_[\w-]+", re.ASCII)

_ID_BYTES: Final = 8
_NUL: Final = "\0"
_NUL_IN_QUERY: Final = b"%00"

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

SECURITY_HEADERS: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class RequestMiddleware:
    """Pure ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, allowed_hosts: Collection[str] = ()) -> None:
        self._app = app
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        before = REQUEST_ID.set(request_id)
        response = _ObservedResponse(scope, send, request_id)
        try:
            refusal = _character_refusal(scope) or self._host_refusal(scope)
            if refusal is not None:
                await respond(Request(scope), refusal)(scope, receive, response.send)
                return
            await self._app(scope, receive, response.send)
        except ClientDisconnect:
            response.status = response.status or CLIENT_CLOSED_REQUEST
        except Exception as error:  # noqa: BLE001 - the outermost handler: logs and answers
            _log.error("request failed", path=logged_path(scope["path"]), exc_info=error)
            if not response.status:
                problem = Problem(Kind.INTERNAL, "The error is in the log under this request's id.")
                await respond(Request(scope), problem)(scope, receive, response.send)
        finally:
            response.finish()
            REQUEST_ID.reset(before)

    def _host_refusal(self, scope: Scope) -> Problem | None:
        if not self._allowed_hosts:
            return None
        if is_allowed(Headers(scope=scope).get("host", ""), scope["path"], self._allowed_hosts):
            return None
        return Problem(
            Kind.WRONG_HOST, "The service does not answer under this name: see SLATIMER_ALLOWED_HOSTS."
        )


class _ObservedResponse:
    """A response on its way out: adds headers, notes its status, measures its duration."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._headers = (*SECURITY_HEADERS, (_ID_HEADER, request_id.encode()))
        self._started = perf_counter()
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", ())
            names = {name for name, _ in given}
            # A response that must be framed or sends no referrer says so itself (`app.web.pages.embed`).
            message["headers"] = [*given, *(each for each in self._headers if each[0] not in names)]
        await self._send(message)

    def finish(self) -> None:
        scope = self._scope
        seconds = perf_counter() - self._started
        # The route's template, not the path: a metric must not grow with the number of tickets.
        route = getattr(scope.get("route"), "path", "none")
        observe_request(scope["method"], route, self.status, seconds)
        _log.info(
            "request",
            method=scope["method"],
            path=logged_path(scope["path"]),
            status=self.status,
            milliseconds=round(seconds * 1000, 1),
        )


def logged_path(path: str) -> str:
    """The path for the log: the address of a calendar feed is its secret."""
    before, found, _ = path.replace(APART, "%2F").partition(FEEDS)
    # A mistyped address may still contain a secret.
    return f"{before}{FEEDS}/***" if found else _FEED_SECRET.sub("***", before)


def _character_refusal(scope: Scope) -> Problem | None:
    """The refusal of a NUL character: no name contains one, and PostgreSQL accepts none in a text. In a path also of the
    character that keeps encoded slashes apart."""
    if _NUL in scope["path"]:
        return Problem(Kind.NOT_FOUND, "The path contains a NUL character.")
    if APART in scope["path"]:
        return Problem(Kind.NOT_FOUND, "The path contains a unit separator, which no name contains.")
    if _NUL_IN_QUERY in scope["query_string"]:
        return Problem(Kind.UNREADABLE, "A query parameter contains a NUL character. Remove it.")
    return None


def request_id() -> str | None:
    """The id of the current request; None outside of a request."""
    return REQUEST_ID.get()


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == _ID_HEADER), b"")
    return given.decode() if _GIVEN_ID.fullmatch(given) else secrets.token_hex(_ID_BYTES)
