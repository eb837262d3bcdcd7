"""Server processes of the tests: start, stop, and removal of their folders.

A server lives in a folder of its own and never longer than the process that started it, even when that one is killed:
a small watcher waits for its end, stops the server and removes the folder. The server is a child of this process, so
that signals reach it by its id and by nothing broader.
"""

import os
import pwd
import random
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from tests.waiting import HANG

HOST: Final = "127.0.0.1"
POLL_INTERVAL: Final = 0.005
"""Seconds between two checks of a server that is starting."""
TAIL: Final = 2000
"""Characters of a server's log that are shown when it fails."""

# Below the ports that the system gives to outgoing connections (32768 and up on Linux). A client that keeps trying a
# port of that range while its server is down is at some time given the same port, connects to itself, and holds it.
PORTS: Final = range(20_000, 32_000)

# Reads the server's current id from its input, a line for each start and an empty one for each end. The input ends
# with the process that holds its other side. A server that still writes can make the removal fail for a short time.
WATCHER: Final = """
while read -r line; do server=$line; done
[ -z "$server" ] || kill -s "$2" "$server" 2>/dev/null
tries=100
until rm -rf "$1" 2>/dev/null || [ "$tries" -eq 0 ]; do sleep 0.1; tries=$((tries - 1)); done
"""


_reservations: Final[list[socket.socket]] = []


class ServerFailed(RuntimeError):
    """A server did not start or did not stop. The message ends with the last of its log."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system account that a server runs as."""

    uid: int
    gid: int


def unprivileged() -> Account | None:
    """The account for servers that refuse to run as root; none when this process is not root: it serves as it is."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return Account(entry.pw_uid, entry.pw_gid)


def open_to_all(path: Path) -> bool:
    """Whether every account can reach this path."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents) if folder.is_dir())


def new_folder(name: str) -> Path:
    """A folder of this process's own, in a place that other accounts can reach."""
    temporary = Path(tempfile.gettempdir())
    place = temporary if open_to_all(temporary) else Path("/tmp")
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place))


def free_port() -> int:
    """A port that is this process's until it ends: no other gets it, here or in a process of tests beside this one.

    A socket that is bound to it and never listens reserves it. A server that sets SO_REUSEADDR, as all here do, can
    listen on it all the same, and a client that connects while no server does is refused.
    """
    while True:
        port, reservation = random.choice(PORTS), socket.socket()
        try:
            reservation.bind((HOST, port))  # without the option: fails beside any other socket
        except OSError:
            reservation.close()
            continue
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _reservations.append(reservation)
        return port


class Process:
    """A server's process in its folder. `ended_by` is the signal that ends it at once and in order."""

    def __init__(self, folder: Path, account: Account | None, ended_by: signal.Signals) -> None:
        self.folder, self.account = folder, account
        self.log = folder / "log"
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        self._child: subprocess.Popen[bytes] | None = None
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", WATCHER, "watcher", str(folder), ended_by.name.removeprefix("SIG")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # Ctrl-C at the terminal is for the tests, not for their servers
        )

    @property
    def pid(self) -> int:
        """The running server's id. Raises ServerFailed when none runs."""
        if self._child is None:
            raise self.failed("is not running")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the server's process runs."""
        return self._child is not None and self._child.poll() is None

    def run(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Run a command to its end, as the server's account. Raises ServerFailed with its output."""
        with self.log.open("ab") as log:
            child = self._popen(command, environment, log.fileno())
        if child.wait(HANG) != 0:
            raise self.failed(f"{Path(command[0]).name} ended with {child.returncode}")

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start the server itself."""
        with self.log.open("ab") as log:
            self._child = self._popen(command, environment, log.fileno())
        self._notify_watcher(str(self._child.pid))

    def until(self, ready: Callable[[], bool]) -> bool:
        """Wait until the server is ready: true. False when it ended instead; raises ServerFailed after the timeout."""
        deadline = monotonic() + HANG
        while not ready():
            if not self.running:
                self._gone()
                return False
            if monotonic() > deadline:
                raise self.failed("does not get ready")
            sleep(POLL_INTERVAL)
        return True

    def end(self, with_signal: signal.Signals) -> None:
        """Send a signal that ends the server, and wait until it is gone. Nothing when it does not run."""
        if self._child is None:
            return
        self._child.send_signal(with_signal)
        try:
            self._child.wait(HANG)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise self.failed(f"did not stop on {with_signal.name}") from None
        finally:
            self._gone()

    def close(self) -> None:
        """Have the watcher remove the folder, and wait until it did."""
        self._watcher.communicate()

    def failed(self, what: str) -> ServerFailed:
        """The error with this message and the end of the log."""
        log = self.log.read_text(errors="replace")[-TAIL:] if self.log.exists() else ""
        return ServerFailed(f"the server in {self.folder} {what}\n{log}")

    def _popen(
        self, command: Sequence[str | Path], environment: Mapping[str, str], log: int
    ) -> subprocess.Popen[bytes]:
        account = self.account
        return subprocess.Popen(
            command,
            env=dict(environment),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )

    def _gone(self) -> None:
        self._child = None
        self._notify_watcher("")

    def _notify_watcher(self, line: str) -> None:
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(f"{line}\n".encode())
        self._watcher.stdin.flush()
