"""The page of breaches in a browser: a new breach stands in its place at once, and a person takes it on."""

from datetime import timedelta

from playwright.sync_api import expect

from tests.browser.conftest import Opened
from tests.browser.site import Site


def test_a_new_breach_stands_first_without_a_reload_and_is_taken_on(opened: Opened, site: Site) -> None:
    page = opened("/breaches?show=open&taken=no")
    expect(page.locator('#connection[data-state="live"]')).to_be_attached()
    detected = site.now() - timedelta(minutes=65)
    site.push(site.event("haisoft", "live-1", "anomaly.detected", detected, author="system"))
    first = page.locator("tr.breach").first
    expect(first).to_have_attribute("data-key", "haisoft/live-1")
    expect(page.locator("#announced")).to_contain_text("haisoft live-1")
    first.get_by_role("link", name="Take on live-1").click()
    page.get_by_label("Your name").fill("Eva")
    page.get_by_label("Note").fill("on it")
    page.get_by_role("dialog").get_by_role("button", name="Take on").click()
    expect(page.locator('tr.breach[data-key="haisoft/live-1"]')).to_have_count(0)
    page.goto(f"{site.url}/breaches?q=live-1&taken=yes")
    expect(page.locator("tr.breach")).to_contain_text("on it")
