"""Processes of the service (`slatimer serve`, `slatimer worker`) for tests and benchmarks, each on its own database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx2
from typer.testing import CliRunner, Result

from app.cli.commands import cli
from tests.servers.process import free_port
from tests.waiting import HANG

ROOT: Final = Path(__file__).resolve().parents[2]
POLL_INTERVAL: Final = 0.05
"""Seconds between two checks of a starting process."""


def cpu_of(pid: int) -> float:
    """CPU time of a process in seconds; 0 where there is no /proc."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    # After the name, which may contain anything: fields 14 and 15, in clock ticks.
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def commanded(environment: Mapping[str, str], *arguments: object) -> Result:
    """The result of a `slatimer` command. It runs in this process: one of its own takes a second to start."""
    done = CliRunner(env=environment).invoke(cli, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


class _Part:
    """One process of the service. `more` has further environment variables."""

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
        """Wait a little. Raises RuntimeError when the process has ended or the timeout has passed."""
        running = self.process is not None and self.process.poll() is None
        if not running or time.perf_counter() - began > HANG:
            raise RuntimeError(f"the service did not start: {self.log.read_text()[-2000:]}")
        time.sleep(POLL_INTERVAL)
        return True

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait for the end of the process."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=HANG)
            self.process = None

    def cpu(self) -> float:
        """CPU time of the process in seconds."""
        return 0.0 if self.process is None else cpu_of(self.process.pid)

    def memory(self) -> float:
        """Resident memory of the process, in MB."""
        if self.process is None:
            return 0.0
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():  # no /proc on this machine
            return float("nan")
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


class Service(_Part):
    """A web process on a SQLite file in a folder, or on the database at `url`."""

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
        """The output of a `slatimer` command on this database. Raises RuntimeError when it fails."""
        done = commanded(self._environment, *arguments)
        if done.exit_code:
            raise RuntimeError(f"slatimer {arguments} ended with {done.exit_code}: {done.stderr}")
        return done.stdout

    def prepare(self) -> dict[str, str]:
        """Apply the shipped desks. Returns the header of a key for all of them."""
        self.command("apply", ROOT / "agreements", ROOT / "calendars")
        secret = self.command("key", "create", "--desk", "*", "--scope", "push,read").strip()
        return {"Authorization": f"Bearer {secret}"}

    def start(self) -> float:
        """Start and wait until it responds. Returns the duration in seconds."""
        began = time.perf_counter()
        self._begin(*self._module, "--port", str(self.port))
        with httpx2.Client(timeout=10) as client:  # one for all polls: a new client costs more than a poll
            while self._until(began):
                try:
                    if client.get(f"{self.base}/healthz").is_success:
                        break
                except httpx2.TransportError:
                    continue
        return time.perf_counter() - began


class Worker(_Part):
    """A worker process. Its log shows when it is ready."""

    _READY: Final = '"worker started"'

    def __init__(self, folder: Path, number: int, *, url: str, more: Mapping[str, str]) -> None:
        super().__init__(folder / f"worker-{number}.log", url, {"SLATIMER_LOG_LEVEL": "INFO", **more})

    def start(self) -> float:
        """Start and wait until it is ready. Returns the duration in seconds."""
        began = time.perf_counter()
        self.log.write_text("")
        self._begin("-m", "app", "worker")
        while self._READY not in self.log.read_text():
            self._until(began)
        return time.perf_counter() - began
