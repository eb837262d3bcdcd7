"""Signals in order: by pages with a cursor, or live as server-sent events.

Both are the same durable stream, and a place in it is the same number in both: `next` of a page, the id of a live
event. So a client that was disconnected resumes where it was, without a gap and without a repetition.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import orjson
from fastapi import Header, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from app.flow.outbound.subscribe import KINDS
from app.principal import Desks
from app.sla.subject import Subject
from app.store.tickets import signals
from app.store.tickets.signals import Published
from app.web.api.tickets.tickets import Clock, CommitmentKind
from app.web.http.access import Viewer, desks_for
from app.web.http.hub import Hub, encode_position, encode_signal
from app.web.http.instant import InstantOut
from app.web.http.problems import Place, invalid, problems
from app.web.http.reason import Detail
from app.web.http.responses import NO_STORE, Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

RETRY: Final = b"retry: 2000\n\n"
"""Milliseconds until a client reconnects: soon enough for a wall board, rare enough for a restart."""

LAST_PLACE: Final = 2**63 - 1

router = Router(prefix="/v1", tags=["signals"])


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"is no kind of signal. There are: {', '.join(KINDS)}")
    return kind


SignalKind = Annotated[str, AfterValidator(_known)]
"""A kind in a query. A wrong one must not look like a kind without signals."""


class Signal(BaseModel):
    """A recorded signal. A clock's carries the whole clock; a queue's the positions."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="never changes, so a repetition can be dropped")
    kind: str = Field(examples=["clock.breached"])
    desk: str
    ticket: str | None = Field(description="null for a signal about no ticket")
    subject: str | None = Field(
        None,
        description="the ticket's id, or as in `service:web`; null for the desk itself, and in signals of release 0.1",
        examples=["4711"],
    )
    commitment: str | None
    cycle: int | None
    occurrence: str
    generation: int
    at: InstantOut = Field(description="when it happened")
    detected_at: InstantOut = Field(description="when it was recorded")
    commitment_kind: CommitmentKind | None
    late: bool = Field(description="it became known only after an evaluation at or after its instant")
    cause: str | None = Field(None, description="why, where there is more to it than time")
    cause_detail: Detail = None
    clock: Clock | None


class SignalPage(BaseModel):
    """A page of the stream. `next` goes on after it, now or later."""

    signals: list[Signal]
    next: str


class StreamQuery(BaseModel):
    """Which signals, and from where on."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(
        None, ge=0, le=LAST_PLACE, description="`next` of a page, or the id of a live event"
    )
    desk: str | None = None
    kind: list[SignalKind] = Field(
        default_factory=list[str], description="several may be given", examples=[["clock.breached"]]
    )


class SignalListQuery(StreamQuery):
    """Which signals, from where on, and how many."""

    limit: int | None = Field(None, ge=1, description="entries on the page")
    ticket: str | None = Field(None, description="one ticket's; name its desk too")
    latest: bool = Field(False, description="the last that match instead of the first")


@router.get(
    "/signals", summary="List signals", response_model=SignalPage, responses=problems(401, 403, 404, 422)
)
async def list_signals(
    request: Request, caller: Viewer, wanted: Annotated[SignalListQuery, Query()]
) -> Response:
    """The signals after a place in the stream, in order. Without `after` from the beginning.

    With `latest` the page ends where the stream ends now, so that `next` is the place to follow it from.
    """
    parts = running(request)
    limit = min(wanted.limit or parts.settings.page_size, parts.settings.max_page_size)
    after, desks = wanted.after or 0, desks_for(caller, wanted.desk)
    subject = None if wanted.ticket is None else Subject.parse(wanted.ticket)
    page = await parts.database.read(
        lambda conn: signals.page(
            conn, after, limit, desks, wanted.kind, subject=subject, latest=wanted.latest
        )
    )
    recorded: list[Any] = [orjson.Fragment(each.body) for each in page]
    return Json({"signals": recorded, "next": str(page[-1].seq if page else after)})


@router.get(
    "/stream",
    summary="Live signals",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `id` is a place in the stream, `data` a signal.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: 17\ndata: {"id":"sig_…","kind":"clock.breached","desk":"haisoft"}\n\n',
                }
            },
        },
        **problems(401, 403, 404, 422),
    },
)
async def stream(
    request: Request,
    caller: Viewer,
    wanted: Annotated[StreamQuery, Query()],
    last_event_id: Annotated[
        str | None, Header(description="where the client was; goes before `after`")
    ] = None,
) -> Response:
    """Signals as they are recorded, each once. With `Last-Event-ID` or `after` first those since then.

    A client that does not keep up is disconnected; it reconnects automatically and resumes where it was.
    """
    parts = running(request)
    after = wanted.after if last_event_id is None else _place(last_event_id)
    desks = desks_for(caller, wanted.desk)
    return StreamingResponse(
        _stream(parts, after, desks, wanted.kind),
        media_type="text/event-stream",
        headers=NO_STORE | {"X-Accel-Buffering": "no"},
    )


def _place(last_event_id: str) -> int:
    if not (last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) <= LAST_PLACE):
        raise invalid(
            [Place("header", "Last-Event-ID", "is no id of this stream. Leave it out to begin now")]
        )
    return int(last_event_id)


async def _page(parts: WebRuntime, after: int, limit: int, desks: Desks, kinds: list[str]) -> list[Published]:
    return await parts.database.read(lambda conn: signals.page(conn, after, limit, desks, kinds))


async def _stream(
    parts: WebRuntime, after: int | None, desks: Desks, kinds: list[str]
) -> AsyncIterator[bytes]:
    """First the table from `after` on, then live. The client joins before the table's last page is read, so that no
    signal is missed between the two; one that comes both ways is sent once."""
    hub, limit = parts.hub, parts.settings.max_page_size
    yield RETRY
    if after is None:
        after = await parts.database.read(signals.last)
        yield encode_position(after)
    while not hub.closed:
        page = await _page(parts, after, limit, desks, kinds)
        if page:
            after = page[-1].seq
            yield _frames(page)
        if len(page) < limit:
            break
    async for frames in _live(parts, hub, after, desks, kinds):
        yield frames


async def _live(
    parts: WebRuntime, hub: Hub, after: int, desks: Desks, kinds: list[str]
) -> AsyncIterator[bytes]:
    listener = hub.join(desks, frozenset(kinds))
    try:
        # Signals between the last page and joining. More than a page of them: the client reconnects for the rest.
        page = await _page(parts, after, parts.settings.max_page_size, desks, kinds)
        if page:
            after = page[-1].seq
            yield _frames(page)
        if len(page) < parts.settings.max_page_size:
            async for frames in hub.live(listener, after):
                yield frames
    finally:
        hub.leave(listener)


def _frames(page: list[Published]) -> bytes:
    return b"".join(encode_signal(each.seq, each.body) for each in page)
