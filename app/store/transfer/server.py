"""A PostgreSQL server as a move of a desk administers it: one connection of a role that may replicate.

Statements run as they are written, outside of the service's transactions: CREATE SUBSCRIPTION allows none around it.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from app.store.engine.address import HOSTS, address_of, connect
from app.store.engine.dialect import without_password

FAILURES: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Exceptions of a statement that failed, and of a connection."""
LOCK_TIMEOUT: Final = timedelta(seconds=1)
"""How long a change of a table waits for its lock. Writers wait behind it, so it gives up and tries again."""
_LOCK_ATTEMPTS: Final = 60
_LOCK_PAUSE: Final = 0.2
_LIBPQ_NAMES: Final = {"database": "dbname", "ssl": "sslmode"}


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def named(text: str) -> str:
    """A text as a name in SQL."""
    return '"' + text.replace('"', '""') + '"'


def conninfo(url: str) -> str:
    """A URL of the service as libpq reads it, for a subscription. Row-level security must never filter what it copies:
    with `row_security=off` it fails instead."""
    address = address_of(url)
    values: dict[str, Any] = {
        HOSTS: ",".join(host for host, _ in address.hosts),
        "port": ",".join(str(port) for _, port in address.hosts),
        "options": "-crow_security=off",
    }
    values |= {_LIBPQ_NAMES.get(name, name): value for name, value in address.arguments.items() if value}
    return " ".join(f"{name}={_escaped(str(value))}" for name, value in values.items())


def _escaped(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


@dataclass(slots=True)
class Server:
    """One of the two servers of a move. `role` is "source" or "target", for messages."""

    role: str
    url: str
    connection: Any

    @classmethod
    @asynccontextmanager
    async def open(cls, role: str, url: str, connect_timeout: timedelta) -> AsyncGenerator[Self]:
        """Connect. Raises Unreachable, UnusableDatabase and the driver's exceptions."""
        settings = {"application_name": "slatimer desk move", "timezone": "UTC", "row_security": "off"}
        connection = await connect(address_of(url), connect_timeout, server_settings=settings)
        try:
            yield cls(role, url, connection)
        finally:
            connection.terminate()

    def __str__(self) -> str:
        return f"the {self.role} ({without_password(self.url)})"

    async def rows(self, statement: str, *given: object) -> list[Mapping[str, Any]]:
        """The rows of a query."""
        return [dict(row) for row in await self.connection.fetch(statement, *given)]

    async def value(self, statement: str, *given: object) -> Any:
        """The first value of a query."""
        return await self.connection.fetchval(statement, *given)

    async def run(self, statement: str, *given: object) -> None:
        """Run a statement; without values also several."""
        await self.connection.execute(statement, *given)

    async def together(self, *statements: str) -> None:
        """Run statements in one transaction that waits for each lock only `LOCK_TIMEOUT`, and is then tried again.

        Raises LockNotAvailableError when a lock is still held after a minute.
        """
        for left in reversed(range(_LOCK_ATTEMPTS)):
            try:
                async with self.connection.transaction():
                    await self.run(f"SET LOCAL lock_timeout = {int(LOCK_TIMEOUT.total_seconds() * 1000)}")
                    for statement in statements:
                        await self.run(statement)
                return
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                if not left:
                    raise
                await asyncio.sleep(_LOCK_PAUSE)

    async def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows of the other server. Those that are there already stay as they are."""
        if not rows:
            return
        names = list(rows[0])
        values = ", ".join(f"${place}" for place in range(1, len(names) + 1))
        columns = ", ".join(map(named, names))
        statement = f"INSERT INTO {named(table)} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608 - names of the catalogue
        await self.connection.executemany(statement, [tuple(row[name] for name in names) for row in rows])
