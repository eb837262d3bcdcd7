"""A ticket's page explains every clock, and a person can record, exclude and withdraw on it."""

import re
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.site import Site


def clock(page: Page, commitment: str) -> Any:
    return page.locator(f'article[data-commitment="{commitment}"]')


def correct(page: Page, form: str) -> Any:
    """A form of the corrections, opened."""
    page.get_by_role("link", name="Correct…").click()
    found = page.locator(f"#{form}")
    if not found.is_visible():
        page.locator("details", has=found).locator("summary").click()
    return found


def spans(page: Page, commitment: str) -> list[list[str]]:
    """The rows of a clock's explanation: from, to, what, why, length, total."""
    details = clock(page, commitment).locator(".explained details")
    details.locator("summary").click()
    rows = details.locator("tbody tr")
    expect(rows.first).to_be_visible()
    return [each.locator("td").all_text_contents() for each in rows.all()]


def test_the_explanation_of_a_haisoft_clock_skips_lunch_and_adds_up_to_the_target(opened: Opened) -> None:
    page = opened("/tickets/haisoft/4711")
    sentence = clock(page, "ticket-response").locator(".sentence")
    expect(sentence).to_have_text(
        re.compile(r"^\s*Due Fri 6 Mar 15:10\sCET, in 1 h \d+ min of working time\.\s*$")
    )
    rows = spans(page, "ticket-response")
    lunch = next(each for each in rows if "lunch" in each[3])
    assert lunch[0].startswith("Fri 6 Mar 12:00")
    assert lunch[1].startswith("Fri 6 Mar 14:00")
    assert (lunch[2].partition(",")[0], lunch[4]) == ("Closed", "2 h")
    assert (rows[-1][1].strip(), rows[-1][5]) == ("Fri 6 Mar 15:10 +01:00", "2 h")
    expect(clock(page, "ticket-response").locator(".sums")).to_have_text(
        "Counted up to Fri 6 Mar 15:10 CET: 2 h. Target: 2 h."
    )


def test_the_chart_has_a_row_for_each_day_with_what_counted_and_the_due_date(opened: Opened) -> None:
    page = opened("/tickets/haisoft/4712")
    picture = clock(page, "ticket-response").locator("svg.days")
    expect(picture).to_be_visible()
    assert picture.locator(".day").all_text_contents() == ["Thu 5 Mar", "Fri 6 Mar"]
    expect(picture.locator(".point.due")).to_have_text("due 10:30")
    expect(picture.locator(".point.now")).to_have_text(re.compile("now 11:2"))
    assert picture.locator(".span.counted").count() == 2
    assert picture.locator(".span.overdue").count() == 1
    assert picture.locator(".span.skipped").count() >= 2
    assert picture.locator(".ground").count() == 4


def test_a_phpnet_clock_waits_for_a_call_and_starts_with_the_button(opened: Opened, site: Site) -> None:
    fields = {"title": "Cron jobs do not run", "category": "software", "level": "example-1"}
    site.push(site.event("phpnet", "P-90", "ticket.created", site.now() - timedelta(minutes=5), **fields))
    page = opened("/tickets/phpnet/P-90")
    gti = clock(page, "gti")
    expect(gti.locator(".sentence")).to_contain_text("waits for registration of the call")
    assert gti.get_by_role("button").all_text_contents() == ["Registration of the call"]
    gti.get_by_role("button", name="Registration of the call").click()
    expect(page.locator("#recorded")).to_have_text("Recorded. Registration of the call")
    expect(gti).to_have_attribute("data-state", "running")
    expect(gti.locator(".sentence .left")).to_have_text("3 h 59 min")
    expect(page.locator("#events")).to_contain_text("Call registered")
    gti.get_by_role("button", name="Start of the intervention").click()
    expect(gti).to_have_attribute("data-state", "stopped")
    expect(gti.locator(".sentence")).to_contain_text("Met.")


def test_an_exclusion_retracts_a_breach_with_author_and_reason(opened: Opened, site: Site) -> None:
    detected = site.now() - timedelta(minutes=65)
    site.push(site.event("haisoft", "alert-2", "anomaly.detected", detected, author="system"))
    page = opened("/tickets/haisoft/alert-2")
    alert = clock(page, "monitoring-intervention")
    expect(alert.locator(".was-late")).to_contain_text("Guarantee breached")
    form = correct(page, "exclusion")
    form.get_by_label("From").fill("2026-03-06T10:20")
    form.get_by_label("To").fill("2026-03-06T10:50")
    form.get_by_label("Intervention after an alert").check()
    form.get_by_label("Author").fill("M. Leroy")
    form.get_by_label("Reason").fill("power cut in the street")
    form.get_by_role("button").click()
    expect(page.locator("#recorded")).to_have_text("Recorded. Grant exclusion")
    expect(alert.locator(".was-late")).to_have_count(0)
    expect(page.locator("#signals")).to_contain_text("breach retracted")
    expect(page.locator("#signals tr.withdrawn")).to_contain_text("breached")
    rows = spans(page, "monitoring-intervention")
    excluded = next(each for each in rows if each[2].startswith("Excluded"))
    assert excluded[0].startswith("Fri 6 Mar 10:20")
    assert "M. Leroy" in excluded[3]


def test_a_withdrawn_event_has_no_effect_and_stays_listed(opened: Opened, site: Site) -> None:
    created = site.now() - timedelta(minutes=10)
    reply = site.event("haisoft", "4720", "agent.replied", created + timedelta(minutes=5), author="agent")
    site.push(
        site.event("haisoft", "4720", "ticket.created", created, title="FTP is slow", service="virtual"),
        reply,
    )
    page = opened("/tickets/haisoft/4720")
    response = clock(page, "ticket-response")
    expect(response).to_have_attribute("data-state", "stopped")
    form = correct(page, "withdrawal")
    form.get_by_label("Event").select_option(reply["id"])
    form.get_by_label("Author").fill("M. Leroy")
    form.get_by_label("Reason").fill("sent to the wrong ticket")
    form.get_by_role("button").click()
    expect(page.locator("#recorded")).to_have_text("Recorded. Withdraw event")
    expect(response).to_have_attribute("data-state", "running")
    expect(page.locator(f'#events li.withdrawn[data-id="{reply["id"]}"]')).to_contain_text(
        "No longer in effect"
    )


def test_an_invalid_entry_is_refused_with_the_field(opened: Opened, tolerated: list[str]) -> None:
    tolerated.append("status of 422")
    page = opened("/tickets/haisoft/4714")
    form = correct(page, "exclusion")
    expect(form.get_by_label("First response")).to_be_visible()
    form.get_by_label("From").fill("2026-03-06T11:00")
    form.get_by_label("To").fill("2026-03-06T10:00")
    form.get_by_label("Author").fill("M. Leroy")
    form.get_by_label("Reason").fill("a slip of the hand")
    with page.expect_response(lambda answer: answer.status == 422):
        form.get_by_role("button").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("/data/to")
    expect(form.get_by_label("Reason")).to_have_value("a slip of the hand")


def test_commitments_that_do_not_apply_are_listed_with_the_reason(opened: Opened, site: Site) -> None:
    fields = {"title": "Call about an invoice", "channel": "phone", "service": "dedicated"}
    site.push(site.event("haisoft", "4730", "ticket.created", site.now(), **fields))
    page = opened("/tickets/haisoft/4730")
    expect(page.locator("#withheld")).to_contain_text(
        "First response: the two hours are promised for support tickets"
    )


def test_a_title_full_of_markup_is_shown_as_text(opened: Opened, site: Site) -> None:
    title = '<img src=x onerror="alert(1)"> & <b>bold</b>'
    site.push(site.event("haisoft", "<4740>", "ticket.created", site.now(), title=title, service="virtual"))
    page = opened("/tickets/haisoft/%3C4740%3E")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator("main img")).to_have_count(0)


def test_extensions_of_an_event_stand_beside_its_data(opened: Opened, site: Site) -> None:
    event = site.event("haisoft", "X-1", "ticket.created", site.now() - timedelta(minutes=5), title="Down")
    site.push({**event, "traceparent": "00-1-2-03"})
    page = opened("/tickets/haisoft/X-1")
    row = page.locator(f'#events li[data-id="{event["id"]}"]')
    expect(row.locator("small")).to_have_text("traceparent: 00-1-2-03")
