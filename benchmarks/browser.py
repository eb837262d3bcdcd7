"""What does a browser show of Now while it changes: first rows, weight, layout shifts, long tasks?

Run: SIGNALS=50 SECONDS=20 TICKETS=10000 python benchmarks/browser.py
Chromium opens the first page of a desk with so many open tickets as a guest, with nothing cached, and watches it while
signals come; at first on a wide screen, then on a phone's. The page's own observers count (`tests/browser/observed.py`).
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2
from playwright.async_api import Browser, async_playwright

from benchmarks._site import EMBEDDED, Site, site
from benchmarks.viewers import SECONDS, SIGNALS, TICKETS, fill, push
from tests.browser.chromium import ARGS, chromium_path
from tests.browser.observed import OBSERVER, Observed, observed_by

WIDTHS: Final = (1280, 400)
"""A desk and a phone."""
HEIGHT: Final = 800
GUEST: Final = {"SLATIMER_GUEST_SIGN_IN": "true"}


async def _watched(browser: Browser, measured: Site, width: int) -> tuple[Observed, Observed, int]:
    """What was counted when the page was live, and after the signals; and how often it was renewed."""
    context = await browser.new_context(viewport={"width": width, "height": HEIGHT})
    page = await context.new_page()
    renewed: list[str] = []
    page.on("response", lambda each: renewed.append(each.url) if "/now/list" in each.url else None)
    await page.add_init_script(OBSERVER)
    await page.goto(f"{measured.web.base}/?view=list")
    await page.wait_for_selector('#connection[data-state="live"]')
    opened = await observed_by(page)
    async with httpx2.AsyncClient(base_url=measured.web.base, headers=measured.headers, timeout=60) as client:
        await push(client, SECONDS)
    watched = await observed_by(page)
    await context.close()
    return opened, watched, len(renewed)


async def _measure(measured: Site) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGS])
        warm = await browser.new_page()  # the first page of a browser also starts the browser
        await warm.goto(f"{measured.web.base}/sign-in")
        await warm.close()
        for width in WIDTHS:
            print(_line(width, *await _watched(browser, measured, width)))
        await browser.close()


def _line(width: int, opened: Observed, watched: Observed, renewed: int) -> str:
    new = watched.tasks[len(opened.tasks) :]
    return (
        f"{width} px: rows after {opened.rows or 0:.0f} ms; {opened.moved / 1000:.1f} kB transferred, "
        f"{opened.whole / 1000:.1f} kB uncompressed; tasks over 50 ms: {_tasks(opened.tasks)} to open, "
        f"{_tasks(new)} in {renewed} renewals; layout shift {watched.shift:.4f}"
    )


def _tasks(lengths: tuple[float, ...]) -> str:
    return f"{len(lengths)} (longest {max(lengths):.0f} ms)" if lengths else "none"


def main() -> int:
    """Print the figures."""
    print(f"{TICKETS} open tickets, {SIGNALS} signals a second for {SECONDS} s")
    with site(EMBEDDED, on=None, more=GUEST) as measured:
        measured.start()
        fill(measured)
        asyncio.run(_measure(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
