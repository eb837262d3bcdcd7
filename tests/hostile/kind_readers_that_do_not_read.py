"""Streams from the beginning that are never read, more of them than a key may have open."""

from contextlib import ExitStack

from tests.hostile.harness import Target
from tests.hostile.sockets import connected

STREAMS = 60


def attack(target: Target) -> None:
    """Open streams, and leave them after a while."""
    head = f"GET /v1/stream?after=0 HTTP/1.1\r\nHost: t\r\nAuthorization: {target.key}\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(STREAMS):
            stack.enter_context(connected(target, head.encode())).recv(1)
