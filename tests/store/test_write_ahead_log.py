"""The write-ahead log of SQLite is copied into the database file beside the writer."""

import shutil
import sqlite3
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, create_engine

from app.settings import Settings
from app.store.engine.database import Database
from app.store.engine.sqlite import PAGE, SAFE_VERSION, driver, path_of, version
from app.store.engine.write_ahead_log import LogCopier
from tests.servers.databases import sqlite_only
from tests.waiting import until


def rows_in_the_file_alone(database: Path, folder: Path) -> int:
    """Rows that are there without the log."""
    alone = folder / "alone.db"
    shutil.copyfile(database, alone)
    with closing(sqlite3.connect(f"file:{alone}?immutable=1", uri=True)) as conn:
        return int(conn.execute("SELECT count(*) FROM failed_sign_in").fetchone()[0])


def some(conn: Connection, first: int, many: int) -> None:
    statement = "INSERT INTO failed_sign_in (key, failures, last_at) VALUES (?, 1, 0)"
    conn.exec_driver_sql(statement, [(f"{n}",) for n in range(first, first + many)])


@sqlite_only
def test_after_so_many_changed_rows_the_file_has_them_without_its_log(
    database_settings: Settings, tmp_path: Path
) -> None:
    assert version() >= SAFE_VERSION
    path = path_of(database_settings.database_url)
    assert path is not None
    with Database(database_settings.model_copy(update={"wal_copy_rows": 100})) as database:
        database.write_now(lambda conn, now: some(conn, 0, 100))
        until(lambda: rows_in_the_file_alone(Path(path), tmp_path) == 100)


def test_after_a_copy_that_failed_the_next_is_tried(tmp_path: Path) -> None:
    module, path = driver(), tmp_path / "a.db"
    failed = threading.Event()

    def connected() -> object:
        if failed.is_set():
            return module.connect(path)
        failed.set()
        raise module.OperationalError("unable to open database file")

    copier = LogCopier(create_engine("sqlite:///", module=module, creator=connected), rows=1)
    changes = count(1)

    def copied() -> bool:
        copier.wrote(next(changes))
        return path.stat().st_size > PAGE

    with closing(module.connect(path)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("CREATE TABLE a (b)")
        until(copied)
        copier.close()
    assert failed.is_set()
