"""`Room`: one page with what belongs to it. A room is a package below `app.web.pages`; its module `page` has `room`."""

from typing import Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from app.sla.span import SECOND
from app.web.http.routing import GuardedRoute
from app.web.pages.frame.assets import FILES, STATIC, imported
from app.web.pages.frame.choices import Theme
from app.web.pages.frame.navigation import BUILT
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.rendering import render, words_of
from app.web.pages.frame.route import PageRoute
from app.web.pages.frame.script_words import script_words
from app.web.pages.frame.words import Words

NO_STORE: Final = {"Cache-Control": "no-store"}
AT_HEADER: Final = "X-Slatimer-At"
"""The service's time in milliseconds, by which scripts count down."""
STREAM_AT_HEADER: Final = "X-Slatimer-Stream-At"
"""The place in the stream of signals that the answer has; a script that lost its place continues from there."""
_FRAME_SCRIPT: Final = "frame.js"
_MILLISECOND: Final = SECOND // 1000


class Room:
    """A page. `get` adds a route, `page` renders a template in the frame, `fragment` one without it."""

    def __init__(
        self,
        name: str,
        *styles: str,
        script: str | None = None,
        route_class: type[GuardedRoute] = PageRoute,
    ) -> None:
        """`styles`: style sheets that it shares with other rooms, before its own. `script`: the file of its script,
        `<name>.js` without it. `route_class`: who is let in."""
        self.name = name
        self.router = APIRouter(route_class=route_class, include_in_schema=False)
        own = script or f"{name}.js"
        self._scripts = (_FRAME_SCRIPT, *([own] if own in FILES else []))
        self._modules = imported(*self._scripts)
        self._styles = ("page.css", *styles, *([f"{name}.css"] if f"{name}.css" in FILES else []))

    def get(self, path: str) -> Any:
        """Decorator of an endpoint that shows a page or a fragment of it."""
        return self.router.get(path)

    def words(self, reader: Reader) -> Words:
        """The words of the room in the reader's language and zone, for texts that are not made in templates."""
        return words_of(self.name, reader.choices.language, reader.choices.zone)

    def page(self, reader: Reader, template: str, *, desk: str | None = None, **context: Any) -> Response:
        """A template of the room in the frame. `desk` is the desk that the page is about, if it is about one."""
        frame = {
            "room": self.name,
            "static": STATIC,
            "scripts": self._scripts,
            "modules": self._modules,
            "styles": self._styles,
            "navigation": [entry for entry in BUILT if reader.may(entry.permission)],
            "themes": list(Theme),
            "desk": desk,
            "at": reader.now // _MILLISECOND,
            "script_words": script_words(reader.choices.language),
        }
        return self._rendered(reader, template, {"frame": frame, "desk": desk, **context})

    def fragment(self, reader: Reader, template: str, **context: Any) -> Response:
        """A template of the room alone, for the script to swap in."""
        return self._rendered(reader, template, context)

    def part(self, reader: Reader, template: str, **context: Any) -> Markup:
        """A template of the room as HTML for another template."""
        name = f"{self.name}/{template}"
        return Markup(render(self.name, reader.choices.language, name, {"reader": reader, **context}))  # noqa: S704 - rendered

    def _rendered(self, reader: Reader, template: str, context: dict[str, Any]) -> Response:
        content = self.part(reader, template, **context)
        at = {AT_HEADER: str(reader.now // _MILLISECOND), STREAM_AT_HEADER: str(reader.stream_at)}
        answer = HTMLResponse(content, headers=NO_STORE | at)
        reader.choices.keep(reader.request, answer)
        return answer
