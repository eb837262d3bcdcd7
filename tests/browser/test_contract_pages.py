"""Services and credits: what a month came to, and what a person records there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from app.web.pages.frame.assets import STATIC
from tests.browser.conftest import Opened
from tests.browser.site import Site, site_in

PHONE = {"width": 390, "height": 844}
NETWORK = "service:network"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two contracts with a credit each, and outages of which some are excluded."""
    with site_in(tmp_path_factory.mktemp("contracts"), guest_sign_in=True) as made:
        fee = {"amount": "100.10", "per": "month"}
        term = {"customer": "ACME", "services": ["network"], "valid_from": "2025-01-01", "currency": "EUR"}
        made.put("/v1/contracts/haisoft/C-1001", term | {"fee": fee})
        made.put("/v1/contracts/haisoft/C-1002", term | {"customer": "Durand", "fee": fee})
        made.push(*outages(made))
        yield made


def outages(site: Site) -> list[dict[str, Any]]:
    def outage(name: str, desk: str, subject: str, start: str, end: str, **data: str) -> list[dict[str, Any]]:
        return [
            site.event(desk, subject, "outage.started", start, reference=name, **data),
            site.event(desk, subject, "outage.ended", end, reference=name),
        ]

    hosting, window = (
        "service:Hosting",
        {"from": "2026-03-08T01:00:00+07:00", "to": "2026-03-08T03:00:00+07:00"},
    )
    return [
        *outage("feb", "haisoft", NETWORK, "2026-02-10T12:00:00+01:00", "2026-02-10T14:10:00+01:00"),
        *outage(
            "mar",
            "haisoft",
            NETWORK,
            "2026-03-02T12:00:00+01:00",
            "2026-03-02T12:10:00+01:00",
            cause="router",
        ),
        *outage(
            "isp",
            "clamehost",
            "service:web",
            "2026-03-05T12:00:00+01:00",
            "2026-03-05T12:09:00+01:00",
            cause="third_party",
        ),
        site.event("hvn", hosting, "maintenance.announced", "2026-03-06T12:00:00+07:00", **window),
    ]


def service(page: Page, name: str) -> Locator:
    return page.locator(f'article.service[data-service="{name}"]')


def test_a_service_shows_its_uptime_what_is_left_and_its_days(opened: Opened, site: Site) -> None:
    network = service(opened("/services"), "network")
    (figures,) = site.get("/v1/availability?desk=haisoft&service=network")["availability"]
    expect(network.locator(".uptime")).to_have_text(f"{figures['uptime']} %")
    expect(network.locator(".left-of")).to_have_text("12 min 17 s")
    expect(network.locator(".condition").first).to_have_text("Up")
    picture = network.get_by_role("img")
    expect(picture).to_have_accessible_name(
        "Downtime of each day, Sun 7 Dec 2025 to Fri 6 Mar: 2 days with downtime"
    )
    assert picture.locator("rect").count() == 90
    network.get_by_text("Days with an outage").click()
    expect(network.locator("tbody tr")).to_have_text(["Mon 2 Mar10 min down", "Tue 10 Feb2 h 10 min down"])


def test_an_outage_says_what_of_it_is_excluded_and_why(opened: Opened) -> None:
    page = opened("/services")
    web, hosting = service(page, "web"), service(page, "Hosting")
    web.get_by_text("1 outage").click()
    expect(web.locator(".spans-of")).to_contain_text("Excluded: 9 min, Thu 5 Mar 12:00 to Thu 5 Mar 12:09.")
    expect(web.locator(".spans-of")).to_contain_text("which the agreement excludes")
    expect(web.locator("rect.excluded")).to_have_count(1)
    expect(hosting.locator(".windows")).to_contain_text("Sun 8 Mar 01:00 to Sun 8 Mar 03:00")
    expect(hosting.locator(".windows")).to_contain_text("does not count: maintenance announced in time")


def test_an_outage_is_recorded_by_hand_with_its_start_its_end_and_its_cause(
    opened: Opened, site: Site
) -> None:
    page = opened("/services?desk=haisoft")
    virtual = service(page, "virtual")
    virtual.get_by_text("Record an outage").click()
    virtual.get_by_label("Since").fill("2026-03-06T11:00:00")
    virtual.get_by_label("Resource").fill("vps-112")
    virtual.get_by_role("button", name="Record the start").click()
    expect(virtual.locator(".condition.down")).to_have_text("Down since Fri 6 Mar 11:00")
    expect(page.locator("#recorded")).to_have_text("virtual: record an outage, done.")
    virtual.get_by_text("Record its end").click()
    virtual.get_by_label("Until").fill("2026-03-06T11:05:00")
    virtual.get_by_role("button", name="Record the end").click()
    expect(virtual.locator(".condition").first).to_have_text("Up")
    expect(virtual.locator(".outages")).to_contain_text("cause not stated")
    virtual.get_by_text("State its cause").click()
    virtual.get_by_label("Cause", exact=True).fill("hardware")
    virtual.get_by_role("button", name="Record the cause").click()
    expect(virtual.locator(".outages")).to_contain_text("hardware")
    (found,) = site.get("/v1/availability?desk=haisoft&service=virtual&resource=vps-112")["availability"]
    (outage,) = found["outages"]
    assert (outage["cause"], outage["counted_seconds"], outage["to"]) == (
        "hardware",
        300,
        "2026-03-06T10:05:00Z",
    )


def test_who_may_only_read_is_offered_no_form(opened: Opened, site: Site) -> None:
    page = opened("/services")
    expect(service(page, "network").get_by_text("Record an outage")).to_be_visible()
    assert page.request.post(f"{site.url}/session", data={"key": site.viewer}).ok
    page.reload()
    expect(service(page, "network").locator(".uptime")).to_be_visible()
    expect(page.locator("details.record")).to_have_count(0)
    page.goto(f"{site.url}/credits")
    expect(page.locator("#credits tbody tr").first).to_be_visible()
    expect(page.locator("details.record")).to_have_count(0)


def test_credits_are_summed_by_state_and_granted_with_author_and_reason(opened: Opened, site: Site) -> None:
    page = opened("/credits?period=2026-02", locale="de-DE")
    row = page.locator('#credits tr[data-credit="haisoft.network-credit.C-1001.2026-02"]')
    expect(row.locator(".amount")).to_have_text(re.compile(r"6,61\s€"))
    expect(page.locator('#totals [data-state="owed"] .amount')).to_have_text(re.compile(r"13,22\s€"))
    row.get_by_text("Decide").click()
    row.get_by_label("Author").fill("M. Leroy")
    row.get_by_label("Reason").fill("invoice of March")
    row.get_by_role("button", name="Grant").click()
    expect(row).to_have_attribute("data-state", "granted")
    expect(row).to_contain_text("M. Leroy · invoice of March")
    expect(page.locator('#totals [data-state="owed"] .amount')).to_have_text(re.compile(r"6,61\s€"))
    address = row.get_by_role("link", name="2026-02").get_attribute("href")
    answer = page.request.get(f"{site.url}{address}", headers={"Accept": "text/html"})
    assert answer.ok
    assert "<h1>Statement of 2026-02</h1>" in answer.text()


def test_no_credit_says_where_credits_come_from(opened: Opened) -> None:
    page = opened("/credits?desk=webxtra")
    expect(page.locator("#none")).to_contain_text("slatimer contracts import")


def test_amounts_are_added_and_written_without_a_binary_number(opened: Opened) -> None:
    script = f"import('{STATIC}/money.js').then(({{ sum, money }}) => [{{}}])"
    made = opened("/credits").evaluate(
        script.replace(
            "{}",
            "sum(['0.10', '0.20', '-0.05']), sum(['9007199254740993.01', '0.01']), sum([]), sum(['25000', '-1']),"
            "money('9007199254740993.01', 'EUR'), money('0.125', 'KWD')",
        )
    )
    assert made[:4] == ["0.25", "9007199254740993.02", "0", "24999"]
    assert [re.sub(r"[^\d.]", "", each) for each in made[4:]] == ["9007199254740993.01", "0.125"]


@pytest.mark.parametrize("path", ["/services", "/credits"])
def test_the_pages_are_accessible_on_a_phone_and_no_wider_than_it(opened: Opened, path: str) -> None:
    page = opened(path, bypass_csp=True, viewport=PHONE)
    expect(page.locator("article.service, #credits tbody tr").first).to_be_visible()
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.get_by_role("navigation").locator("[aria-current=page]")).to_have_attribute("href", path)
    for summary in page.locator("summary").all():
        if summary.is_visible():
            summary.click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, (scheme, found.generate_report())
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_names_of_any_length_make_no_page_wider_than_a_phone(opened: Opened, site: Site) -> None:
    long = "x" * 120
    created = site.event("haisoft", long, "ticket.created", site.now(), title=long, customer=long, queue=long)
    site.push({**created, "id": f"zammad:{long}"})
    for path in ("/", f"/tickets/haisoft/{long}", f"/queues/haisoft/{long}"):
        page = opened(path, viewport=PHONE)
        expect(page.locator(".row, tbody tr").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
