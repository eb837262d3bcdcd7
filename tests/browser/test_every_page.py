"""Every page of the demo is looked at once, in a language, a theme and a width that change from page to page.

`make looks` takes them all. Pages also print: a statement and a report as PDF.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, StorageState

from app.web.pages.routes import LIVE, OTHERS
from tests.browser.site import Site
from tests.looks.demo import ELSEWHERE, PAGES, PARTS, SIGN_IN, demo_in, every_page, signed_in
from tests.looks.looked import Look, faults_of, looking

LOOKS = (
    Look("en", "light", 320),
    Look("fr", "dark", 400),
    Look("nl", "contrast", 1280),
    Look("it", "light", 400),
    Look("vi", "dark", 320),
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with demo_in(tmp_path_factory.mktemp("demo")) as site:
        yield site


@pytest.fixture(scope="module")
def state(browser: Browser, demo: Site) -> StorageState:
    with signed_in(browser, demo) as context:
        return context.storage_state()


def test_no_page_has_a_fault_in_the_look_that_is_its_turn(
    browser: Browser, demo: Site, state: StorageState
) -> None:
    with browser.new_context(storage_state=state) as context:
        every = every_page(context, demo)
    names = list(every)
    found: list[str] = []
    for turn, look in enumerate(LOOKS):
        mine = {name: every[name] for name in names[turn :: len(LOOKS)]}
        with looking(browser, look, state) as page:
            found += [
                f"{name} ({look}): {each}" for name, faults in faults_of(page, demo, mine) for each in faults
            ]
    with looking(browser, LOOKS[0], None) as page:
        found += [each for _, faults in faults_of(page, demo, {"sign-in": SIGN_IN}) for each in faults]
    assert found == []


def test_no_page_of_the_app_is_left_out(browser: Browser, demo: Site, state: StorageState) -> None:
    with browser.new_context(storage_state=state) as context:
        paths = [path.partition("?")[0] for path in (*every_page(context, demo).values(), SIGN_IN)]
    routes = [route for router in (LIVE, *OTHERS) for route in router.routes if isinstance(route, APIRoute)]
    unseen = {
        route.path
        for route in routes
        if "GET" in (route.methods or ()) and not any(map(route.path_regex.match, paths))
    }
    assert unseen == PARTS | ELSEWHERE


@pytest.mark.parametrize("name", ["statement", "reports"])
def test_a_page_prints_without_what_only_a_screen_needs(
    browser: Browser, demo: Site, state: StorageState, name: str, tmp_path: Path
) -> None:
    with looking(browser, Look("fr", "dark", 1280), state) as page:
        page.goto(demo.url + PAGES[name])
        page.emulate_media(media="print", color_scheme="dark")
        for hidden in page.locator("header nav, button, form").all():
            assert not hidden.is_visible()
        assert page.locator("h1").is_visible()
        white = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
        assert white == "light"
        printed = page.pdf(path=tmp_path / "printed.pdf", format="A4", print_background=True)
    assert printed.startswith(b"%PDF-")
    assert 1 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type/Page\n") <= 4
