"""Fans out recorded signals to the clients of the event stream (server-sent events).

Each signal is encoded once, after its commit, and queued for every listener whose desk and kinds match. Queues are
bounded in signals and in bytes: a listener that falls behind is dropped, and reads what it missed from the signal table
when it reconnects. So no client slows down the service or another client. All methods but `publish` and `close` belong
to the event loop.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from prometheus_client import Counter, Gauge

from app.flow.metrics import REGISTRY
from app.principal import Desks, covers
from app.store.tickets.signals import Published

KEEP_ALIVE_SECONDS: Final = 15.0
"""Idle time after which a comment is sent: less than the 30 to 60 s after which proxies close a connection."""

MAX_STREAM_SECONDS: Final = 900.0
"""How long a connection lasts. The client then reconnects with its key, so that a revoked key stops listening."""

Frame = tuple[int, bytes]
"""The place of a signal in the stream, and its bytes as they are sent; 0 for a frame that is no signal."""

KEEP_ALIVE: Final[Frame] = (0, b": keep-alive\n")
"""A comment without the empty line that ends an event: some readers make an event without data of that."""

LISTENERS: Final = Gauge("slatimer_stream_listeners", "Clients of the stream.", registry=REGISTRY)
DROPPED: Final = Counter(
    "slatimer_stream_dropped", "Clients of the stream dropped because they were too slow.", registry=REGISTRY
)


def encode_signal(seq: int, body: bytes, kind: str | None = None) -> bytes:
    """A signal as a server-sent event; the id is the cursor. With its kind as the name of the event, a client listens
    to that kind; without a name, one handler (`onmessage`) gets all kinds."""
    name = b"" if kind is None else b"event: %b\n" % kind.encode()
    return b"%bid: %d\ndata: %b\n\n" % (name, seq, body)


def encode_reset(seq: int) -> bytes:
    """The event after which a client reads everything anew: the stream ends earlier than it did, at `seq`."""
    return b'event: reset\nid: %d\ndata: {"kind":"reset","next":"%d"}\n\n' % (seq, seq)


def encode_position(seq: int) -> bytes:
    """An event without data: it dispatches nothing, and sets the id that the client reconnects with."""
    return b"id: %d\n\n" % seq


@dataclass(eq=False, slots=True)
class Listener:
    """One client: its desks and kinds (no kinds: all), and the frames queued for it. `named`: with names of events.
    `subject`: only signals about this one, as a ticket's id."""

    desks: Desks
    kinds: frozenset[str]
    named: bool = True
    subject: str | None = None
    queue: deque[Frame] = field(default_factory=deque[Frame])
    queued_bytes: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def wants(self, recorded: Published) -> bool:
        """Whether the signal matches this client's desks, kinds and subject."""
        if self.subject is not None and recorded.subject.text != self.subject:
            return False
        return covers(self.desks, recorded.desk) and (not self.kinds or recorded.kind in self.kinds)

    def end(self) -> None:
        """Drop what is queued: the client reconnects and reads it from the table."""
        self.queue.clear()
        self.queued_bytes = 0
        self.ended = True
        self.woken.set()

    def put(self, frames: Iterable[Frame]) -> None:
        """Queue frames."""
        for frame in frames:
            self.queue.append(frame)
            self.queued_bytes += len(frame[1])

    def take(self, size: int, after: int) -> tuple[bytes, int]:
        """The first frames of the queue past a place, so many bytes of them, and the place after them.

        What remains stays queued and counted: a client that does not read is seen by the length of its queue.
        """
        taken: list[bytes] = []
        while self.queue and size > 0:
            seq, frame = self.queue.popleft()
            self.queued_bytes -= len(frame)
            # Signals that the caller has read from the table may also be queued.
            if seq > after or seq == 0:
                after = max(after, seq)
                taken.append(frame)
                size -= len(frame)
        return b"".join(taken), after

    def reset_to(self, last: int) -> None:
        """End with a `reset`, after which the client reads from `last` on."""
        self.end()
        self.queue.append((0, encode_reset(last)))


def _frames(batch: Iterable[Published], *, named: bool) -> list[tuple[Published, Frame]]:
    return [
        (each, (each.seq, encode_signal(each.seq, each.body, each.kind if named else None))) for each in batch
    ]


class Hub:
    """The listeners. `limit` bounds the queue of each in frames and `memory` in bytes; `chunk` is how many bytes are
    sent at one time, and `keep_alive` the interval of comments, in seconds."""

    def __init__(
        self, limit: int, *, memory: int, chunk: int, keep_alive: float = KEEP_ALIVE_SECONDS
    ) -> None:
        self._limit, self._memory, self._chunk = limit, memory, chunk
        self._keep_alive_seconds = keep_alive
        self._listeners: set[Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keep_alive_task: asyncio.Task[None] | None = None
        self.closed = False

    def open(self) -> None:
        """Start, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._keep_alive_task = asyncio.create_task(self._keep_alive())

    def publish(self, recorded: Iterable[Published]) -> None:
        """Queue signals that were just committed, in their order. May be called from any thread."""
        batch = tuple(recorded)
        if batch:
            self._in_loop(self._broadcast, batch)

    def has_listeners(self) -> bool:
        """Whether any client listens. May be called from any thread."""
        return bool(self._listeners)

    def reset(self, last: int) -> None:
        """End all streams with a `reset`, since the stream now ends at `last`. May be called from any thread."""
        self._in_loop(self._reset, last)

    def close(self) -> None:
        """End all streams, so that the process can stop. May be called from any thread or a signal handler."""
        self._in_loop(self._end)

    def join(
        self, desks: Desks, kinds: frozenset[str], *, named: bool = True, subject: str | None = None
    ) -> Listener:
        """Add a listener. The caller must `leave` when the client disconnects."""
        listener = Listener(desks, kinds, named, subject)
        if self.closed:
            listener.end()
        else:
            self._listeners.add(listener)
            LISTENERS.inc()
        return listener

    def leave(self, listener: Listener) -> None:
        """Remove a listener."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            LISTENERS.dec()

    async def live(self, listener: Listener, after: int) -> AsyncIterator[bytes]:
        """The signals recorded from now on, past `after`; what is queued is sent in chunks.

        Ends when the listener is dropped, when the hub closes, or after the maximum duration of a connection.
        """
        ends_at = monotonic() + MAX_STREAM_SECONDS
        while (listener.queue or not listener.ended) and monotonic() < ends_at:
            await listener.woken.wait()
            listener.woken.clear()
            while listener.queue:
                frames, after = listener.take(self._chunk, after)
                if frames:
                    yield frames

    def _in_loop(self, action: Callable[..., None], *given: object) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(action, *given)

    def _broadcast(self, batch: tuple[Published, ...]) -> None:
        listeners = tuple(self._listeners)
        if not listeners:
            return
        framed = {named: _frames(batch, named=named) for named in {each.named for each in listeners}}
        for listener in listeners:
            frames = framed[listener.named]
            self._enqueue(listener, [frame for recorded, frame in frames if listener.wants(recorded)])

    def _enqueue(self, listener: Listener, frames: Iterable[Frame]) -> None:
        listener.put(frames)
        if len(listener.queue) > self._limit or listener.queued_bytes > self._memory:
            DROPPED.inc()
            listener.end()
            self.leave(listener)
        elif listener.queue:
            listener.woken.set()

    def _reset(self, last: int) -> None:
        for listener in tuple(self._listeners):
            listener.reset_to(last)
            self.leave(listener)

    def _end(self) -> None:
        self.closed = True
        for listener in tuple(self._listeners):
            listener.end()
            self.leave(listener)
        if self._keep_alive_task:
            self._keep_alive_task.cancel()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._keep_alive_seconds)
            for listener in tuple(self._listeners):
                self._enqueue(listener, [KEEP_ALIVE])
