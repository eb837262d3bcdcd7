"""What is wrong with a page, as it is shown: to assistive technology, in its width, on its console."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from axe_playwright_python.sync_playwright import Axe
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Page, StorageState

from app.delivery.wording.language import Language
from app.main import ROUTERS
from tests.browser.conftest import TIMEOUT_MS, collect_faults
from tests.browser.observed import WEIGHT_MAX, weight
from tests.browser.site import Site

Theme = Literal["light", "dark", "contrast"]
THEMES: Final[tuple[Theme, ...]] = ("light", "dark", "contrast")
WIDTHS: Final = (1280, 400, 320)
LANGUAGES: Final = tuple(Language)
_HEIGHT: Final = 800
_ZONE: Final = "Europe/Paris"
"""Of the reader: that of most desks."""
_SECOND_DIRECTION: Final = """() => {
  const root = document.scrollingElement;
  return root.scrollWidth > root.clientWidth ? `${root.scrollWidth} px wide in ${root.clientWidth}` : "";
}"""
_ADDRESSES: Final = """() => {
  const forms = [...document.forms].map((each) => [each.method.toUpperCase(), each.getAttribute("action") || ""]);
  const links = [...document.querySelectorAll("a[href]")].map((each) => ["GET", each.getAttribute("href")]);
  const own = [...forms, ...links].filter(([, address]) => address.startsWith("/"));
  return own.map(([method, address]) => [method, decodeURI(new URL(address, location.origin).pathname)]);
}"""
_ROUTES: Final = [
    (route.methods or set[str](), route.path_regex)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
]
_MOVING: Final = "() => document.getAnimations().filter((each) => each.playState === 'running').length"


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at a page."""

    language: str
    theme: Theme
    width: int

    def __str__(self) -> str:
        return f"{self.language} {self.theme} {self.width}"

    @property
    def given(self) -> dict[str, Any]:
        """The browser's context: a reader who wants no motion."""
        return {
            "locale": self.language,
            "timezone_id": _ZONE,
            "color_scheme": "dark" if self.theme == "dark" else "light",
            "contrast": "more" if self.theme == "contrast" else "no-preference",
            "reduced_motion": "reduce",
            "viewport": {"width": self.width, "height": _HEIGHT},
        }


def every_look() -> list[Look]:
    """Each language, theme and width."""
    return [Look(language, theme, width) for language in LANGUAGES for theme in THEMES for width in WIDTHS]


@contextmanager
def looking(browser: Browser, look: Look, state: StorageState | None, **given: Any) -> Generator[Page]:
    """A page of a reader who looks so, signed in by the state of another context."""
    context = browser.new_context(**(look.given | given), storage_state=state)
    context.set_default_timeout(TIMEOUT_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def faults_of(page: Page, site: Site, pages: Mapping[str, str]) -> Generator[tuple[str, list[str]]]:
    """Open each of the pages; its name, and everything that is wrong with it."""
    said: list[str] = []
    collect_faults(page, site.url, said)
    for name, path in pages.items():
        answer = page.goto(site.url + path)
        assert answer is not None
        known = [f"the server answered {answer.status}"] if answer.status >= 500 else []
        size = weight(page)
        overflow = page.evaluate(_SECOND_DIRECTION)
        moving = page.evaluate(_MOVING)
        found = [
            *known,
            *(_described(each) for each in Axe().run(page).response["violations"]),
            *(f"{address} leads nowhere" for address in _leading_nowhere(page)),
            *([f"weighs {size / 1000:.0f} kB"] if size > WEIGHT_MAX else []),
            *([f"scrolls in a second direction: {overflow}"] if overflow else []),
            *([f"{moving} animations run although motion is unwanted"] if moving else []),
            *(each for each in said if str(answer.status) not in each),
        ]
        said.clear()
        yield name, found


def _leading_nowhere(page: Page) -> list[str]:
    """The links and forms to this site that no route of the app takes."""
    wanted: list[list[str]] = page.evaluate(_ADDRESSES)
    return sorted(
        {
            f"{method} {path}"
            for method, path in wanted
            if not any(method in methods and regex.match(path) for methods, regex in _ROUTES)
        }
    )


def _described(violation: dict[str, Any]) -> str:
    places = ", ".join(str(node["target"][0]) for node in violation["nodes"][:3])
    return f"{violation['id']}: {places}"
