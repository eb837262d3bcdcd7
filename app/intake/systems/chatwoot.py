"""Chatwoot adapter: created and changed conversations, and their messages.

A change comes with the names of the changed attributes, at the instant of the conversation's `updated_at`; a message has
an instant of its own. Only what the request reports as changed is an event, under an id of the conversation, the instant
and the attribute, since one action sends several requests that overlap. Chatwoot's `pending` means "with the bot".
Instants are microseconds UTC.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, digest, happened, instant_in, without_absent
from app.intake.mapping.message import message
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change, looked_at, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, instant, items, names, plain, table, text, truth, word
from app.intake.request import InboundRequest
from app.sla.event import Event, EventType, Value
from app.sla.span import SECOND, Micros

SYSTEM: Final = "chatwoot"

_DELIVERY_ID: Final = "x-chatwoot-delivery"

_OPENING: Final[Micros] = 2 * SECOND
"""The message that opens a conversation is stored with it; their seconds may differ, and no customer writes twice in
so little time."""

_CHANGES: Final = frozenset({"conversation_updated", "conversation_status_changed", "conversation_resolved"})
_OF_NO_CLOCK: Final = (
    "contact_",
    "conversation_typing_",
    "conversation_read",
    "inbox_",
    "message_updated",
    "webwidget_",
)
"""Beginnings of the event names that concern no clock."""

_WORDS_OF_TYPE: Final = {"0": "incoming", "1": "outgoing", "2": "activity", "3": "template"}
"""Chatwoot writes the type of a message as a word or, in lists of messages, as a number."""


@dataclass(frozen=True, slots=True)
class _Conversation:
    """The conversation of a request, and the translator of its words."""

    ticket: str
    content: Mapping[str, object]
    words: Translator

    @property
    def source(self) -> Source:
        return self.words.source


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    event = word(body.get("event"))
    if event is None:
        raise Unreadable("the name of the event is missing", "event")
    if event.startswith(_OF_NO_CLOCK):
        return Reading(ignored=f"{event} concerns no clock")
    words = Translator(source)
    if event == "message_created":
        return _message(body, _conversation(table(body.get("conversation")), words))
    if event == "conversation_created":
        return Reading(_created(_conversation(body, words)), warnings=words.warnings)
    if event in _CHANGES:
        return _changed(_conversation(body, words))
    words.unknown("event", event)
    return Reading(warnings=words.warnings)


def _conversation(content: Mapping[str, object], words: Translator) -> _Conversation:
    # The number that the desk sees; within a contact's inbox other ids are used, which are of no use here.
    ticket = identifier(content.get("id")) or identifier(content.get("display_id"))
    if ticket is None:
        raise Unreadable("the conversation's id is missing", "id")
    return _Conversation(ticket, content, words)


# -- messages ------------------------------------------------------------------------------------------------------


def _message(body: Mapping[str, object], conversation: _Conversation) -> Reading:
    sort = word(body.get("message_type")) or ""
    sort = _WORDS_OF_TYPE.get(sort, sort)
    if sort in ("activity", "template"):
        return Reading(ignored=f"a message of type {sort} is neither reply nor note")
    at = instant_in(body, ["created_at"], "the instant of the message", conversation.source.zone)
    message_id = identifier(body.get("id"))
    if message_id is None:
        raise Unreadable("the message's id is missing", "id")
    private = truth(body.get("private")) or False
    if sort == "incoming" and not private and _opens(conversation, at):
        return Reading(ignored="the message that opened the conversation")
    match sort:
        case _ if private:
            kind = EventType.NOTE_ADDED
        case "incoming":
            kind = EventType.CUSTOMER_REPLIED
        case "outgoing":
            kind = EventType.AGENT_REPLIED
        case _:
            conversation.words.unknown("message type", sort)
            return Reading(warnings=conversation.words.warnings)
    events = message(
        conversation.source,
        conversation.ticket,
        kind,
        at,
        f"message:{message_id}",
        plain(body.get("content")),
        automatic=_automatic(body, sort),
    )
    return Reading(events)


def _opens(conversation: _Conversation, at: Micros) -> bool:
    created_at = instant(conversation.content.get("created_at"), conversation.source.zone)
    return created_at is not None and abs(at - created_at) <= _OPENING


def _automatic(body: Mapping[str, object], sort: str) -> bool:
    """Whether the desk wrote it and no person of the desk: bots, rules and campaigns send without a user."""
    sender = table(body.get("sender"))
    by_user = word(sender.get("type")) == "user" or ("type" not in sender and text(sender.get("email")))
    by_rule = dig(body, "content_attributes.automation_rule_id") is not None
    return sort == "outgoing" and (not by_user or by_rule)


# -- conversations --------------------------------------------------------------------------------------------------


def _created(conversation: _Conversation) -> tuple[Event, ...]:
    content, words = conversation.content, conversation.words
    zone = conversation.source.zone
    created_at = instant_in(content, ["created_at"], "the instant at which it was opened", zone)
    sender = table(dig(content, "meta.sender"))
    data = {
        "title": text(dig(content, "additional_attributes.mail_subject")),
        "customer": text(sender.get("email")) or text(sender.get("phone_number")) or text(sender.get("name")),
        "organisation": text(dig(sender, "custom_attributes.company"))
        or text(dig(sender, "additional_attributes.company_name")),
        "channel": (word(content.get("channel")) or "").removeprefix("channel::") or None,
        "status": words.status(text(content.get("status"))),
        "tags": names(content.get("labels")) or None,
        "author": _opened_by(content),
        **_priority(conversation),
        **_assignee(conversation),
        **_team(conversation),
    }
    # A merge of contacts sends the creation again with the current content. The digest makes it another event of the
    # same instant, and no conflict of content under one id.
    present = without_absent(data)
    key = f"{EventType.TICKET_CREATED}:{digest(present)}"
    created = happened(
        conversation.source.system,
        conversation.ticket,
        EventType.TICKET_CREATED,
        created_at,
        key,
        present,
    )
    change = Change(
        tags=names(content.get("labels")),
        status=text(content.get("status")),
        fields=looked_at(conversation.source.rules, content),
    )
    return (created, *_seen_by_rules(conversation, created.at, "created", change))


def _opened_by(content: Mapping[str, object]) -> str | None:
    """An agent, where the first message is outgoing; else none, which counts as the customer."""
    first = text(dig(content, "messages.0.message_type")) or ""
    return "agent" if _WORDS_OF_TYPE.get(first, first) == "outgoing" else None


def _changed(conversation: _Conversation) -> Reading:
    changed = _changed_attributes(conversation.content.get("changed_attributes"))
    paths, zone = ("updated_at", "last_activity_at"), conversation.source.zone
    at = instant_in(conversation.content, paths, "the instant of the change", zone)
    if not changed:
        return Reading(ignored="the conversation was saved without a reported change")
    events = (
        *_status_changed(conversation, at, changed),
        *_updated(conversation, at, changed.keys()),
        *_seen_by_rules(conversation, at, f"changed:{at}", _change(conversation, changed)),
    )
    ignored = None if events or conversation.words.warnings else "no changed attribute concerns a clock"
    return Reading(events, warnings=conversation.words.warnings, ignored=ignored)


def _changed_attributes(value: object) -> dict[str, tuple[object, object]]:
    """Each changed attribute with its previous and its current value. The list holds objects of one key each."""
    return {
        name: (dig(change, "previous_value"), dig(change, "current_value"))
        for one in items(value)
        for name, change in table(one).items()
    }


def _status_changed(
    conversation: _Conversation, at: Micros, changed: Mapping[str, tuple[object, object]]
) -> tuple[Event, ...]:
    if "status" not in changed:
        return ()
    status = conversation.words.status(text(changed["status"][1]) or text(conversation.content.get("status")))
    return () if status is None else (_event(conversation, EventType.STATUS_CHANGED, at, {"status": status}),)


def _updated(conversation: _Conversation, at: Micros, changed: Set[str]) -> tuple[Event, ...]:
    data: dict[str, Value] = {}
    for attribute, fields in _FIELDS.items():
        if attribute in changed:
            data |= fields(conversation)
    return (_event(conversation, EventType.TICKET_UPDATED, at, data),) if data else ()


def _event(conversation: _Conversation, kind: EventType, at: Micros, data: Mapping[str, Value]) -> Event:
    key = f"{at}:{kind}:{digest(dict(data))}"
    return happened(conversation.source.system, conversation.ticket, kind, at, key, data)


def _priority(conversation: _Conversation) -> dict[str, Value]:
    """The priority; null where it was removed, absent where theirs is not mapped."""
    named = text(conversation.content.get("priority"))
    priority = conversation.words.priority(named)
    return {"priority": priority} if named is None or priority is not None else {}


def _assignee(conversation: _Conversation) -> dict[str, Value]:
    assignee = table(dig(conversation.content, "meta.assignee"))
    return {"assignee": text(assignee.get("email")) or text(assignee.get("name"))}


def _team(conversation: _Conversation) -> dict[str, Value]:
    group = text(dig(conversation.content, "meta.team.name"))
    queue = conversation.words.queue(group)
    return {"group": group} if queue is None else {"group": group, "queue": queue}


def _labels(conversation: _Conversation) -> dict[str, Value]:
    return {"tags": names(conversation.content.get("labels"))}


_FIELDS: Final[Mapping[str, Callable[[_Conversation], dict[str, Value]]]] = {
    "priority": _priority,
    "assignee_id": _assignee,
    "team_id": _team,
    "label_list": _labels,
}
"""The fields that each changed attribute is about."""


# -- rules ----------------------------------------------------------------------------------------------------------


def _change(conversation: _Conversation, changed: Mapping[str, tuple[object, object]]) -> Change:
    before, now = changed.get("label_list", ((), ()))
    looked = looked_at(conversation.source.rules, conversation.content)
    return Change(
        tags=[tag for tag in names(now) if tag not in names(before)],
        status=text(changed["status"][1]) if "status" in changed else None,
        fields={path: looked[path] for path in looked if path.partition(".")[0] in changed},
    )


def _seen_by_rules(conversation: _Conversation, at: Micros, key: str, change: Change) -> tuple[Event, ...]:
    source = conversation.source
    return rule_events(source.system, conversation.ticket, at, key, source.rules, change)


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Chatwoot",
    schemes=("chatwoot", "url-secret"),
    read=_read,
    idempotency_key=lambda request: request.header(_DELIVERY_ID),
    statuses={
        "open": "open",
        # With the bot: not waiting for the customer.
        "pending": "open",
        "snoozed": "pending",
        "resolved": "solved",
    },
    priorities={"urgent": "urgent", "high": "high", "medium": "normal", "low": "low"},
    events_to_tick=(
        "conversation_created",
        "conversation_updated",
        "conversation_status_changed",
        "message_created",
    ),
    headers=(_DELIVERY_ID,),
)
