"""`PageRoute`: the route of every page. It signs guests in, and shows problems as pages.

A visitor who is not signed in gets the sign-in page, at the address that was asked for.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from app.web.http.access import act_with
from app.web.http.encoded_slash import path_as_sent
from app.web.http.problems import Kind, Problem, problem_of
from app.web.http.routing import GuardedRoute
from app.web.http.running import running
from app.web.http.session import guest_secret, set_session_cookie
from app.web.http.sign_in import HOME, local
from app.web.pages.frame.assets import STATIC
from app.web.pages.frame.choices import choices_of
from app.web.pages.frame.problem_texts import ADVICE, OTHER_TITLE, PAGE_TITLES
from app.web.pages.frame.rendering import FRAME, render
from app.web.pages.sign_in.view import sign_in_page


class PageRoute(GuardedRoute):
    """A guarded route whose answers are for people."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the checks, with its problems as pages."""
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            # A form may sign somebody in, whose cookie a guest's must not follow.
            secret = await guest_secret(request) if request.method == "GET" else None
            if secret is not None:
                act_with(request, secret)
            answer = await _answer(request, handle)
            if secret is not None:
                set_session_cookie(request, answer, secret)
            return answer

        return shown


async def _answer(request: Request, handle: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    try:
        return await handle(request)
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        return (
            _sign_in(request, problem)
            if problem.kind is Kind.NOT_SIGNED_IN
            else problem_page(request, problem)
        )


def _sign_in(request: Request, problem: Problem) -> Response:
    """The sign-in page. What was asked for is shown after it."""
    asked = path_as_sent(request.scope) if request.method == "GET" else HOME
    query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
    answer = sign_in_page(request, status=problem.kind.status, go_to=local(asked + query))
    answer.headers.update(problem.headers or {})
    return answer


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as a page."""
    context = {
        "title": PAGE_TITLES.get(problem.kind, OTHER_TITLE),
        "advice": ADVICE.get(problem.kind),
        "path": request.url.path,
        "detail": problem.detail,
    }
    return _outside(request, problem, "frame/problem.html", context)


def _outside(request: Request, problem: Problem, template: str, context: dict[str, Any]) -> Response:
    """A page for somebody of whom nothing may be known: without the frame's navigation."""
    choices = choices_of(request, running(request).settings.page_language)
    content = render(FRAME, choices.language, template, {"static": STATIC, "choices": choices, **context})
    headers = {"Cache-Control": "no-store", **(problem.headers or {})}
    answer = HTMLResponse(content, status_code=problem.kind.status, headers=headers)
    choices.keep(request, answer)
    return answer
