"""What a process imports: heavy packages only where they are used."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.lean import without_collections
from tests.servers.databases import SqliteDatabases, with_tables

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("numpy", "icalendar", "holidays")
FOR_SOME = (
    *("alembic", "arq", "asyncpg", "cryptography", "redis", "segno", "sqlalchemy.ext.asyncio", "xlsxwriter"),
    *("argon2", "defusedxml", "httpcore2", "httpx2", "jinja2", "re2", "smtplib", "tomlkit"),
    *("greenlet", "rich", "watchfiles"),
)
"""Of migrations, Redis, PostgreSQL, encrypted secrets, second factors and workbooks; of passwords, event logs in XES,
deliveries, heartbeats, pages, patterns, mails and editors; of asyncpg, of consoles, of a server that reloads itself."""


def imported_by(program: str) -> set[str]:
    """Which of the heavy packages a program has imported at its end."""
    return _modules_of(program) & {*HEAVY, *FOR_SOME}


def _modules_of(program: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    return set(ended.stdout.split())


@pytest.mark.parametrize("module", ["app.main", "app.worker", "app.cli.serve", "app.cli.deadline"])
def test_a_process_starts_without_heavy_packages(module: str) -> None:
    assert imported_by(f"import {module}") & set(HEAVY) == set()


def test_a_web_process_on_a_migrated_file_imports_nothing_that_it_does_not_use(
    sqlite_databases: SqliteDatabases,
) -> None:
    with sqlite_databases.copy_of(with_tables) as url:
        assert imported_by(started_on(url)) == set()


def started_on(url: str) -> str:
    """A program that starts the web process and ends it."""
    return (
        "import asyncio\nfrom app.cli.lean import service_imports\n"
        "with service_imports():\n    from app.main import create_app\n    from app.settings import Settings\n"
        f"app = create_app(Settings(database_url={url!r}))\n"
        "async def start_and_stop():\n    async with app.router.lifespan_context(app): pass\n"
        "asyncio.run(start_and_stop())"
    )


def test_single_deadlines_do_without_numpy() -> None:
    program = (
        "from datetime import datetime, timedelta, UTC\nfrom app.sla.calendar import Calendar\n"
        "c = Calendar.parse({'time_zone': 'UTC', 'hours': {'mon-fri': ['09:00-17:00']}})\n"
        "c.after(timedelta(hours=2), since=datetime(2026, 3, 2, tzinfo=UTC))"
    )
    assert imported_by(program) == set()


def test_the_log_of_a_service_does_without_what_draws_on_consoles() -> None:
    program = "from app.cli.lean import leave_out_consoles\nleave_out_consoles()\nimport structlog"
    assert _modules_of(program) & {"rich", "pygments", "greenlet"} == set()
    assert {"rich", "greenlet"} <= _modules_of(f"{program}\nimport rich, greenlet")


def test_no_garbage_is_collected_during_imports_and_again_after_them() -> None:
    with without_collections():
        assert not gc.isenabled()
    assert gc.isenabled()
