"""Reports: the caption of a figure, the way to what it counts, and a simulation from its form to its result."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Opened


def test_a_figure_is_shown_on_focus_and_leads_to_what_it_counts(opened: Opened) -> None:
    page = opened("/reports?desk=haisoft")
    mark = page.locator("#starts").locator("xpath=ancestor::section").locator("a.mark").first
    caption = mark.locator(".caption")
    expect(caption).to_be_hidden()
    page.keyboard.press("Tab")  # focus is visible where the keyboard moves it
    mark.focus()
    expect(caption).to_be_visible()
    text = caption.text_content() or ""
    mark.press("Enter")
    expect(page).to_have_url(re.compile("/reports/behind"))
    (count,) = re.findall(r": (\d+) clock", text)
    expect(page.locator("tbody tr")).to_have_count(int(count))


def test_a_simulation_is_started_from_the_form_and_its_result_appears(
    opened: Opened, tolerated: list[str]
) -> None:
    tolerated.append("422")  # the first attempt
    page = opened("/reports/what-if?desk=haisoft")
    field = page.locator('[name="try.commitments.ticket-response.target"]')
    field.fill("soon")
    page.get_by_role("button", name="Try it").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("100h")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    expect(page.locator(".changes")).to_have_text('commitments.ticket-response.target = "100h"')


@pytest.mark.parametrize(
    ("path", "width"),
    [
        ("/reports?desk=haisoft&lang=it", 320),
        ("/reports?desk=haisoft", 1280),
        ("/reports/what-if?desk=phpnet", 320),
    ],
)
def test_the_pages_are_accessible_in_both_themes_and_no_wider_than_the_screen(
    opened: Opened, path: str, width: int
) -> None:
    page = opened(path, bypass_csp=True, viewport={"width": width, "height": 800})
    for summary in page.locator("main details:not(.menu) > summary").all():
        summary.click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, (scheme, found.generate_report())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
