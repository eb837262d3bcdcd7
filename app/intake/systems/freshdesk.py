"""Freshdesk: automation rules that send our template.

A request has no id, no instant and no signature: it is dated by its arrival, unless the desk can put an `occurred_at`
into the template. `triggered_event` is no JSON and names only the first of several changes, so the ticket is read as a
snapshot as well, and the event serves for messages and for the creation. Who acted is a fixed word in each rule.
Instants are microseconds UTC.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from app.intake.adapter import PUBLIC_NOTES, Adapter, public_notes_option
from app.intake.mapping.events import Unreadable, happened
from app.intake.mapping.message import message
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import FACTS, looked_at
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, instant, names, plain, table, text, word
from app.intake.request import InboundRequest
from app.sla.event import Event, EventType, Value
from app.sla.span import MINUTE, Micros

SYSTEM: Final = "freshdesk"

_NAME: Final = re.compile(r"\w++")
_TO: Final = re.compile(r",\s*+to\s*+:")

_WRAPPED: Final = "freshdesk_webhook"
"""Freshdesk's own simple body wraps everything in this, and begins most names with `ticket_`."""

_AUTHORS: Final = {"requester": "customer", "customer": "customer", "agent": "agent", "system": "system"}
_KIND_OF_REPLY: Final = {
    "customer": EventType.CUSTOMER_REPLIED,
    "agent": EventType.AGENT_REPLIED,
    "system": EventType.AGENT_REPLIED,
}

_FIELDS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[object], str | None]]]] = {
    "title": (("subject", "ticket_subject"), plain),
    "url": (("ticket_url",), text),
    "customer": (("requester_email", "requester_name"), text),
    "organisation": (("company",), text),
    "channel": (("channel",), word),
    "group": (("group",), text),
    "assignee": (("agent_email",), text),
}
"""Where each field stands, the better place first."""

_COUNTED: Final = True
"""Unless the desk says otherwise, an agent's public note is a reply: Freshdesk mails it to whom the agent chooses."""

_SAME: Final[Micros] = MINUTE
"""A body that comes twice within this is one request. Freshdesk tries again after five minutes at the earliest, but the
same change made twice in a day has the same body as well, and must not be lost."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """One request: the rule's event and its argument, as in `{status:{from:2,to:3}}`, and the ticket."""

    event: str | None
    argument: str
    ticket: str
    at: Micros
    key: str
    body: Mapping[str, object]
    words: Translator

    def value(self, name: str) -> object:
        found = self.body.get(name)
        return self.body.get(f"ticket_{name}") if found is None else found

    @property
    def author(self) -> str | None:
        return _AUTHORS.get(word(self.body.get("actor")) or "")


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    body = table(body.get(_WRAPPED)) or body
    ticket = identifier(body.get("ticket_id"))
    if ticket is None:
        raise Unreadable(
            "the ticket's id is missing; the rule must send our template: under Admin > Automations, in the rule's "
            "action Trigger webhook, choose JSON, Advanced, and paste what `slatimer connect freshdesk` prints",
            "ticket_id",
        )
    event, argument = _triggered(body)
    at = instant(body.get("occurred_at"), source.zone) or request.received_at
    key = f"{at}:{_digest(request)}"
    sent = _Sent(event, argument, ticket, at, key, body, Translator(source))
    status = _status_word(sent)
    if source.drops(status):
        return Reading(ignored=f"a ticket of status {status!r}")
    events = (*_messages(sent), *_entered(sent))
    snapshot = _snapshot(sent, status)
    return Reading(events, (snapshot,), sent.words.warnings)


def _triggered(body: Mapping[str, object]) -> tuple[str | None, str]:
    written = text(body.get("triggered_event"))
    if written is None:
        return None, ""
    name, colon, argument = _within_braces(written).partition(":")
    if not colon or _NAME.fullmatch(name.strip()) is None:
        raise Unreadable(f"{written[:80]!r} is no event of a rule", "triggered_event")
    return name.strip().lower(), argument.strip()


def _within_braces(written: str) -> str:
    """What stands in the outer braces, as in `{reply_sent:sent}`; nothing without them."""
    return written[1:-1] if written.startswith("{") and written.endswith("}") else ""


def _changed_to(argument: str) -> str | None:
    """The new value of a change, as in `{from:2,to:3}`."""
    within = _within_braces(argument)
    to = _TO.search(within)
    return text(within[to.end() :]) if to and within.partition(":")[0].strip() == "from" else None


def _digest(request: InboundRequest) -> str:
    return sha256(request.body).hexdigest()[:24]


def _status_word(sent: _Sent) -> str | None:
    """The status by its label; by its number where the template has no label."""
    if (label := text(sent.value("status"))) is not None:
        return label
    return _changed_to(sent.argument) if sent.event == "status" else None


def _messages(sent: _Sent) -> tuple[Event, ...]:
    """The reply or note that the rule speaks of."""
    words = plain(sent.body.get("latest_public_comment"))
    match sent.event, sent.argument.lower():
        case "note_type", "private":
            # The only comment that a rule can send is the public one before.
            note = plain(sent.body.get("latest_private_comment"))
            return _message(sent, EventType.NOTE_ADDED, note)
        case ("reply_sent", _) | ("note_type", _):
            author = sent.author
            if author is None:
                sent.words.unknown("actor", text(sent.body.get("actor")) or "")
                return ()
            counted = sent.words.source.options.get(PUBLIC_NOTES, _COUNTED)
            if sent.event == "note_type" and author == "agent" and not counted:
                return _message(sent, EventType.NOTE_ADDED, words)
            return _message(sent, _KIND_OF_REPLY[author], words, automatic=author == "system")
        case _:
            return ()


def _message(
    sent: _Sent, kind: EventType, words: str | None, *, automatic: bool = False
) -> tuple[Event, ...]:
    return message(
        sent.words.source, sent.ticket, kind, sent.at, f"{sent.key}:{kind}", words, automatic=automatic
    )


def _entered(sent: _Sent) -> tuple[Event, ...]:
    """A fact that the desk wrote into a rule of its own, as in `"event": "intervention.started"`."""
    named = word(sent.body.get("event"))
    if named is None:
        return ()
    if named not in FACTS:
        sent.words.unknown("event", named)
        return ()
    data = {"author": sent.author or "agent", "reference": "a rule of Freshdesk"}
    return (happened(sent.words.source.system, sent.ticket, named, sent.at, f"{sent.key}:{named}", data),)


def _snapshot(sent: _Sent, status_word: str | None) -> Snapshot:
    created = sent.event == "ticket_action" and sent.argument.lower() == "created"
    return Snapshot.of(
        sent.words.source.system,
        sent.ticket,
        sent.at,
        sent.at if created else None,
        _fields(sent, status_word),
        author=sent.author if created else None,
        status_word=status_word,
        looked_at=looked_at(sent.words.source.rules, sent.body),
    )


def _fields(sent: _Sent, status_word: str | None) -> dict[str, Value]:
    """The ticket's fields. A placeholder that is empty is null; one that the template has not is nothing."""
    body, words = sent.body, sent.words
    fields: dict[str, Value] = {}
    for name, (keys, taken) in _FIELDS.items():
        given = [taken(body[key]) for key in keys if key in body]
        if given:
            fields[name] = next((value for value in given if value is not None), None)
    if "tags" in body:
        fields["tags"] = names(body["tags"])
    if words.source.queues:
        fields["queue"] = words.queue(text(body.get("group")))
    if status := words.status(status_word):
        fields["status"] = status
    if priority := words.priority(text(sent.value("priority"))):
        fields["priority"] = priority
    return fields


def _delivery_id(request: InboundRequest) -> str | None:
    return f"{_digest(request)}:{request.received_at // _SAME}"


TEMPLATE: Final = json.dumps(
    {
        "source": "freshdesk/1",
        "triggered_event": "{{triggered_event}}",
        "ticket_id": "{{ticket.id}}",
        "ticket_url": "{{ticket.url}}",
        "subject": "{{ticket.subject}}",
        "status": "{{ticket.status}}",
        "priority": "{{ticket.priority}}",
        "type": "{{ticket.ticket_type}}",
        "channel": "{{ticket.source}}",
        "group": "{{ticket.group.name}}",
        "agent_email": "{{ticket.agent.email}}",
        "requester_name": "{{ticket.requester.name}}",
        "requester_email": "{{ticket.requester.email}}",
        "company": "{{ticket.requester.company_name}}",
        "tags": "{{ticket.tags}}",
        "actor": "<requester | agent | system: the word of this rule>",
        "latest_public_comment": "{{ticket.latest_public_comment}}",
    },
    indent=2,
)

ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Freshdesk",
    schemes=("token", "url-secret"),
    read=_read,
    idempotency_key=_delivery_id,
    statuses={
        "open": "open",
        "pending": "pending",
        "resolved": "solved",
        "closed": "closed",
        "waiting on customer": "pending",
        "waiting on third party": "on_hold",
        "2": "open",
        "3": "pending",
        "4": "solved",
        "5": "closed",
        "6": "pending",
        "7": "on_hold",
    },
    priorities={
        "low": "low",
        "medium": "normal",
        "high": "high",
        "urgent": "urgent",
        "1": "low",
        "2": "normal",
        "3": "high",
        "4": "urgent",
    },
    events_to_tick=(
        "rule on ticket creation, actor as who creates it",
        "rule on ticket updates performed by the requester: reply is sent, status is changed",
        "rule on ticket updates performed by an agent: reply is sent, note is added, a property is changed",
        "rule on ticket updates performed by the system: status is changed",
    ),
    template=TEMPLATE,
    options=lambda own: public_notes_option(own, default=_COUNTED),
)
