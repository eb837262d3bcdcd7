"""A database that is only read: one connection, in the thread that uses it. It migrates nothing and cannot write.

The connection is to the replica, if there is one that has everything committed when it is opened.
"""

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from app.principal import Desks
from app.settings import Settings
from app.store.engine import dialect
from app.store.engine.database import Connection
from app.store.engine.desks import setting_of
from app.store.engine.replica import runner_on_replica

T = TypeVar("T")


class ReadOnlyDatabase:
    """Reads the rows of some desks. For a process that must not write, whatever it runs."""

    failures = dialect.FAILURES
    """Exceptions of a read that failed because of the database."""

    def __init__(self, settings: Settings, desks: Desks) -> None:
        dialect.check_settings(settings)
        primary = dialect.reading_runner(settings)
        replica = runner_on_replica(settings, primary)
        if replica is not None:
            primary.close()
        self._runner = replica or primary
        self._desks = setting_of(desks)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a read-only transaction on one snapshot."""
        return self._runner.run(work, self._desks)

    def __enter__(self) -> "ReadOnlyDatabase":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.close()
