"""The demo at a chosen instant, and its pages. Pictures of it are the same whenever they are made."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext

from app.cli.demo.fill import fill_database
from app.cli.demo.haisoft import SKIPS_LUNCH
from app.cli.demo.months import OWED_TO
from app.cli.demo.webxtra import FELL_TO_THE_BOTTOM
from app.cli.terminal import log_warnings_only
from app.settings import Settings
from app.sla.span import micros
from tests.browser.site import NOON_AHEAD, Site, site_in

PAGES: Final = {
    "now": "/",
    "now-selected": f"/?selected=haisoft/{SKIPS_LUNCH}",
    "breaches": "/breaches",
    "ticket": f"/tickets/haisoft/{SKIPS_LUNCH}",
    "queues": "/queues",
    "queue": "/queues/webxtra/support",
    "ticket-of-a-queue": f"/tickets/webxtra/{FELL_TO_THE_BOTTOM}",
    "services": "/services",
    "reports": "/reports?desk=haisoft",
    "what-if": "/reports/what-if?desk=haisoft",
    "credits": "/credits",
    "statements": "/credits/statements?desk=hvn",
    "statement": f"/credits/statements/hvn/{OWED_TO}/2026-02",
    "calendars": "/calendars",
    "calendar": "/calendars/webxtra",
    "calendar-edit": "/calendars/webxtra/edit",
    "calendar-version": "/calendars/webxtra/versions/1",
    "agreements": "/agreements",
    "agreement": "/agreements/haisoft",
    "agreement-edit": "/agreements/haisoft/edit",
    "agreement-version": "/agreements/haisoft/versions/1",
    "contracts": "/contracts/hvn",
    "connections": "/connections",
    "connection": "/connections/system?desk=haisoft&system=zammad",
    "deliveries": "/deliveries",
    "settings": "/settings",
    "people": "/settings/people",
    "keys": "/settings/keys",
    "audit": "/settings/audit",
    "export": "/settings/export",
    "views": "/views",
    "correct": f"/ticket/correct?desk=haisoft&ticket={SKIPS_LUNCH}",
    "unknown-ticket": "/tickets/haisoft/unknown",
}
"""Every page that a person opens by its name, by the name of its picture."""
LINKED: Final = {
    "take-on": ("/breaches", "/breaches/take-on"),
    "decide": ("/credits", "/credits/decide"),
    "behind": ("/reports?desk=haisoft", "/reports/behind"),
    "outage": ("/services", "/services/record?what=start"),
    "maintenance": ("/services", "/services/record?what=window"),
    "resources": ("/services", "/services/resources"),
}
"""Pages about something that a link on another page names: that page, and how the link begins."""
PARTS: Final = frozenset(
    {
        "/static/{digest}/{name}",
        "/breaches/list",
        "/connections/latest",
        "/connections/list",
        "/credits/customers.csv",
        "/credits/list",
        "/deliveries/list",
        "/now/list",
        "/now/ticket",
        "/queues/list",
        "/queues/{desk}/{queue}/list",
        "/reports/what-if/{simulation}/state",
        "/reports/chart.svg",
        "/services/list",
        "/services/resources/list",
        "/ticket/live",
    }
)
"""Answers that are no page: parts that a script puts into one, pictures, files."""
ELSEWHERE: Final = frozenset(
    {
        "/agreements/{desk}/simulations/{simulation}",
        "/reports/what-if/{simulation}",
        "/connections/webhook",
        "/ticket",
        "/embed/badges/{desk}/{ticket:path}",
        "/embed/clocks/{desk}/{ticket:path}",
        "/embed/stream/{desk}/{ticket:path}",
        "/embed/tickets/{desk}/{ticket:path}",
        "/sign-in/link",
    }
)
"""Pages about what the demo does not have: simulations, webhooks, tokens. Their own tests look at them."""
SIGN_IN: Final = "/sign-in"
"""The page that is for people who are not signed in."""


@contextmanager
def demo_in(folder: Path) -> Generator[Site]:
    """The five desks of `slatimer demo`, with their months of history, on a Friday morning."""
    log_warnings_only()
    settings = Settings(database_url=f"sqlite:///{folder / 'site.db'}")
    fill_database(settings, micros(NOON_AHEAD))
    with site_in(folder, desks=False) as site:
        yield site


def signed_in(browser: Browser, site: Site) -> BrowserContext:
    """A context in which an administrator of every desk is signed in. Its cookies serve others."""
    headers = {"Authorization": f"Bearer {site.admin}"}
    body = {"name": "lea", "display_name": "Léa Martin", "roles": {"*": ["admin"]}}
    made = site.client.post(f"{site.url}/v1/people", json=body, headers=headers)
    made.raise_for_status()
    context = browser.new_context()
    page = context.new_page()
    page.goto(made.json()["link"])
    page.locator("form button[type=submit], form button:not([type])").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.close()
    return context


def every_page(context: BrowserContext, site: Site) -> dict[str, str]:
    """The paths of all pages, with those that links name."""
    page = context.new_page()
    found = dict(PAGES)
    for name, (path, begin) in LINKED.items():
        page.goto(site.url + path)
        link = page.locator(f'a[href^="{begin}"]').first.get_attribute("href")
        assert link is not None
        found[name] = link
    page.close()
    return found
