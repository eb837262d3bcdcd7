"""Sign-in: without guest access a page asks for a key, and no script can read the session."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from app.web.http.access import COOKIE
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.site import Site, fill, site_in


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("locked")) as made:
        fill(made)
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        opened = context.new_page()
        opened.set_default_timeout(TIMEOUT_MS)
        yield opened


def test_a_page_asks_for_a_key_and_refuses_a_wrong_one(page: Page, locked: Site) -> None:
    page.goto(locked.url)
    form = page.locator("#sign-in-form")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    expect(form.get_by_label("API key")).to_be_visible()
    expect(page.locator("#list")).to_have_count(0)
    form.get_by_label("API key").fill("slt_wrong")
    form.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("A valid key is needed")
    form.get_by_label("API key").fill(locked.key)
    form.get_by_role("button").click()
    expect(page.locator(".row").first).to_be_visible()
    expect(form).to_be_hidden()
    assert COOKIE not in page.evaluate("document.cookie")
    page.goto(f"{locked.url}/tickets/haisoft/4711")
    expect(page.locator("article.clock")).to_have_count(1)


def test_a_key_in_the_addresss_fragment_is_gone_from_it_and_signs_in_only_when_the_visitor_agrees(
    page: Page, locked: Site
) -> None:
    page.goto(f"{locked.url}/?desk=haisoft#key={locked.key}")
    expect(page.locator("#sign-in-link")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/\?desk=haisoft$"))
    assert page.context.cookies() == []
    page.locator("#sign-in-form").get_by_role("button", name="Sign in").click()
    expect(page.locator(".row").first).to_be_visible()


def test_a_person_signs_in_by_link_then_with_the_keyboard_comes_back_to_the_bookmark_and_takes_a_breach_on(
    page: Page, locked: Site
) -> None:
    headers = {"Authorization": f"Bearer {locked.admin}"}
    body = {"name": "ann", "roles": {"*": ["admin"]}}
    made = locked.client.post(f"{locked.url}/v1/people", json=body, headers=headers).json()
    page.goto(made["link"])
    expect(page).to_have_url(re.compile(r"/sign-in/link$"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("status").filter(has_text="Set a password now")).to_be_visible()
    page.get_by_label("New password", exact=True).fill("correct horse battery staple")
    page.get_by_label("New password again").fill("correct horse battery staple")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("The password is set.")).to_be_visible()
    for path in ("/settings", "/settings/people", "/settings/keys", "/settings/audit"):
        page.goto(locked.url + path)
        assert accessibility_faults(page) == [], path
    page.get_by_text("ann", exact=True).first.click()
    page.locator("header").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    page.goto(f"{locked.url}/?desk=haisoft&show=overdue")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    assert accessibility_faults(page) == []
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery staple")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{locked.url}/?desk=haisoft&show=overdue")
    row = page.locator(".row").first
    expect(row).to_be_visible()
    page.wait_for_load_state()  # a form's answer is shown before its scripts have run, and until then keys do nothing
    for key in ("j", "t"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_be_visible()
    expect(page.locator("dialog[open] [name=note]")).to_have_value("")
    page.keyboard.type("I look into it")
    page.keyboard.press("Enter")
    expect(row).to_contain_text("taken on by")


def accessibility_faults(page: Page) -> list[str]:
    return [each["id"] for each in Axe().run(page).response["violations"]]
