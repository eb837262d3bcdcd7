"""How does a test get a database of its own in a moment, on either kind of server?

A state that many tests begin from is made once a session and copied for each of them: a file for SQLite, a template for
PostgreSQL. `sqlite_only` marks the few tests that are about a file.
"""

import itertools
import shutil
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol

import pytest

from app.settings import Settings
from app.store.engine.database import Database
from tests.servers.postgres import Postgres

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
KINDS: Final = (SQLITE, POSTGRESQL)

sqlite_only = pytest.mark.parametrize("databases", [SQLITE], indirect=True)
"""For tests of what SQLite alone does, or of a database that is a file."""
postgresql_only = pytest.mark.parametrize("databases", [POSTGRESQL], indirect=True)
"""For tests of what PostgreSQL alone does."""

Prepare = Callable[[str], None]
"""Brings the new database at a URL into the state that tests begin from. It is known by its name."""


class Databases(Protocol):
    """Where tests get their databases."""

    kind: str

    def new(self) -> AbstractContextManager[str]:
        """The URL of a database with nothing in it, for as long as the context lasts."""
        ...

    def copy_of(self, prepare: Prepare) -> AbstractContextManager[str]:
        """The URL of a database in the state that `prepare` makes, for as long as the context lasts."""
        ...


def with_tables(url: str) -> None:
    """The tables, and nothing in them."""
    Database(Settings(database_url=url)).close()


class SqliteDatabases:
    """Files in a folder."""

    kind = SQLITE

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._prepared: dict[str, Path] = {}

    @contextmanager
    def new(self) -> Generator[str]:
        with self._file() as path:
            yield _url(path)

    @contextmanager
    def copy_of(self, prepare: Prepare) -> Generator[str]:
        template = self._template(prepare)
        with self._file() as path:
            shutil.copyfile(template, path)
            yield _url(path)

    @contextmanager
    def _file(self) -> Generator[Path]:
        path = self._path()
        try:
            yield path
        finally:
            for left in self._folder.glob(f"{path.name}*"):  # the log beside it, too
                left.unlink()

    def _template(self, prepare: Prepare) -> Path:
        if (name := prepare.__qualname__) not in self._prepared:
            path = self._path()
            prepare(_url(path))
            self._prepared[name] = path
        return self._prepared[name]

    def _path(self) -> Path:
        return self._folder / f"{next(self._numbers):05}.db"


class PostgresDatabases:
    """Databases of one server."""

    kind = POSTGRESQL

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._prepared: dict[str, str] = {}

    def new(self) -> AbstractContextManager[str]:
        return self._lent(None)

    def copy_of(self, prepare: Prepare) -> AbstractContextManager[str]:
        return self._lent(self._template(prepare))

    @contextmanager
    def _lent(self, template: str | None) -> Generator[str]:
        name = self._name()
        url = self._server.create_database(name, template)
        try:
            yield url
        finally:
            self._server.drop_database(name)

    def _template(self, prepare: Prepare) -> str:
        if (known := prepare.__qualname__) not in self._prepared:
            name = self._name()
            prepare(self._server.create_database(name))
            self._prepared[known] = name
        return self._prepared[known]

    def _name(self) -> str:
        return f"test_{next(self._numbers)}"


def _url(path: Path) -> str:
    return f"sqlite:///{path}"
