"""Chatwoot adapter: created and changed conversations, and their messages.

A change comes with the names of the changed attributes, at the instant of the conversation's `updated_at`; a message has
an instant of its own. What the request reports as changed is an event, under an id of the conversation, the instant and
the attribute, since one action sends several requests that overlap. The conversation that comes with it is a snapshot
besides: what it says counts where it contradicts what is known. Chatwoot's `pending` means "with the bot". Instants are
microseconds UTC.
"""

from collections.abc import Callable, Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, digest, happened, instant_in, without_absent
from app.intake.mapping.message import message
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change, looked_at, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, instant, items, names, plain, table, text, truth, word
from app.intake.request import InboundRequest
from app.intake.systems.chatwoot_conversation import OPENING, WORDS_OF_TYPE, Conversation
from app.sla.event import Event, EventType, Value
from app.sla.span import SECOND, Micros
from app.sla.ticket import Status

SYSTEM: Final = "chatwoot"

_DELIVERY_ID: Final = "x-chatwoot-delivery"

_LATEST_BODY: Final = 2**31 - 1
"""Seconds after the opening that count in the order of two bodies of one creation: 68 years."""

_CUT: Final[Micros] = SECOND // 100
"""By how much two ways of writing one instant may differ: as a number of seconds, and to the millisecond."""

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


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    event = word(body.get("event"))
    if event is None:
        raise Unreadable(
            "the name of the event is missing; connect it under Settings > Integrations > Webhooks, and not by a macro "
            "or an automation rule",
            "event",
        )
    if event.startswith(_OF_NO_CLOCK):
        return Reading(ignored=f"{event} concerns no clock")
    words = Translator(source)
    if event == "message_created":
        return _message(body, Conversation.of(table(body.get("conversation")), words, "conversation.id"))
    if event == "conversation_created":
        return _created(Conversation.of(body, words, "id"))
    if event in _CHANGES:
        return _changed(Conversation.of(body, words, "id"))
    words.unknown("event", event)
    return Reading(warnings=words.warnings)


# -- messages ------------------------------------------------------------------------------------------------------


def _message(body: Mapping[str, object], conversation: Conversation) -> Reading:
    sort = word(body.get("message_type")) or ""
    sort = WORDS_OF_TYPE.get(sort, sort)
    if sort in ("activity", "template"):
        return Reading(ignored=f"a message of type {sort} is neither reply nor note")
    at = instant_in(body, ["created_at"], "the instant of the message", conversation.source.zone)
    message_id = identifier(body.get("id"))
    if message_id is None:
        raise Unreadable("the message's id is missing", "id")
    private = truth(body.get("private")) or False
    if sort not in ("incoming", "outgoing"):
        conversation.words.unknown("message type", sort)
        return Reading(warnings=conversation.words.warnings)
    by_customer = sort == "incoming" and not private
    # A customer's message opens a snoozed conversation; the body may have been built before.
    state = conversation.state({}, without=Status.PENDING if by_customer else None)
    if by_customer and conversation.opens(at):
        ignored = None if state else "the message that opened the conversation"
        return Reading((), state, conversation.words.warnings, ignored)
    kind = EventType.CUSTOMER_REPLIED if by_customer else EventType.AGENT_REPLIED
    events = message(
        conversation.source,
        conversation.ticket,
        EventType.NOTE_ADDED if private else kind,
        at,
        f"message:{message_id}",
        plain(body.get("content")),
        automatic=_automatic(body, sort),
    )
    return Reading(events, state, conversation.words.warnings)


def _automatic(body: Mapping[str, object], sort: str) -> bool:
    """Whether the desk wrote it and no person of the desk: bots, rules and campaigns send without a user."""
    sender = table(body.get("sender"))
    by_user = word(sender.get("type")) == "user" or ("type" not in sender and text(sender.get("email")))
    by_rule = dig(body, "content_attributes.automation_rule_id") is not None
    return sort == "outgoing" and (not by_user or by_rule)


# -- conversations --------------------------------------------------------------------------------------------------


def _created(conversation: Conversation) -> Reading:
    content, words = conversation.content, conversation.words
    what, zone = "the instant at which it was opened", conversation.source.zone
    created_at = instant_in(content, ["created_at"], what, zone)
    as_opened, stated = conversation.age < OPENING, conversation.contact() | conversation.stated()
    data = conversation.contact() | (stated if as_opened else {}) | {"author": conversation.opened_by}
    # A merge of contacts sends the creation again with the current content. The digest makes it another event of the
    # same instant, and no conflict of content under one id; the sequence lets the earliest body prevail.
    present = without_absent(data)
    created = happened(
        conversation.source.system,
        conversation.ticket,
        EventType.TICKET_CREATED,
        created_at,
        f"{EventType.TICKET_CREATED}:{digest(present)}",
        present,
        sequence=_LATEST_BODY - min(conversation.age // SECOND, _LATEST_BODY),
    )
    if as_opened:
        return Reading(
            (created, *_seen_at_creation(conversation, created)), conversation.state({}), words.warnings
        )
    at = conversation.updated_at or created_at
    later = (*_status(conversation, at, text(content.get("status"))), *_update(conversation, at, stated))
    return Reading((created, *later), conversation.state(stated), words.warnings)


def _seen_at_creation(conversation: Conversation, created: Event) -> tuple[Event, ...]:
    content = conversation.content
    change = Change(
        tags=names(content.get("labels")),
        status=text(content.get("status")),
        fields=looked_at(conversation.source.rules, content),
    )
    return _seen_by_rules(conversation, created.at, "created", change)


def _changed(conversation: Conversation) -> Reading:
    content, words, zone = conversation.content, conversation.words, conversation.source.zone
    changed = _changed_attributes(content.get("changed_attributes"))
    stated_at = instant_in(content, ("updated_at", "last_activity_at"), "the instant of the change", zone)
    at = _dated(changed, stated_at, zone)
    status: tuple[Event, ...] = ()
    if "status" in changed:
        status = _status(conversation, at, text(changed["status"][1]) or text(content.get("status")))
    fields: dict[str, Value] = {}
    for attribute, read in _FIELDS.items():
        if attribute in changed:
            fields |= read(conversation)
    state = conversation.state({**fields, **(status[0].data if status and at == stated_at else {})})
    events = (
        *status,
        *_update(conversation, stated_at, fields),
        *_seen_by_rules(conversation, at, f"changed:{at}", _change(conversation, changed)),
    )
    ignored = None if events or state or words.warnings else "no changed attribute concerns a clock"
    return Reading(events, state, words.warnings, ignored)


def _dated(changed: Mapping[str, tuple[object, object]], stated_at: Micros, zone: str | None) -> Micros:
    """The instant of the change: the one that it set `updated_at` to, where the body is of a later state."""
    own = instant(changed["updated_at"][1], zone) if "updated_at" in changed else None
    # It is cut to the millisecond, and so may be a fraction before the body's own without being earlier.
    return own if own is not None and own < stated_at - _CUT else stated_at


def _changed_attributes(value: object) -> dict[str, tuple[object, object]]:
    """Each changed attribute with its previous and its current value. The list holds objects of one key each."""
    return {
        name: (dig(change, "previous_value"), dig(change, "current_value"))
        for one in items(value)
        for name, change in table(one).items()
    }


def _status(conversation: Conversation, at: Micros, theirs: str | None) -> tuple[Event, ...]:
    status = conversation.words.status(theirs)
    return () if status is None else (_event(conversation, EventType.STATUS_CHANGED, at, {"status": status}),)


def _update(conversation: Conversation, at: Micros, fields: Mapping[str, Value]) -> tuple[Event, ...]:
    data = {name: value for name, value in fields.items() if name != "status"}
    return (_event(conversation, EventType.TICKET_UPDATED, at, data),) if data else ()


def _event(conversation: Conversation, kind: EventType, at: Micros, data: Mapping[str, Value]) -> Event:
    key = f"{at}:{kind}:{digest(dict(data))}"
    return happened(conversation.source.system, conversation.ticket, kind, at, key, data)


_FIELDS: Final[Mapping[str, Callable[[Conversation], dict[str, Value]]]] = {
    "priority": Conversation.priority,
    "assignee_id": Conversation.assignee,
    "team_id": Conversation.team,
    "label_list": Conversation.labels,
}
"""The fields that each changed attribute is about."""


# -- rules ----------------------------------------------------------------------------------------------------------


def _change(conversation: Conversation, changed: Mapping[str, tuple[object, object]]) -> Change:
    before, now = changed.get("label_list", ((), ()))
    looked = looked_at(conversation.source.rules, conversation.content)
    return Change(
        tags=[tag for tag in names(now) if tag not in names(before)],
        status=text(changed["status"][1]) if "status" in changed else None,
        fields={path: looked[path] for path in looked if path.partition(".")[0] in changed},
    )


def _seen_by_rules(conversation: Conversation, at: Micros, key: str, change: Change) -> tuple[Event, ...]:
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
