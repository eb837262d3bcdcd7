"""What every test may count on: databases of both kinds, a Valkey, a Chromium, steady Hypothesis settings."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from app.log import log_as_json
from app.settings import Settings
from app.store.engine.database import Database
from tests.browser.chromium import chromium_path
from tests.servers import postgres, valkey
from tests.servers.databases import (
    KINDS,
    UNHURRIED,
    Databases,
    PostgresDatabases,
    SqliteDatabases,
    quick_folder,
    with_tables,
)
from tests.servers.postgres import Postgres
from tests.servers.valkey import Valkey
from tests.service import Service, WallClock, with_desks_in_force

ROOT = Path(__file__).resolve().parent.parent
MARKED = ("browser", "clients")
"""Folders whose tests need more than Python. Their tests carry the folder's name as a marker."""
FIRST = {"chaos": 0, "kill": 1, "clients": 2, "hostile": 3, "worker": 4, "servers": 5, "cli": 6}
"""Folders whose tests start whole processes, the slowest first."""
LAST = {"browser": 1, "golden": 2, "sla": 3, "patterns": 4, "stories": 5, "calendars": 6}
"""The browser's folder, and those whose tests run no event loop: they can follow it."""

# The same examples in every run, and nothing that a slow machine makes fail: neither a deadline for an example nor a
# complaint that examples take long to make. `--hypothesis-profile explore` looks for new ones.
settings.register_profile(
    "explore", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "house", parent=settings.get_profile("explore"), max_examples=40, derandomize=True, database=None
)
settings.load_profile("house")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark the tests that need more than Python. Tests that start whole processes come first, those without a loop last.

    First: a long file that is handed out last would run alone on one processor. Last: the browser's driver keeps an
    event loop running in the main thread until the session ends, and no test that runs a loop of its own can follow it.
    Tests that run none do: while the browser is waited for, they use the processor.
    """
    for item in items:
        if (folder := _folder(item)) in MARKED:
            item.add_marker(folder)
    yield  # here pytest selects by marker, and puts those together that share a kind of database
    items.sort(key=_place)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT / "tests").parts[0]


def _place(item: pytest.Item) -> int:
    folder = _folder(item)
    return len(FIRST) + LAST[folder] if folder in LAST else FIRST.get(folder, len(FIRST))


@pytest.fixture(scope="session", autouse=True)
def _as_in_production() -> None:
    """Log as a service does: structlog's own way draws a picture of every error, which takes seconds."""
    log_as_json("ERROR")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium that drives the pages."""
    return chromium_path()


@pytest.fixture(scope="session")
def sqlite_databases() -> Iterator[SqliteDatabases]:
    """Database files for the whole session."""
    with TemporaryDirectory(prefix="databases-", dir=quick_folder()) as folder:
        yield SqliteDatabases(Path(folder))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The session's PostgreSQL. Tests that kill one start their own."""
    with postgres.start() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_databases(postgres_server: Postgres) -> Iterator[PostgresDatabases]:
    """Databases on the session's PostgreSQL."""
    databases = PostgresDatabases(postgres_server)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """The session's Valkey. Tests that kill one start their own."""
    with valkey.start() as server:
        yield server


@pytest.fixture
def redis_url(valkey_server: Valkey) -> str:
    """The address of a Valkey with nothing in it."""
    valkey_server.flush()
    return valkey_server.url()


@pytest.fixture(scope="session", params=KINDS)
def databases(request: pytest.FixtureRequest) -> Databases:
    """Where tests get their databases. What needs one runs on both kinds, above the database on SQLite alone.

    The rule, and how a test departs from it, stands in tests/servers/databases.py.
    """
    return request.getfixturevalue(f"{request.param}_databases")


@pytest.fixture
def database_settings(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of a database of the test's own: its tables with nothing in them, or with the desks of `service`."""
    prepare = with_desks_in_force if "service" in request.fixturenames else with_tables
    with databases.copy_of(prepare) as url:
        yield Settings(database_url=url, **UNHURRIED)


@pytest.fixture
def wall_clock() -> WallClock:
    """A clock on the wall that the test sets."""
    return WallClock()


@pytest.fixture
def database(database_settings: Settings, wall_clock: WallClock) -> Iterator[Database]:
    """A database of the test's own, on the test's clock."""
    with Database(database_settings, wall_clock) as made:
        yield made


@pytest.fixture
def service(database_settings: Settings, database: Database, wall_clock: WallClock) -> Service:
    """Everything below the web, with the shipped desks in force."""
    return Service(database_settings, database, wall_clock)
