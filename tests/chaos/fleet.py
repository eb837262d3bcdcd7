"""Set-ups: `Fleet` on PostgreSQL and Valkey with two web processes and three workers, `Alone` one process on SQLite.

One worker of a fleet connects to the database through a proxy, so that its connection can be cut. Either set-up can have
its database on a small disk of its own. Proxy and observers run in an event loop of their own.
"""

import os
import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import asyncpg
from typer.testing import Result

from tests.chaos.disk import SmallDisk
from tests.chaos.processes import ROOT, LoopThread, Member, Push, Web
from tests.chaos.proxy import Proxy
from tests.chaos.pusher import Orders
from tests.servers import postgres, valkey
from tests.servers.postgres import ADMINISTRATOR, Postgres
from tests.servers.process import HOST, ServerFailed
from tests.servers.slatimer import commanded
from tests.waiting import HANG, until

DESK_FILES: Final = ROOT / "tests" / "chaos" / "desk"
DATABASE: Final = "chaos"
WEBS: Final = 2
WORKERS: Final = 3
DATABASE_TIMEOUT: Final = 3.0
"""Seconds for both database timeouts below: faults last longer than that."""
RATE: Final = 8.0
"""Tickets a second, each with about three events and eight signals. More would measure the machine."""
DISK: Final = 256
"""Megabytes of a small disk: PostgreSQL's own data are 40, and its log of writes up to 64."""

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


class SetUp(ABC):
    """All processes. Leaving the context ends them; the logs stay in the folder."""

    webs: list[Web]
    workers: list[Member]
    environment: dict[str, str]
    key: str

    def __init__(self, folder: Path, disk: SmallDisk | None) -> None:
        self.folder = folder
        self.beside = LoopThread()
        self._disk = disk

    @property
    def disk(self) -> SmallDisk:
        """The disk of the database."""
        assert self._disk is not None, "this set-up has no disk of its own"
        return self._disk

    @property
    def members(self) -> list[Member]:
        """The service's processes."""
        return [*self.webs, *self.workers]

    def apply(self, *files: Path) -> None:
        """Apply these files, and make a key."""
        self.command("apply", *files)
        self.key = self.command("key", "create", "--desk", "*", "--scope", "push,read,admin").strip()

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

    @abstractmethod
    def ask(self, statement: str, *arguments: object) -> list[Any]:
        """The rows of a query in the service's database."""

    @abstractmethod
    def recover(self) -> bool:
        """Wait until the database can be used again. Returns whether a server that the fault ended had to be started,
        as a supervisor does."""

    def close(self) -> None:
        """End everything."""
        for member in self.members:
            member.close()
        self._close_database()
        self.beside.close()
        if self._disk is not None:
            self._disk.close()

    @abstractmethod
    def _close_database(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Fleet(SetUp):
    """PostgreSQL, Valkey, two web processes, three workers."""

    def __init__(
        self,
        folder: Path,
        disk: SmallDisk | None = None,
        *,
        files: Sequence[Path] = (DESK_FILES,),
        settings: Mapping[str, str] = SETTINGS,
    ) -> None:
        super().__init__(folder, disk)
        self.postgres = self.new_server()
        if disk is not None:
            self._move(disk.path)
        self.valkey = valkey.start(append_only=True)
        self.proxy = Proxy(self.postgres.port)
        self.beside.run(self.proxy.open())
        self._database: Any = None
        self.environment = {
            **os.environ,
            **settings,
            "SLATIMER_DATABASE_URL": self.new_database(),
            "SLATIMER_REDIS_URL": self.valkey.url(),
            "PYTHONPATH": str(ROOT),
        }
        self.webs = [Web(f"web-{n}", self.environment, folder) for n in range(1, WEBS + 1)]
        self.workers = [
            Member(f"worker-{n}", ("worker",), self._environment_of(n), folder) for n in range(1, WORKERS + 1)
        ]
        self.apply(*files)

    def new_server(self) -> Postgres:
        """The server that the fleet starts on."""
        return postgres.start(durable=True)

    def new_database(self) -> str:
        """The URL of the service's database."""
        return self.postgres.create_database(DATABASE)

    @property
    def behind_proxy(self) -> Member:
        """The worker whose connection to the database can be cut."""
        return self.workers[-1]

    def ask(self, statement: str, *arguments: object) -> list[Any]:
        """The rows of a query in the service's database, as its administrator."""
        return self.beside.run(self._ask(statement, arguments))

    def recover(self) -> bool:
        """Start PostgreSQL if it has ended, and wait until it answers."""
        started: list[bool] = []
        until(lambda: self._answers(started))
        return bool(started)

    def _answers(self, started: list[bool]) -> bool:
        if not self.postgres.alive:
            self.postgres.start()
            started.append(True)
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return bool(self.ask("SELECT NOT pg_is_in_recovery() AS up")[0]["up"])
        return False

    async def _ask(self, statement: str, arguments: tuple[object, ...]) -> list[Any]:
        with suppress(asyncpg.PostgresConnectionError, asyncpg.InterfaceError):  # the server was killed since
            if self._database is not None:
                return await self._database.fetch(statement, *arguments)
        self._database = await asyncpg.connect(
            host=HOST, port=self.postgres.port, user=ADMINISTRATOR, database=DATABASE, ssl=False
        )
        return await self._database.fetch(statement, *arguments)

    def _move(self, disk: Path) -> None:
        """Move PostgreSQL's data to the small disk. Its log of writes is kept short, so that it is written again."""
        self.postgres.execute("ALTER SYSTEM SET max_wal_size = '64MB'")
        self.postgres.execute("ALTER SYSTEM SET min_wal_size = '32MB'")
        self.postgres.stop()
        data = self.postgres.folder / "data"
        shutil.copytree(data, disk / "data")
        _give(disk / "data", data.stat())
        shutil.rmtree(data)
        data.symlink_to(disk / "data")
        self.postgres.start()

    def _environment_of(self, worker: int) -> dict[str, str]:
        if worker < WORKERS:
            return self.environment
        direct, through = (f":{port}/" for port in (self.postgres.port, self.proxy.port))
        url = self.environment["SLATIMER_DATABASE_URL"].replace(direct, through)
        return self.environment | {"SLATIMER_DATABASE_URL": url}

    async def _hang_up(self) -> None:
        if self._database is not None:
            self._database.terminate()

    def _close_database(self) -> None:
        # Before the server: that it has gone would be noticed only if the loop ran for long enough.
        self.beside.run(self._hang_up())
        ends: list[Callable[[], object]] = [self.valkey.close, self.postgres.close]
        for end in ends:
            end()
        self.beside.run(self.proxy.close())


class Alone(SetUp):
    """SQLite, and one process that serves, sweeps and delivers."""

    def __init__(self, folder: Path, disk: SmallDisk | None = None) -> None:
        super().__init__(folder, disk)
        self._path = (folder if disk is None else disk.path) / "slatimer.db"
        self.environment = {
            **os.environ,
            **SETTINGS,
            "SLATIMER_DATABASE_URL": f"sqlite:///{self._path}",
            "PYTHONPATH": str(ROOT),
        }
        self.webs, self.workers = [Web("web-1", self.environment, folder)], []
        self.apply(DESK_FILES)

    def ask(self, statement: str, *arguments: object) -> list[Any]:
        """The rows of a query in the service's database."""
        connection = sqlite3.connect(self._path, timeout=HANG)
        try:
            connection.row_factory = sqlite3.Row
            return connection.execute(statement, arguments).fetchall()
        finally:
            connection.close()

    def recover(self) -> bool:
        """Nothing: the file is there."""
        return False

    def _close_database(self) -> None:
        """Nothing: no process has it open any more."""


def _give(place: Path, like: os.stat_result) -> None:
    """Give a folder and all in it the owner and mode of another."""
    for each in (place, *place.rglob("*")):
        os.chown(each, like.st_uid, like.st_gid)
    place.chmod(like.st_mode)
