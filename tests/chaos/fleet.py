"""Processes of the set-up: durable PostgreSQL, Valkey with a file, two web processes, three workers, one pusher.

Every process is a child of this one and ends with it. One worker connects to the database through a proxy, so that its
connection can be cut. Proxy and observers run in an event loop of their own.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import asyncpg
import httpx2
from typer.testing import Result

from tests.chaos.proxy import Proxy
from tests.chaos.pusher import GO, QUIET, Orders
from tests.servers import postgres, valkey
from tests.servers.postgres import ADMINISTRATOR, Postgres
from tests.servers.process import HOST, Process, ServerFailed, free_port, new_folder
from tests.servers.slatimer import commanded
from tests.waiting import HANG

T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parents[2]
DESK_FILES: Final = ROOT / "tests" / "chaos" / "desk"
WRONG_CLOCK: Final = ROOT / "tests" / "chaos" / "skew"
DATABASE: Final = "chaos"
WEBS: Final = 2
WORKERS: Final = 3
DATABASE_TIMEOUT: Final = 3.0
"""Seconds for both database timeouts below: faults last longer than that."""
RATE: Final = 8.0
"""Tickets a second, each with about three events and eight signals. More would measure the machine."""

SETTINGS: Final = {
    "SLATIMER_DATABASE_IDLE_IN_TRANSACTION_TIMEOUT": f"PT{DATABASE_TIMEOUT:g}S",
    "SLATIMER_DATABASE_STATEMENT_TIMEOUT": f"PT{DATABASE_TIMEOUT:g}S",
    "SLATIMER_ALLOW_NETWORKS": "127.0.0.0/8",
    # Every attempt that fails is made again within the round.
    "SLATIMER_DELIVERY_RETRY_SCHEDULE": ",".join(["PT1S"] * 300),
    "SLATIMER_DELIVERY_TIMEOUT": "PT2S",
}


USUAL_TIMEOUTS: Final = {
    "SLATIMER_DATABASE_IDLE_IN_TRANSACTION_TIMEOUT": f"PT{HANG:g}S",
    "SLATIMER_DATABASE_STATEMENT_TIMEOUT": f"PT{HANG:g}S",
}


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
        self._logged = 0

    @property
    def alive(self) -> bool:
        """Whether it exists, running or frozen."""
        return self._process.running

    def launch(self, more: Mapping[str, str] | None = None) -> None:
        """Start without waiting."""
        self._logged = self._process.log.stat().st_size if self._process.log.exists() else 0
        self._process.start(self._command, {**self._environment, **(more or {})})

    def wait(self) -> None:
        """Wait until it is ready. Raises ServerFailed when it ends instead."""
        if not self._process.until(self._ready):
            raise self._process.failed("did not start")

    def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start and wait until it is ready."""
        self.launch(more)
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


class Fleet:
    """All processes. Leaving the context ends them; the logs stay in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.beside = LoopThread()
        self.postgres = self.new_server()
        self.valkey = valkey.start(append_only=True)
        self.proxy = Proxy(self.postgres.port)
        self.beside.run(self.proxy.open())
        self._database: Any = None
        self.environment = {
            **os.environ,
            **SETTINGS,
            "SLATIMER_DATABASE_URL": self.new_database(),
            "SLATIMER_REDIS_URL": self.valkey.url(),
            "PYTHONPATH": str(ROOT),
        }
        self.webs = [Web(f"web-{n}", self.environment, folder) for n in range(1, WEBS + 1)]
        self.workers = [
            Member(f"worker-{n}", ("worker",), self._environment_of(n), folder) for n in range(1, WORKERS + 1)
        ]
        self.command("apply", DESK_FILES)
        self.key = self.command("key", "create", "--desk", "*", "--scope", "push,read,admin").strip()

    def new_server(self) -> Postgres:
        """The server that the fleet starts on."""
        return postgres.start(durable=True)

    def new_database(self) -> str:
        """The URL of the service's database."""
        return self.postgres.create_database(DATABASE)

    @property
    def members(self) -> list[Member]:
        """The service's processes."""
        return [*self.webs, *self.workers]

    @property
    def behind_proxy(self) -> Member:
        """The worker whose connection to the database can be cut."""
        return self.workers[-1]

    def start(self) -> None:
        """Start the service's processes."""
        for member in self.members:
            member.launch()
        for member in self.members:
            member.wait()

    def command(self, *arguments: object) -> str:
        """The output of a `slatimer` command. Raises ServerFailed when it fails."""
        done = self.run(*arguments)
        if done.exit_code:
            raise ServerFailed(f"slatimer {arguments} ended with {done.exit_code}\n{done.stderr}")
        return done.stdout

    def run(self, *arguments: object) -> Result:
        """The result of a `slatimer` command, whose statements have the usual time."""
        return commanded(self.environment | USUAL_TIMEOUTS, *arguments)

    def pusher(self, seed: int, rate: float = RATE) -> Push:
        """A process that pushes to the web processes."""
        bases = [web.base for web in self.webs]
        return Push(Orders(bases, self.key, str(self.folder), seed, rate), self.environment)

    def ask(self, statement: str, *arguments: object) -> list[Any]:
        """The rows of a query in the service's database, as its administrator."""
        return self.beside.run(self._ask(statement, arguments))

    async def _ask(self, statement: str, arguments: tuple[object, ...]) -> list[Any]:
        with suppress(asyncpg.PostgresConnectionError, asyncpg.InterfaceError):  # the server was killed since
            if self._database is not None:
                return await self._database.fetch(statement, *arguments)
        self._database = await asyncpg.connect(
            host=HOST, port=self.postgres.port, user=ADMINISTRATOR, database=DATABASE, ssl=False
        )
        return await self._database.fetch(statement, *arguments)

    def _environment_of(self, worker: int) -> dict[str, str]:
        if worker < WORKERS:
            return self.environment
        direct, through = (f":{port}/" for port in (self.postgres.port, self.proxy.port))
        url = self.environment["SLATIMER_DATABASE_URL"].replace(direct, through)
        return self.environment | {"SLATIMER_DATABASE_URL": url}

    def close(self) -> None:
        """End everything."""
        ends: list[Callable[[], object]] = [member.close for member in self.members]
        for end in [*ends, self.valkey.close, self.postgres.close]:
            end()
        self.beside.run(self.proxy.close())
        self.beside.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
