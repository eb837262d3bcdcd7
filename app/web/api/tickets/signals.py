"""Signals in order: by pages with a cursor, or live as server-sent events.

Both are the same durable stream, and a place in it is the same number in both: `next` of a page, the id of a live
event. So a client that was disconnected resumes where it was, without a gap and without a repetition.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
from fastapi import Header, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.flow.outbound.subscribe import KINDS
from app.principal import Desks, Permission, covers
from app.sla.subject import Subject
from app.sla.whole_number import whole_number
from app.store.engine.database import Connection
from app.store.tickets import signals
from app.store.tickets.signals import Published, SignalFilters
from app.web.api.tickets.tickets import Clock, CommitmentKind
from app.web.http.access import Viewer, desks_for, secret_of
from app.web.http.hub import encode_position, encode_signal
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.methods import wants_head
from app.web.http.problems import Kind, Place, Problem, invalid, problems
from app.web.http.quotas import StreamQuota
from app.web.http.reason import Detail
from app.web.http.responses import NO_STORE, Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

OPENING: Final = b": slatimer\n"
"""A comment, so that a client has an answer at once. Not an event: simple readers expect data in each."""

RETRY: Final = b"retry: 2000\n"
"""Beside the first event: milliseconds until a client reconnects. Soon enough for a wall board, rare enough for a
restart."""

LAST_PLACE: Final = 2**63 - 1
_EVENTS: Final = "text/event-stream"
_HEADERS: Final = NO_STORE | {"X-Accel-Buffering": "no"}

router = Router(prefix="/v1", tags=["signals"])


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"is no kind of signal. There are: {', '.join(KINDS)}")
    return kind


SIGNAL_KIND: Final[dict[str, Any]] = {"type": "string", "enum": list(KINDS)}
"""The JSON schema of a kind of signal that is recorded."""

SignalKind = Annotated[str, AfterValidator(_known), WithJsonSchema(SIGNAL_KIND)]
"""A kind in a query. A wrong one must not look like a kind without signals."""


class Signal(BaseModel):
    """A recorded signal. A clock's carries the whole clock; a queue's the positions."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="never changes, so a repetition can be dropped")
    kind: SignalKind = Field(examples=["clock.breached"])
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

    after: Annotated[int, Field(ge=0, le=LAST_PLACE)] | None = Field(
        None, description="`next` of a page, or the id of a live event"
    )
    desk: str | None = None
    kind: list[SignalKind] = Field(
        default_factory=list[str], description="several may be given", examples=[["clock.breached"]]
    )


class LiveQuery(StreamQuery):
    """Which signals, from where on, and in which form."""

    named: bool = Field(
        True,
        description="whether each event has the kind of its signal as its name, for "
        "`addEventListener('clock.breached', …)`; `false`: none, for one `onmessage`",
    )


class SignalListQuery(StreamQuery):
    """Which signals, from where on, and how many."""

    limit: int | None = Field(None, ge=1, description="entries on the page")
    ticket: str | None = Field(None, description="one ticket's; name its desk too")
    subject: str | None = Field(
        None,
        description="one subject's: a ticket's id, or as in `service:web`; name its desk too",
        examples=["service:web"],
    )
    commitment: list[str] = Field(
        default_factory=list[str], description="several may be given", examples=[["gti"]]
    )
    since: InstantInQuery | None = Field(
        None, alias="from", description="that happened (`at`) then or later; name a desk too"
    )
    until: InstantInQuery | None = Field(None, alias="to", description="that happened (`at`) before then")
    latest: bool = Field(False, description="the last that match instead of the first")

    @property
    def filters(self) -> SignalFilters:
        """The filters that a page has and the live stream has not."""
        named = [_as_recorded(each) for each in (self.ticket, self.subject) if each is not None]
        subjects = named[0].intersection(*named) if named else None
        return SignalFilters(subjects, self.commitment, self.since, self.until)


def _as_recorded(text: str) -> set[Subject]:
    """The subjects under which signals about it may be recorded: services and contracts are judged without case."""
    subject = Subject.parse(text)
    return {subject, subject.key}


@router.get(
    "/signals", summary="List signals", response_model=SignalPage, responses=problems(401, 403, 404, 410, 422)
)
async def list_signals(
    request: Request, caller: Viewer, wanted: Annotated[SignalListQuery, Query()]
) -> Response:
    """The signals after a place in the stream, in order. Without `after` from the beginning.

    410: `after` is beyond the end, since the database was restored from a backup; `last` is the end.
    With `latest` the page ends where the stream ends now, so that `next` is the place to follow it from.
    """
    parts = running(request)
    limit = min(wanted.limit or parts.settings.page_size, parts.settings.max_page_size)
    after, desks = wanted.after or 0, desks_for(caller, wanted.desk)
    filters = wanted.filters

    def read(conn: Connection) -> list[Published]:
        found = signals.page(conn, after, limit, desks, wanted.kind, filters=filters, latest=wanted.latest)
        if not found:
            _check_place(conn, after, "query", "after")
        return found

    page = await parts.database.read_replicated(read)
    recorded: list[Any] = [orjson.Fragment(each.body) for each in page]
    return Json({"signals": recorded, "next": str(page[-1].seq if page else after)})


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
        await parts.database.read(lambda conn: _check_place(conn, after, *place))
    if wants_head(request):
        return Response(media_type=_EVENTS, headers=_HEADERS)
    form, key = StreamForm(desks, wanted.kind, wanted.named), caller.principal.id
    reader = _Reader(parts, secret_of(request)[0] or "", desks)
    # Before the answer begins: a client that has its head and then causes a signal gets that signal.
    start = await parts.database.read(signals.last) if after is None else after
    parts.streams.take(key)
    stream = _stream(parts, start, form, has_place=after is not None)
    return _Stream(_while_admitted(stream, reader), parts.streams, key)


@dataclass(frozen=True, slots=True)
class StreamForm:
    """Which signals a stream has, and whether their events have names."""

    desks: Desks
    kinds: list[str]
    named: bool

    def frame(self, signal: Published) -> bytes:
        """A signal as it is sent."""
        return encode_signal(signal.seq, signal.body, signal.kind if self.named else None)


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
        if b"data: " in frames and not await reader.is_admitted():
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


def _check_place(conn: Connection, after: int, location: str, name: str) -> None:
    """Raises Problem for a place beyond the end: its signals were lost, and nothing would follow for a long time."""
    last = signals.last(conn)
    if after > last:
        reason = f"is beyond the end of the stream, which is {last}: the database was restored from a backup"
        remedy = f"Read again what you keep, then go on with after={last}"
        raise Problem(
            Kind.BEYOND_THE_END,
            f"{name} {after} {reason}. {remedy}.",
            errors=[Place(location, name, f"{reason}. {remedy}")],
            extra={"last": str(last)},
        )


def _place(last_event_id: str) -> int:
    place = whole_number(last_event_id)
    if place is None or place > LAST_PLACE:
        raise invalid(
            [Place("header", "Last-Event-ID", "is no id of this stream. Leave it out to begin now")]
        )
    return place


@dataclass(slots=True)
class Backlog:
    """The signals of the table after a place. A page is read when the client has read the one before."""

    parts: WebRuntime
    after: int
    form: StreamForm

    async def frames(self) -> AsyncIterator[bytes]:
        """The pages up to the end of the table, each within `stream_chunk_size`."""
        ended = False
        while not ended and not self.parts.hub.closed:
            page, self.after, ended = await self.parts.database.read(self._page)
            if page:
                yield page

    def _page(self, conn: Connection) -> tuple[bytes, int, bool]:
        """A page, the place after it, and whether it is the last. At least one signal, however long it is."""
        settings, form, after = self.parts.settings, self.form, self.after
        page = signals.page(conn, after, settings.stream_page_size, form.desks, form.kinds)
        frames, size = list[bytes](), 0
        for signal in page:
            if frames and size >= settings.stream_chunk_size:
                break
            frames.append(form.frame(signal))
            size, after = size + len(frames[-1]), signal.seq
        return b"".join(frames), after, len(frames) == len(page) < settings.stream_page_size


async def _stream(
    parts: WebRuntime, start: int, form: StreamForm, *, has_place: bool
) -> AsyncIterator[bytes]:
    """The events, and at the end the place, if none had one: a client that heard nothing reconnects there too."""
    yield OPENING
    before = RETRY
    async for frames in _events(parts, start, form):
        is_event = b"data: " in frames
        yield before + frames if is_event else frames
        before = b"" if is_event else before
    if before and not has_place:
        yield encode_position(start)


async def _events(parts: WebRuntime, after: int, form: StreamForm) -> AsyncIterator[bytes]:
    """First the table from `after` on, then live. The client joins before the end of the table is read, so that no
    signal is missed between the two; one that comes both ways is sent once."""
    backlog = Backlog(parts, after, form)
    async for frames in backlog.frames():
        yield frames
    listener = parts.hub.join(form.desks, frozenset(form.kinds), named=form.named)
    try:
        async for frames in backlog.frames():
            yield frames
        async for frames in parts.hub.live(listener, backlog.after):
            yield frames
    finally:
        parts.hub.leave(listener)
