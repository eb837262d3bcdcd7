"""Adapter of systems without a built-in one: reads requests by the JMESPath expressions of a desk's file.

A request reports events by its types, shows the whole ticket, or both. Only what the file maps is an event; a type that
the file does not name is a warning. Instants are microseconds UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from app.intake.adapter import Adapter
from app.intake.challenge import Answer
from app.intake.expressions.file import ANYTHING_ELSE, IGNORE, REPLY, Expressions, read_expressions
from app.intake.expressions.item import Item, asked_of, items_of
from app.intake.expressions.query import truthy
from app.intake.mapping.events import Unreadable, without_absent
from app.intake.mapping.message import message
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import STATUS_PREFIX, Change, looked_at, rule_events
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, plain, text
from app.intake.request import InboundRequest
from app.intake.source_file import EXPRESSION
from app.sla.document.table import Table
from app.sla.event import Event, EventType
from app.sla.ticket import STATUSES

_READ: Final = "read"
_MESSAGE_ID: Final = "webhook-id"

_MESSAGES: Final = frozenset(
    {
        EventType.CUSTOMER_REPLIED,
        EventType.AGENT_REPLIED,
        EventType.NOTE_ADDED,
        EventType.PROGRESS_REPORTED,
    }
)
_REPLY_OF: Final = {
    "customer": EventType.CUSTOMER_REPLIED,
    "agent": EventType.AGENT_REPLIED,
    "system": EventType.AGENT_REPLIED,
}


def _read(request: InboundRequest, source: Source) -> Reading:
    words = Translator(source)
    events: dict[str, Event] = {}
    snapshots: list[Snapshot] = []
    ignored = "it reports no event"
    for item in items_of(request, _expressions(source), words):
        if source.drops(item.status_word()):
            ignored = f"a ticket of status {item.status_word()!r}"
            continue
        events |= {event.id: event for event in _events(item)}
        if item.shows_ticket():
            snapshots.append(_snapshot(item))
    found = events or snapshots or words.warnings
    return Reading(tuple(events.values()), tuple(snapshots), words.warnings, None if found else ignored)


def _expressions(source: Source) -> Expressions:
    found = source.options.get(_READ)
    if not isinstance(found, Expressions):
        raise Unreadable(f"no file describes how {source.system} is read", f"sources.{source.system}.read")
    return found


def _events(item: Item) -> Iterator[Event]:
    """The events that the file's `types` map the item's types to."""
    types = item.expressions.types
    for theirs in item.types():
        facts = types.get(theirs.casefold(), types.get(ANYTHING_ELSE))
        if facts is None:
            item.words.unknown("type", theirs)
            continue
        for fact in facts:
            yield from _fact(item, fact)


def _fact(item: Item, fact: str) -> tuple[Event, ...]:
    if fact == IGNORE:
        return ()
    if fact == REPLY:
        return _reply(item)
    if fact.startswith(STATUS_PREFIX):
        return _status(item, fact.removeprefix(STATUS_PREFIX))
    match kind := EventType(fact):
        case EventType.TICKET_CREATED:
            return _created(item)
        case EventType.TICKET_UPDATED:
            data = without_absent(item.fields())
            return (item.fact(kind, data),) if data else ()
        case EventType.STATUS_CHANGED:
            return _status(item, item.status())
        case _ if kind in _MESSAGES:
            return _message(item, kind)
        case _:
            about = {"author": item.actor(), "reference": text(item.find("reference"))}
            return (item.fact(kind, about | item.further_data()),)


def _created(item: Item) -> tuple[Event, ...]:
    data = {**item.fields(), "status": item.status(), "author": item.actor()}
    return (item.fact(EventType.TICKET_CREATED, data), *_seen_by_rules(item))


def _status(item: Item, status: str | None) -> tuple[Event, ...]:
    if status is None:
        return _seen_by_rules(item)
    return (item.fact(EventType.STATUS_CHANGED, {"status": status}), *_seen_by_rules(item))


def _seen_by_rules(item: Item) -> tuple[Event, ...]:
    """The events of the desk's rules for a new status. A snapshot has them from its comparison with the previous one."""
    if item.shows_ticket():
        return ()
    source, change = item.source, Change(status=item.status_word())
    return rule_events(source.system, item.ticket(), item.at(), str(item.at()), source.rules, change)


def _reply(item: Item) -> tuple[Event, ...]:
    actor = item.actor()
    if actor is None:
        # The warning for an unmapped word is recorded already; a missing actor has none yet.
        if item.find("actor") is None:
            item.words.unknown("actor", "")
        return ()
    return _message(item, _REPLY_OF[actor], automatic=actor == "system")


def _message(item: Item, kind: EventType, *, automatic: bool = False) -> tuple[Event, ...]:
    words = plain(item.find("text"))
    key = item.key(kind, {"text": words})
    by_machine = automatic or truthy(item.find("automatic"))
    return message(item.source, item.ticket(), kind, item.at(), key, words, automatic=by_machine)


def _snapshot(item: Item) -> Snapshot:
    status = item.status()
    return Snapshot.of(
        item.source.system,
        item.ticket(),
        item.at(),
        item.created_at(),
        item.fields() | without_absent({"status": status}),
        author=item.actor(),
        status_word=item.status_word(),
        looked_at=looked_at(item.source.rules, item.content),
        rank=item.sequence(),
    )


def _options(inner: Table) -> Mapping[str, object]:
    return {_READ: read_expressions(inner)}


def adapter_of(source: Source) -> Adapter:
    """The adapter of one such system: the file names the headers that it reads and its idempotency key."""
    expressions = _expressions(source)

    def idempotency_key(request: InboundRequest) -> str | None:
        query = expressions.single.get("delivery_id")
        if query is None:
            return request.header(_MESSAGE_ID)
        return identifier(query.find(asked_of(request, expressions, request.json())))

    def challenge(request: InboundRequest) -> Answer | None:
        query = expressions.single.get("challenge")
        found = None if query is None else query.find(asked_of(request, expressions, request.json()))
        return Answer.of(found) if truthy(found) else None

    return replace(
        ADAPTER,
        system=source.system,
        label=source.system,
        schemes=(source.scheme,) if source.scheme else (),
        headers=(_MESSAGE_ID, *expressions.headers),
        idempotency_key=idempotency_key,
        challenge=challenge,
    )


ADAPTER: Final = Adapter(
    system=EXPRESSION,
    label="any other system",
    schemes=(),
    read=_read,
    idempotency_key=lambda request: request.header(_MESSAGE_ID),
    statuses={status: status for status in STATUSES},
    priorities={priority: priority for priority in ("urgent", "high", "normal", "low")},
    headers=(_MESSAGE_ID,),
    options=_options,
)
