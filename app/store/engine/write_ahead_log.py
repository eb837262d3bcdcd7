"""Checkpoints of SQLite beside the writer: copies the write-ahead log into the database file.

SQLite does so within whichever commit fills a thousand pages of the log: each such commit takes twice as long as the
others, and a push that waits for it takes as long. Here a thread with a connection of its own does, as soon as enough
rows have changed. The log is reset at a commit that finds all of it copied. Beside a busy writer none does, so at
a larger size SQLite still copies the rest within a commit: little is left by then.
"""

from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy import Engine, PoolProxiedConnection

_log = structlog.stdlib.get_logger()


class LogCopier:
    """Copies the log after every so many changed rows. `wrote` and `close` are for the thread that writes."""

    def __init__(self, engine: Engine, rows: int) -> None:
        self._engine, self._rows = engine, rows
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._connection: PoolProxiedConnection | None = None
        self._copied = 0
        self._runs = False

    def wrote(self, changes: int) -> None:
        """The writer's connection has changed so many rows since it was opened, and committed them."""
        if changes - self._copied >= self._rows and not self._runs:
            self._copied, self._runs = changes, True
            self._thread.submit(self._copy)

    def _copy(self) -> None:
        try:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            # Passive: it waits for no reader and no writer, and neither waits for it.
            self._connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").close()
        except Exception:  # noqa: BLE001 - logged; the log only grows until the next time, or until a commit copies it
            _log.exception("write-ahead log not copied")
        finally:
            self._runs = False

    def close(self) -> None:
        """Finish and close the connection."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()
