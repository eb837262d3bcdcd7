"""Answers of a connection itself, without the app: what is no HTTP, headers that are too large, no free connection."""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.http.middleware import SECURITY_HEADERS
from app.web.http.problems import MEDIA_TYPE, Kind, Problem, document

LIVENESS: Final = "/healthz"
HEADERS_TOO_LARGE: Final = Problem(
    Kind.HEADERS_TOO_LARGE,
    "The headers or trailers of a request may have SLATIMER_MAX_HEADER_SIZE bytes together.",
    headers={"Connection": "close"},
)
_BUSY: Final = Problem(
    Kind.UNAVAILABLE,
    "All connections are in use. Retry in a second.",
    headers={"Connection": "close", "Retry-After": "1"},
)


def raw_answer(problem: Problem) -> bytes:
    """The whole answer to a request that no app can be called for. Its path is not known, so it names none."""
    body, status = document(problem, ""), HTTPStatus(problem.kind.status)
    headers = (
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *SECURITY_HEADERS,
    )
    first = f"HTTP/1.1 {status.value} {status.phrase}".encode()
    return b"\r\n".join((first, *(b"%b: %b" % each for each in headers), b"", body))


def busy(app: ASGIApp) -> ASGIApp:
    """The app of a connection above the limit: liveness by `app`, 503 for everything else."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == LIVENESS:
            await app(scope, receive, send)
        else:
            await _respond(_BUSY, scope["path"])(scope, receive, send)

    return answer


async def headers_too_large(scope: Scope, receive: Receive, send: Send) -> None:
    """The app of a connection whose headers came at once and are too large. The path may be what is too large."""
    await _respond(HEADERS_TOO_LARGE, "")(scope, receive, send)


def _respond(problem: Problem, path: str) -> Response:
    headers = {name.decode(): value.decode() for name, value in SECURITY_HEADERS} | dict(
        problem.headers or {}
    )
    return Response(document(problem, path), problem.kind.status, headers, MEDIA_TYPE)
