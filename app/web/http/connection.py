"""Limits of a connection: time for headers, for the rest of an unread body and for reading an answer, size of headers.

uvicorn has a timeout of idle connections only, which any byte cancels. This protocol adds, with one timer a connection:

- headers must be complete within `header_timeout`, however they trickle in, and within `max_header_size`;
- the trailers of a chunked body, which nothing here reads, are dropped, and have the same size;
- after an early answer, what is left of the body is discarded for `body_timeout` at most;
- a client that reads nothing of its answer for `send_timeout` is disconnected, as is a stream's.

Above `max_connections` a new connection replaces the one that has been idle longest. When all are in use, it gets
`/healthz` alone and 503 otherwise, so that a busy process is not restarted for being busy. At most half as many again
are accepted; what comes then is closed at once.
"""

import asyncio
import resource
from typing import Any, Final, cast

import structlog
import uvicorn
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.flow.metrics import REGISTRY
from app.settings import Settings
from app.web.http.hub import DROPPED
from app.web.http.problems import Kind, Problem
from app.web.http.refusal import HEADERS_TOO_LARGE, busy, headers_too_large, raw_answer

_log = structlog.stdlib.get_logger()

STREAM: Final = "/v1/stream"

ENDED: Final = Counter(
    "slatimer_connections_ended",
    "Connections that the service closed, by reason.",
    ["reason"],
    registry=REGISTRY,
)


_MAX_BACKLOG: Final = 2048
_INFINITE: Final = 2**31


def _descriptors() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _INFINITE if soft == resource.RLIM_INFINITY else soft


def connection_limit(settings: Settings) -> int:
    """Connections that are served at one time: `max_connections`, or fewer where the process may open fewer files."""
    # Two thirds, since half as many again are accepted to answer that the service is busy.
    return max(1, min(settings.max_connections, (_descriptors() - settings.reserved_descriptors) * 2 // 3))


def backlog(settings: Settings) -> int:
    """Connections that wait to be accepted, in the kernel. All may be accepted at once, so they need descriptors too."""
    free = _descriptors() - connection_limit(settings) * 3 // 2
    return max(1, min(_MAX_BACKLOG, free))


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with these limits."""

    settings: Settings
    limit: int

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None
        self._in_headers, self._in_body = True, False
        self._header_size = 0  # bytes since the request began, or since the latest part of its body
        self.idle_since = self.loop.time()

    # -- events of the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept, or make room first."""
        others = len(self.connections)
        super().connection_made(transport)
        self._limit_headers()
        if others < self.limit or self._replace_an_idle_one():
            return
        if others >= self.limit + self.limit // 2:
            self.end("limit")
        else:
            self.app = busy(self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Feed the parser. Headers or trailers that are too long end the connection."""
        # In pieces: how much of one with a part of the body is trailers is not known.
        size = self.settings.max_header_size
        for start in range(0, len(data), size):
            self._feed(data[start : start + size])
            if self.transport.is_closing():
                return

    def _feed(self, data: bytes) -> None:
        if self._is_idle():
            self._expect_headers()
        self._header_size += len(data)
        super().data_received(data)
        if self.transport.is_closing() or not (self._in_headers or self._in_body):
            return
        if self._header_size > self.settings.max_header_size:
            self._end_too_large()
        elif self._in_headers and self._timer is None:
            # Headers that arrive in one piece, as nearly all do, need no timer.
            self._limit_headers()

    def pause_writing(self) -> None:
        """The client has not read what was sent so far."""
        super().pause_writing()
        self._send_timer = self.loop.call_later(self.settings.send_timeout.total_seconds(), self._end_unread)

    def resume_writing(self) -> None:
        """The client has read."""
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None
        super().resume_writing()

    # -- events of the parser

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if not self._in_headers:
            self._expect_headers()

    def on_headers_complete(self) -> None:
        """The headers are complete."""
        self._stop_timer()
        self._in_headers, self._in_body, self._header_size = False, True, 0
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.settings.max_header_size:
            ENDED.labels("max_header_size").inc()
            self.app = headers_too_large
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; a trailer of the body is dropped, so that none passes as a header."""
        if self._in_headers:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """A part of the body: what comes after it is counted anew, as trailers may."""
        self._header_size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._in_body = False
        if not self._in_headers and _is_answered(self):  # it was answered early
            self._stop_timer()
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is sent: what is left of the body is discarded for a while."""
        self.idle_since = self.loop.time()
        super().on_response_complete()
        if self._in_body and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._start_timer(self.settings.body_timeout.total_seconds(), "body_timeout")

    # -- limits

    def _is_idle(self) -> bool:
        return _is_answered(self) and not self._in_headers and not self._in_body

    def _expect_headers(self) -> None:
        self._stop_timer()
        self._in_headers, self._header_size = True, 0

    def _limit_headers(self) -> None:
        self._start_timer(self.settings.header_timeout.total_seconds(), "header_timeout")

    def _start_timer(self, seconds: float, reason: str) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.end, reason)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_too_large(self) -> None:
        """Refuse the request where no other answer is under way; end the connection otherwise."""
        is_begun = not _is_answered(self) if self._in_headers else self.cycle.response_started
        if is_begun or self.pipeline:
            self.end("max_header_size")
            return
        ENDED.labels("max_header_size").inc()
        self._refuse(HEADERS_TOO_LARGE)

    def _end_unread(self) -> None:
        if self.scope["path"] == STREAM:
            DROPPED.inc()
        self.end("send_timeout")

    def end(self, reason: str) -> None:
        """Close the connection at once."""
        ENDED.labels(reason).inc()
        self.connections.discard(self)  # it counts no longer, even before the transport is closed
        self.transport.abort()

    def _replace_an_idle_one(self) -> bool:
        """End the connection that has been idle longest. False when all others serve a request."""
        others = (each for each in self.connections if isinstance(each, GuardedProtocol) and each is not self)
        idle = min(filter(_is_answered, others), key=_idle_since, default=None)
        if idle is not None:
            idle.end("replaced")
        return idle is not None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, as every error is answered."""
        self._refuse(Problem(Kind.NOT_HTTP, msg))

    def _refuse(self, problem: Problem) -> None:
        self._stop_timer()
        self.transport.write(raw_answer(problem))
        self.transport.close()


def _is_answered(connection: GuardedProtocol) -> bool:
    """Whether no request waits for its answer: the connection is idle, or its headers are not complete."""
    cycle = cast("RequestResponseCycle | None", connection.cycle)
    return cycle is None or cycle.response_complete


def _idle_since(connection: GuardedProtocol) -> float:
    return connection.idle_since


def protocol_of(settings: Settings) -> type[GuardedProtocol]:
    """The protocol class of a server with these settings."""
    limits = {"settings": settings, "limit": connection_limit(settings)}
    return type("ConnectionProtocol", (GuardedProtocol,), limits)
