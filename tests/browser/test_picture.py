"""Makes the screenshot of the first page in the README, from a day of tickets that no other test has changed."""

import os
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Opened

WRITE = "SCREENSHOT"


def test_a_screenshot_of_the_first_page_is_made(opened: Opened, root: Path, tmp_path: Path) -> None:
    """With SCREENSHOT=1 it is written to docs/board.png; without, a test run changes no file of the project."""
    page = opened("/")
    expect(page.locator('.row[data-ticket="4711"] .left')).to_have_text(re.compile(r"^1 h \d+ min$"))
    expect(page.locator("#connection")).to_have_text("live")
    picture = root / "docs" / "board.png" if os.environ.get(WRITE) else tmp_path / "board.png"
    page.screenshot(path=picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
