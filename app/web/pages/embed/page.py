"""An embedded ticket: the page, the part of it that changes, its stream, and its badge. Each takes the same token."""

from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.flow.query.open_tickets import open_ticket
from app.web.http.quotas import StreamQuota
from app.web.pages.embed.badge import badge
from app.web.pages.embed.clocks import Clocks, clocks_of
from app.web.pages.embed.visitor import BADGES, ROOM, SVG, EmbedRoute, TokenVisitor, Visitor, framed_by
from app.web.pages.frame.assets import STATIC, imported
from app.web.pages.frame.rendering import render
from app.web.pages.frame.room import AT_HEADER, Room
from app.web.pages.frame.script_words import script_words

_MILLISECOND: Final = 1000
_SCRIPT: Final = "embed.js"
_OPENING: Final = b": slatimer\nretry: 2000\n\n"
_CHANGED: Final = b"data: changed\n\n"
_SIGNAL: Final = b"data: "

room = Room(ROOM, route_class=EmbedRoute)


@room.get("/embed/tickets/{desk}/{ticket:path}")
async def ticket(visitor: TokenVisitor) -> Response:
    """The page."""
    return _rendered(visitor, "embed/embed.html", await _clocks(visitor))


@room.get("/embed/clocks/{desk}/{ticket:path}")
async def clocks(visitor: TokenVisitor) -> Response:
    """The clocks alone, for the script to swap in."""
    return _rendered(visitor, "embed/clocks.html", await _clocks(visitor))


@room.get(BADGES + "/{desk}/{ticket:path}")
async def image(visitor: TokenVisitor) -> Response:
    """The badge. An image does not count down, so it says when the most urgent clock is due."""
    found = await _clocks(visitor)
    return Response(badge(*found.badge), headers=framed_by(()), media_type=SVG)


@room.get("/embed/stream/{desk}/{ticket:path}")
async def stream(visitor: TokenVisitor) -> Response:
    """An event without content for each signal about the ticket, until the token expires."""
    quota, key = visitor.runtime.streams, f"embed {visitor.opened.desk}/{visitor.opened.ticket}"
    quota.take(key)
    return _Stream(_changes(visitor), quota, key)


class _Stream(StreamingResponse):
    """A stream that releases its place in the quota when it ends, however it ends."""

    def __init__(self, content: AsyncIterator[bytes], quota: StreamQuota, key: str) -> None:
        headers = framed_by(()) | {"X-Accel-Buffering": "no"}
        super().__init__(content, media_type="text/event-stream", headers=headers)
        self._quota, self._key = quota, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._quota.release(self._key)


async def _changes(visitor: Visitor) -> AsyncIterator[bytes]:
    """Says that something has changed and never what: the page fetches it with its token."""
    runtime, opened = visitor.runtime, visitor.opened
    listener = runtime.hub.join(frozenset({opened.desk}), frozenset(), named=False, subject=opened.ticket)
    yield _OPENING
    try:
        async for frames in runtime.hub.live(listener, 0):
            # Comments that keep the connection alive come every few seconds, so the end is noticed.
            if runtime.database.now() >= opened.expires_at:
                return
            yield _CHANGED if _SIGNAL in frames else frames
    finally:
        runtime.hub.leave(listener)


async def _clocks(visitor: Visitor) -> Clocks:
    runtime, opened, now = visitor.runtime, visitor.opened, visitor.now
    found = await visitor.read(
        lambda conn: open_ticket(conn, runtime.catalogue, opened.desk, opened.ticket, now=now)
    )
    answer = None if found is None else found.answer
    return clocks_of(answer, visitor.choices.language, now, visitor.choices.zone)


def _rendered(visitor: Visitor, template: str, found: Clocks) -> Response:
    at, language = str(visitor.now // _MILLISECOND), visitor.choices.language
    context: dict[str, Any] = {
        "clocks": found,
        "choices": visitor.choices,
        "opened": visitor.opened,
        "query": visitor.request.url.query,
        "at": at,
        "static": STATIC,
        "script": _SCRIPT,
        "modules": imported(_SCRIPT),
        "script_words": script_words(language),
    }
    headers = framed_by(visitor.opened.frame_ancestors) | {AT_HEADER: at}
    return HTMLResponse(render(ROOM, language, template, context), headers=headers)
