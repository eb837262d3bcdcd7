"""Pictures of every page, for docs/pictures: light, dark, on a phone, and Now on a wall."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, StorageState

from tests.browser.site import Site
from tests.looks.demo import PAGES
from tests.looks.looked import Look, looking

FOLDER: Final = Path(__file__).parent.parent.parent / "docs" / "pictures"
SHOWN: Final = (
    "now",
    "now-selected",
    "breaches",
    "ticket",
    "queue",
    "services",
    "reports",
    "what-if",
    "credits",
    "statement",
    "calendar",
    "calendar-edit",
    "agreement",
    "connections",
    "deliveries",
    "settings",
    "people",
)
LOOKS: Final = {
    "light": Look("en", "light", 1280),
    "dark": Look("en", "dark", 1280),
    "phone": Look("en", "light", 400),
}
WALL: Final = Look("en", "dark", 1920)
_QUALITY: Final = 70
"""Of JPEG: text stays sharp, and all pictures together are under 3 MB."""


def take(browser: Browser, site: Site, state: StorageState, folder: Path = FOLDER) -> int:
    """Write the pictures of all pages, and return how many."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{name}-{look}": (PAGES[name], LOOKS[look]) for name in SHOWN for look in LOOKS}
    pages["now-wall"] = ("/?view=wall", WALL)
    for name, (path, look) in pages.items():
        with looking(browser, look, state) as page:
            page.goto(site.url + path)
            page.screenshot(path=folder / f"{name}.jpg", type="jpeg", quality=_QUALITY)
    return len(pages)
