"""How does a test get a database of its own in a moment, on either kind of server?

A state that many tests begin from is made once a session and copied for each of them: a file for SQLite, a template for
PostgreSQL.

Which kinds: tests of what SQL decides run on both (tests/store, tests/flow, tests/stories, tests/kill). Those of what
lies above the database (tests/web, tests/cli) run on SQLite, since the statements that they execute are executed on both
kinds below. One with a statement that no test below executes is marked `both_kinds`. `sqlite_only` and `postgresql_only`
mark the few tests of what one kind alone does.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from app.settings import Settings
from app.store.engine.database import Database
from tests.servers.postgres import ROLE, Administrator, Postgres
from tests.waiting import HANG

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
KINDS: Final = (SQLITE, POSTGRESQL)

MEMORY: Final = Path("/dev/shm")
"""A file system in memory on Linux."""
ROOM: Final = 2**30
"""Free bytes in it above which the tests' files lie there. They need some 100 MB."""

UNHURRIED: Final[dict[str, Any]] = dict.fromkeys(
    (
        "busy_timeout",
        "database_connect_timeout",
        "database_idle_in_transaction_timeout",
        "database_statement_timeout",
        "sweep_batch_time",
    ),
    timedelta(seconds=HANG),
) | {"sweep_busy_batch_time": timedelta.resolution}
"""Settings with which no transaction fails, and no batch is smaller or larger, because of the machine's speed."""

both_kinds = pytest.mark.parametrize("databases", KINDS, indirect=True)
"""For tests of tests/web and tests/cli with statements that no test below them executes, or about row security."""
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


def quick_folder() -> Path | None:
    """Where a commit does not wait for a disk: a file system in memory with room for it. None where there is none."""
    there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if there else None


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
    """Databases of one server.

    A copy is made once and reused: after a test its tables get back the rows that they had. Making and dropping a
    database for each test took longer than most tests. One whose tables a test has added or removed is dropped.
    """

    kind = POSTGRESQL

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._prepared: dict[str, str] = {}
        self._free: dict[str, list[_Reusable]] = {}

    @contextmanager
    def new(self) -> Generator[str]:
        name = self._name()
        url = self._server.create_database(name)
        try:
            yield url
        finally:
            self._server.drop_database(name)

    @contextmanager
    def copy_of(self, prepare: Prepare) -> Generator[str]:
        free = self._free.setdefault(prepare.__qualname__, [])
        database = free.pop() if free else self._copy(prepare)
        try:
            yield database.url
        finally:
            if database.restored():
                free.append(database)
            else:
                database.close()
                self._server.drop_database(database.name)

    def close(self) -> None:
        """Close the connections to databases that wait for the next test."""
        for database in itertools.chain.from_iterable(self._free.values()):
            database.close()

    def _copy(self, prepare: Prepare) -> "_Reusable":
        name = self._name()
        url = self._server.create_database(name, self._template(prepare))
        return _Reusable(name, url, self._server.connect(name))

    def _template(self, prepare: Prepare) -> str:
        if (known := prepare.__qualname__) not in self._prepared:
            name = self._name()
            prepare(self._server.create_database(name))
            administrator = self._server.connect(name)
            administrator.execute(_REMEMBER)
            administrator.close()
            self._prepared[known] = name
        return self._prepared[known]

    def _name(self) -> str:
        return f"test_{next(self._numbers)}"


_TABLES: Final = """
    SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r'
"""
_SHAPE: Final = """
    SELECT md5(string_agg(format('%s %s %s', c.relname, a.attnum, a.attname), ',' ORDER BY c.relname, a.attnum))
        || (SELECT md5(string_agg(conname, ',' ORDER BY conname)) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace)
        || (SELECT md5(coalesce(string_agg(tgname, ',' ORDER BY tgname), '')) FROM pg_trigger WHERE NOT tgisinternal)
        AS digest
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname = 'public' AND a.attnum > 0
"""

# What the tables and sequences hold when a test begins, kept in a schema beside them.
_REMEMBER: Final = f"""
    CREATE SCHEMA saved;
    CREATE TABLE saved.shape AS {_SHAPE};
    CREATE TABLE saved.sequence AS
        SELECT format('%I', sequencename) AS name, last_value FROM pg_sequences WHERE schemaname = 'public';
    DO $$ DECLARE t record; filled boolean; BEGIN
        FOR t IN {_TABLES} LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', t.name) INTO filled;
            IF filled THEN EXECUTE format('CREATE TABLE saved.%s AS TABLE %s', t.name, t.name); END IF;
        END LOOP;
    END $$;
    GRANT USAGE ON SCHEMA saved TO {ROLE};
    GRANT SELECT ON ALL TABLES IN SCHEMA saved TO {ROLE};
"""
# A table that is empty is left alone: emptying one makes new files for it and its indexes.
_RESTORE: Final = f"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    DO $$ DECLARE t record; filled boolean; BEGIN
        FOR t IN {_TABLES} LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', t.name) INTO filled;
            IF filled THEN EXECUTE format('TRUNCATE %s', t.name); END IF;
            IF to_regclass(format('saved.%s', t.name)) IS NOT NULL THEN
                EXECUTE format('INSERT INTO %s SELECT * FROM saved.%s', t.name, t.name);
            END IF;
        END LOOP;
        PERFORM setval(name, coalesce(last_value, 1), last_value IS NOT NULL) FROM saved.sequence;
    END $$;
"""
_IS_AS_IT_WAS: Final = f"SELECT ({_SHAPE}) = (SELECT digest FROM saved.shape)"


class _Reusable:
    """A database that gets its rows back after each test."""

    def __init__(self, name: str, url: str, administrator: Administrator) -> None:
        self.name, self.url, self._administrator = name, url, administrator

    def restored(self) -> bool:
        """Give every table the rows that it had. False when the tables themselves are others than before."""
        if not self._administrator.fetch(_IS_AS_IT_WAS)[0][0]:
            return False
        self._administrator.execute(_RESTORE)
        return True

    def close(self) -> None:
        """Close the connection."""
        self._administrator.close()


def _url(path: Path) -> str:
    return f"sqlite:///{path}"
