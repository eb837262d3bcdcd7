"""GLPI 11 adapter: snapshots of tickets, and events of followups, solutions and tasks.

Each webhook sends one item and never what changed. A Ticket is a snapshot, dated by its last change. A followup, a
solution and a task are events of their own, reported once, when they are new. Their author follows from the
ticket's team; where the team does not decide, they stop no clock. An item without a date happened at the signed time,
which GLPI sets when the event is raised. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.intake.adapter import PUBLIC_NOTES, Adapter, public_notes_option
from app.intake.mapping.events import Unreadable, happened, instant_in
from app.intake.mapping.message import message
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change, looked_at, rule_events
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, instant, items, plain, table, text, truth, whole, word
from app.intake.request import InboundRequest
from app.sla.document.table import Table
from app.sla.event import Event, EventType, Value
from app.sla.span import SECOND, Micros

Item = Mapping[str, object]

_ITEMTYPE: Final = "x-sla-itemtype"
_EVENT: Final = "x-sla-event"
_RAISED: Final = "x-glpi-timestamp"

_STATUSES: Final[Mapping[str, str | None]] = {
    "1": "open",
    "2": "open",
    "3": "open",
    "4": "pending",
    "5": "solved",
    "6": "closed",
}
"""By number, since names are in the language of the installation: new, assigned, planned, pending, solved, closed."""

_PRIORITIES: Final = {"1": "low", "2": "low", "3": "normal", "4": "high", "5": "urgent", "6": "urgent"}
"""From very low to very high, and major."""

_PHONE: Final = 3
"""Number of the request type "Phone"; a new installation has it, whatever its language."""
_CHANNELS: Final = {1: "portal", 2: "email", _PHONE: "phone"}


class ItemType(StrEnum):
    """The kinds of item that concern a clock."""

    TICKET = "ticket"
    FOLLOWUP = "itilfollowup"
    SOLUTION = "itilsolution"
    TASK = "tickettask"


class Author(StrEnum):
    """How an author counts whom the ticket's team does not identify: undecided is neither side, with a warning."""

    UNDECIDED = "nobody"
    AGENT = "agent"
    CUSTOMER = "customer"


_REPLY: Final = {Author.AGENT: EventType.AGENT_REPLIED, Author.CUSTOMER: EventType.CUSTOMER_REPLIED}


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    item = table(body.get("item"))
    if not item:
        raise Unreadable(
            "no item in the body; the webhook must send GLPI's own payload: under Setup > Webhooks > Payload editor, "
            "use the default payload",
            "item",
        )
    itemtype = word(request.header(_ITEMTYPE)) or _guessed(item)
    event = word(body.get("event")) or word(request.header(_EVENT))
    if itemtype not in set(ItemType):
        return Reading(
            ignored=f"an item of the type {itemtype!r}" if itemtype else "an item of no known type"
        )
    raised_at = instant(request.header(_RAISED))
    if itemtype == ItemType.TICKET:
        return _ticket(source, item, event, raised_at or 0)
    if event != "new":
        return Reading(ignored=f"the event {event!r} of {itemtype!r} reports nothing new")
    if (parent := word(item.get("itemtype"))) not in (None, ItemType.TICKET):
        return Reading(ignored=f"a part of {parent!r}, which is no ticket")
    return _part(
        source, ItemType(itemtype), item, table(body.get("parent_item")), raised_at or request.received_at
    )


def _guessed(item: Item) -> str | None:
    """The kind of an item, by the fields that only this kind has."""
    if "tickets_id" in item:
        return ItemType.TASK if "state" in item else None
    if "items_id" in item:
        return ItemType.FOLLOWUP if "is_private" in item else ItemType.SOLUTION
    return ItemType.TICKET if "status" in item and "request_type" in item else None


# -- the ticket as it is ------------------------------------------------------------------------------------------


def _ticket(source: Source, item: Item, event: str | None, raised_at: Micros) -> Reading:
    number = identifier(item.get("id"))
    if number is None:
        raise Unreadable("the ticket's id is missing", "item.id")
    at = instant_in(item, ["date_mod"], "the instant of the last change", source.zone, "item.")
    if event == "delete" or truth(item.get("is_deleted")):
        return Reading((happened(source.system, number, EventType.TICKET_DELETED, at, f"deleted:{at}"),))
    translator = Translator(source)
    if source.drops(status := _status_word(source, item)):
        return Reading(ignored=f"a ticket of status {status!r}")
    snapshot = _snapshot(source, translator, number, item, at, raised_at)
    recorded: tuple[Event, ...] = ()
    if event == "new" and _sort(item) == _PHONE:
        called_at, data = snapshot.created_at or at, {"author": "customer"}
        recorded = (happened(source.system, number, EventType.CALL_REGISTERED, called_at, "call", data),)
    return Reading(recorded, (snapshot,), translator.warnings)


def _snapshot(
    source: Source, translator: Translator, number: str, item: Item, at: Micros, raised_at: Micros
) -> Snapshot:
    team, status = items(item.get("team")), _status_word(source, item)
    group = _member(team, "assigned", "group")
    fields: dict[str, Value] = {
        "title": text(item.get("name")),
        "customer": _member(team, "requester", "user") or _member(team, "requester", "group"),
        "organisation": text(dig(item, "entity.completename")) or text(dig(item, "entity.name")),
        "category": text(dig(item, "category.completename")) or text(dig(item, "category.name")),
        "channel": _CHANNELS.get(_sort(item) or 0) or word(dig(item, "request_type.name")),
        "assignee": _member(team, "assigned", "user"),
        "group": group,
    }
    if source.queues:
        fields["queue"] = translator.queue(group)
    if translated := translator.status(status):
        fields["status"] = translated
    if priority := translator.priority(identifier(item.get("priority"))):
        fields["priority"] = priority
    created_at = instant(item.get("date"), source.zone) or instant(item.get("date_creation"), source.zone)
    return Snapshot.of(
        source.system,
        number,
        at,
        created_at,
        fields,
        status_word=text(dig(item, "status.name")) or status,
        looked_at=looked_at(source.rules, item),
        rank=raised_at // SECOND,
    )


def _status_word(source: Source, item: Item) -> str | None:
    """The word to look a status up by: its name where the desk has mapped it, else its number."""
    status = item.get("status")
    name, number = text(dig(status, "name")), identifier(dig(status, "id")) or identifier(status)
    return name if name is not None and name.casefold() in source.statuses else number or name


def _sort(item: Item) -> int | None:
    return whole(dig(item, "request_type.id"))


def _member(team: list[object], role: str, sort: str) -> str | None:
    """The first member of a role, by number, since a team comes in no order."""
    found = [
        (whole(dig(one, "id")) or 0, text(dig(one, "name")) or identifier(dig(one, "id")) or "")
        for one in team
        if _role(one) == role and word(dig(one, "type")) == sort
    ]
    return min(found)[1] or None if found else None


def _role(member: object) -> str | None:
    """A member's role; "assigned" goes by several names."""
    role = word(dig(member, "role"))
    return "assigned" if role in ("assign", "assignee", "technician") else role


# -- what was added to it -----------------------------------------------------------------------------------------


def _part(source: Source, itemtype: ItemType, item: Item, parent: Item, raised_at: Micros) -> Reading:
    """A followup, a solution or a task."""
    number = (
        identifier(item.get("items_id")) or identifier(item.get("tickets_id")) or identifier(parent.get("id"))
    )
    part = identifier(item.get("id"))
    if number is None or part is None:
        raise Unreadable("the id of the ticket or of the item is missing", "item")
    translator, key = Translator(source), f"{itemtype}:{part}"
    at, words = _written_at(source, item) or raised_at, plain(item.get("content"))
    recorded: tuple[Event, ...] = ()
    if itemtype is ItemType.FOLLOWUP and _sort(item) == _PHONE:
        data = {"reference": f"followup {part}"}
        recorded = (happened(source.system, number, EventType.CALL_REGISTERED, at, f"{key}:call", data),)
    kind = _kind(source, translator, itemtype, item, parent)
    recorded += message(source, number, kind, at, key, words)
    if itemtype is ItemType.TASK:
        change = Change(fields=looked_at(source.rules, {"task": item}))
        recorded += rule_events(source.system, number, at, key, source.rules, change)
    return Reading(recorded, (), translator.warnings)


def _written_at(source: Source, item: Item) -> Micros | None:
    return instant(item.get("date_creation"), source.zone) or instant(item.get("date_mod"), source.zone)


def _kind(source: Source, translator: Translator, itemtype: ItemType, item: Item, parent: Item) -> EventType:
    """The event type: a solution is an agent's reply, a public follow-up a reply of its author, a task a note; of a
    public task, which the requester sees, the desk may say that it is a reply."""
    public = not truth(item.get("is_private"))
    match itemtype:
        case ItemType.SOLUTION:
            return EventType.AGENT_REPLIED
        case ItemType.TASK if public and source.options.get(PUBLIC_NOTES):
            return EventType.AGENT_REPLIED
        case ItemType.FOLLOWUP if public:
            author = _author(item, parent) or source.options.get("unknown_author", Author.UNDECIDED)
            if author in _REPLY:
                return _REPLY[Author(str(author))]
            translator.unknown("author", text(dig(item, "user.name")) or "without a name")
            return EventType.NOTE_ADDED
        case _:
            return EventType.NOTE_ADDED


def _author(item: Item, parent: Item) -> Author | None:
    """Whether an author is an agent or a customer, by the role in the team; an assigned requester is an agent.

    An author without a role is an agent, since only the desk's rights give access to the ticket, unless the requester or
    an observer is a group: its members have no role either. Then, and for an observer, the author is None.
    """
    user, team = identifier(dig(item, "user.id")), items(parent.get("team"))
    if user is None or not team:
        return None
    roles = {
        _role(one) for one in team if word(dig(one, "type")) == "user" and identifier(dig(one, "id")) == user
    }
    if "assigned" in roles:
        return Author.AGENT
    if "requester" in roles:
        return Author.CUSTOMER
    if roles or any(
        _role(one) in ("requester", "observer") and word(dig(one, "type")) == "group" for one in team
    ):
        return None
    return Author.AGENT


def _options(table: Table) -> Mapping[str, object]:
    unknown_author = {"unknown_author": table.word("unknown_author", Author.UNDECIDED)}
    return unknown_author | public_notes_option(table, default=False)


ADAPTER: Final = Adapter(
    system="glpi",
    label="GLPI 11",
    schemes=("glpi",),
    read=_read,
    statuses=_STATUSES,
    priorities=_PRIORITIES,
    events_to_tick=(
        "Ticket: new",
        "Ticket: update",
        "Ticket: delete",
        "ITILFollowup: new",
        "ITILSolution: new",
        "TicketTask: new",
    ),
    headers=(_RAISED, _ITEMTYPE, _EVENT),
    options=_options,
)
