"""A PgBouncer in transaction mode before a PostgreSQL server, for tests.

It is Debian's package `pgbouncer` and refuses to run as root, as PostgreSQL does. It has as few connections to the
server as a test asks for, and takes them in turn, so that the transactions of one client meet different ones.
"""

import shutil
import signal
import socket
from pathlib import Path
from types import TracebackType
from typing import Final

from tests.servers.process import HOST, Process, free_port, new_folder, unprivileged

ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
PLACES: Final = ("/usr/sbin", "/usr/bin", "/usr/local/bin")

CONFIGURATION: Final = """
[databases]
* = host={host} port={server}

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {connections}
# The connection that has been idle for longest comes first: the next transaction mostly gets another one.
server_round_robin = 1
"""


class NoPgBouncer(RuntimeError):
    """There is no PgBouncer: apt install pgbouncer."""


def program() -> Path:
    """The server's program. Raises NoPgBouncer."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=":".join(PLACES))
    if found is None:
        raise NoPgBouncer
    return Path(found)


class PgBouncer:
    """One pooler before the server on a port. Leaving it as a context ends it."""

    def __init__(self, server: int, role: str, *, connections: int = 3) -> None:
        self.port = free_port()
        self._folder = new_folder("pgbouncer")
        self._process = Process(self._folder, unprivileged(), signal.SIGTERM)
        self._file = self._folder / "pgbouncer.ini"
        users = self._folder / "users"
        users.write_text(f'"{role}" ""\n')
        self._file.write_text(
            CONFIGURATION.format(
                host=HOST, port=self.port, server=server, users=users, connections=connections
            )
        )

    def __enter__(self) -> "PgBouncer":
        self._process.start([program(), self._file], ENVIRONMENT)
        if not self._process.until(self._ready):
            raise self._process.failed("did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.end(signal.SIGTERM)
        self._process.close()

    def _ready(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex((HOST, self.port)) == 0
