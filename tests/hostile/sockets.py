"""Plain sockets of attackers."""

import socket
from contextlib import suppress

from tests.hostile.harness import Target
from tests.waiting import HANG


def connected(target: Target, sent: bytes) -> socket.socket:
    """A connection on which these bytes were sent; the service may have closed it already."""
    made = socket.create_connection((target.host, target.port), timeout=HANG)
    with suppress(ConnectionError):
        made.sendall(sent)
    return made
