"""Reader of conversations in the format that Help Scout and FreeScout share.

The body holds the conversation as it is and never names the event; a header does. The conversation is a snapshot. Each
published thread in it is an event under its own id, so that a reply whose request was lost arrives with the next one;
where threads are only counted, the event's name states what was written. Instants are microseconds UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.mapping.events import Unreadable, digest, happened, instant_in, without_absent
from app.intake.mapping.message import message
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import looked_at
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, instant, items, names, plain, table, text, whole, word
from app.intake.request import InboundRequest
from app.sla.document.table import Table
from app.sla.event import Event, EventType, Value
from app.sla.span import MINUTE, Micros

Body = Mapping[str, object]

STATUSES: Final[Mapping[str, str | None]] = {
    "active": "open",
    "open": "open",
    "pending": "pending",
    "closed": "solved",
    "spam": None,
}
PRIORITIES: Final = {
    "low": "low",
    "normal": "normal",
    "medium": "normal",
    "high": "high",
    "urgent": "urgent",
}
"""A conversation has no priority of its own; these are the usual words of a custom field."""

_CREATED: Final = "convo.created"

EVENTS: Final = (
    _CREATED,
    "convo.assigned",
    "convo.status",
    "convo.moved",
    "convo.customer.reply.created",
    "convo.agent.reply.created",
    "convo.note.created",
    "convo.deleted",
)

_WRITTEN: Final = {
    "convo.customer.reply.created": EventType.CUSTOMER_REPLIED,
    "convo.agent.reply.created": EventType.AGENT_REPLIED,
    "convo.note.created": EventType.NOTE_ADDED,
}
_THREADS: Final = {
    "customer": EventType.CUSTOMER_REPLIED,
    "message": EventType.AGENT_REPLIED,
    "reply": EventType.AGENT_REPLIED,
    "note": EventType.NOTE_ADDED,
}
"""What a thread is, by its type; any other, such as a line item, is no message."""

_DELETED: Final = frozenset({"convo.deleted", "convo.deleted_forever"})
_UPDATED: Final = frozenset(
    {"convo.merged", "convo.tags", "convo.custom-fields", "convo.restored", "convo.ai-answers.created"}
)
_PUBLISHED: Final = "published"
_PHONE: Final = "phone"

_OPENING: Final[Micros] = MINUTE
"""The first thread is written with the conversation, a second or two apart. A list of threads that begins later than
this has been cut, and its first one is a reply like any other."""

_PRIORITY_FIELD: Final = "priority_field"
_AUTHORS: Final = {"customer": "customer", "user": "agent"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the two systems: the header (lower case) that names the event, the key of the customer, the
    paths of the instants that date a conversation, and the function that reads them."""

    header: str
    customer: str
    dates: tuple[str, ...]
    dated: Callable[[Body, str | None], Micros | None]

    def idempotency_key(self, request: InboundRequest) -> str:
        """The idempotency key: the same body under another event is another request."""
        return digest([request.header(self.header), request.body.decode("utf-8", "replace")])

    def read(self, request: InboundRequest, source: Source) -> Reading:
        """The events and snapshots of a request. Raises Unreadable when it holds no conversation."""
        event = word(request.header(self.header)) or ""
        if event and not event.startswith("convo."):
            return Reading(ignored=f"the event {event!r} concerns no conversation")
        body = table(request.json())
        number = identifier(body.get("id"))
        if number is None:
            raise Unreadable(
                "there is no conversation in the body; connect a webhook of the mail desk itself, with events that "
                "begin with convo.",
                "id",
            )
        at = self.dated(body, source.zone)
        if event in _DELETED:
            return Reading((_deletion(source, number, at, request.received_at),))
        if at is None:
            at = instant_in(body, self.dates, "the instant of the last update", source.zone)
        if (state := word(body.get("state"))) not in (None, _PUBLISHED):
            return Reading(ignored=f"the conversation is in state {state!r}")
        if event == _CREATED and source.drops(text(body.get("status"))):
            return Reading(ignored=f"a conversation of status {text(body.get('status'))!r}")
        translator = Translator(source)
        if not event or event not in {*EVENTS, *_UPDATED}:
            translator.unknown("event", event)
        snapshot = _snapshot(source, translator, number, body, at, self.customer)
        return Reading(_facts(source, number, body, event, at), (snapshot,), translator.warnings)


def options(table: Table) -> Mapping[str, object]:
    """Keys of a source's table: `priority_field` names the custom field that holds the priority."""
    named = table.text(_PRIORITY_FIELD, example='"Priority"')
    return {} if named is None else {_PRIORITY_FIELD: named}


def _deletion(source: Source, number: str, at: Micros | None, received_at: Micros) -> Event:
    """The end of a conversation. Where the body holds no instant, that of receipt stands in and is marked."""
    if at is None:
        uncertain = {"time_uncertain": True}
        return happened(source.system, number, EventType.TICKET_DELETED, received_at, "deleted", uncertain)
    return happened(source.system, number, EventType.TICKET_DELETED, at, f"deleted:{at}")


# -- the conversation as it is ------------------------------------------------------------------------------------


def _snapshot(
    source: Source, translator: Translator, number: str, body: Body, at: Micros, customer: str
) -> Snapshot:
    mailbox = identifier(body.get("mailboxId"))
    group = None if mailbox is None else f"mailbox {mailbox}"
    custom = _custom_fields(body)
    fields: dict[str, Value] = {
        "title": text(body.get("subject")),
        "customer": _person(body.get(customer)),
        "channel": word(body.get("type")),
        "assignee": _person(body.get("assignee")),
        "group": group,
    }
    if source.queues:
        fields["queue"] = translator.queue(group)
    if (status := _status(source, translator, text(body.get("status")))) is not None:
        fields["status"] = status
    priority = custom.get(_normalized(str(source.options.get(_PRIORITY_FIELD, "priority"))))
    if (translated := translator.priority(priority)) is not None:
        fields["priority"] = translated
    if "tags" in body:
        fields["tags"] = names(body.get("tags"))
    fields |= without_absent({"url": text(dig(body, "_links.web.href"))})
    return Snapshot.of(
        source.system,
        number,
        at,
        instant(body.get("createdAt"), source.zone),
        fields,
        author=_AUTHORS.get(word(dig(body, "createdBy.type")) or ""),
        status_word=text(body.get("status")),
        looked_at=looked_at(source.rules, {**body, "custom_fields": custom}),
        rank=_threads_so_far(body),
    )


def _status(source: Source, translator: Translator, theirs: str | None) -> str | None:
    """Our status for theirs. A known conversation that is marked as spam is closed: its clocks end, and it can be
    reopened."""
    return "closed" if source.drops(theirs) else translator.status(theirs)


def _custom_fields(body: Body) -> dict[str, str | None]:
    """Custom fields by normalized name; of a choice, the label and not its number."""
    return {
        _normalized(name): text(dig(field, "text")) or text(dig(field, "value"))
        for field in items(body.get("customFields"))
        if (name := text(dig(field, "name"))) is not None
    }


def _normalized(name: str) -> str:
    """The name of a custom field in lower case, with `_` for spaces."""
    return "_".join(name.casefold().split())


def _person(value: object) -> str | None:
    """A person, by address, else by name, else by number; None for no person."""
    named = " ".join(
        part
        for short, long in (("first", "firstName"), ("last", "lastName"))
        if (part := text(dig(value, short)) or text(dig(value, long)))
    )
    return text(dig(value, "email")) or named or identifier(dig(value, "id"))


def _threads_so_far(body: Body) -> int:
    """The count of threads: of two states in one second, the one with more is the later."""
    return max(whole(body.get("threadsCount")) or whole(body.get("threads")) or 0, 0)


# -- what was written ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class _Thread:
    """A published message of the conversation. Threads sort by time, then by number."""

    at: Micros
    number: int
    kind: EventType
    words: str


def _facts(source: Source, number: str, body: Body, event: str, at: Micros) -> tuple[Event, ...]:
    """The call that the conversation began with, if it was one, and every message."""
    created_at = instant(body.get("createdAt"), source.zone)
    recorded: tuple[Event, ...] = ()
    if word(body.get("type")) == _PHONE and created_at is not None:
        data = {"author": _AUTHORS.get(word(dig(body, "createdBy.type")) or "", "customer")}
        recorded = (happened(source.system, number, EventType.CALL_REGISTERED, created_at, "call", data),)
    if listed := items(dig(body, "_embedded.threads")):
        threads = [one for item in listed if (one := _thread(item, source.zone)) is not None]
        return recorded + _messages(source, number, threads, created_at)
    if (kind := _WRITTEN.get(event)) is None:
        return recorded
    # Nothing in the body names the message. The count of threads distinguishes two of one second.
    key = f"{kind}:{at}:{_threads_so_far(body)}"
    return recorded + message(source, number, kind, at, key, None)


def _thread(item: object, zone: str | None) -> _Thread | None:
    kind = _THREADS.get(word(dig(item, "type")) or "")
    at, number = instant(dig(item, "createdAt"), zone), whole(dig(item, "id"))
    if kind is None or at is None or number is None or word(dig(item, "state")) not in (None, _PUBLISHED):
        return None
    return _Thread(at, number, kind, plain(dig(item, "body")) or "")


def _messages(
    source: Source, number: str, threads: list[_Thread], created_at: Micros | None
) -> tuple[Event, ...]:
    """Every message but the one that opened the conversation. An edited message is another event, at its time."""
    spoken = sorted(thread for thread in threads if thread.kind is not EventType.NOTE_ADDED)
    opening = (
        spoken[0] if spoken and created_at is not None and spoken[0].at <= created_at + _OPENING else None
    )
    return tuple(
        event
        for thread in sorted(threads)
        if thread != opening
        for event in message(
            source,
            number,
            thread.kind,
            thread.at,
            f"thread:{thread.number}:{thread.kind}:{digest(thread.words)}",
            thread.words or None,
        )
    )
