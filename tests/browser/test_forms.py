"""What is written by forms, in a browser without scripts and with them: accessible, and no wider than a phone."""

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Opened
from tests.browser.site import Site

PHONE: Any = {"width": 320, "height": 700}


def test_without_scripts_a_breach_is_taken_on_and_a_fact_recorded(opened: Opened, site: Site) -> None:
    page = opened("/?desk=haisoft&show=overdue", java_script_enabled=False)
    page.get_by_role("link", name="Take on 4712").click()
    page.get_by_label("Your name").fill("Eva")
    page.get_by_label("Note").fill("on it")
    page.get_by_role("button", name="Take on").click()
    expect(page).to_have_url(f"{site.url}/?desk=haisoft&show=overdue")
    expect(page.locator('.row[data-ticket="4712"]')).to_contain_text("taken on by Eva")
    page.get_by_role("link", name="4712", exact=False).first.click()
    page.locator("button[data-fact]").first.click()
    expect(page.locator("#recorded")).to_have_text("Recorded.")


def test_without_scripts_an_agreement_is_changed_by_its_form_and_previewed(
    opened: Opened, site: Site
) -> None:
    as_admin = {"Authorization": f"Bearer {site.admin}"}
    page = opened("/agreements/hvn/edit", java_script_enabled=False, extra_http_headers=as_admin)
    answer = page.get_by_role("group", name="claim-answer")
    answer.get_by_label("Time allowed").fill("10 working days")
    answer.get_by_text("Stops with").click()
    answer.locator('[name$=".stops_on"][value="agent.replied"]').check()
    answer.get_by_label("Time allowed").press("Enter")
    expect(page.get_by_label("Text of the file")).to_have_value(re.compile('target = "10 working days"'))
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Apply")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text("hvn: version 2")


def test_the_pages_of_forms_are_accessible_and_no_wider_than_a_phone(opened: Opened, site: Site) -> None:
    as_admin = {"Authorization": f"Bearer {site.admin}"}
    for path in (
        "/views?page=now&desk=haisoft&show=overdue",
        "/ticket/correct?desk=haisoft&ticket=4712",
        "/services/record?what=window&desk=haisoft&service=network",
        "/settings/export",
    ):
        page = opened(path, bypass_csp=True, viewport=PHONE, extra_http_headers=as_admin)
        expect(page.locator('main form[method="post"]').first).to_be_visible()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page)
            assert found.violations_count == 0, (path, scheme, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
