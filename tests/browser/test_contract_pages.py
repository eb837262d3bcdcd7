"""Services and credits: what a month came to, and what a person records there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

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


def test_an_outage_is_recorded_by_hand_with_its_start_its_end_and_its_cause(
    opened: Opened, site: Site
) -> None:
    page = opened("/services?desk=haisoft")
    virtual, form = service(page, "virtual"), page.locator("dialog[open]")
    virtual.get_by_role("link", name="Record an outage").click()
    form.get_by_label("Since (Europe/Paris)").fill("2026-03-06T11:00:00")
    form.get_by_label("Resource").fill("vps-112")
    form.get_by_role("button", name="Record the start").click()
    expect(virtual.locator(".condition.down")).to_contain_text("Down since today 11:00 CET")
    expect(page.locator("#recorded")).to_have_text("The start of the outage was recorded.")
    virtual.get_by_role("link", name="Record its end").click()
    form.get_by_label("Until").fill("2026-03-06T11:05:00")
    form.get_by_role("button", name="Record the end").click()
    expect(virtual.locator(".condition").first).to_have_text("Up")
    expect(virtual.locator(".outages")).to_contain_text("no cause is stated")
    virtual.get_by_role("link", name="State its cause").click()
    form.get_by_label("Cause", exact=True).fill("hardware")
    form.get_by_role("button", name="Record the cause").click()
    expect(virtual.locator(".outages")).to_contain_text("cause: hardware")
    (found,) = site.get("/v1/availability?desk=haisoft&service=virtual&resource=vps-112")["availability"]
    (outage,) = found["outages"]
    assert (outage["cause"], outage["counted_seconds"], outage["to"]) == (
        "hardware",
        300,
        "2026-03-06T10:05:00Z",
    )


def test_maintenance_is_announced_from_the_page(opened: Opened, site: Site) -> None:
    page = opened("/services?desk=haisoft")
    dedicated = service(page, "dedicated")
    dedicated.get_by_role("link", name="Announce maintenance").click()
    form = page.locator("dialog[open]")
    form.get_by_label("From").fill("2026-03-09T02:00:00")
    form.get_by_label("Until").fill("2026-03-09T04:00:00")
    form.get_by_role("button", name="Announce", exact=True).click()
    windows = dedicated.locator(".windows")
    expect(windows).to_contain_text("Mon 02:00 CET (your time: 01:00) to Mon 04:00 CET")
    expect(windows).to_contain_text(", the whole service")


def test_a_credit_is_granted_with_author_and_reason_and_the_totals_follow(opened: Opened, site: Site) -> None:
    page = opened("/credits?period=2026-02")
    row = page.locator('tr[data-credit="haisoft.network-credit.C-1001.2026-02"]')
    owed = page.locator('.totals [data-state="owed"] .amount')
    expect(owed).to_have_text("€13.22")
    row.get_by_text("Explanation").click()
    row.get_by_role("link", name="Decide").click()
    form = page.locator("dialog[open]")
    expect(form.get_by_role("button")).to_have_text(["Grant", "Refuse", "Cancel"])
    form.get_by_label("Your name").fill("M. Leroy")
    form.get_by_label("Reason").fill("invoice of March")
    form.get_by_role("button", name="Grant").click()
    expect(row).to_have_attribute("data-state", "granted")
    expect(row).to_contain_text("M. Leroy, invoice of March")
    expect(row.locator("details")).to_have_attribute("open", "")
    expect(owed).to_have_text("€6.61")
    row.get_by_role("link", name="February 2026").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Statement of February 2026")


@pytest.mark.parametrize("path", ["/services", "/credits"])
def test_the_pages_are_accessible_on_a_phone_and_no_wider_than_it(opened: Opened, path: str) -> None:
    page = opened(path, bypass_csp=True, viewport=PHONE)
    expect(page.locator("article.service, tr[data-credit]").first).to_be_visible()
    expect(page.locator("#connection")).to_have_text(re.compile("live", re.IGNORECASE))
    expect(page.locator("nav [aria-current=page]")).to_have_attribute("href", path)
    for summary in page.locator("main summary").all():
        if summary.is_visible():
            summary.click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, (scheme, found.generate_report())
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_names_of_any_length_make_no_page_wider_than_a_phone_and_a_queue_is_accessible(
    opened: Opened, site: Site
) -> None:
    long = "x" * 120
    created = site.event("haisoft", long, "ticket.created", site.now(), title=long, customer=long, queue=long)
    site.push({**created, "id": f"zammad:{long}"})
    for path in ("/", f"/tickets/haisoft/{long}", f"/queues/haisoft/{long}"):
        page = opened(path, bypass_csp=True, viewport=PHONE)
        expect(page.locator(".row, tbody tr").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_an_export_is_previewed_and_imported_from_the_page(opened: Opened, site: Site) -> None:
    page = opened("/contracts/phpnet", extra_http_headers={"Authorization": f"Bearer {site.admin}"})
    text = "id;customer;valid_from\nIMPORTED-1;Acme;2026-01-01\n"
    page.get_by_label("File").set_input_files(
        {"name": "export.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    expect(page.get_by_role("textbox", name="Text")).to_have_value(text)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("1 contract was read")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#done")).to_have_text("Contracts stored: 1.")
