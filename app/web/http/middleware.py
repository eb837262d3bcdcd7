"""What surrounds every request, whatever it asks for?

An id (taken over from the caller or made, echoed in the answer, in every log line on the way to the signal), one log
line and one measurement, the headers that confine a page, a limit on the body that counts what really arrives, and a
problem instead of a traceback when something fails that nobody foresaw. Plain ASGI: a stream passes through unbuffered.
"""

import re
import secrets
from time import perf_counter
from typing import Final

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.flow.metrics import REGISTRY
from app.web.http.problems import Kind, Problem, respond

_log = structlog.stdlib.get_logger("app.web.request")

_GIVEN_ID: Final = re.compile(r"[\w.:-]{1,64}", re.ASCII)
"""A caller's id is taken over only when it can do no harm in a log."""

_ID_BYTES: Final = 8
_NUL: Final = "\0"
_NUL_IN_QUERY: Final = b"%00"
_BOUND: Final = "request_id"
"""The word under which every line of the log that belongs to a request bears its id."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_CONFINING: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

REQUESTS: Final = Histogram(
    "slatimer_request_seconds", "Time to answer, by route.", ["method", "route", "status"], registry=REGISTRY
)


class Frame:
    """The middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, max_body: int) -> None:
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, within its frame."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own = _request_id(scope)
        with structlog.contextvars.bound_contextvars(**{_BOUND: own}):
            framed = _Framed(scope, send, own)
            try:
                impossible = _impossible(scope)
                if impossible is not None:
                    await respond(Request(scope), impossible)(scope, receive, framed.send)
                    return
                await self._app(scope, _limited(receive, self._max_body), framed.send)
            except Exception as error:  # noqa: BLE001 - the outermost place: logged whole, told as a problem
                _log.error("request failed", path=scope["path"], exc_info=error)
                if not framed.status:
                    problem = Problem(Kind.INTERNAL, "The failure is in the log under this request's id.")
                    await respond(Request(scope), problem)(scope, receive, framed.send)
            finally:
                framed.finish()


class _Framed:
    """One request's way out: its headers, its status, its duration."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._headers = (*_CONFINING, (b"x-request-id", request_id.encode()))
        self._began = perf_counter()
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        await self._send(message)

    def finish(self) -> None:
        scope = self._scope
        seconds = perf_counter() - self._began
        # The route's template, not the path: a metric must not grow with the number of tickets.
        route = getattr(scope.get("route"), "path", "none")
        REQUESTS.labels(scope["method"], route, self.status).observe(seconds)
        _log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=self.status,
            milliseconds=round(seconds * 1000, 1),
        )


def _impossible(scope: Scope) -> Problem | None:
    """No id and no name holds a NUL, and a database server refuses texts that do."""
    if _NUL in scope["path"]:
        return Problem(Kind.NOT_FOUND, "No address holds a NUL character.")
    if _NUL_IN_QUERY in scope["query_string"]:
        return Problem(Kind.UNREADABLE, "A parameter holds a NUL character. Leave it out.")
    return None


def request_id() -> str | None:
    """The id of the request that is being answered; none outside of one."""
    return structlog.contextvars.get_contextvars().get(_BOUND)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(_ID_BYTES)


def _limited(receive: Receive, most: int) -> Receive:
    """`receive`, refusing a body of more than `most` bytes while it arrives, whatever its header claims."""
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        if message["type"] != "http.request":
            return message
        arrived += len(message.get("body", b""))
        if arrived <= most:
            return message
        # A caller in the middle of sending would not read the answer: take in as much again and forget it.
        while message.get("more_body") and arrived < 2 * most:
            message = await receive()
            arrived += len(message.get("body", b""))
        # The framework passes its own exception on from wherever a body is read.
        raise HTTPException(413, f"The body is larger than {most} bytes. Send it in parts.")

    return counted
