"""Signing in by a form, and out. What was asked for before is shown afterwards, if it is a path of this site."""

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.flow.people.identity import ProviderFailed
from app.flow.people.sign_in import AwaitsCode, Result, SignedIn
from app.principal import Principal
from app.store.audit import acting
from app.store.engine.database import Connection, EveryDesk
from app.store.people import persons, sessions
from app.web.http.access import COOKIE, actor_of, must_be_own_form
from app.web.http.forms import read_form
from app.web.http.problems import Problem
from app.web.http.running import running
from app.web.http.sign_in import (
    CODE_COOKIE,
    HOME,
    admit_browser,
    base_of,
    check_not_signed_in,
    local,
    sender_of,
    signing_in,
)
from app.web.pages.frame.choices import LANGUAGE_COOKIE, LANGUAGE_SECONDS
from app.web.pages.frame.room import Room
from app.web.pages.sign_in.view import ROOM, link_page, outside, phrase_for, phrase_of, sign_in_page

room = Room(ROOM)

AFTER_LINK = "/settings?done=link"
"""Where a new person sets a password."""


@room.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    """The sign-in page by its own address."""
    given = request.query_params
    refused = phrase_for(given["refused"]) if "refused" in given else None
    return sign_in_page(request, status=200, go_to=local(given.get("next", HOME)), refused=refused)


@room.router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Signs in with name and password."""
    form = await _own_form(request)
    go_to, name = local(form.get("next", HOME)), form.get("name", "")
    sign_ins, sender = running(request).sign_ins, sender_of(request)
    try:
        await check_not_signed_in(request)
        result = await signing_in(
            request, lambda: sign_ins.by_password(name, form.get("password", ""), sender)
        )
    except Problem as problem:
        status, refused = problem.kind.status, phrase_of(problem)
        return sign_in_page(request, status=status, go_to=go_to, refused=refused, name=name)
    return await _admitted(request, result, go_to)


@room.router.post("/sign-in/code")
async def sign_in_with_code(request: Request) -> Response:
    """Finishes a sign-in with the code of the second factor."""
    form = await _own_form(request)
    go_to = local(form.get("next", HOME))
    sign_ins, sender = running(request).sign_ins, sender_of(request)
    secret = request.cookies.get(CODE_COOKIE, "")
    try:
        result = await signing_in(request, lambda: sign_ins.by_code(secret, form.get("code", ""), sender))
    except Problem as problem:
        status, refused = problem.kind.status, phrase_of(problem)
        return outside(request, "code.html", status=status, refused=refused, go_to=go_to)
    return await _admitted(request, result, go_to)


@room.get("/sign-in/link")
async def show_link(request: Request) -> Response:
    """The page of a one-time link. Its secret is in the fragment; a click sends it."""
    return link_page(request, go_to=local(request.query_params.get("next", AFTER_LINK)))


@room.router.post("/sign-in/link")
async def sign_in_by_link(request: Request) -> Response:
    """Signs in by a one-time link."""
    form = await _own_form(request)
    go_to = local(form.get("next", AFTER_LINK))
    sign_ins, sender = running(request).sign_ins, sender_of(request)
    try:
        await check_not_signed_in(request)
        result = await signing_in(request, lambda: sign_ins.by_link(form.get("link", ""), sender))
    except Problem as problem:
        return link_page(request, status=problem.kind.status, refused=phrase_of(problem), go_to=go_to)
    return await _admitted(request, result, go_to)


@room.router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Ends the session. Who came from an identity provider may sign out there as well."""
    await _own_form(request)
    runtime, secret = running(request), request.cookies.get(COOKIE)
    principal = None if secret is None else await runtime.principals.find(secret)
    elsewhere = None
    if secret is not None and principal is not None and principal.session_id is not None:
        elsewhere = await _end(request, principal, principal.session_id)
        runtime.principals.forget(secret)
    answer = outside(request, "signed_out.html", elsewhere=elsewhere)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


async def _end(request: Request, principal: Principal, session_id: str) -> str | None:
    """End a session. Returns the provider's address to sign out there, of a session that came from it."""
    runtime = running(request)
    acting.set(actor_of(request, principal))

    def work(conn: Connection, now: int) -> str | None:
        token = sessions.id_token_of(conn, session_id, now)
        sessions.end_own(conn, session_id, now)
        return token

    token = await runtime.database.write(work, EveryDesk.SIGN_IN)
    if token is None or runtime.provider is None:
        return None
    try:
        return await runtime.provider.sign_out_address(token, base_of(request) + "/sign-in")
    except ProviderFailed:  # the session here has ended all the same
        return None


async def _own_form(request: Request) -> dict[str, str]:
    must_be_own_form(request)
    return await read_form(request)


async def _admitted(request: Request, result: Result, go_to: str) -> Response:
    if isinstance(result, AwaitsCode):
        answer: Response = outside(request, "code.html", go_to=go_to)
        await admit_browser(request, answer, result)
        return answer
    answer = RedirectResponse(request.scope.get("root_path", "") + go_to, status_code=303)
    await admit_browser(request, answer, result)
    await _keep_language(request, answer, result)
    return answer


async def _keep_language(request: Request, answer: Response, result: SignedIn) -> None:
    """Show the pages in the language that the person has chosen, in whichever browser."""
    person_id = result.principal.id
    person = await running(request).database.look_up(lambda conn: persons.with_id(conn, person_id))
    if person is not None and person.language is not None:
        secure = request.url.scheme == "https"
        answer.set_cookie(
            LANGUAGE_COOKIE,
            person.language,
            max_age=LANGUAGE_SECONDS,
            path="/",
            httponly=True,
            samesite="lax",
            secure=secure,
        )
