"""Processes of a set-up: those of the service, the one that pushes, and the event loop of proxy and observers.

Every process is a child of this one and ends with it. A process can be given a clock file: see skew/sitecustomize.py.
"""

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeVar

import httpx2

from tests.chaos.pusher import GO, QUIET, Orders
from tests.servers.process import HOST, Process, free_port, new_folder

T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parents[2]
WRONG_CLOCK: Final = ROOT / "tests" / "chaos" / "skew"


class LoopThread:
    """An event loop in a thread, for the proxy and the observers."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="beside", daemon=True)
        self._tasks: list[Future[None]] = []
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine there as a background task."""
        self._tasks.append(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        """Cancel the tasks and stop the loop."""
        for task in self._tasks:
            task.cancel()
        self.run(asyncio.sleep(0.1))  # let the cancelled tasks finish
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


_DOUBLE: Final = struct.Struct("d")


class Member:
    """One process of the service. Its log is appended to at each start."""

    def __init__(
        self, name: str, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", "app", *arguments]
        self._environment = environment
        self._process = Process(new_folder(f"chaos-{name}"), None, signal.SIGKILL)
        self._process.log = folder / f"{name}.log"
        self._clock = folder / f"{name}.clock"
        self._logged = 0

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it exists, running or frozen."""
        return self._process.running

    def set_clock(self, seconds: float) -> None:
        """Set its clock by so much off: from its next start on, and at once if it was started with a wrong clock."""
        self._clock.touch()
        with self._clock.open("r+b") as file:  # in place: the process has the file mapped
            file.write(_DOUBLE.pack(seconds))

    def launch(self) -> None:
        """Start without waiting."""
        self._logged = self._process.log.stat().st_size if self._process.log.exists() else 0
        more: dict[str, str] = {}
        if self._clock.exists():
            path = f"{WRONG_CLOCK}:{self._environment['PYTHONPATH']}"
            more = {"CHAOS_CLOCK": str(self._clock), "PYTHONPATH": path}
        self._process.start(self._command, {**self._environment, **more})

    def wait(self) -> None:
        """Wait until it is ready. Raises ServerFailed when it ends instead."""
        if not self._process.until(self._ready):
            raise self._process.failed("did not start")

    def start(self) -> None:
        """Start and wait until it is ready."""
        self.launch()
        self.wait()

    def send(self, sign: signal.Signals) -> None:
        """Send a signal: freeze or continue."""
        os.kill(self._process.pid, sign)

    def end(self, sign: signal.Signals) -> None:
        """End it with a signal."""
        self._process.end(sign)

    def close(self) -> None:
        """Kill it and free its resources."""
        self._process.end(signal.SIGKILL)
        self._process.close()

    def _ready(self) -> bool:
        return self._has_logged('"worker started"')

    def _has_logged(self, words: str) -> bool:
        with self._process.log.open("rb") as log:
            log.seek(self._logged)
            return words.encode() in log.read()


class Web(Member):
    """A web process."""

    def __init__(self, name: str, environment: Mapping[str, str], folder: Path) -> None:
        port = free_port()
        super().__init__(name, ("serve", "--port", str(port)), environment, folder)
        self.base = f"http://{HOST}:{port}"
        self._client = httpx2.Client(timeout=10)  # one for all polls: a new client costs more than a poll

    def _ready(self) -> bool:
        try:
            return self._client.get(f"{self.base}/readyz").is_success
        except httpx2.TransportError:
            return False

    def close(self) -> None:
        """Kill it and free its resources."""
        self._client.close()
        super().close()


class Push:
    """The process that pushes."""

    def __init__(self, orders: Orders, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.pusher"],
            env=dict(environment),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._write(orders.as_line())

    def go(self) -> None:
        """Start pushing."""
        self._write(GO + "\n")

    def quiet(self) -> dict[str, int]:
        """Stop pushing and wait until all events are acknowledged. Returns the counts of responses."""
        self._write(QUIET + "\n")
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
