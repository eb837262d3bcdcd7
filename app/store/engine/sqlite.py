"""Connections to a SQLite file.

Write-ahead log with `synchronous=FULL`, so that a committed push survives a power failure. Write transactions begin
with BEGIN IMMEDIATE: they take the write lock at once and cannot fail half-way because of another writer. The newer
SQLite of the package `pysqlite3` is used where it is installed: versions before 3.51.3 can corrupt a write-ahead log
when two connections write or copy it. With these only the writer copies, within its commits.
"""

import importlib
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

from app.settings import Settings
from app.store.engine.unreachable import Unreachable
from app.store.engine.write_ahead_log import LogCopier

T = TypeVar("T")

SAFE_VERSION = (3, 51, 3)
"""First version without the corruption of the write-ahead log under several writers."""


def driver() -> ModuleType:
    """The driver: `pysqlite3` where it is installed, else that of Python."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3")


def version() -> tuple[int, ...]:
    """The version of the SQLite in use."""
    return tuple(map(int, str(driver().sqlite_version).split(".")))


# SQLITE_BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN: the database is unavailable, whatever the statement.
_UNAVAILABLE_CODES = frozenset({5, 6, 7, 8, 10, 13, 14})

PAGE: Final = 4096
"""Bytes of a page: SQLite's own default, which the schema does not change."""


class TransactionRunner:
    """Runs transactions on one connection. SQLite has no row-level security, so `desk` has no effect."""

    def __init__(self, engine: Engine, copier: LogCopier | None = None) -> None:
        self._engine, self._copier = engine, copier
        self._conn: Connection | None = None

    def run(self, work: Callable[[Connection], T], desk: str) -> T:  # noqa: ARG002 - see the class
        """Run `work` in a transaction. Raises Unreachable when the file is locked for too long or the disk is full."""
        if self._conn is None:
            self._conn = self._engine.connect()
        try:
            with self._conn.begin():
                result = work(self._conn)
        except OperationalError as error:
            if _code(error) in _UNAVAILABLE_CODES:
                raise Unreachable(f"the database cannot be used now: {error.orig}") from error
            raise
        if self._copier is not None:
            driven: Any = self._conn.connection.driver_connection
            self._copier.wrote(driven.total_changes)
        return result

    def close(self) -> None:
        """Close the connection."""
        if self._copier is not None:
            self._copier.close()
        if self._conn is not None:
            self._conn.close()
        self._engine.dispose()


def writing_runner(settings: Settings) -> TransactionRunner:
    """The runner of the only writer."""
    begin, pragmas = "BEGIN IMMEDIATE", ["synchronous=FULL", "foreign_keys=ON"]
    if version() < SAFE_VERSION:
        return TransactionRunner(_engine(settings, begin, *pragmas))
    pragmas.append(f"wal_autocheckpoint={settings.wal_max_size // PAGE}")
    copier = LogCopier(_engine(settings, "BEGIN", "synchronous=FULL"), settings.wal_copy_rows)
    return TransactionRunner(_engine(settings, begin, *pragmas), copier)


def reading_runner(settings: Settings) -> TransactionRunner:
    """A read-only runner. Its transactions see one snapshot."""
    return TransactionRunner(_engine(settings, "BEGIN", "query_only=ON"))


def _code(error: OperationalError) -> int | None:
    """The primary result code of SQLite, without the extended part."""
    found: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return None if found is None else found & 0xFF


def _milliseconds(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)


FILE_MODE: Final = 0o600
"""Of a database file: it holds secrets of webhooks and what customers wrote, for the service's own user only."""


def create_private(url: str) -> None:
    """Create the file if it does not exist yet, readable by its owner only. SQLite gives its mode to WAL and SHM.

    An existing file is not opened: closing any descriptor of a file drops all POSIX locks that the process has on it,
    those of open connections too, and then another program removes the write-ahead log in use.
    """
    if (path := path_of(url)) and not Path(path).exists():
        with suppress(FileExistsError):  # another process was first
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, FILE_MODE))


def path_of(url: str) -> str | None:
    """The path of the database file; none for a database in memory, or a URI of SQLite."""
    made = make_url(url)
    path = made.database if made.get_backend_name() == "sqlite" else None
    return path if path and path != ":memory:" and not path.startswith("file:") else None


def readable_by_others(url: str) -> list[str]:
    """The files of the database that others than the owner may read or write."""
    path = path_of(url)
    files = [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm")] if path else []
    return [str(each) for each in files if each.exists() and each.stat().st_mode & 0o077]


def _bind_without_search(module: ModuleType) -> None:
    """Give the driver adapters of NULL and bytes, which return the value itself.

    Without one it looks for two protocol methods on each such value, in vain, and writes the text of both errors: 6 % of
    the instructions of an event.
    """
    module.register_adapter(NoneType, {None: None}.__getitem__)
    module.register_adapter(bytes, bytes)


def _engine(settings: Settings, begin: str, *more: str) -> Engine:
    pragmas = (f"busy_timeout={_milliseconds(settings.busy_timeout)}", "journal_mode=WAL", *more)
    create_private(settings.database_url)
    module = driver()
    _bind_without_search(module)
    engine = create_engine(
        settings.database_url,
        module=module,
        pool_size=1,
        max_overflow=0,
        # Each connection is used by one thread at a time, not by the one that opened it.
        connect_args={"check_same_thread": False, "cached_statements": 512},
    )

    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", start)
    return engine
