"""A terminal: the command with a database of the test's own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.commands import cli
from app.settings import Settings
from tests.servers.databases import SQLITE, Databases, with_tables

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Runs commands in this process, each on the same database."""

    def __init__(self, url: str) -> None:
        self.settings = Settings(database_url=url)
        self.environ = {"SLATIMER_DATABASE_URL": url}

    def __call__(self, *arguments: object) -> Said:
        ended = CliRunner(env=self.environ).invoke(cli, [str(argument) for argument in arguments])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Said(ended.exit_code, ended.stdout, ended.stderr)

    def done(self, *arguments: object) -> str:
        """What a command says that must succeed."""
        said = self(*arguments)
        assert said.code == 0, said.err
        return said.out


@pytest.fixture(scope="session", params=[SQLITE])
def databases(request: pytest.FixtureRequest) -> Databases:
    """One kind: what is tested here lies above the database. `both_kinds` marks the tests of a statement."""
    return request.getfixturevalue(f"{request.param}_databases")


def with_desks_applied(url: str) -> None:
    """A database in which the command has put the shipped desks into force."""
    Terminal(url).done("apply", ROOT / "agreements", ROOT / "calendars")


@pytest.fixture
def terminal(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """A terminal on a database of the test's own: its tables with nothing in them, or with the desks of `desks`."""
    prepare = with_desks_applied if "desks" in request.fixturenames else with_tables
    with databases.copy_of(prepare) as url:
        yield Terminal(url)


@pytest.fixture
def desks(terminal: Terminal) -> Terminal:
    """A terminal on a database in which the shipped desks are in force."""
    return terminal
