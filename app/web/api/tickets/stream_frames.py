"""The bytes of a live stream of signals: first those of the table after a place, then each as it is recorded."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from app.principal import Desks
from app.store.engine.database import Connection
from app.store.tickets import signals
from app.store.tickets.signals import Published
from app.web.http.hub import encode_position, encode_signal
from app.web.http.running import WebRuntime

OPENING: Final = b": slatimer\n"
"""A comment, so that a client has an answer at once. Not an event: simple readers expect data in each."""

RETRY: Final = b"retry: 2000\n"
"""Beside the first event: milliseconds until a client reconnects. Soon enough for a wall board, rare enough for a
restart."""


@dataclass(frozen=True, slots=True)
class StreamForm:
    """Which signals a stream has, and whether their events have names."""

    desks: Desks
    kinds: list[str]
    named: bool

    def frame(self, signal: Published) -> bytes:
        """A signal as it is sent."""
        return encode_signal(signal.seq, signal.body, signal.kind if self.named else None)


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


def has_event(frames: bytes) -> bool:
    """Whether frames have an event, not only comments."""
    return b"data: " in frames


async def frames_of(
    parts: WebRuntime, start: int, form: StreamForm, *, has_place: bool
) -> AsyncIterator[bytes]:
    """The events, and at the end the place, if none had one: a client that received nothing reconnects there too."""
    yield OPENING
    before = RETRY
    async for frames in _events(parts, start, form):
        if has_event(frames):
            yield before + frames
            before = b""
        else:
            yield frames
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
