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
    "agreements": "/agreements",
    "agreement": "/agreements/haisoft",
    "agreement-edit": "/agreements/haisoft/edit",
    "agreement-version": "/agreements/haisoft/versions/1",
    "connections": "/connections",
    "connection": "/connections/system?desk=haisoft&system=zammad",
    "deliveries": "/deliveries",
    "settings": "/settings",
    "people": "/settings/people",
    "keys": "/settings/keys",
    "audit": "/settings/audit",
    "unknown-ticket": "/tickets/haisoft/unknown",
}
"""Every page that a person opens, by the name of its picture."""
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
