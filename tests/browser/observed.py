"""What a page's own observers count: its bytes, when its rows stand there, layout shifts and long tasks."""

from dataclasses import dataclass
from typing import Final

from playwright.async_api import Page as AsyncPage
from playwright.sync_api import Page

WEIGHT_MAX: Final = 150_000
"""Bytes of any page with everything that it loads, uncompressed."""

OBSERVER: Final = """
window.observed = { rows: null, shift: 0, tasks: [] };
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) observed.shift += each.value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) observed.tasks.push(each.duration);
}).observe({ type: "longtask", buffered: true });
const look = () => requestAnimationFrame(() => {
  if (document.querySelector(".row")) observed.rows = performance.now();
  else look();
});
look();
"""
"""A script for the page before any other: it counts from the start on, in `window.observed`."""

_WEIGHT: Final = """(() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const sum = (name) => all.reduce((total, each) => total + each[name], 0);
  return { whole: sum("decodedBodySize"), moved: sum("transferSize") };
})()"""

_SEEN: Final = f"({{ ...window.observed, ...{_WEIGHT} }})"


@dataclass(frozen=True, slots=True)
class Observed:
    """What was counted so far. Times are milliseconds since the address was opened, sizes are bytes."""

    whole: int
    """The document and everything that it has loaded, uncompressed, whether it came from a cache or not."""
    moved: int
    """The same as it came over the network, with the heads of the answers."""
    rows: float | None = None
    """When the first rows were painted."""
    shift: float = 0
    """The sum of all layout shifts that no input has caused: CLS counts the worst second of them at most."""
    tasks: tuple[float, ...] = ()
    """The lengths of all tasks over 50 ms."""


def observed(page: Page) -> Observed:
    """What a page with `OBSERVER` has counted."""
    return _read(page.evaluate(_SEEN))


async def observed_by(page: AsyncPage) -> Observed:
    """The same of a page that is driven asynchronously."""
    return _read(await page.evaluate(_SEEN))


def weight(page: Page) -> int:
    """The bytes of any page with everything that it has loaded, uncompressed."""
    return int(page.evaluate(_WEIGHT)["whole"])


def _read(found: dict[str, object]) -> Observed:
    return Observed(**found | {"tasks": tuple(found["tasks"])})  # pyright: ignore
