"""Plain sockets of attackers."""

import socket
from contextlib import suppress

from tests.hostile.harness import Target
from tests.web.test_process import PATIENCE


def connected(target: Target, sent: bytes) -> socket.socket:
    """A connection on which these bytes were sent; the service may have closed it already."""
    made = socket.create_connection((target.host, target.port), timeout=PATIENCE)
    with suppress(ConnectionError):
        made.sendall(sent)
    return made
