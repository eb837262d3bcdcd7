"""The board: the clocks of all desks as the API has them, and breaches at their instant."""

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

from tests.browser.conftest import TIMEOUT_MS, Opened
from tests.browser.site import Site, site_in
from tests.waiting import HANG

MOST_ANSWERS = 6
MOST_REQUESTS = 25
ALERT = timedelta(hours=1)
"""HaiSoft begins to intervene within an hour of an alert, day and night."""


def row(page: Page, ticket: str) -> Any:
    return page.locator(f'#clocks tr[data-ticket="{ticket}"]')


def test_the_clocks_of_all_desks_are_ordered_by_due_date(opened: Opened, site: Site) -> None:
    page = opened("/")
    expect(page.locator("#clocks tbody tr").first).to_be_visible()
    clocks = [clock for view in site.get("/v1/tickets?limit=100")["tickets"] for clock in view["clocks"]]
    live = [clock for clock in clocks if clock["state"] in ("awaiting", "running", "paused")]
    expect(page.locator("#clocks tbody tr")).to_have_count(len(live))
    shown = page.locator('#clocks tr[data-state="running"] .due').all_text_contents()
    running = sorted(clock["due_at"] for clock in live if clock["state"] == "running")
    assert len(shown) == len(running)
    assert "Fri 6 Mar 15:10" in shown
    states = page.locator("#clocks tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.state)")
    assert states[: len(running)] == ["running"] * len(running)


def test_time_left_counts_down_in_server_time_beside_the_local_due_date(opened: Opened, site: Site) -> None:
    page = opened("/")
    left = row(page, "4711").locator(".left")
    expect(left).to_have_text(re.compile(r"1:4\d:\d\d"))
    first = left.text_content()
    expect(left).not_to_have_text(first or "")
    (clock,) = site.get("/v1/tickets/haisoft/4711")["clocks"]
    assert abs(seconds(left.text_content() or "") - clock["remaining_seconds"]) <= 2
    expect(row(page, "4711").locator(".due")).to_have_text("Fri 6 Mar 15:10")


def seconds(shown: str) -> int:
    hours, minutes, rest = map(int, shown.split(":"))
    return hours * 3600 + minutes * 60 + rest


def test_a_clock_shows_what_it_waits_for_and_why_it_is_paused(opened: Opened) -> None:
    page = opened("/")
    expect(row(page, "P-88")).to_contain_text("Waiting for: call registered")
    expect(row(page, "P-88")).to_contain_text("Not started")
    expect(row(page, "P-89")).to_contain_text("Pending")
    expect(row(page, "P-89")).to_contain_text("No due date while paused")
    expect(row(page, "P-89").locator(".left")).to_have_text("6:50:00")


def test_a_customer_who_wrote_again_is_last_with_the_cause(opened: Opened, site: Site) -> None:
    page = opened("/?desk=webxtra")
    length = site.get("/v1/queues/webxtra/support")["length"]
    expect(row(page, "W-301")).to_contain_text(f"{length} of {length}")
    expect(row(page, "W-301")).to_contain_text("Moved: another message from the customer")
    page.get_by_role("link", name=f"{length} of {length}").click()
    expect(page.locator("#waiting tbody tr").last).to_contain_text("W-301")
    expect(page.locator("#waiting tbody tr").last).to_contain_text("Moved: another message from the customer")


def test_the_filters_are_kept_in_the_address(opened: Opened) -> None:
    page = opened("/")
    page.get_by_role("combobox", name="Desk").select_option("phpnet")
    expect(page).to_have_url(re.compile(r"\?desk=phpnet$"))
    expect(page.locator("#clocks tbody tr")).to_have_count(2)
    page.get_by_role("combobox", name="State").select_option("paused")
    expect(page.locator("#clocks tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("#clocks tbody tr")).to_have_count(1)
    expect(page.get_by_role("combobox", name="State")).to_have_value("paused")
    page.go_back()
    expect(page.locator("#clocks tbody tr")).to_have_count(2)


def test_each_desk_shows_whether_it_is_open_what_comes_next_and_why(opened: Opened, site: Site) -> None:
    page = opened("/")
    card = page.locator('.desk[data-desk="haisoft"]')
    expect(card).to_contain_text("Closes 12:00 (lunch break)")
    counts = next(each["counts"] for each in site.get("/v1/desks")["desks"] if each["desk"] == "haisoft")
    for name in ("due_before_closing", "overdue", "awaiting", "paused", "objectives_missed"):
        expect(card.locator(f'[data-count="{name}"]')).to_have_text(str(counts[name]))


def test_a_breach_appears_at_its_instant_on_the_page_and_in_the_stream(opened: Opened, site: Site) -> None:
    """Nothing of it waits for a poll: the site polls once an hour."""
    page = opened("/")
    expect(page.locator("#connection")).to_have_text("Live")
    heard: list[dict[str, Any]] = []
    listening = Event()
    listener = Thread(target=listen, args=(site, "alert-1", listening, heard))
    listener.start()
    assert listening.wait(HANG)
    detected = site.now() - ALERT + timedelta(seconds=4)
    site.push(site.event("haisoft", "alert-1", "anomaly.detected", detected, author="system"))
    clock = page.locator('#clocks tr[data-ticket="alert-1"][data-commitment="monitoring-intervention"]')
    clock.locator(".late.guarantee").wait_for(timeout=TIMEOUT_MS)
    appeared = site.now()
    listener.join(HANG)
    (signal,) = heard
    due_at = detected + ALERT
    assert signal["at"] == clock_text(due_at)
    assert appeared > due_at
    assert datetime.fromisoformat(signal["detected_at"]) > due_at
    expect(page.locator("#recent li").first).to_contain_text("Guarantee breached")
    expect(page.get_by_role("log")).to_contain_text(
        "Guarantee breached: Intervention after an alert, haisoft alert-1"
    )


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


def test_a_breach_a_missed_objective_and_a_passed_customer_deadline_have_different_words(
    opened: Opened, site: Site
) -> None:
    begun = "2026-02-20T10:00:00+01:00"
    site.push(
        site.event("webxtra", "W-old", "ticket.created", begun, title="Still unanswered", customer="smit"),
        site.event(
            "clamehost", "C-old", "ticket.created", begun, title="Outage in February", customer="Verdi"
        ),
        site.event("clamehost", "C-old", "outage.verified", begun, service="eu-1"),
    )
    page = opened("/?breached=true")
    expect(page.get_by_label("Overdue only")).to_be_checked()
    expect(row(page, "4712").locator(".late")).to_have_text("\u25a0 Guarantee breached")
    expect(row(page, "W-old").locator(".late")).to_have_text("\u25c6 Objective missed")
    expect(row(page, "C-old").locator(".late")).to_have_text("\u25cb Customer deadline passed")
    expect(row(page, "4711")).to_have_count(0)


def test_a_clock_stops_counting_down_at_the_second_at_which_its_calendar_closes(
    browser: Browser, tmp_path: Path
) -> None:
    before_lunch = datetime.fromisoformat("2026-03-06T11:59:55+01:00")
    with site_in(tmp_path, before_lunch, guest_sign_in=True) as site, browser.new_context() as context:
        started = "2026-03-06T11:00:00+01:00"
        site.push(site.event("haisoft", "5001", "ticket.created", started, title="Slow", service="virtual"))
        page = context.new_page()
        page.clock.install()
        page.goto(site.url)
        left = row(page, "5001").locator(".left")
        expect(left).to_have_text("1:00:00", timeout=TIMEOUT_MS)
        expect(row(page, "5001")).to_contain_text("Closed (lunch break), opens Fri 6 Mar 14:00")
        expect(page.locator('.desk[data-desk="haisoft"]')).to_contain_text("Opens 14:00 (now: lunch break)")
        page.clock.fast_forward(30_000)
        expect(left).to_have_text("1:00:00")


def test_the_first_rows_need_few_requests(opened: Opened) -> None:
    """Counted, not timed: the board, its files, and an answer of the API for each list that it shows."""
    page = opened("/")
    page.locator("#clocks tbody tr").first.wait_for()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(page.url, wait_until="commit")
    page.locator("#clocks tbody tr").first.wait_for()
    assert len([url for url in requested if "/v1/" in url]) <= MOST_ANSWERS, requested
    assert len(requested) <= MOST_REQUESTS, requested


def test_a_hidden_tab_closes_its_stream_and_catches_up_when_it_is_shown_again(
    opened: Opened, site: Site
) -> None:
    page, other = opened("/"), opened("/")
    for each in (page, other):
        expect(each.locator("#connection")).to_have_text("Live")
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


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize(
    "path", ["/", "/tickets/phpnet/P-89", "/tickets/haisoft/4713", "/queues/webxtra/support"]
)
def test_the_pages_are_accessible_in_both_themes_and_no_wider_than_the_screen(
    opened: Opened, path: str, width: int
) -> None:
    page = opened(path, bypass_csp=True, viewport={"width": width, "height": 800})
    expect(page.locator("tbody tr").first).to_be_attached()
    expect(page.locator("#connection")).to_have_text("Live")
    grounds: set[str] = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        found = Axe().run(page)
        assert found.violations_count == 0, (scheme, found.generate_report())
    assert len(grounds) == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_board_is_usable_with_the_keyboard_alone(opened: Opened) -> None:
    page = opened("/?desk=haisoft")
    expect(row(page, "4711")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    row(page, "4711").get_by_role("link", name="4711").focus()
    left = row(page, "4711").locator(".left")
    expect(left).not_to_have_text(left.text_content() or "")  # it has been updated
    expect(row(page, "4711").get_by_role("link", name="4711")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/tickets/haisoft/4711$"))
