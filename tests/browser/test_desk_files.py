"""The editors of a desk's files: a change from the form or the text to a version, and one that is taken back."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.site import Site

PHONE = {"width": 320, "height": 800}
SIGN_IN = """async (key) => {
  const headers = { "X-Slatimer": "page", "Content-Type": "application/json" };
  await fetch("/session", { method: "DELETE", headers });
  return (await fetch("/session", { method: "POST", headers, body: JSON.stringify({ key }) })).status;
}"""


def containing(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))


def as_admin(page: Page, site: Site, path: str) -> Page:
    assert page.evaluate(SIGN_IN, site.admin) == 200
    page.goto(site.url + path)
    return page


def test_a_calendar_is_changed_by_form_previewed_applied_and_the_planned_version_withdrawn(
    opened: Opened, site: Site
) -> None:
    page = as_admin(opened("/calendars"), site, "/calendars/haisoft/edit")
    text = page.get_by_label("Text of the file")
    tickets = page.locator('[data-group="tickets"]')
    tickets.get_by_label("Sunday").fill("")
    tickets.get_by_label("Sunday").press("Tab")
    expect(text).to_have_value(containing('mon-sat = ["10:00-12:00", "14:00-17:00"]'))
    tickets.get_by_role("button", name="Add an exception").click()
    tickets.get_by_label("Day", exact=True).first.fill("2026-12-24")
    tickets.get_by_label("Day", exact=True).first.press("Tab")
    expect(text).to_have_value(containing('"2026-12-24" = []'))
    page.get_by_label("In force from").fill("2027-01-01")
    page.get_by_label("Note").fill("Sundays off")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status").get_by_text("Version 2 is stored.")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Sundays off")
    expect(row).to_contain_text("planned")
    row.get_by_text("Withdraw…").click()
    expect(row).to_contain_text("cannot be undone")
    row.get_by_role("button", name="Withdraw version 2").click()
    expect(row).to_contain_text("withdrawn")


def test_a_faulty_draft_names_the_field_and_the_line_and_stays_in_the_browser_until_it_is_discarded(
    opened: Opened, site: Site
) -> None:
    page = as_admin(opened("/agreements"), site, "/agreements/haisoft/edit")
    text = page.get_by_label("Text of the file")
    in_force = text.input_value()
    first = page.locator('[data-group="ticket-response"]')
    first.get_by_label("Time allowed").fill("2 hours")
    first.get_by_label("Time allowed").press("Tab")
    expect(first.get_by_label("Time allowed")).to_have_attribute("aria-invalid", "true")
    expect(first.locator(".field-faults").filter(has_text="2 hours")).to_be_visible()
    first.locator('[name="c0.target_by"]').select_option("priority")
    expect(text).to_have_value(containing('target = { by = "priority", else = "2 hours" }'))
    expect(first.get_by_label("Value")).to_be_visible()
    text.fill(in_force.replace('target = "2h"', 'taget = "2h"'))
    fault = page.get_by_role("listitem").filter(has_text="Did you mean")
    expect(fault).to_be_visible()
    fault.get_by_role("button").click()
    chosen = text.evaluate("(each) => each.value.slice(each.selectionStart, each.selectionEnd)")
    assert chosen == 'taget = "2h"'
    page.reload()
    expect(fault).to_be_visible()
    page.get_by_role("button", name="Discard the draft").click()
    expect(text).to_have_value(in_force)
    expect(page.get_by_text("No faults.")).to_be_visible()


def test_the_pages_of_a_desks_files_are_accessible_and_fit_a_phone(opened: Opened, site: Site) -> None:
    page = as_admin(
        opened("/calendars", viewport=PHONE, color_scheme="dark", bypass_csp=True), site, "/calendars"
    )
    for path in (
        "/calendars",
        "/calendars/webxtra?week=2026-04-27",
        "/calendars/haisoft/edit",
        "/agreements",
        "/agreements/webxtra",
        "/agreements/webxtra/versions/1",
        "/agreements/webxtra/edit",
    ):
        page.goto(site.url + path)
        assert [each["id"] for each in Axe().run(page).response["violations"]] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
