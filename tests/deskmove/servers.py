"""Two deployments of the service: each a PostgreSQL with `wal_level = logical` and one process that does everything."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tests.chaos.fleet import DESK_FILES, SETTINGS, USUAL_TIMEOUTS, SetUp
from tests.chaos.processes import ROOT, Web
from tests.deskmove.neighbour import Neighbour, desk_files
from tests.servers import postgres
from tests.servers.postgres import ADMINISTRATOR, Administrator, Postgres
from tests.servers.slatimer import commanded

DATABASE: Final = "slatimer"


class Deployment:
    """One server: its database and its process."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.postgres: Postgres = postgres.start(durable=True)
        self.postgres.execute("ALTER SYSTEM SET wal_level = 'logical'")
        self.postgres.stop()
        self.postgres.start()
        self.environment: Mapping[str, str] = {
            **os.environ,
            **SETTINGS,
            "SLATIMER_DATABASE_URL": self.postgres.create_database(DATABASE),
            "PYTHONPATH": str(ROOT),
        }
        self.web = Web(name, self.environment, folder)
        self._database: Administrator = self.postgres.connect(DATABASE)

    @property
    def administrator_url(self) -> str:
        """The URL of its database for the role that may replicate."""
        return self.postgres.url(DATABASE).replace("//slatimer@", f"//{ADMINISTRATOR}@")

    def command(self, *arguments: object) -> str:
        """The output of a `slatimer` command on it, which must succeed."""
        done = commanded({**self.environment, **USUAL_TIMEOUTS}, *arguments)
        assert done.exit_code == 0, (arguments, done.stderr)
        return done.stdout

    def ask(self, statement: str, *arguments: object) -> list[Any]:
        """The rows of a query in its database, as its administrator."""
        return self._database.fetch(statement, arguments)

    def close(self) -> None:
        """End it."""
        with ExitStack() as ends:
            ends.callback(self.postgres.close)
            ends.callback(self._database.close)
            self.web.close()


class TwoServers(SetUp):
    """The desk begins on the first server. `at` is where it lives, `other` the other one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, None)
        self.first, self.second = Deployment("first", folder), Deployment("second", folder)
        self.at, self.other = self.first, self.second
        self.environment = dict(self.first.environment)
        self.webs, self.workers = [self.first.web, self.second.web], []
        self.apply(DESK_FILES)
        self.second.command("key", "list")
        self.second.command("desk", "join", "--from", self.second.administrator_url)
        self._neighbours = [("phpnet", self.first), ("haisoft", self.second)]
        for name, server in self._neighbours:
            server.command("apply", *desk_files(name))

    def pusher_bases(self) -> list[str]:
        """Senders know the first server alone."""
        return [self.first.web.base]

    def neighbours(self) -> list[Neighbour]:
        """Begin to push to the desks that do not move."""
        return [
            Neighbour(name, server.web.base, self._key_of(name, server)) for name, server in self._neighbours
        ]

    @staticmethod
    def _key_of(desk: str, server: Deployment) -> str:
        return server.command("key", "create", "--desk", desk, "--scope", "push,read").strip()

    def move(self, *options: str) -> subprocess.Popen[str]:
        """Begin to move the desk to the other server."""
        arguments = [
            *("desk", "move", "chaos", "--url", self.other.web.base, "--own-url", self.at.web.base),
            *("--from", self.at.administrator_url, "--to", self.other.administrator_url),
        ]
        return subprocess.Popen(
            [sys.executable, "-m", "app", *arguments, *options],
            env=dict(self.at.environment),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def moved(self) -> None:
        """The desk lives on the other server from now on."""
        self.at, self.other = self.other, self.at

    def ask(self, statement: str, *arguments: object) -> list[Any]:
        """The rows of a query where the desk lives."""
        return self.at.ask(statement, *arguments)

    def recover(self) -> bool:
        """Nothing: no server is killed."""
        return False

    def _close_database(self) -> None:
        self.first.close()
        self.second.close()
