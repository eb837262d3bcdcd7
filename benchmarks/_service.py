"""A real `slatimer serve` of a benchmark's own: a database file, a process, a key, and how to stop it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import httpx2

ROOT: Final = Path(__file__).resolve().parent.parent
START: Final = 120.0
"""Seconds that a start may take; a loaded machine takes long to import everything."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Service:
    """The service on a database in a folder."""

    def __init__(self, folder: Path, *, module: tuple[str, ...] = ("-m", "app", "serve")) -> None:
        self.database = folder / "slatimer.db"
        self.log = folder / "service.log"
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._module = module
        self._environment = {
            **os.environ,
            "SLATIMER_DATABASE_URL": f"sqlite:///{self.database}",
            "SLATIMER_LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
        }
        self.process: subprocess.Popen[bytes] | None = None

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
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._module, "--port", str(self.port)],
                env=self._environment,
                cwd=ROOT,
                stderr=log,
                stdout=log,
            )
        while time.perf_counter() - began < START:
            if self.process.poll() is not None:
                break
            try:
                if httpx2.get(f"{self.base}/healthz", timeout=1).is_success:
                    return time.perf_counter() - began
            except httpx2.TransportError:
                time.sleep(0.05)
        raise RuntimeError(f"the service did not start: {self.log.read_text()[-2000:]}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal and wait for its end."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=START)
            self.process = None

    def memory(self) -> float:
        """Resident memory of the process, in MB."""
        if self.process is None:
            return 0.0
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():  # no such file system on this machine
            return float("nan")
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
