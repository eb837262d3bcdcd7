"""How the sign-in pages look, and the phrases for why a sign-in is refused."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from starlette.responses import HTMLResponse

from app.delivery.wording.phrases import N_
from app.flow.people.sign_in import Refusal
from app.web.http.problems import Kind, Problem
from app.web.http.running import running
from app.web.pages.frame.assets import STATIC, imported
from app.web.pages.frame.choices import choices_of
from app.web.pages.frame.rendering import render
from app.web.pages.frame.script_words import script_words

ROOM: Final = "sign_in"
_KEY_SCRIPT: Final = "sign_in.js"
_LINK_SCRIPT: Final = "link.js"
NO_STORE: Final = {"Cache-Control": "no-store"}

REFUSALS: Final[Mapping[Refusal, str]] = {
    Refusal.WRONG_PASSWORD: N_("The name or the password is wrong."),
    Refusal.WRONG_CODE: N_("The code is wrong or was used already. If this goes on, sign in again."),
    Refusal.LINK_IS_OVER: N_("The link was used already or has expired. Ask for a new one."),
    Refusal.DISABLED: N_("Your account is disabled. Ask an administrator."),
    Refusal.NO_ROLE: N_("You have no role on any desk yet. Ask an administrator for one."),
    Refusal.NAME_TAKEN: N_("Somebody else has your name here. Ask an administrator."),
    Refusal.FAULTY_NAME: N_("The identity provider gives no usable name. Ask an administrator."),
    Refusal.TOO_MANY_PEOPLE: N_("The limit of people is reached. Ask an administrator."),
}
"""Why a sign-in is refused, for the person."""

_OF_KIND: Final[Mapping[Kind, str]] = {
    Kind.TOO_MANY: N_("Too many attempts. Wait a little, then try again."),
    Kind.UNAVAILABLE: N_("The service is busy. Try again shortly."),
    Kind.CONFLICT: N_("You are signed in already. Sign out first."),
}
_OTHERWISE: Final = N_("The sign-in is refused.")


def phrase_of(problem: Problem) -> str:
    """The phrase for why a sign-in was refused."""
    reason = problem.extra.get("reason")
    return phrase_for(reason) if reason else _OF_KIND.get(problem.kind, _OTHERWISE)


def phrase_for(reason: str) -> str:
    """The phrase for the name of a reason; one for all that are unknown."""
    return REFUSALS[Refusal(reason)] if reason in set(Refusal) else _OTHERWISE


def sign_in_page(
    request: Request, *, status: int, go_to: str, refused: str | None = None, name: str = ""
) -> HTMLResponse:
    """The sign-in page. `go_to` is shown after it; `refused` is a phrase."""
    context = {
        "script": _KEY_SCRIPT,
        "modules": imported(_KEY_SCRIPT),
        "has_provider": running(request).provider is not None,
        "go_to": go_to,
        "name": name,
    }
    return outside(request, "sign_in.html", status=status, refused=refused, **context)


def link_page(request: Request, *, go_to: str, status: int = 200, refused: str | None = None) -> HTMLResponse:
    """The page of a one-time link, which asks for a click."""
    context = {"script": _LINK_SCRIPT, "modules": imported(_LINK_SCRIPT), "go_to": go_to}
    return outside(request, "link.html", status=status, refused=refused, **context)


def outside(
    request: Request, template: str, *, status: int = 200, refused: str | None = None, **context: Any
) -> HTMLResponse:
    """A page for somebody of whom nothing may be known: without the frame's navigation."""
    choices = choices_of(request, running(request).settings.page_language)
    given = {
        "static": STATIC,
        "script_words": script_words(choices.language),
        "choices": choices,
        "refused": refused,
        **context,
    }
    content = render(ROOM, choices.language, f"{ROOM}/{template}", given)
    answer = HTMLResponse(content, status_code=status, headers=NO_STORE)
    choices.keep(request, answer)
    return answer
