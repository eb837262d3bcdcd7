"""Tables and code of neighbouring releases work together: a release is rolled out one process after the other.

`releases/VERSION.jsonl` holds every statement with which that release wrote a small story: a desk applied, two tickets
pushed, both late, one answered in time after all, one closed. Recorded from the release itself, one statement a line.
"""

from pathlib import Path
from typing import Final

import orjson
import pytest
from alembic import command
from sqlalchemy import text

from app.flow.process.invariants import Verdict, run_checks
from app.settings import Settings
from app.store.engine import dialect, migrate
from app.store.engine.database import EVERY_DESK, Connection, Database
from tests.service import Service, WallClock, created, event

STATEMENTS: Final = Path(__file__).parent / "releases" / "0.1.0.jsonl"
LAST_OF_0_1_0: Final = "20261122"
"""The last migration of that release, which knew SQLite only."""


def write_as_before(conn: Connection) -> None:
    """What release 0.1.0 wrote, with the columns that it knew."""
    for line in STATEMENTS.read_bytes().splitlines():
        conn.exec_driver_sql(orjson.loads(line))


def tables_of_before(conn: Connection) -> None:
    """The tables as that release made them."""
    made = migrate.config()
    made.attributes["connection"] = conn
    command.upgrade(made, LAST_OF_0_1_0)


def run(settings: Settings, *runtime: object) -> None:
    runner = dialect.writing_runner(settings)
    for work in runtime:
        runner.run(work, EVERY_DESK)  # type: ignore[arg-type]
    runner.close()


@pytest.fixture
def new_file(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'slatimer.db'}")


def goes_on(settings: Settings) -> bool:
    """The new code understands what is there, and goes on with it."""
    clock = WallClock()
    clock.set("2026-03-02T16:30:00+01:00")
    with Database(settings, clock) as database:
        service = Service(settings, database, clock)
        service.sweeper.sweep_now()  # an update may have marked tickets to be evaluated again
        checks = database.read_now(lambda conn: list(run_checks(conn, service.catalogue, database.now())))
        assert [check for check in checks if check.verdict is Verdict.FAULT] == []
        assert service.clock_of("haisoft", "1", "ticket-response")["met"] is True
        assert service.recorded().count("clock.breached") == 2
        assert service.recorded().count("clock.breach_retracted") == 1
        again = service.push(
            created("1", "2026-03-02T08:30:00+01:00"),
            event("w", "event.withdrawn", "1", "2026-03-02T16:00:00+01:00", id="r", author="me", reason="no"),
            created("3", "2026-03-02T16:20:00+01:00"),
        )
        assert (again.accepted, again.repeated, again.refused) == (2, 1, [])
        assert service.clock_of("haisoft", "1", "ticket-response")["met"] is False
        return service.recorded().count("clock.breached") == 3


def test_the_release_before_writes_to_the_tables_of_this_one(new_file: Settings) -> None:
    run(new_file, migrate.upgrade, write_as_before)
    assert goes_on(new_file)


def test_what_the_release_before_wrote_is_taken_over(new_file: Settings) -> None:
    run(new_file, tables_of_before, write_as_before)
    assert goes_on(new_file)


def test_tables_of_a_later_release_are_taken_as_they_are(new_file: Settings) -> None:
    def later(conn: Connection) -> None:
        conn.execute(text("UPDATE alembic_version SET version_num = '29991231_later'"))
        conn.execute(text("ALTER TABLE ticket ADD COLUMN mood text"))

    run(new_file, migrate.upgrade, write_as_before, later)
    assert goes_on(new_file)


def test_every_column_that_was_added_may_be_left_out(new_file: Settings) -> None:
    """Expand, then contract: what a release adds, the one before it does not write."""
    run(new_file, tables_of_before)
    with Database(new_file) as database:

        def columns(conn: Connection) -> list[tuple[str, str]]:
            tables = ("event", "ticket", "clock", "signal", "stint", "api_key", "parked", "desk_version")
            return [
                (table, row[1])
                for table in tables
                for row in conn.exec_driver_sql(f"PRAGMA table_info({table})").all()
                if row[3] and row[4] is None and not row[5] and (table, row[1]) not in known
            ]

        known = {(table, column) for table, column in _written_before()}
        assert database.read_now(columns) == []


def _written_before() -> set[tuple[str, str]]:
    """Every column that release 0.1.0 wrote, by the statements that it inserted with."""
    found: set[tuple[str, str]] = set()
    for line in STATEMENTS.read_bytes().splitlines():
        statement: str = orjson.loads(line)
        if statement.startswith("INSERT INTO "):
            table, _, rest = statement.removeprefix("INSERT INTO ").partition(" (")
            found |= {(table, name.strip().strip('"')) for name in rest.partition(")")[0].split(",")}
    # Two tables that the story does not touch, as that release's own migration declares them.
    return found | {
        *(("api_key", name) for name in ("hash", "desk", "scopes", "created_at")),
        *(("parked", name) for name in ("error", "first_at", "last_at", "times", "retry_at")),
    }
