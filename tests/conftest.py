"""What every test may count on: the root, a Chromium for the browser tests, steady Hypothesis settings."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

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
    """Everything under tests/browser carries the marker `browser`, and nothing else needs to."""
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)


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
