"""Reads from a replica, a streaming standby of the primary, that miss nothing committed before they began.

Before a read the primary is asked for the position of its write-ahead log. The read waits until the replica has replayed
that much, for `replica_wait_timeout` at most; otherwise it goes to the primary, as when the replica is unreachable, has
been promoted, or cancels a query in conflict with its replay. So no answer is of an instant that the replica has not
reached, and none is older than one of the primary's. Other reads then leave the replica alone for
`replica_retry_interval`. Lags are in micros.
"""

from dataclasses import dataclass
from time import monotonic, sleep
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection, text

from app.principal import EVERY_DESK
from app.settings import Settings
from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.dialect import FailureKind, TransactionRunner
from app.store.engine.readers import ReaderPool, Reading

_log = structlog.stdlib.get_logger()

T = TypeVar("T")

_POLL_INTERVAL: Final = 0.005
"""Seconds between two looks at a replica that is behind: a usual lag is a few milliseconds."""

# What has been committed and answered is flushed. Later positions may be of transactions that are still running.
_COMMITTED: Final = text("SELECT CAST(pg_current_wal_flush_lsn() AS text)")
_PROGRESS: Final = text("""
    SELECT pg_is_in_recovery() AS follows,
        pg_last_wal_replay_lsn() >= CAST(CAST(:position AS text) AS pg_lsn) AS reached,
        CAST(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000000 AS bigint) AS behind
""")


class NotOnReplica(RuntimeError):
    """The replica cannot answer this read for now; the message has the reason. Read from the primary."""


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """Whether reads go to the replica, how far it is behind, and how many reads each server has answered."""

    in_use: bool
    lag: Micros | None
    """None if it is not known: the replica is unreachable, or has not replayed a transaction since its start."""
    on_replica: int
    on_primary: int


def committed_position(conn: Connection) -> str:
    """The position of the primary's log before which everything committed lies."""
    return conn.execute(_COMMITTED).scalar_one()


def wait_until_replayed(runner: TransactionRunner, position: str, seconds: float) -> None:
    """Wait until the server behind `runner` has replayed this position. Raises NotOnReplica if it has not by then."""
    deadline = monotonic() + seconds
    while (lag := _lag(runner, position)) != 0:
        if monotonic() >= deadline:
            raise NotOnReplica(f"it is behind, by {'?' if lag is None else lag / 1_000_000} s")
        sleep(_POLL_INTERVAL)


def _lag(runner: TransactionRunner, position: str) -> Micros | None:
    """How long ago the last transaction was committed that the replica has; 0 when it has all of them."""
    # In a transaction of its own: the snapshot of the read that follows is taken later, so it has all that was replayed.
    try:
        found = runner.run(lambda conn: conn.execute(_PROGRESS, {"position": position}).one(), EVERY_DESK)
    except (*dialect.FAILURES, dialect.UnusableDatabase) as error:
        raise NotOnReplica(str(error)) from error
    if not found.follows:
        raise NotOnReplica("it follows no primary")
    return 0 if found.reached else found.behind


def runner_on_replica(settings: Settings, primary: TransactionRunner) -> TransactionRunner | None:
    """A runner on the replica if it has everything that is committed by now; None otherwise, or without a replica."""
    if settings.replica_url is None:
        return None
    position = primary.run(committed_position, EVERY_DESK)
    runner = dialect.replica_runner(settings, settings.replica_url)
    try:
        wait_until_replayed(runner, position, settings.replica_wait_timeout.total_seconds())
    except NotOnReplica as error:
        runner.close()
        _log.warning("replica not used", reason=str(error))
        return None
    return runner


class Replica:
    """The replica of one process. To be used in the event loop."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._wait = settings.replica_wait_timeout.total_seconds()
        self._retry_interval = settings.replica_retry_interval.total_seconds()
        self._pool = ReaderPool(
            "replica", settings.database_read_pool_size, lambda: dialect.replica_runner(settings, url)
        )
        self._paused_until = 0.0
        self._on_replica = self._on_primary = 0

    def skip(self) -> bool:
        """Whether to read from the primary without asking the replica. The read is counted."""
        paused = monotonic() < self._paused_until
        self._on_primary += paused
        return paused

    async def read(self, position: str, desks: str, reading: Reading[T]) -> T:
        """Read from the replica once it has replayed this position. Raises NotOnReplica."""

        def caught_up(runner: TransactionRunner) -> T:
            wait_until_replayed(runner, position, self._wait)
            return reading(runner)

        try:
            found = await self._pool.read_in_turn(desks, caught_up)
        except NotOnReplica as error:
            self._on_primary += 1
            self._pause(error)
            raise
        except dialect.FAILURES as error:
            # Unreachable since, or cancelled since it was in conflict with the replay: the primary may answer.
            if dialect.failure_kind(error) is FailureKind.PERMANENT:
                raise
            self._on_primary += 1
            raise NotOnReplica(str(error)) from error
        self._on_replica += 1
        return found

    async def state(self, position: str) -> ReplicaState:
        """The state at this position of the primary's log. It never raises: an unreachable replica has no lag."""
        lag = None
        if monotonic() >= self._paused_until:
            try:
                lag = await self._pool.read(lambda runner: _lag(runner, position))
            except NotOnReplica as error:
                self._pause(error)
        in_use = monotonic() >= self._paused_until
        return ReplicaState(in_use, lag, self._on_replica, self._on_primary)

    def close(self) -> None:
        """Finish the running reads and close the connections."""
        self._pool.close()

    def _pause(self, error: Exception) -> None:
        if monotonic() >= self._paused_until:
            _log.warning("replica not used", reason=str(error), seconds=self._retry_interval)
        self._paused_until = monotonic() + self._retry_interval
