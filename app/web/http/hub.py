"""The live stream's clients: each signal is encoded once, after its commit, and queued for every client it matches.

A queue is bounded: a client that does not keep up is disconnected, and reads what it missed from the signal table when
it reconnects. So no client slows down the service or another client. Everything but `publish` and `close` belongs to
the event loop.
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
"""Seconds between two keep-alive comments: below the 30 to 60 s after which proxies close an idle connection."""

CONNECTION_LIFETIME_SECONDS: Final = 900.0
"""A client has to reconnect after a quarter of an hour, so that a revoked key does not read on for ever."""

Message = tuple[int, bytes]
"""The position of a signal in the stream, and its encoding. The position of what is no signal is 0."""

KEEP_ALIVE: Final[Message] = (0, b": keep-alive\n\n")

CLIENTS: Final = Gauge("slatimer_stream_listeners", "Clients of the stream.", registry=REGISTRY)
DROPPED: Final = Counter(
    "slatimer_stream_dropped", "Clients of the stream dropped because they were too slow.", registry=REGISTRY
)


def encode_signal(seq: int, body: bytes) -> bytes:
    """A signal as a server-sent event. It has no name, so that one handler gets every kind; its id is the cursor."""
    return b"id: %d\ndata: %b\n\n" % (seq, body)


def encode_position(seq: int) -> bytes:
    """An event without data: the client shows nothing and remembers the position to resume from."""
    return b"id: %d\n\n" % seq


@dataclass(eq=False, slots=True)
class StreamClient:
    """One connected client: the desks and kinds that it gets (no kinds: all), and its queue."""

    desks: Desks
    kinds: frozenset[str]
    queue: deque[Message] = field(default_factory=deque[Message])
    wake_up: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def wants(self, signal: Published) -> bool:
        """Whether the client asked for this signal and may see it."""
        return covers(self.desks, signal.desk) and (not self.kinds or signal.kind in self.kinds)

    def end(self) -> None:
        """Disconnect. The client reads what was queued from the table when it reconnects."""
        self.queue.clear()
        self.ended = True
        self.wake_up.set()


class Hub:
    """All connected clients. `queue_size` bounds the queue of one; a comment is sent every `keep_alive` seconds."""

    def __init__(self, queue_size: int, *, keep_alive: float = KEEP_ALIVE_SECONDS) -> None:
        self._queue_size, self._interval = queue_size, keep_alive
        self._clients: set[StreamClient] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keep_alive_task: asyncio.Task[None] | None = None
        self.closed = False

    def open(self) -> None:
        """Start, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._keep_alive_task = asyncio.create_task(self._keep_alive())

    def publish(self, signals: Iterable[Published]) -> None:
        """Queue what was just committed, in its order. May be called from any thread."""
        batch = tuple(signals)
        if batch:
            self._in_loop(self._publish, batch)

    def close(self) -> None:
        """Disconnect every client, so that the process can stop. May be called from any thread or signal handler."""
        self._in_loop(self._close)

    def join(self, desks: Desks, kinds: frozenset[str]) -> StreamClient:
        """Add a client. It must leave."""
        client = StreamClient(desks, kinds)
        if self.closed:
            client.end()
        else:
            self._clients.add(client)
            CLIENTS.inc()
        return client

    def leave(self, client: StreamClient) -> None:
        """Remove a client."""
        if client in self._clients:
            self._clients.remove(client)
            CLIENTS.dec()

    async def live(self, client: StreamClient, after: int) -> AsyncIterator[bytes]:
        """The encoded signals past `after` as they come, all that are queued in one piece.

        Ends when the client is dropped, when the hub closes, and when the client has to authenticate again.
        """
        expires = monotonic() + CONNECTION_LIFETIME_SECONDS
        while not client.ended and monotonic() < expires:
            await client.wake_up.wait()
            client.wake_up.clear()
            queued, client.queue = client.queue, deque()
            pieces: list[bytes] = []
            for seq, encoded in queued:
                # What was read from the table before may be queued as well.
                if seq > after or seq == 0:
                    after = max(after, seq)
                    pieces.append(encoded)
            if pieces:
                yield b"".join(pieces)

    def _in_loop(self, action: Callable[..., None], *arguments: object) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(action, *arguments)

    def _publish(self, batch: tuple[Published, ...]) -> None:
        clients = tuple(self._clients)
        if not clients:
            return
        encoded = [(signal, (signal.seq, encode_signal(signal.seq, signal.body))) for signal in batch]
        for client in clients:
            self._enqueue(client, [message for signal, message in encoded if client.wants(signal)])

    def _enqueue(self, client: StreamClient, messages: Iterable[Message]) -> None:
        client.queue.extend(messages)
        if len(client.queue) > self._queue_size:
            DROPPED.inc()
            client.end()
            self.leave(client)
        elif client.queue:
            client.wake_up.set()

    def _close(self) -> None:
        self.closed = True
        for client in tuple(self._clients):
            client.end()
            self.leave(client)
        if self._keep_alive_task:
            self._keep_alive_task.cancel()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            for client in tuple(self._clients):
                self._enqueue(client, [KEEP_ALIVE])
