"""`Visitor`: who has opened an embedded ticket by its token, and the route that admits them.

A visitor has no session and no cookie: browsers send none into another site's page. Only this ticket is read, whatever
the sender's cookie or key might allow. The pages that may frame the answer are those of the desk; nothing else of the
service can be framed.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, Response

from app.delivery.wording.phrases import N_
from app.flow.inbound.embedding import Opened, TokenExpired, TokenRefused, opened
from app.sla.span import Micros
from app.store.engine.database import Connection, visible_desks
from app.web.http.budget import budgeted
from app.web.http.problems import Kind, Problem, problem_of
from app.web.http.routing import GuardedRoute
from app.web.http.running import WebRuntime, running
from app.web.pages.embed.badge import badge
from app.web.pages.frame.assets import STATIC
from app.web.pages.frame.choices import Choices, choices_of
from app.web.pages.frame.rendering import render, words_of

T = TypeVar("T")

ROOM: Final = "embed"
BADGES: Final = "/embed/badges"
SVG: Final = "image/svg+xml"
_NO_PAGE: Final = "'none'"
_TOKEN_MAX: Final = 100
"""Characters of a token: an expiry and a signature have 77 at most."""
_TITLES: Final = {Kind.GONE: N_("This link has expired"), Kind.NOT_FOUND: N_("This link is not valid")}
_OTHER_TITLE: Final = N_("The clocks cannot be shown")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has opened a ticket by its token."""

    request: Request
    opened: Opened
    choices: Choices
    now: Micros

    @property
    def runtime(self) -> WebRuntime:
        """The components of the process."""
        return running(self.request)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read from the database on one snapshot, within the time budget of an answer."""
        return await self.runtime.database.read(budgeted(self.runtime.settings, work))


async def _visiting(
    request: Request, desk: str, ticket: str, token: Annotated[str, Query(max_length=_TOKEN_MAX)] = ""
) -> Visitor:
    """Admit a request by its token. Raises Problem: 404, or 410 where the token was right and has expired."""
    runtime, settings = running(request), running(request).settings
    now = runtime.database.now()
    visible_desks.set(frozenset({desk}))
    try:
        found = await runtime.database.look_up(lambda conn: opened(conn, now, settings, desk, ticket, token))
    except TokenRefused as error:
        raise Problem(Kind.NOT_FOUND, f"{error}.") from error
    except TokenExpired as error:
        headers = framed_by(error.frame_ancestors)
        raise Problem(Kind.GONE, "The token has expired. Open the ticket again.", headers=headers) from error
    runtime.rates.take(f"embed {desk}/{ticket}")
    return Visitor(request, found, choices_of(request, settings.page_language), now)


TokenVisitor = Annotated[Visitor, Depends(_visiting)]
"""A visitor with a valid token."""


def framed_by(ancestors: tuple[str, ...]) -> dict[str, str]:
    """The headers of an answer that these pages may frame. Its address contains a token, so it sends no referrer."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors {' '.join(ancestors) or _NO_PAGE}"
    )
    return {"Cache-Control": "no-store", "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}


class EmbedRoute(GuardedRoute):
    """A route without sign-in, whose problems are small pages, or badges where a badge was asked for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its problems as pages."""
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                problem = problem_of(error)
                if problem is None:
                    raise
                return _shown(request, problem)

        return shown


def _shown(request: Request, problem: Problem) -> Response:
    choices = choices_of(request, running(request).settings.page_language)
    title = _TITLES.get(problem.kind, _OTHER_TITLE)
    headers = framed_by(()) | dict(problem.headers or {})
    if request.url.path.startswith(BADGES):
        image = badge("SLA", words_of(ROOM, choices.language).say(title), "still")
        return Response(image, problem.kind.status, headers, media_type=SVG)
    content = render(
        ROOM, choices.language, "embed/refused.html", {"title": title, "static": STATIC, "choices": choices}
    )
    return HTMLResponse(content, problem.kind.status, headers)
