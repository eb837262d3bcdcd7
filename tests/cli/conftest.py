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
from tests.servers.databases import Databases

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


@pytest.fixture
def terminal(databases: Databases) -> Iterator[Terminal]:
    with databases.new() as url:
        yield Terminal(url)


@pytest.fixture
def desks(terminal: Terminal) -> Terminal:
    """A terminal on a database in which the shipped desks are in force."""
    terminal.done("apply", ROOT / "agreements", ROOT / "calendars")
    return terminal
