"""Zendesk adapter for event subscriptions: one change per request.

The change is in `event`; `detail` is the ticket when the request was made, and counts as of its own `updated_at` in what
the change does not name. One action of an agent arrives as several requests in any order, so ids are made of Zendesk's
own, and words sort a reply before the status that it brought. Instants are `time`, cut to the microsecond; that of the
creation is the ticket's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, event_id, happened, instant_in, without_absent
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, instant, names, plain, table, text, truth, word
from app.intake.request import InboundRequest
from app.intake.systems.zendesk.state import state
from app.intake.systems.zendesk.vocabulary import CHANNELS, MEANINGLESS, PRIORITIES, STATUSES, TO_TICK
from app.sla.event import Event, EventType, Value
from app.sla.span import SECOND, Micros

SYSTEM: Final = "zendesk"
_TYPE: Final = "zen:event-type:"
_TICKET: Final = "zen:event-type:ticket."
_NO_TYPE: Final = (
    "it names no type of event; the webhook must be connected to Zendesk events (Admin Centre > Apps and integrations > "
    "Webhooks). For a webhook that is connected to triggers, connect the system zendesk-trigger"
)
_SYSTEM_AUTHORS: Final = frozenset({"-1", "0"})
"""Ids under which Zendesk itself writes."""


@dataclass(frozen=True, slots=True)
class _Webhook:
    """The parts of one request."""

    source: Source
    words: Translator
    ticket: str | None
    at: Micros
    id: str
    kind: str
    detail: Mapping[str, object]
    change: Mapping[str, object]

    def event(self, kind: EventType, key: str, data: Mapping[str, Value | None]) -> Event:
        return happened(SYSTEM, self.ticket, kind, self.at, key, data)

    def field(self, name: str, value: Value) -> tuple[Event, ...]:
        return (self.event(EventType.TICKET_UPDATED, f"{name}:{self.id}", {name: value}),)

    def rules(self, change: Change) -> tuple[Event, ...]:
        event = self.event(EventType.TICKET_UPDATED, "", {})
        return rule_events(SYSTEM, event.subject, event.at, self.id, self.source.rules, change)


def read(request: InboundRequest, source: Source) -> Reading:
    """The events and snapshots of a request. Raises Unreadable."""
    body = table(request.json())
    kind = text(body.get("type"))
    if kind is None:
        raise Unreadable(_NO_TYPE, "type")
    if not kind.startswith(_TICKET):
        return Reading(ignored=f"{kind.removeprefix(_TYPE)} is not about a ticket")
    kind = kind.removeprefix(_TICKET)
    words = Translator(source)
    if kind in MEANINGLESS:
        return Reading(ignored=f"ticket.{kind} concerns no clock")
    reader = _READERS.get(kind)
    if reader is None:
        words.unknown("type", f"ticket.{kind}")
        return Reading(warnings=words.warnings, ignored=f"ticket.{kind} is not known")
    webhook = _parsed(body, kind, source, words)
    if source.drops(text(webhook.detail.get("status"))) and kind not in _ENDINGS:
        return Reading(ignored=f"status {text(webhook.detail.get('status'))} is dropped")
    events = reader(webhook)
    snapshots = () if kind in _ENDINGS else state(webhook.ticket, webhook.detail, words, webhook.at, events)
    nothing = None if events or snapshots or words.warnings else f"this ticket.{kind} concerns no clock"
    return Reading(events, snapshots, words.warnings, nothing)


def _parsed(body: Mapping[str, object], kind: str, source: Source, words: Translator) -> _Webhook:
    detail, subject = table(body.get("detail")), text(body.get("subject")) or ""
    ticket = identifier(detail.get("id")) or identifier(subject.removeprefix("zen:ticket:"))
    at = instant_in(body, ["time", "detail.updated_at"], "the instant of the change", source.zone)
    own = identifier(body.get("id")) or event_id(kind, str(at))
    return _Webhook(source, words, ticket, at, own, kind, detail, table(body.get("event")))


def _created(webhook: _Webhook) -> tuple[Event, ...]:
    detail, words = webhook.detail, webhook.words
    requester, submitter = identifier(detail.get("requester_id")), identifier(detail.get("submitter_id"))
    group = identifier(detail.get("group_id"))
    channel = word(dig(detail, "via.channel"))
    status = text(detail.get("status"))
    data = without_absent(
        {
            "title": text(detail.get("subject")),
            "customer": requester,
            "organisation": identifier(detail.get("organization_id")),
            "kind": word(detail.get("type")),
            "priority": words.priority(text(detail.get("priority"))),
            "status": words.status(status),
            "channel": None if channel is None else CHANNELS.get(channel, channel),
            "queue": words.queue(group),
            "assignee": identifier(detail.get("assignee_id")),
            "group": group,
            "tags": names(detail.get("tags")) if "tags" in detail else None,
            "author": "customer" if submitter in (None, requester) else "agent",
        }
    )
    created_at = instant(detail.get("created_at"), webhook.source.zone) or webhook.at
    created = happened(SYSTEM, webhook.ticket, EventType.TICKET_CREATED, created_at, "created", data)
    fields = {rule.word: dig(detail, rule.word) for rule in webhook.source.rules}
    seen = Change(names(detail.get("tags")), status, fields, plain(detail.get("description")))
    return (created, *webhook.rules(seen))


def _comment(webhook: _Webhook) -> tuple[Event, ...]:
    comment = table(webhook.change.get("comment"))
    author = identifier(dig(comment, "author.id"))
    if _is_first_message(webhook, author):
        return ()
    written = plain(comment.get("body"))
    key = _comment_key(webhook)
    if truth(comment.get("is_public")) is False:
        who = "agent" if truth(dig(comment, "author.is_staff")) else "customer"
        note = webhook.event(EventType.NOTE_ADDED, key, without_absent({"author": who, "text": written}))
        return (note, *webhook.rules(Change(note=written)))
    requester = identifier(webhook.detail.get("requester_id"))
    data: dict[str, Value | None] = {"author": "customer", "text": written}
    kind = EventType.CUSTOMER_REPLIED
    if author in _SYSTEM_AUTHORS:
        kind, data = EventType.AGENT_REPLIED, data | {"author": "system", "automatic": True}
    elif truth(dig(comment, "author.is_staff")) and author != requester:
        kind, data = EventType.AGENT_REPLIED, data | {"author": "agent"}
    return (webhook.event(kind, key, without_absent(data)),)


def _is_first_message(webhook: _Webhook, author: str | None) -> bool:
    """Whether a comment is the ticket's own text, which some accounts send as a comment, and not a reply."""
    created_at = instant(webhook.detail.get("created_at"), webhook.source.zone)
    at_creation = created_at is not None and abs(webhook.at - created_at) < SECOND
    return at_creation and author in (None, identifier(webhook.detail.get("submitter_id")))


def _comment_key(webhook: _Webhook) -> str:
    return f"comment:{identifier(dig(webhook.change, 'comment.id')) or webhook.id}"


def _made_private(webhook: _Webhook) -> tuple[Event, ...]:
    """A public comment that was made private: its reply is withdrawn, and a note is webhook."""
    key = _comment_key(webhook)
    reply = webhook.event(EventType.NOTE_ADDED, key, {})
    withdrawal = {"id": reply.id, "author": "agent", "reason": "the comment was made private"}
    return (
        webhook.event(EventType.EVENT_WITHDRAWN, f"{key}:withdrawn", withdrawal),
        webhook.event(EventType.NOTE_ADDED, f"{key}:private", {"author": "agent"}),
    )


def _status(webhook: _Webhook) -> tuple[Event, ...]:
    theirs = text(webhook.change.get("current"))
    ours = webhook.words.status(theirs)
    seen = webhook.rules(Change(status=theirs))
    if ours is None:
        return seen
    return (webhook.event(EventType.STATUS_CHANGED, f"status:{webhook.id}", {"status": ours}), *seen)


def _priority(webhook: _Webhook) -> tuple[Event, ...]:
    theirs = text(webhook.change.get("current"))
    ours = webhook.words.priority(theirs)
    return webhook.field("priority", ours) if ours is not None or theirs is None else ()


def _group(webhook: _Webhook) -> tuple[Event, ...]:
    group = identifier(webhook.change.get("current"))
    data = {"group": group} | without_absent({"queue": webhook.words.queue(group)})
    return (webhook.event(EventType.TICKET_UPDATED, f"group:{webhook.id}", data),)


def _tags(webhook: _Webhook) -> tuple[Event, ...]:
    added, removed = names(webhook.change.get("tags_added")), names(webhook.change.get("tags_removed"))
    seen = webhook.rules(Change(tags=added))
    if "tags" not in webhook.detail:
        return seen
    # `detail` is the ticket at the instant of sending, so it may lack the tags that this change added.
    tags = sorted({*names(webhook.detail.get("tags")), *added}.difference(removed))
    return (*webhook.field("tags", tags), *seen)


def _custom_field(webhook: _Webhook) -> tuple[Event, ...]:
    current = webhook.change.get("current")
    known = (identifier(dig(webhook.change, f"field.{name}")) for name in ("id", "title", "raw_title"))
    return webhook.rules(Change(fields={f"custom_fields.{name}": current for name in known if name}))


def _custom_status(webhook: _Webhook) -> tuple[Event, ...]:
    return webhook.rules(Change(fields={"custom_status": webhook.change.get("current")}))


def _merged(webhook: _Webhook) -> tuple[Event, ...]:
    into = identifier(webhook.change.get("target_ticket_id"))
    if into is None:
        raise Unreadable("the ticket that it was merged into is missing", "event.target_ticket_id")
    return (webhook.event(EventType.TICKET_MERGED, f"merged:{into}", {"into": into}),)


def _deleted(webhook: _Webhook) -> tuple[Event, ...]:
    return (webhook.event(EventType.TICKET_DELETED, "deleted", {}),)


def _undeleted(webhook: _Webhook) -> tuple[Event, ...]:
    deletion = webhook.event(EventType.TICKET_DELETED, "deleted", {})
    data = {"id": deletion.id, "author": "agent", "reason": "the ticket was restored"}
    return (webhook.event(EventType.EVENT_WITHDRAWN, "deleted:withdrawn", data),)


def _gone(webhook: _Webhook) -> tuple[Event, ...]:
    return (webhook.event(EventType.TICKET_DELETED, f"{webhook.kind}:{webhook.id}", {}),)


def _plain_field(name: str, take: Callable[[object], str | None]) -> Callable[[_Webhook], tuple[Event, ...]]:
    return lambda webhook: webhook.field(name, take(webhook.change.get("current")))


_READERS: Final[Mapping[str, Callable[[_Webhook], tuple[Event, ...]]]] = {
    "created": _created,
    "comment_added": _comment,
    "comment_made_private": _made_private,
    "status_changed": _status,
    "custom_status_changed": _custom_status,
    "priority_changed": _priority,
    "agent_assignment_changed": _plain_field("assignee", identifier),
    "group_assignment_changed": _group,
    "organization_changed": _plain_field("organisation", identifier),
    "requester_changed": _plain_field("customer", identifier),
    "subject_changed": _plain_field("title", text),
    "type_changed": _plain_field("kind", word),
    "tags_changed": _tags,
    "custom_field_changed": _custom_field,
    "merged": _merged,
    "soft_deleted": _deleted,
    "undeleted": _undeleted,
    "permanently_deleted": _gone,
    "marked_as_spam": _gone,
}
_ENDINGS: Final = frozenset({"merged", "soft_deleted", "permanently_deleted", "undeleted", "marked_as_spam"})
"""Events that count also for tickets of a dropped status."""


def _event_id(request: InboundRequest) -> str | None:
    try:
        return identifier(dig(request.json(), "id"))
    except Unreadable:
        return None


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Zendesk, event subscription",
    schemes=("zendesk",),
    read=read,
    idempotency_key=_event_id,
    statuses=STATUSES,
    priorities=PRIORITIES,
    events_to_tick=TO_TICK,
)
