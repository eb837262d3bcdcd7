"""Who listens to the stream now, and what does each still have to be sent?

Each signal is encoded once, after its commit, and handed to every listener whose desk and kinds it matches. A queue is
bounded: a listener that does not keep up is dropped, and finds what it missed in the signal table when it comes back.
So no client slows the service or another client. Everything but `publish` and `close` belongs to the event loop.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from prometheus_client import Counter, Gauge

from app.flow.metrics import REGISTRY
from app.store.tickets.signals import Published

KEEP_ALIVE_SECONDS: Final = 15.0
"""Silence after which a comment is sent: below the 30 to 60 s after which proxies give up a connection."""

STREAM_LASTS_SECONDS: Final = 900.0
"""A client comes back after a quarter of an hour, so that a revoked key does not listen for ever."""

Frame = tuple[int, bytes]
"""The place of a signal in the table, and its bytes as they are sent; the place of what is no signal is 0."""

KEEP_ALIVE: Final[Frame] = (0, b": keep-alive\n\n")

LISTENERS: Final = Gauge("slatimer_stream_listeners", "Clients of the stream.", registry=REGISTRY)
DROPPED: Final = Counter(
    "slatimer_stream_dropped", "Clients of the stream dropped because they were too slow.", registry=REGISTRY
)


def frame_of(seq: int, body: bytes) -> bytes:
    """A signal as a server-sent event. It has no name, so that one handler gets every kind; its id is the cursor."""
    return b"id: %d\ndata: %b\n\n" % (seq, body)


def position(seq: int) -> bytes:
    """An event without data: the client shows nothing and remembers where to go on from."""
    return b"id: %d\n\n" % seq


@dataclass(eq=False, slots=True)
class Listener:
    """One client: what it wants (no desk: all; no kinds: all) and what waits for it."""

    desk: str | None
    kinds: frozenset[str]
    waiting: deque[Frame] = field(default_factory=deque[Frame])
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def wants(self, recorded: Published) -> bool:
        """Whether this client asked for it and may see it."""
        return self.desk in (None, recorded.desk) and (not self.kinds or recorded.kind in self.kinds)

    def end(self) -> None:
        """Send what remains no more: the client comes back and reads it from the table."""
        self.waiting.clear()
        self.ended = True
        self.woken.set()


class Hub:
    """Everyone who listens. `longest` bounds what waits for one; after `keep_alive` seconds a comment is sent."""

    def __init__(self, longest: int, *, keep_alive: float = KEEP_ALIVE_SECONDS) -> None:
        self._longest, self._silence = longest, keep_alive
        self._listeners: set[Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.closed = False

    def open(self) -> None:
        """Begin, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._keeper = asyncio.create_task(self._keep_alive())

    def publish(self, recorded: Iterable[Published]) -> None:
        """Hand out what was just committed, in its order. May be called from any thread."""
        batch = tuple(recorded)
        if batch:
            self._in_loop(self._spread, batch)

    def close(self) -> None:
        """End every stream, so that the process can stop. May be called from any thread or a signal's handler."""
        self._in_loop(self._end)

    def join(self, desk: str | None, kinds: frozenset[str]) -> Listener:
        """A new listener. It must leave."""
        listener = Listener(desk, kinds)
        if self.closed:
            listener.end()
        else:
            self._listeners.add(listener)
            LISTENERS.inc()
        return listener

    def leave(self, listener: Listener) -> None:
        """The client is gone."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            LISTENERS.dec()

    async def live(self, listener: Listener, after: int) -> AsyncIterator[bytes]:
        """What is told from now on, past `after`; all that waits in one piece.

        Ends when the listener is dropped, when the hub closes, and when the client must show its key again.
        """
        shows_key_again = monotonic() + STREAM_LASTS_SECONDS
        while not listener.ended and monotonic() < shows_key_again:
            await listener.woken.wait()
            listener.woken.clear()
            waiting, listener.waiting = listener.waiting, deque()
            frames: list[bytes] = []
            for seq, frame in waiting:
                # What was read from the table before may be here as well.
                if seq > after or seq == 0:
                    after = max(after, seq)
                    frames.append(frame)
            if frames:
                yield b"".join(frames)

    def _in_loop(self, action: Callable[..., None], *given: object) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(action, *given)

    def _spread(self, batch: tuple[Published, ...]) -> None:
        listeners = tuple(self._listeners)
        if not listeners:
            return
        framed = [(recorded, (recorded.seq, frame_of(recorded.seq, recorded.body))) for recorded in batch]
        for listener in listeners:
            self._hand(listener, [frame for recorded, frame in framed if listener.wants(recorded)])

    def _hand(self, listener: Listener, frames: Iterable[Frame]) -> None:
        listener.waiting.extend(frames)
        if len(listener.waiting) > self._longest:
            DROPPED.inc()
            listener.end()
            self.leave(listener)
        elif listener.waiting:
            listener.woken.set()

    def _end(self) -> None:
        self.closed = True
        for listener in tuple(self._listeners):
            listener.end()
            self.leave(listener)
        if self._keeper:
            self._keeper.cancel()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._silence)
            for listener in tuple(self._listeners):
                self._hand(listener, [KEEP_ALIVE])
