"""What the pages of connections and deliveries show: read from the database, in the reader's words."""

from typing import Any, Final

from app.flow.inbound.connected import Connected, connected, details, label_of, one_connected
from app.flow.inbound.inbox import inbox
from app.principal import Permission
from app.sla.span import SECOND, Micros
from app.store.engine.database import Connection
from app.store.inbound import embedding
from app.web.http.access import desks_for, must_see
from app.web.http.problems import not_found
from app.web.pages.connections.reading import Writing
from app.web.pages.connections.subscribed import CONTENTS, read_subscribed, subscribed
from app.web.pages.frame.reader import Reader

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


def base_of(reader: Reader) -> str:
    """The address of the service, as ticket systems reach it."""
    return (reader.runtime.settings.public_url or str(reader.request.base_url)).rstrip("/")


async def listed(reader: Reader, writing: Writing, desk: str | None, cursor: str | None) -> dict[str, Any]:
    """The connections of all desks or of one, and the inbox."""
    desks, runtime = desks_for(reader.caller, desk), reader.runtime

    def read(conn: Connection) -> dict[str, Any]:
        found = inbox(conn, runtime.settings.page_size, desks, cursor)
        return {
            "desk": desk,
            "lines": writing.lines(connected(conn, runtime.sources, desks)),
            "webhooks": [writing.webhook(each) for each in found.deliveries],
            "unknown": sorted(found.counts.items()),
            "parked": [(each, writing.when(each.last_at)) for each in found.parked],
            "next": found.next,
        }

    return await reader.read(read)


async def choices(reader: Reader, desk: str | None) -> dict[str, Any]:
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


async def one_system(reader: Reader, writing: Writing, desk: str, system: str) -> dict[str, Any]:
    """One system of a desk: how to set it up, and its latest webhooks. Raises the 404 problem."""
    sources = reader.runtime.sources

    def read(conn: Connection) -> dict[str, Any]:
        configured = sources.configured(conn, desk, system)
        if configured is None:
            raise not_found("system", system)
        found = one_connected(conn, sources, desk, system, LATEST)
        entered = details(conn, sources, desk, system)
        return {
            "desk": desk,
            "system": system,
            "label": configured.adapter.label,
            "events": configured.adapter.events_to_tick,
            "signed": [scheme.name for scheme in configured.schemes],
            "example": _EXAMPLE.format(system=system),
            "entered": None if entered is None else entered.masked.as_json(base_of(reader)),
            "changed_at": None if entered is None else entered.connection.changed_at,
            "webhooks": [] if found is None else [writing.webhook(each) for each in found.latest],
            "former_until": None if found is None else found.former_secret_until,
            "refresh_at": _refresh_at(reader.now, found),
            "may_configure": reader.caller.may(Permission.CONFIGURE, desk),
        }

    return await reader.read(read)


async def subscriptions(reader: Reader, writing: Writing, desk: str | None) -> dict[str, Any]:
    """The subscriptions of all desks or of one, with their last deliveries."""
    if desk is not None:
        must_see(reader.caller, desk)
    found = await reader.read(lambda conn: read_subscribed(conn, reader, desk))
    allowed = [each for each in reader.desks if reader.caller.may(Permission.SUBSCRIBE, each)]
    return {
        "desk": desk,
        "allowed": allowed,
        "contents": CONTENTS,
        "subscribed": subscribed(found, reader, writing),
        "may_subscribe": {each.desk: reader.caller.may(Permission.SUBSCRIBE, each.desk) for each, _ in found},
    }


def _refresh_at(now: Micros, found: Connected | None) -> int | None:
    """When to look for new webhooks, in milliseconds: soon while the first is awaited and while they come."""
    if found is None or (found.latest and now - found.latest[0].received_at > _QUIET):
        return None
    return (now + _WAIT) // (SECOND // 1000)
