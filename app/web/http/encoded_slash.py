"""Slashes in the id of a ticket or contract: an encoded one (`%2F`) stays apart from those that separate a path's parts.

A server decodes a path before it is routed, so the ticket `a/events` would be read as the events of the ticket `a`. An
id may still be written with plain slashes where that is not ambiguous.
"""

from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

APART: Final = "\x1f"
"""In place of an encoded slash while a request is routed: the unit separator, which no printable id contains."""

_PREFIXES: Final = ("/v1/tickets/", "/v1/contracts/", "/v1/statements/", "/credits/statements/")
_ENCODED: Final = b"%2f"


def path_as_sent(scope: Scope) -> str:
    """The path as it was asked for, with what is encoded in it."""
    return scope["raw_path"].decode("ascii", "replace").partition("?")[0]


def with_slashes(ticket: str) -> str:
    """The id as it was meant."""
    return ticket.replace(APART, "/")


class EncodedSlashMiddleware:
    """Pure ASGI middleware in front of the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route the path of a ticket or contract with its encoded slashes set apart."""
        raw: bytes = scope.get("raw_path") or b""
        if (
            scope["type"] == "http"
            and _ENCODED in raw.lower()
            and any(prefix in scope["path"] for prefix in _PREFIXES)
        ):
            parts = raw.decode("ascii", "replace").split("/")
            # The same object: the middleware around this one reads the matched route from it.
            scope["path"] = "/".join(unquote(part).replace("/", APART) for part in parts)
        await self._app(scope, receive, send)
