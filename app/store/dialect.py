"""What differs from one database to the other? The only module that knows SQLite.

SQLite is opened with a write-ahead log and `synchronous=FULL`, so that an answered push survives a loss of power, and
with transactions that take the write lock at once, so that none fails half-way because another came first. Where the
newer SQLite of the package `pysqlite3` is installed it is used: versions before 3.51.3 can corrupt a write-ahead log
when two connections write. PostgreSQL gets its own branch here and nowhere else.
"""

import importlib
import sqlite3
from datetime import timedelta
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

SAFE_SQLITE = (3, 51, 3)
"""First version without the corruption of the write-ahead log under several writers."""


class UnusableDatabase(ValueError):
    """The database URL cannot be used. Name a file, as in sqlite:////var/lib/slatimer/slatimer.db."""


def driver() -> ModuleType:
    """The SQLite driver: the newer one where it is installed, else the one of Python."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite in use."""
    return tuple(map(int, str(driver().sqlite_version).split(".")))


def check(url: str) -> None:
    """Raise UnusableDatabase for a URL that this service cannot keep its facts in."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise UnusableDatabase(
            f"{parsed.get_backend_name()} is not supported. Use a file: sqlite:///slatimer.db"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise UnusableDatabase("A database in memory has one connection. Name a file: sqlite:///slatimer.db")


def writing_engine(url: str, busy_timeout: timedelta) -> Engine:
    """An engine for the one connection that writes."""
    return _engine(url, "BEGIN IMMEDIATE", _pragmas(busy_timeout, "synchronous=FULL", "foreign_keys=ON"), 1)


def reading_engine(url: str, busy_timeout: timedelta, connections: int) -> Engine:
    """An engine whose connections cannot write and see one state of the database from begin to end."""
    return _engine(url, "BEGIN", _pragmas(busy_timeout, "query_only=ON"), connections)


def _pragmas(busy_timeout: timedelta, *more: str) -> tuple[str, ...]:
    milliseconds = int(busy_timeout.total_seconds() * 1000)
    return (f"busy_timeout={milliseconds}", "journal_mode=WAL", *more)


def _engine(url: str, begin: str, pragmas: tuple[str, ...], connections: int) -> Engine:
    check(url)
    engine = create_engine(
        url,
        module=driver(),
        pool_size=connections,
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
