"""A real `slatimer serve` or `slatimer worker` of a benchmark's own: database, process, key, and how to stop it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx2

ROOT: Final = Path(__file__).resolve().parent.parent
START: Final = 120.0
"""Seconds that a start may take; a loaded machine takes long to import everything."""
LOOK: Final = 0.05
"""Seconds between two looks at a process that starts."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has taken so far; 0 where the system does not say."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    # Past the name, which may hold anything: fields 14 and 15 of the line, in ticks.
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class _Part:
    """One process of the service. `url` names its database, `more` what else its environment holds."""

    def __init__(self, log: Path, url: str, more: Mapping[str, str] | None) -> None:
        self.log = log
        self._environment = {
            **os.environ,
            "SLATIMER_DATABASE_URL": url,
            "SLATIMER_LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
            **(more or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def _begin(self, *arguments: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                env=self._environment,
                cwd=ROOT,
                stderr=log,
                stdout=log,
            )

    def _until(self, began: float) -> bool:
        """Whether to go on waiting for a start that began then."""
        running = self.process is not None and self.process.poll() is None
        if not running or time.perf_counter() - began > START:
            raise RuntimeError(f"the service did not start: {self.log.read_text()[-2000:]}")
        time.sleep(LOOK)
        return True

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal and wait for its end."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=START)
            self.process = None

    def cpu(self) -> float:
        """Seconds of processor time that the process has taken so far."""
        return 0.0 if self.process is None else cpu_of(self.process.pid)

    def memory(self) -> float:
        """Resident memory of the process, in MB."""
        if self.process is None:
            return 0.0
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():  # no such file system on this machine
            return float("nan")
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


class Service(_Part):
    """A web process on a database in a folder, or on the one at `url`."""

    def __init__(
        self,
        folder: Path,
        *,
        url: str | None = None,
        module: tuple[str, ...] = ("-m", "app", "serve"),
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.database = folder / "slatimer.db"
        self.url = url or f"sqlite:///{self.database}"
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._module = module
        super().__init__(folder / f"service-{self.port}.log", self.url, more)

    def command(self, *arguments: object) -> str:
        """What a `slatimer` command prints, on this database."""
        done = subprocess.run(
            [sys.executable, "-m", "app", *map(str, arguments)],
            env=self._environment,
            cwd=ROOT,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        )
        return done.stdout

    def prepare(self) -> dict[str, str]:
        """Put the shipped desks into force. Returns the header of a key for all of them."""
        self.command("apply", "agreements", "calendars")
        secret = self.command("key", "create", "--desk", "*", "--scope", "push,read").strip()
        return {"Authorization": f"Bearer {secret}"}

    def start(self) -> float:
        """Start it and wait until it answers. Returns how long that took, in seconds."""
        began = time.perf_counter()
        self._begin(*self._module, "--port", str(self.port))
        while self._until(began):
            try:
                if httpx2.get(f"{self.base}/healthz", timeout=1).is_success:
                    break
            except httpx2.TransportError:
                continue
        return time.perf_counter() - began


class Worker(_Part):
    """A worker beside web processes; it says in its log when it is working."""

    _WORKING: Final = '"working"'

    def __init__(self, folder: Path, number: int, *, url: str, more: Mapping[str, str]) -> None:
        super().__init__(folder / f"worker-{number}.log", url, {"SLATIMER_LOG_LEVEL": "INFO", **more})

    def start(self) -> float:
        """Start it and wait until it works. Returns how long that took, in seconds."""
        began = time.perf_counter()
        self.log.write_text("")
        self._begin("-m", "app", "worker")
        while self._WORKING not in self.log.read_text():
            self._until(began)
        return time.perf_counter() - began
