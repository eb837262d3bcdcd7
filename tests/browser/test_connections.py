"""Connecting a ticket system: from choosing it to its first webhook, and a secret that is shown once."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.site import Site


def signed_in(opened: Opened, site: Site, path: str) -> Page:
    """A page of an administrator."""
    return opened(path, bypass_csp=True, extra_http_headers={"Authorization": f"Bearer {site.admin}"})


def test_an_administrator_connects_a_ticket_system_and_sees_its_first_webhook(
    opened: Opened, site: Site
) -> None:
    page = signed_in(opened, site, "/connections?desk=haisoft")
    page.locator("select[name=system]").select_option("zammad")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zammad, haisoft")
    page.get_by_role("button", name="Make address and secret").click()
    expect(page.locator('[data-shown="url"]')).to_have_text(f"{site.url}/v1/hooks/haisoft/zammad")
    secret = page.locator('[data-shown="secret"]').inner_text()
    assert len(secret) > 20
    page.get_by_role("button", name="Test address and secret").click()
    expect(page.locator("#done")).to_contain_text("The test was accepted")
    expect(page.locator("#latest .connection-row").first).to_contain_text("nothing to record")
    page.reload()
    expect(page.get_by_role("button", name="New secret")).to_be_visible()
    assert secret not in page.content()
    page.goto(f"{site.url}/connections?desk=haisoft")
    expect(page.locator("#list")).to_contain_text("Last webhook")
    page.goto(f"{site.url}/deliveries?desk=haisoft")
    page.get_by_role("textbox", name="Address").fill("https://example.org/hook")
    page.get_by_label("Name", exact=True).fill("Pager")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.locator(".secret code")).to_contain_text("whsec_")
    expect(page.locator("#list h2")).to_have_text("Pager")
    for path in (
        "/connections",
        "/connections/system?desk=haisoft&system=zammad&lang=vi",
        "/deliveries?lang=fr",
    ):
        page.goto(site.url + path)
        for width, is_dark in ((1280, False), (320, True)):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme="dark" if is_dark else "light")
            found = Axe().run(page)
            assert found.violations_count == 0, (path, width, found.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
