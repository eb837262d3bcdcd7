"""HTTP methods besides those that a route declares: HEAD where there is GET, OPTIONS everywhere, and `Allow`.

HEAD is answered as GET without the body. The handler runs with the method GET, so no route can forget it.
"""

from typing import Final

from starlette.requests import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.http.encoded_slash import path_as_sent

_WITH_ROUTES: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ROUTE: Final = "route"
_HEAD: Final = "slatimer.head"


def allowed_methods(request: Request) -> list[str]:
    """Every method that the path of a request answers; none for a path that does not exist."""
    routes = request.app.routes
    found = [
        method
        for method in _WITH_ROUTES
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if not found:
        return []
    return sorted([*found, "OPTIONS", *(["HEAD"] if "GET" in found else [])])


def without_slash(request: Request) -> str | None:
    """The address of a request without the slashes at its end, if there is a route for it; None otherwise.

    It has no host: the one that a request names can be anybody's.
    """
    scope = request.scope
    shorter = path_as_sent(scope).rstrip("/")
    if not scope["path"].endswith("/") or not shorter or shorter.startswith("//"):
        return None
    inner = {**scope, "path": scope["path"].rstrip("/")}
    if all(route.matches(inner)[0] is Match.NONE for route in request.app.routes):
        return None
    query = scope["query_string"].decode("ascii", "replace")
    return f"{shorter}?{query}" if query else shorter


def wants_head(request: Request) -> bool:
    """Whether only the headers are wanted. A handler whose body has no end must ask."""
    return _HEAD in request.scope


class HeadMiddleware:
    """Pure ASGI middleware that runs HEAD as GET and drops the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, "method": "GET", _HEAD: True}
        try:
            await self._app(inner, receive, send_without_body)
        finally:
            # For the metrics and the log, which see the request as it came.
            scope[_ROUTE] = inner.get(_ROUTE)
