"""What every test may count on: the root, a Chromium for the browser tests, steady Hypothesis settings."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from app.settings import Settings
from app.store.database import Database
from tests.service import Service, WallClock

ROOT = Path(__file__).resolve().parent.parent
BROWSER_TESTS = ROOT / "tests" / "browser"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# No deadline per example: a shared machine's hiccup is no defect. The rest is Hypothesis's own choice,
# which in CI is a fixed sequence of examples.
settings.register_profile(
    "house", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything under tests/browser carries the marker `browser`, and comes last.

    The browser's driver keeps an event loop running in the main thread until the session ends, and no test that runs a
    loop of its own can follow it.
    """
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.path.is_relative_to(BROWSER_TESTS))


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """The Chromium that drives the pages: CHROMIUM, or the first of the usual names on the PATH."""
    wanted = os.environ.get("CHROMIUM")
    found = wanted or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None or not Path(found).exists():
        pytest.fail("no Chromium found: apt install chromium, or name one with CHROMIUM=/path/to/chromium")
    return found


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables and nothing in it: copying it is quicker than making one for every test."""
    path = tmp_path_factory.mktemp("empty") / "slatimer.db"
    Database(Settings(database_url=f"sqlite:///{path}")).close()
    return path


@pytest.fixture
def database_settings(tmp_path: Path, empty_database: Path) -> Settings:
    """Settings of a database of the test's own."""
    path = tmp_path / "slatimer.db"
    shutil.copyfile(empty_database, path)
    return Settings(database_url=f"sqlite:///{path}")


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
    made = Service(database_settings, database, wall_clock)
    made.apply_shipped("haisoft", "phpnet", "webxtra")
    return made
