"""Connections: which ticket systems and monitors send, whether the last webhook arrived, and what could not be read.

`/connections` lists them with the inbox, `/connections/system` sets one up step by step and shows its webhooks as they
arrive, `/connections/webhook` is one of them whole, and `/deliveries` has the subscriptions. What a page changes, its
script sends to the API; a secret is in the answer of the API and in no page.
"""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from starlette.responses import Response

from app.delivery.wording.phrases import N_
from app.flow.inbound.connected import Connected, connected, details, label_of, one_connected
from app.flow.inbound.inbox import inbox
from app.principal import Permission
from app.sla.span import SECOND, Micros
from app.store.engine.database import Connection
from app.store.inbound import embedding, hooks
from app.web.http.access import InboxReader, desks_for, must_see
from app.web.http.forms import read_form
from app.web.http.problems import not_found
from app.web.pages.connections.changing import DONE, TEST, IsDisabled, change, test
from app.web.pages.connections.reading import Writing
from app.web.pages.connections.subscribed import CONTENTS, read_subscribed, subscribed
from app.web.pages.frame.posted import REFUSED, lead_to
from app.web.pages.frame.reader import Reader, SubscribeReader, ViewReader, reader_of
from app.web.pages.frame.room import Room

LATEST: Final = 10
"""Webhooks that are shown of a connection: enough to see a burst of one change."""
_WAIT: Final = 3 * SECOND
"""After which the page of a connection looks for new webhooks: their arrival is no signal."""

_QUIET: Final = 600 * SECOND
"""After the last webhook it looks every minute, as every page does: the set-up is over."""
_EXAMPLE: Final = """[sources.{system}.statuses]
"at the vendor" = "on_hold"

[sources.{system}.queues]
"Second line" = "infrastructure"
"""
"""What a desk's file of sources may have for a system."""

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
    context = await _list(reader, desk, cursor)
    return room.page(reader, "connections.html", desk=desk, **context, **await _choices(reader, desk))


@room.get("/connections/list")
async def list_(reader: InboxPageReader, desk: Desk = None, cursor: str | None = None) -> Response:
    """The part of the page that changes."""
    return room.fragment(reader, "list.html", **await _list(reader, desk, cursor))


@room.get("/connections/system")
async def system(reader: InboxPageReader, desk: Name, system: Name) -> Response:
    """One system of a desk: how to set it up, and its latest webhooks."""
    must_see(reader.caller, desk)
    return room.page(reader, "system.html", **await _system(reader, desk, system.casefold()))


@room.get("/connections/latest")
async def latest(reader: InboxPageReader, desk: Name, system: Name) -> Response:
    """The latest webhooks of a connection."""
    must_see(reader.caller, desk)
    return room.fragment(reader, "latest.html", **await _system(reader, desk, system.casefold()))


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
    phrase = DONE.get(reader.request.query_params.get("done", ""))
    return await _deliveries(reader, desk, done=phrase and room.words(reader).say(phrase))


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
    return room.fragment(reader, "subscriptions.html", **await _subscribed(reader, desk))


async def _deliveries(
    reader: Reader, desk: str | None, done: str | None = None, failure: str | None = None
) -> Response:
    context = await _subscribed(reader, desk)
    answer = room.page(reader, "deliveries.html", done=done, failure=failure, **context)
    if failure is not None:
        answer.status_code = REFUSED
    return answer


def _writing(reader: Reader) -> Writing:
    return Writing(room.words(reader), reader.now, reader.choices.zone)


async def _list(reader: Reader, desk: str | None, cursor: str | None) -> dict[str, Any]:
    desks, runtime = desks_for(reader.caller, desk), reader.runtime

    def read(conn: Connection) -> dict[str, Any]:
        found, writing = inbox(conn, runtime.settings.page_size, desks, cursor), _writing(reader)
        return {
            "lines": writing.lines(connected(conn, runtime.sources, desks)),
            "webhooks": [writing.webhook(each) for each in found.deliveries],
            "unknown": sorted(found.counts.items()),
            "parked": [(each, writing.when(each.last_at)) for each in found.parked],
            "next": found.next,
        }

    return await reader.read(read)


async def _choices(reader: Reader, desk: str | None) -> dict[str, Any]:
    """What a new connection may be, and how tickets are embedded, for administrators of a desk."""
    sources = reader.runtime.sources
    desks = [each for each in reader.desks if reader.caller.may(Permission.CONFIGURE, each)]
    chosen = [each for each in desks if desk in (None, each)]

    def read(conn: Connection) -> dict[str, Any]:
        systems = {name for each in desks for name in sources.known(conn, each)}
        labels = {name: label_of(conn, sources, desks[0], name) for name in systems}
        return {
            "desks": desks,
            "systems": sorted(labels.items(), key=lambda each: each[1].casefold()),
            "embeddings": [(each, embedding.find(conn, each)) for each in chosen],
        }

    return await reader.read(read)


async def _system(reader: Reader, desk: str, system: str) -> dict[str, Any]:
    sources, writing = reader.runtime.sources, _writing(reader)

    def read(conn: Connection) -> dict[str, Any]:
        configured = sources.configured(conn, desk, system)
        if configured is None:
            raise not_found("system", system)
        found = one_connected(conn, sources, desk, system, LATEST)
        entered = details(conn, sources, desk, system)
        base = (reader.runtime.settings.public_url or str(reader.request.base_url)).rstrip("/")
        return {
            "desk": desk,
            "system": system,
            "label": configured.adapter.label,
            "events": configured.adapter.events_to_tick,
            "signed": [scheme.name for scheme in configured.schemes],
            "example": _EXAMPLE.format(system=system),
            "entered": None if entered is None else entered.masked.as_json(base),
            "webhooks": [] if found is None else [writing.webhook(each) for each in found.latest],
            "former_until": None if found is None else found.former_secret_until,
            "refresh_at": _refresh_at(reader.now, found),
            "may_configure": reader.caller.may(Permission.CONFIGURE, desk),
        }

    return await reader.read(read)


def _refresh_at(now: Micros, found: Connected | None) -> int | None:
    """When to look for new webhooks, in milliseconds: soon while the first is awaited and while they come."""
    if found is None or (found.latest and now - found.latest[0].received_at > _QUIET):
        return None
    return (now + _WAIT) // (SECOND // 1000)


async def _subscribed(reader: Reader, desk: str | None) -> dict[str, Any]:
    if desk is not None:
        must_see(reader.caller, desk)
    found = await reader.read(lambda conn: read_subscribed(conn, reader, desk))
    allowed = [each for each in reader.desks if reader.caller.may(Permission.SUBSCRIBE, each)]
    return {
        "desk": desk,
        "allowed": allowed,
        "contents": CONTENTS,
        "subscribed": subscribed(found, reader, _writing(reader)),
        "may_subscribe": {each.desk: reader.caller.may(Permission.SUBSCRIBE, each.desk) for each, _ in found},
    }
