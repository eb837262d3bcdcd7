"""A service full of tickets, and Chromium. An error on the console or a request to another host fails the test."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.chromium import ARGS
from tests.browser.site import Site, fill, site_in
from tests.waiting import HANG

WIDE = {"width": 1280, "height": 800}
TIMEOUT_MS = HANG * 1000
expect.set_options(timeout=TIMEOUT_MS)

Opened = Callable[..., Page]
"""Opens a path of the site: `opened("/", color_scheme="dark")`."""


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=[*ARGS])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with guest access and a day of tickets, in which everything is woken and nothing polls."""
    hour = timedelta(hours=1)
    given: dict[str, Any] = {"sweep_poll_interval": hour, "stream_poll_interval": hour}
    with site_in(tmp_path_factory.mktemp("site"), guest_sign_in=True, **given) as made:
        fill(made)
        yield made


@pytest.fixture
def tolerated() -> list[str]:
    """Parts of console messages that a test expects."""
    return []


@pytest.fixture
def opened(browser: Browser, site: Site, tolerated: list[str]) -> Iterator[Opened]:
    contexts: list[Any] = []
    faults: list[str] = []

    def open_page(path: str, **given: Any) -> Page:
        wanted: dict[str, Any] = {"viewport": WIDE, **given}
        context = browser.new_context(**wanted)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        collect_faults(page, site.url, faults)
        page.goto(site.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [fault for fault in faults if not any(part in fault for part in tolerated)] == []


def collect_faults(page: Page, home: str, faults: list[str]) -> None:
    """Collect errors on the console and requests to other hosts."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(message.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith((f"{home}/", "data:")):
            faults.append(f"requested {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", on_request)
