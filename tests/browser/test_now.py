"""Now: what breaks next as the service has it, and breaches at their instant."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from app.web.pages.frame.assets import STATIC
from tests.browser.conftest import TIMEOUT_MS, Opened
from tests.browser.observed import OBSERVER, WEIGHT_MAX, observed
from tests.browser.site import Site, site_in
from tests.waiting import HANG

MOST_REQUESTS = 25
ALERT = timedelta(hours=1)
"""HaiSoft begins to intervene within an hour of an alert, day and night."""


def row(page: Page, ticket: str) -> Any:
    return page.locator(f'.row[data-ticket="{ticket}"]')


def test_tickets_are_grouped_by_urgency_and_ordered_by_due_date(opened: Opened) -> None:
    page = opened("/")
    groups = page.locator(".group").evaluate_all("all => all.map((group) => group.dataset.urgency)")
    assert groups == ["overdue", "at_risk", "rest"]
    overdue = page.locator('[data-urgency="overdue"] .row').evaluate_all(
        "all => all.map((row) => row.dataset.ticket)"
    )
    assert overdue[:2] == ["W-299", "4712"]
    expect(page.locator('[data-urgency="overdue"] h2')).to_contain_text(f"{len(overdue)} tickets")
    assert page.locator(".tile.overdue").get_attribute("data-count") == str(len(overdue))


def test_time_left_counts_down_in_the_time_of_the_service(opened: Opened) -> None:
    page = opened("/")
    written = row(page, "4711").locator("[data-left]")
    expect(written).to_have_text(re.compile(r"^1 h \d+ min$"))
    seconds_later = page.evaluate(
        """async (script) => {
          const { now, tickAll } = await import(script);
          const left = document.querySelector('.row[data-ticket="4711"] [data-left]');
          [left.dataset.left, left.dataset.at] = [3600, now() - 1_740_000];
          tickAll();
          return left.textContent;
        }""",
        f"{STATIC}/countdown.js",
    )
    assert seconds_later in ("31 min", "30 min")  # 29 minutes have passed since, and perhaps a tick
    expect(row(page, "4711").locator(".when")).to_contain_text("due today 15:10")


def test_a_row_says_what_its_clock_waits_for_and_that_it_is_paused(opened: Opened) -> None:
    page = opened("/")
    expect(row(page, "P-88")).to_contain_text("waits for registration of the call")
    expect(row(page, "P-89")).to_contain_text("Paused")
    expect(row(page, "P-89")).to_contain_text("6 h 50 min left when it resumes")
    expect(row(page, "W-301")).to_contain_text("the customer wrote again")


def test_filters_and_tiles_are_in_the_address(opened: Opened) -> None:
    page = opened("/?desk=phpnet")
    expect(page.locator(".row")).to_have_count(2)
    page.get_by_role("link", name="Paused").click()
    expect(page).to_have_url(re.compile(r"\?desk=phpnet&show=paused$"))
    expect(page.locator(".row")).to_have_count(1)
    page.get_by_role("combobox", name="Commitment").select_option("gti")
    expect(page).to_have_url(re.compile("commitment=gti"))
    expect(page.get_by_role("combobox", name="Commitment")).to_have_value("gti")


def test_a_breach_appears_at_its_instant_on_the_page_and_in_the_stream(opened: Opened, site: Site) -> None:
    """Nothing of it waits for a poll: the site polls once an hour."""
    page = opened("/")
    expect(page.locator("#connection")).to_have_text("live")
    heard: list[dict[str, Any]] = []
    listening = Event()
    listener = Thread(target=listen, args=(site, "alert-1", listening, heard))
    listener.start()
    assert listening.wait(HANG)
    detected = site.now() - ALERT + timedelta(seconds=4)
    site.push(site.event("haisoft", "alert-1", "anomaly.detected", detected, author="system"))
    expect(row(page, "alert-1")).to_be_visible()
    page.locator('[data-urgency="overdue"] .row[data-ticket="alert-1"]').wait_for(timeout=TIMEOUT_MS)
    appeared = site.now()
    listener.join(HANG)
    (signal,) = heard
    due_at = detected + ALERT
    assert signal["at"] == clock_text(due_at)
    assert appeared > due_at
    assert datetime.fromisoformat(signal["detected_at"]) > due_at
    expect(page.get_by_role("log")).to_contain_text(
        "Guarantee breached: Intervention after an alert, haisoft alert-1"
    )
    expect(page).to_have_title(re.compile(r"^\(\d+\) Now"))


def listen(site: Site, ticket: str, listening: Event, heard: list[dict[str, Any]]) -> None:
    """The first breach of a ticket in the stream."""
    headers = {"Authorization": f"Bearer {site.key}"}
    params = {"kind": "clock.breached"}
    with httpx2.stream(
        "GET", f"{site.url}/v1/stream", headers=headers, params=params, timeout=HANG
    ) as answer:
        listening.set()
        for line in answer.iter_lines():
            if line.startswith("data: ") and (signal := orjson.loads(line[6:]))["ticket"] == ticket:
                heard.append(signal)
                return


def clock_text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def test_a_clock_stops_counting_down_when_its_calendar_closes(browser: Browser, tmp_path: Path) -> None:
    before_lunch = datetime.fromisoformat("2026-03-06T11:59:55+01:00")
    with site_in(tmp_path, before_lunch, guest_sign_in=True) as site, browser.new_context() as context:
        started = "2026-03-06T11:00:00+01:00"
        site.push(site.event("haisoft", "5001", "ticket.created", started, title="Slow", service="virtual"))
        page = context.new_page()
        page.goto(site.url)
        expect(row(page, "5001")).to_contain_text("closed until 14:00", timeout=TIMEOUT_MS)
        expect(row(page, "5001").locator(".left")).to_have_text("1 h")
        strip = page.locator('.strip [data-desk="haisoft"]')
        expect(strip).to_contain_text("closed until 14:00 CET")
        expect(strip).to_contain_text("(lunch break)")


def test_the_first_page_needs_few_requests_and_nothing_in_it_moves(opened: Opened, site: Site) -> None:
    """Counted, not timed: the rows are in the page, and its files are few."""
    page = opened("/")
    page.add_init_script(OBSERVER)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(page.url, wait_until="load")
    expect(page.locator("#connection")).to_have_text("live")
    assert [url for url in requested if "/v1/" in url and "/v1/stream" not in url] == []
    assert len(requested) <= MOST_REQUESTS, requested
    site.push(site.event("haisoft", "moves-nothing", "ticket.created", site.now(), service="dedicated"))
    expect(row(page, "moves-nothing")).to_be_attached()
    counted = observed(page)
    assert counted.shift == 0
    assert counted.whole < WEIGHT_MAX


def test_a_hidden_tab_closes_its_stream_and_catches_up_when_it_is_shown_again(
    opened: Opened, site: Site
) -> None:
    page, other = opened("/"), opened("/")
    for each in (page, other):
        expect(each.locator("#connection")).to_have_text("live")
    show(page, "hidden")
    site.push(
        site.event(
            "haisoft", "away-1", "ticket.created", site.now(), title="Sent meanwhile", service="virtual"
        )
    )
    expect(row(other, "away-1")).to_have_count(1)  # by now every open stream has the signal
    expect(row(page, "away-1")).to_have_count(0)
    show(page, "visible")
    expect(row(page, "away-1")).to_have_count(1)


def show(page: Page, state: str) -> None:
    page.evaluate(
        """(state) => {
          Object.defineProperty(document, 'hidden', { configurable: true, get: () => state === 'hidden' });
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        state,
    )


@pytest.mark.parametrize(
    ("path", "width"),
    [
        ("/", 1280),
        ("/?selected=haisoft/4712", 1280),
        ("/?lang=vi", 320),
        ("/?view=wall&lang=nl", 1280),
        ("/breaches?lang=vi", 320),
        ("/tickets/phpnet/P-89", 400),
        ("/tickets/haisoft/4713?lang=fr", 1280),
        ("/queues/webxtra/support?lang=it", 400),
    ],
)
def test_the_pages_are_accessible_in_both_themes_and_no_wider_than_the_screen(
    opened: Opened, path: str, width: int
) -> None:
    page = opened(path, bypass_csp=True, viewport={"width": width, "height": 800})
    expect(page.locator(".row, tbody tr").first).to_be_attached()
    expect(page.locator('#connection[data-state="live"]')).to_be_attached()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, (scheme, found.generate_report())
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_panel_opens_and_closes_with_the_keyboard_and_the_list_stays(opened: Opened) -> None:
    page = opened("/?desk=haisoft")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    link = row(page, "4712").get_by_role("link", name="Mail queue")
    page.keyboard.press("j")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Selected ticket")
    expect(panel).to_contain_text("Stops with a reply by the desk")
    expect(page).to_have_url(re.compile("selected=haisoft%2F4712"))
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(link).to_be_focused()
