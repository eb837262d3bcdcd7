"""Reads a request's body as it arrives: at most so many bytes, at a least rate, within the memory set aside for bodies.

A sender that is too slow gets 408, one that sends too much 413; when the memory for bodies is in use, the answer is 503
with `Retry-After`. All are raised as the framework's own exception, which passes wherever a handler reads the body.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from prometheus_client import Gauge
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from app.flow.metrics import REGISTRY
from app.settings import Settings

_RETRY_SOON: Final = {"Retry-After": "1"}

PENDING_BYTES: Final = Gauge(
    "slatimer_request_body_bytes", "Bytes of request bodies that are in memory.", registry=REGISTRY
)


class BodyMemory:
    """The bytes of all bodies that are in memory. Use it from one event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    def take(self, size: int) -> bool:
        """Count these bytes. False, with nothing counted, when they exceed the limit."""
        if self.used + size > self._limit:
            return False
        self.used += size
        return True

    def release(self, size: int) -> None:
        """Subtract bytes that were counted."""
        self.used -= size


def report(*memories: BodyMemory) -> None:
    """Let the metric show the bytes of these, whenever it is read."""
    PENDING_BYTES.set_function(lambda: sum(memory.used for memory in memories))


@dataclass(frozen=True, slots=True)
class ArrivalRate:
    """How long a body may take: `timeout` seconds, and a second more for each `bytes_a_second`."""

    timeout: float
    bytes_a_second: int

    @classmethod
    def of(cls, settings: Settings) -> "ArrivalRate":
        """The rate that the settings require."""
        return cls(settings.body_timeout.total_seconds(), settings.body_min_rate)

    def seconds_for(self, size: int) -> float:
        """Seconds within which a body must be complete of which `size` bytes have arrived."""
        return self.timeout + size / self.bytes_a_second


def too_large(limit: int) -> HTTPException:
    """The 413 answer."""
    return HTTPException(413, f"The body is larger than {limit} bytes. Split it.")


class ArrivingBody:
    """The body of one request. `close` releases its memory once the request is answered."""

    def __init__(self, receive: Receive, limit: int, rate: ArrivalRate, memory: BodyMemory) -> None:
        self._receive, self._limit, self._rate, self._memory = receive, limit, rate, memory
        self._started = asyncio.get_running_loop().time()
        self._size = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next message. Raises HTTPException 408, 413 or 503; after the body, messages pass unchanged."""
        if self._complete:
            return await self._receive()
        message = await self._in_time()
        if message["type"] == "http.request":
            self._count(len(message.get("body", b"")))
            self._complete = not message.get("more_body", False)
        return message

    async def _in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._started + self._rate.seconds_for(self._size)):
                return await self._receive()
        except TimeoutError as error:
            detail = (
                f"The body did not arrive in time: send at least {self._rate.bytes_a_second} bytes a second."
            )
            raise HTTPException(408, detail, headers={"Connection": "close"}) from error

    def _count(self, size: int) -> None:
        if self._size + size > self._limit:
            raise too_large(self._limit)
        if not self._memory.take(size):
            detail = "Too many request bodies are arriving at present. Retry in a second."
            raise HTTPException(503, detail, headers=_RETRY_SOON)
        self._size += size

    def close(self) -> None:
        """Release the memory."""
        self._memory.release(self._size)
        self._size = 0
