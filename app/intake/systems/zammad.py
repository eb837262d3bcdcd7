"""Zammad adapter: a snapshot of the ticket, and an event of the article if there is one.

The body never names what changed. The snapshot is dated by the ticket's last update, the article by its creation. The
author is the article's sender, never who typed it. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from typing import Final

from app.intake.adapter import PUBLIC_NOTES, Adapter, public_notes_option
from app.intake.mapping.events import Unreadable, happened, instant_in
from app.intake.mapping.message import message
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import looked_at
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import (
    dig,
    identifier,
    instant,
    items,
    names,
    plain,
    table,
    text,
    truth,
    whole,
    word,
)
from app.intake.request import InboundRequest
from app.sla.document.table import Table
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

_DELIVERY_ID: Final = "x-zammad-delivery"

_STATUSES: Final[Mapping[str, str | None]] = {
    "new": "open",
    "open": "open",
    "pending reminder": "pending",
    "pending close": "pending",
    "closed": "solved",
    "merged": None,
    "removed": None,
}
_PRIORITIES: Final = {"1 low": "low", "2 normal": "normal", "3 high": "high"}

_AUTHORS: Final = frozenset({"customer", "agent", "system"})

_KINDS: Final = {"customer": EventType.CUSTOMER_REPLIED, "agent": EventType.AGENT_REPLIED}
"""What an article is, by its sender. One that the system wrote is no reply."""

_NOTE: Final = "note"
"""The one type of article that is no communication: of an agent, Zammad counts no first response by it, even when it is
public. It is also the type that the REST API gives to an article for which a portal names none, so a customer's public
one is a message like any other."""

_PHONE: Final = "phone"

_NO_TICKET: Final = (
    "no ticket in the body; the webhook must send Zammad's own payload: "
    "leave its custom payload empty under Manage > Webhook"
)

_NO_OWNER: Final = "-"
"""Login of the user to whom Zammad assigns tickets without an owner."""


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    ticket, article = table(body.get("ticket")), table(body.get("article"))
    number = identifier(ticket.get("id"))
    if number is None:
        raise Unreadable(_NO_TICKET, "ticket.id")
    at = instant_in(ticket, ["updated_at"], "the instant of the last update", source.zone, "ticket.")
    translator = Translator(source)
    recorded = _article(source, translator, number, ticket, article)
    state = _name(ticket.get("state"))
    if source.drops(state):
        return _dropped(source, translator, number, word(state), at, recorded)
    snapshot = _snapshot(source, translator, number, ticket, at, state)
    return Reading(recorded, (snapshot,), translator.warnings)


def _dropped(
    source: Source,
    translator: Translator,
    number: str,
    state: str | None,
    at: Micros,
    recorded: tuple[Event, ...],
) -> Reading:
    """The reading of a ticket in a dropped state: merged and removed end the ticket, any other is ignored."""
    match state:
        case "merged":
            # The payload does not name the ticket that it was merged into.
            end = happened(source.system, number, EventType.TICKET_MERGED, at, f"merged:{at}", {"into": None})
        case "removed":
            end = happened(source.system, number, EventType.TICKET_DELETED, at, f"removed:{at}")
        case _:
            return Reading(ignored=f"a ticket in state {state!r}")
    return Reading((*recorded, end), (), translator.warnings)


def _snapshot(
    source: Source,
    translator: Translator,
    number: str,
    ticket: Mapping[str, object],
    at: Micros,
    state: str | None,
) -> Snapshot:
    group, author = _name(ticket.get("group")), word(ticket.get("create_article_sender"))
    fields: dict[str, Value] = {
        "title": text(ticket.get("title")),
        "customer": _person(ticket.get("customer")),
        "organisation": _name(ticket.get("organization")),
        "channel": word(ticket.get("create_article_type")),
        "assignee": _person(ticket.get("owner")),
        "group": group,
    }
    if source.queues:
        fields["queue"] = translator.queue(group)
    if status := translator.status(state):
        fields["status"] = status
    if priority := translator.priority(_name(ticket.get("priority"))):
        fields["priority"] = priority
    if "tags" in ticket:
        fields["tags"] = names(ticket.get("tags"))
    return Snapshot.of(
        source.system,
        number,
        at,
        instant(ticket.get("created_at"), source.zone),
        fields,
        author=author if author in _AUTHORS else None,
        status_word=state,
        looked_at=looked_at(source.rules, ticket),
    )


def _name(value: object) -> str | None:
    """The name of a group, state or priority, which comes as an object or as the name alone."""
    return text(dig(value, "name")) or text(value)


def _person(value: object) -> str | None:
    """A person, by address, else by login; None for no person."""
    login = text(dig(value, "login"))
    return None if login == _NO_OWNER else text(dig(value, "email")) or login or text(value)


def _article(
    source: Source,
    translator: Translator,
    number: str,
    ticket: Mapping[str, object],
    article: Mapping[str, object],
) -> tuple[Event, ...]:
    """The article as a reply, a note or a call; nothing where there is none, or where a machine wrote it."""
    article_id = identifier(article.get("id"))
    sender, sort = word(_name(article.get("sender"))), word(_name(article.get("type")))
    if article_id is None or sender is None or sender == "system":
        return ()
    if sender not in _KINDS:
        translator.unknown("sender", sender)
        return ()
    what, key = "the instant at which the article was written", f"article:{article_id}"
    at = instant_in(article, ["created_at"], what, source.zone, "article.")
    internal = truth(article.get("internal")) or False
    recorded: tuple[Event, ...] = ()
    if sort == _PHONE and not internal:
        data = {"author": sender, "reference": f"article {article_id}"}
        recorded = (happened(source.system, number, EventType.CALL_REGISTERED, at, f"{key}:call", data),)
    if _opens(ticket, article_id):
        return recorded
    kind = EventType.NOTE_ADDED if internal or _is_note(source, sender, sort) else _KINDS[sender]
    automatic = truth(dig(article, "preferences.is-auto-response")) or False
    words = plain(article.get("body"))
    return recorded + message(source, number, kind, at, f"{key}:{kind}", words, automatic=automatic)


def _is_note(source: Source, sender: str, sort: str | None) -> bool:
    """Whether a public article is a note and no message: an agent's of the type `note`, unless the desk counts those."""
    return sort == _NOTE and sender == "agent" and not source.options.get(PUBLIC_NOTES)


def _options(own: Table) -> Mapping[str, object]:
    return public_notes_option(own, default=False)


def _opens(ticket: Mapping[str, object], article_id: str) -> bool:
    """Whether this is the article that the ticket was created with: the ticket itself reports the creation."""
    known = [one for item in items(ticket.get("article_ids")) if (one := whole(item)) is not None]
    return str(min(known)) == article_id if known else whole(ticket.get("article_count")) == 1


ADAPTER: Final = Adapter(
    system="zammad",
    label="Zammad",
    schemes=("hub-sha1",),
    read=_read,
    idempotency_key=lambda request: request.header(_DELIVERY_ID),
    statuses=_STATUSES,
    priorities=_PRIORITIES,
    events_to_tick=("trigger: action is created", "trigger: action is updated, execution always"),
    headers=(_DELIVERY_ID,),
    options=_options,
)
