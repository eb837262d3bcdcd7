"""How are connections to a SQLite file made?

With a write-ahead log and `synchronous=FULL`, so that an answered push survives a loss of power, and with transactions
that take the write lock at once, so that none fails half-way because another came first. Where the newer SQLite of the
package `pysqlite3` is installed it is used: versions before 3.51.3 can corrupt a write-ahead log when two connections
write.
"""

import importlib
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from app.settings import Settings
from app.store.engine.unreachable import Unreachable

T = TypeVar("T")

SAFE_VERSION = (3, 51, 3)
"""First version without the corruption of the write-ahead log under several writers."""


def driver() -> ModuleType:
    """The driver: the newer one where it is installed, else the one of Python."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3


def version() -> tuple[int, ...]:
    """The version of the SQLite in use."""
    return tuple(map(int, str(driver().sqlite_version).split(".")))


# Busy, locked, out of memory, read-only, a failing disk, a full one, a file that cannot be opened: nothing that another
# statement would do better at.
_NOT_NOW = frozenset({5, 6, 7, 8, 10, 13, 14})


class TransactionRunner:
    """One connection to a file. A desk's transactions are not held apart here: a file has no row-level security."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._conn: Connection | None = None

    def run(self, work: Callable[[Connection], T], desk: str) -> T:  # noqa: ARG002 - see the class
        """Run `work` in a transaction. Raises Unreachable when the file is busy for too long, or its disk is full."""
        if self._conn is None:
            self._conn = self._engine.connect()
        try:
            with self._conn.begin():
                return work(self._conn)
        except OperationalError as error:
            if _code(error) in _NOT_NOW:
                raise Unreachable(f"the database cannot be used now: {error.orig}") from error
            raise

    def close(self) -> None:
        """Let go of the file."""
        if self._conn is not None:
            self._conn.close()
        self._engine.dispose()


def writing_runner(settings: Settings) -> TransactionRunner:
    """The seat of the one writer."""
    return TransactionRunner(_engine(settings, "BEGIN IMMEDIATE", "synchronous=FULL", "foreign_keys=ON"))


def reading_runner(settings: Settings) -> TransactionRunner:
    """A seat that cannot write and sees one state of the file from begin to end."""
    return TransactionRunner(_engine(settings, "BEGIN", "query_only=ON"))


def _code(error: OperationalError) -> int | None:
    """SQLite's own number for what went wrong, without its finer distinctions."""
    found: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return None if found is None else found & 0xFF


def _milliseconds(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)


def _engine(settings: Settings, begin: str, *more: str) -> Engine:
    pragmas = (f"busy_timeout={_milliseconds(settings.busy_timeout)}", "journal_mode=WAL", *more)
    engine = create_engine(
        settings.database_url,
        module=driver(),
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
