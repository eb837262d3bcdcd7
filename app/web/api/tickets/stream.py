"""Live signals as server-sent events.

A place in the stream is the number that pages of signals go on from: the id of an event. So a client that was
disconnected resumes where it was, without a gap and without a repetition.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Header, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.principal import Desks, Permission, covers
from app.sla.whole_number import whole_number
from app.store.tickets import signals
from app.web.api.tickets.signals import LAST_PLACE, StreamQuery, check_place
from app.web.api.tickets.stream_frames import StreamForm, frames_of, has_event
from app.web.http.access import Viewer, desks_for, secret_of
from app.web.http.methods import wants_head
from app.web.http.problems import Place, invalid, problems
from app.web.http.quotas import StreamQuota
from app.web.http.responses import NO_STORE
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

_EVENTS: Final = "text/event-stream"
_HEADERS: Final = NO_STORE | {"X-Accel-Buffering": "no"}

router = Router(prefix="/v1", tags=["signals"])


class LiveQuery(StreamQuery):
    """Which signals, from where on, and in which form."""

    named: bool = Field(
        True,
        description="whether each event has the kind of its signal as its name, for "
        "`addEventListener('clock.breached', …)`; `false`: none, for one `onmessage`",
    )


@router.get(
    "/stream",
    summary="Live signals",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `event` is the kind of a signal, `id` its place, `data` the signal.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'event: clock.breached\nid: 17\ndata: {"id":"sig_…","kind":"clock.breached"}\n\n',
                }
            },
        },
        **problems(401, 403, 404, 410, 422, 429, 503),
    },
)
async def stream_signals(
    request: Request,
    caller: Viewer,
    wanted: Annotated[LiveQuery, Query()],
    last_event_id: Annotated[
        str | None, Header(description="where the client was; goes before `after`")
    ] = None,
) -> Response:
    """Signals as they are recorded, each once. With `Last-Event-ID` or `after` first those since then.

    A client that does not keep up is disconnected; it reconnects automatically and resumes where it was. 410: that place
    is beyond the end, since the database was restored from a backup; in an open stream an event `reset` says so. Read
    what is shown again then, and go on from `next`.
    """
    parts = running(request)
    after = wanted.after if last_event_id is None else _place(last_event_id)
    desks = desks_for(caller, wanted.desk)
    if after is not None:
        place = ("query", "after") if last_event_id is None else ("header", "Last-Event-ID")
        await parts.database.read(lambda conn: check_place(conn, after, *place))
    if wants_head(request):
        return Response(media_type=_EVENTS, headers=_HEADERS)
    form, key = StreamForm(desks, wanted.kind, wanted.named), caller.principal.id
    reader = _Reader(parts, secret_of(request)[0] or "", desks)
    # Before the answer begins: a client that has its head and then causes a signal gets that signal.
    start = await parts.database.read(signals.last) if after is None else after
    parts.streams.take(key)
    stream = frames_of(parts, start, form, has_place=after is not None)
    return _Stream(_while_admitted(stream, reader), parts.streams, key)


def _place(last_event_id: str) -> int:
    place = whole_number(last_event_id)
    if place is None or place > LAST_PLACE:
        raise invalid(
            [Place("header", "Last-Event-ID", "is no id of this stream. Leave it out to begin now")]
        )
    return place


@dataclass(frozen=True, slots=True)
class _Reader:
    """Whose stream it is: a secret, and the desks that it saw when the stream began."""

    parts: WebRuntime
    secret: str
    desks: Desks

    async def is_admitted(self) -> bool:
        """Whether the key or session is still valid for these desks. False also while that cannot be looked up."""
        try:
            principal = await self.parts.principals.find(self.secret)
        except self.parts.database.failures:
            return False
        seen = frozenset[str]() if principal is None else principal.desks_with(Permission.VIEW)
        return bool(seen) and all(covers(seen, desk) for desk in self.desks)


async def _while_admitted(stream: AsyncIterator[bytes], reader: _Reader) -> AsyncIterator[bytes]:
    """A stream up to the first event after its session was ended, its key revoked or a role taken away."""
    async for frames in stream:
        if has_event(frames) and not await reader.is_admitted():
            return
        yield frames


class _Stream(StreamingResponse):
    """A stream that releases its place in the quota when it ends, however it ends."""

    def __init__(self, content: AsyncIterator[bytes], quota: StreamQuota, key: str) -> None:
        super().__init__(content, media_type=_EVENTS, headers=_HEADERS)
        self._quota, self._key = quota, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._quota.release(self._key)
