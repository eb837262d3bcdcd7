"""A database file is readable by its owner only: it holds secrets, and what customers wrote."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.flow.process.invariants import Verdict, run_checks
from app.settings import Settings
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Database
from app.store.engine.sqlite import readable_by_others


@pytest.fixture
def generous_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous_umask")
def test_the_files_of_a_new_database_are_its_owners_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with Database(Settings(database_url=url)) as database:
        database.read_now(lambda conn: conn.exec_driver_sql("SELECT 1").scalar())
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
    assert readable_by_others(url) == []


def test_a_file_that_others_may_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    path.touch()
    path.chmod(0o644)
    assert readable_by_others(f"sqlite:///{path}") == [str(path)]
    assert readable_by_others("postgresql+asyncpg://somebody@127.0.0.1/slatimer") == []


def test_the_doctor_warns_of_files_that_others_may_read(tmp_path: Path) -> None:
    path = tmp_path / "wide open.db"
    settings = Settings(database_url=f"sqlite:///{path}")
    catalogue = Catalogue(settings.holiday_years_ahead)
    found: list[tuple[Verdict, str]] = []
    with Database(settings) as database:
        for mode in (0o600, 0o644):
            path.chmod(mode)
            checks = database.read_now(lambda conn: list(run_checks(conn, catalogue, database.now())))
            found += [(each.verdict, each.detail) for each in checks if "owner may read" in each.name]
    assert found == [(Verdict.OK, ""), (Verdict.WARNING, f"others may; run: chmod 600 '{path}'")]
