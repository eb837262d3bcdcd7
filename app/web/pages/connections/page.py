"""Connections: which ticket systems and monitors send, whether the last webhook arrived, and what could not be read.

`/connections` lists them with the inbox, `/connections/system` sets one up step by step and shows its webhooks as they
arrive, `/connections/webhook` is one of them whole, and `/deliveries` has the subscriptions. All of it is changed by
forms, which work without scripts; a secret is in the answer that makes it and in no other.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from starlette.responses import Response

from app.delivery.wording.phrases import N_
from app.flow.inbound.rerun import run_again
from app.store.inbound import hooks
from app.web.http.access import InboxReader, desks_for, must_see
from app.web.http.forms import read_form
from app.web.http.problems import not_found
from app.web.pages.connections import contexts
from app.web.pages.connections.changing import DONE, TEST, IsDisabled, change, test
from app.web.pages.connections.contexts import base_of, choices, listed, one_system
from app.web.pages.connections.reading import Writing
from app.web.pages.connections.setting_up import (
    Faulty,
    allowed_origins,
    connected_system,
    replaced_secret,
    test_system,
)
from app.web.pages.connections.subscribing import NotSubscribed, subscribed_to
from app.web.pages.frame.files.draft import ConfigureReader
from app.web.pages.frame.posted import REFUSED, back_of, lead_to
from app.web.pages.frame.reader import Reader, SubscribeReader, ViewReader, reader_of
from app.web.pages.frame.room import Room

DONE_HERE: Mapping[str, str] = {
    "saved": N_("Saved."),
    "tested": N_("The test was accepted: it is in the list below."),
    "again": N_("The inbox was read again."),
    "subscribed": N_("The subscription is made."),
}
"""What was done, by the name in the address."""

room = Room("connections")

Desk = Annotated[str | None, Query(max_length=255)]
Name = Annotated[str, Query(min_length=1, max_length=255)]


async def _reading(request: Request, caller: InboxReader) -> Reader:
    return await reader_of(request, caller)


InboxPageReader = Annotated[Reader, Depends(_reading)]
"""A reader who may see inbound webhooks."""


@room.get("/connections")
async def connections(reader: InboxPageReader, desk: Desk = None, cursor: str | None = None) -> Response:
    """The connections of all desks or of one, and the inbox."""
    return await _connections(reader, desk, cursor)


@room.router.post("/connections")
async def embed(reader: ConfigureReader) -> Response:
    """Saves which pages may embed a desk's tickets, or replaces the secret; a new one is shown this once."""
    form = await read_form(reader.request)
    desk, text = form.get("desk", ""), form.get("origins", "")
    try:
        if form.get("action") == "rotate":
            secret = await replaced_secret(reader, desk, form.get("since", ""))
        else:
            secret = await allowed_origins(reader, desk, text)
    except Faulty as error:
        fault = room.words(reader).say(error.phrase, **error.values)
        return await _connections(reader, _filter(reader), None, typed={desk: text}, faults={desk: fault})
    if secret is None:
        return lead_to(reader, reader.address_of("/connections", done="saved"))
    return await _connections(reader, _filter(reader), None, secrets={desk: secret})


@room.router.post("/connections/run-again")
async def read_again(reader: InboxPageReader) -> Response:
    """Reads what could not be read again, by the mapping in force now."""
    form, parts = await read_form(reader.request), reader.runtime
    desks = desks_for(reader.caller, form.get("desk") or None)
    await run_again(parts.database, parts.reader, parts.assessor, desks)
    return lead_to(reader, back_of(form, "/connections?done=again"))


@room.get("/connections/list")
async def list_(reader: InboxPageReader, desk: Desk = None, cursor: str | None = None) -> Response:
    """The part of the page that changes."""
    return room.fragment(reader, "list.html", **await listed(reader, _writing(reader), desk, cursor))


@room.get("/connections/system")
async def system(reader: InboxPageReader, desk: Name, system: Name) -> Response:
    """One system of a desk: how to set it up, and its latest webhooks."""
    must_see(reader.caller, desk)
    return await _system(reader, desk, system.casefold())


@room.router.post("/connections/system")
async def set_up(reader: ConfigureReader) -> Response:
    """Connects a system, replaces its secret or takes the system's own, or tests it. A new secret is shown this once."""
    form = await read_form(reader.request)
    desk, system, action = form.get("desk", ""), form.get("system", "").casefold(), form.get("action")
    must_see(reader.caller, desk)
    here = f"/connections/system?{urlencode({'desk': desk, 'system': system})}"
    if action == "test":
        await test_system(reader, desk, system)
        return lead_to(reader, f"{here}&done=tested")
    given = form.get("secret", "").strip() if action == "give" else None
    try:
        made, is_new = await connected_system(
            reader, desk, system, form, rotate=action == "rotate", given=given
        )
    except Faulty as error:
        return await _system(reader, desk, system, fault=room.words(reader).say(error.phrase))
    if given is not None or not is_new:
        return lead_to(reader, f"{here}&done=saved")
    return await _system(reader, desk, system, entered=made.as_json(base_of(reader)), is_new=True)


@room.get("/connections/latest")
async def latest(reader: InboxPageReader, desk: Name, system: Name) -> Response:
    """The latest webhooks of a connection."""
    must_see(reader.caller, desk)
    found = await one_system(reader, _writing(reader), desk, system.casefold())
    return room.fragment(reader, "latest.html", **found)


@room.get("/connections/webhook")
async def webhook(reader: InboxPageReader, hook: Name) -> Response:
    """A webhook as it came, with its body."""
    found = await reader.read(lambda conn: hooks.find(conn, hook)) if hook.isprintable() else None
    if found is None or not reader.caller.sees(found.desk):
        raise not_found("webhook", hook)
    context = {
        "webhook": _writing(reader).webhook(found),
        "headers": dict(found.headers),
        "body": found.body.decode("utf-8", errors="replace"),
    }
    return room.page(reader, "webhook.html", desk=found.desk, **context)


@room.get("/deliveries")
async def deliveries(reader: ViewReader, desk: Desk = None) -> Response:
    """The subscriptions with their last deliveries."""
    return await _deliveries(reader, desk, done=_done(reader))


@room.router.post("/deliveries")
async def subscribe(reader: SubscribeReader) -> Response:
    """Subscribes an address. The secret of a webhook is shown this once."""
    form = await read_form(reader.request)
    try:
        made = await subscribed_to(reader, form)
    except NotSubscribed as error:
        return await _deliveries(reader, _filter(reader), typed=form, refused=error)
    if not made.secrets:
        return lead_to(reader, reader.address_of("/deliveries", done="subscribed"))
    return await _deliveries(reader, _filter(reader), secret=made.secrets[0].secret)


@room.router.post("/deliveries/change")
async def change_deliveries(reader: SubscribeReader) -> Response:
    """Retries a delivery; pauses, resumes or tests a subscription. What came of a test is on the page."""
    form = await read_form(reader.request)
    which, action, desk = form.get("subscription", ""), form.get("action", ""), form.get("desk") or None
    if action == TEST:
        return await _deliveries(reader, desk, done=await test(reader, which))
    try:
        await change(reader, which, action, form.get("delivery", ""))
    except IsDisabled:
        phrase = N_("The subscription is disabled. Enable it, then retry.")
        return await _deliveries(reader, desk, failure=room.words(reader).say(phrase))
    given = {"desk": desk, "done": action if action in DONE else None}
    return lead_to(reader, f"/deliveries?{urlencode({k: v for k, v in given.items() if v})}")


@room.get("/deliveries/list")
async def deliveries_list(reader: ViewReader, desk: Desk = None) -> Response:
    """The part of the page that changes."""
    found = await contexts.subscriptions(reader, _writing(reader), desk)
    return room.fragment(reader, "subscriptions.html", **found)


async def _connections(reader: Reader, desk: str | None, cursor: str | None, **given: Any) -> Response:
    """The page. `given`: origins that were typed, their faults, and new secrets, each by desk."""
    context = {
        **await listed(reader, _writing(reader), desk, cursor),
        **await choices(reader, desk),
        "done": _done(reader),
        **{name: given.get(name, {}) for name in ("typed", "faults", "secrets")},
    }
    return _refused_if(given.get("faults"), room.page(reader, "connections.html", **context))


async def _system(reader: Reader, desk: str, system: str, fault: str | None = None, **shown: Any) -> Response:
    """The page of a system. `shown`: what is to be entered there, with its new secret."""
    found = await one_system(reader, _writing(reader), desk, system)
    context: dict[str, Any] = {**found, "is_new": False, "done": _done(reader), "fault": fault, **shown}
    return _refused_if(fault, room.page(reader, "system.html", **context))


async def _deliveries(reader: Reader, desk: str | None, **given: Any) -> Response:
    """The page. `given`: what was done or has failed, a new secret, and a form that was not accepted."""
    context: dict[str, Any] = dict.fromkeys(("done", "failure", "secret", "refused"))
    context |= {"typed": {}} | given | await contexts.subscriptions(reader, _writing(reader), desk)
    is_refused = context["failure"] is not None or context["refused"] is not None
    return _refused_if(is_refused, room.page(reader, "deliveries.html", **context))


def _refused_if(refused: object, answer: Response) -> Response:
    if refused:
        answer.status_code = REFUSED
    return answer


def _filter(reader: Reader) -> str | None:
    """The desk whose page the form was on."""
    return reader.request.query_params.get("desk")


def _done(reader: Reader) -> str | None:
    """What was done, by the name in the address."""
    phrase = {**DONE, **DONE_HERE}.get(reader.request.query_params.get("done", ""))
    return phrase and room.words(reader).say(phrase)


def _writing(reader: Reader) -> Writing:
    return Writing(room.words(reader), reader.now, reader.choices.zone)
