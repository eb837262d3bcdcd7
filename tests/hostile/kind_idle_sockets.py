"""Sockets that send nothing, half of their headers, or half of a body."""

from contextlib import ExitStack

from tests.hostile.harness import Target
from tests.hostile.sockets import connected

SOCKETS = 300
_SENT = (
    b"",
    b"GET / HTTP/1.1\r\nHost",
    b"POST /session HTTP/1.1\r\nHost: t\r\nContent-Length: 3000\r\n\r\n{",
)


def attack(target: Target) -> None:
    """Open more sockets than the service has descriptors, then close them."""
    with ExitStack() as stack:
        for number in range(SOCKETS):
            stack.enter_context(connected(target, _SENT[number % len(_SENT)]))
