"""One item of a request, as a desk's expressions find it: the ticket, the instant, the type, the actor.

An item is the body, or one entry of a list in it; beside its own keys stand `_headers` and, for a list, the whole
`_body`. Words are mapped to ours here; one that is not mapped is left out and named in a warning. Instants are
microseconds UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from app.intake.expressions.file import ACTORS, Expressions
from app.intake.expressions.query import truthy
from app.intake.mapping.events import Unreadable, digest, happened, instant_of, without_absent
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, instant, items, names, plain, table, text, whole, word
from app.intake.request import InboundRequest
from app.sla.event import Event, Value
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a request. Each expression is evaluated when its value is needed, so that a request that
    means nothing need not have what the others have."""

    content: Mapping[str, object]
    expressions: Expressions
    words: Translator
    received_at: Micros

    @property
    def source(self) -> Source:
        """The desk's configuration of the system."""
        return self.words.source

    def find(self, key: str) -> object:
        """What the expression of this key finds; null where the file has none. Raises Unreadable if it does not fit."""
        query = self.expressions.single.get(key)
        return None if query is None else query.find(self.content)

    def ticket(self) -> str:
        """The ticket's id. Raises Unreadable when none is found."""
        if (found := identifier(self.find("ticket"))) is None:
            raise Unreadable("the ticket's id is missing", self.expressions.single["ticket"].place)
        return found

    def at(self) -> Micros:
        """When it happened; when it came, where the file names no time. Raises Unreadable when none is found."""
        time = self.expressions.single.get("time")
        if time is None:
            return self.received_at
        if (found := time.find(self.content)) is None:
            raise Unreadable("no instant is found", time.place)
        return instant_of(found, "the instant", time.place, self.source.zone)

    def created_at(self) -> Micros | None:
        """When the ticket was created, as a snapshot reports it."""
        return instant(self.find("created"), self.source.zone)

    def sequence(self) -> int:
        """The system's own count of changes, which orders those of one instant."""
        return max(whole(self.find("sequence")) or 0, 0)

    def types(self) -> list[str]:
        """Their words for what happened: one, or a list of which what is empty does not count."""
        found = self.find("type")
        listed = items(cast("object", found)) if isinstance(found, list) else [found]
        return [theirs for one in listed if truthy(one) and (theirs := text(one)) is not None]

    def status_word(self) -> str | None:
        """Their word for the ticket's status."""
        return text(self.find("status"))

    def status(self) -> str | None:
        """The ticket's status."""
        return self.words.status(self.status_word())

    def actor(self) -> str | None:
        """Who did it. None where the file has no expression and, with a warning, where the word is not mapped."""
        given = self.find("actor")
        actor = ("true" if given else "false") if isinstance(given, bool) else word(given)
        if actor is None:
            return None
        found = self.expressions.actors.get(actor, actor)
        if found not in ACTORS:
            self.words.unknown("actor", actor)
            return None
        return found

    def shows_ticket(self) -> bool:
        """Whether it shows the whole ticket, to be compared with the one before."""
        snapshot = self.expressions.snapshot
        return snapshot if isinstance(snapshot, bool) else truthy(snapshot.find(self.content))

    def fields(self) -> dict[str, Value | None]:
        """The ticket's fields. What is empty is null, what is not mapped is left out."""
        found: dict[str, Value | None] = {}
        for name, query in self.expressions.fields.items():
            value = query.find(self.content)
            if name == "tags":
                found[name] = names(value)
            elif name != "priority":
                found[name] = plain(value)
            elif (theirs := text(value)) is None or self.words.priority(theirs) is not None:
                found[name] = self.words.priority(theirs)
        queue = self.words.queue(text(found.get("group")))
        return found if queue is None or "queue" in found else found | {"queue": queue}

    def further_data(self) -> dict[str, Value | None]:
        """What else the data of an event holds: into which ticket, whose service."""
        data = self.expressions.data
        return {name: _datum(name, query.find(self.content)) for name, query in data.items()}

    def key(self, kind: str, data: Mapping[str, Value]) -> str:
        """The key of this event among those of the ticket: the system's own id, else the instant and the content."""
        given = identifier(self.find("id"))
        return f"{given}:{kind}" if given else f"{self.at()}:{kind}:{digest(dict(data))}"

    def fact(self, kind: str, data: Mapping[str, Value | None]) -> Event:
        """The fact of this kind. Raises Unreadable when its ticket or instant is not found."""
        present, sequence = without_absent(data), self.sequence()
        system, ticket, key = self.source.system, self.ticket(), self.key(kind, present)
        return happened(system, ticket, kind, self.at(), key, present, sequence=sequence)


def items_of(request: InboundRequest, expressions: Expressions, words: Translator) -> Iterator[Item]:
    """The items of a request: its body, or each entry of the list that `each` finds in it."""
    body = request.json()
    content = asked_of(request, expressions, body)
    each = expressions.single.get("each")
    if each is None:
        yield Item(content, expressions, words, request.received_at)
        return
    listed = each.find(content)
    if not isinstance(listed, list):
        raise Unreadable("there is no list of them in the body", each.place)
    for entry in items(cast("object", listed)):
        beside = {"_headers": content["_headers"], "_body": body}
        yield Item({**_keys(entry), **beside}, expressions, words, request.received_at)


def asked_of(request: InboundRequest, expressions: Expressions, body: object) -> Mapping[str, object]:
    """The value that expressions are evaluated on: the body's own keys, and `_headers`."""
    headers = {name: request.headers[name] for name in expressions.headers if name in request.headers}
    return {**_keys(body), "_headers": headers}


def _datum(name: str, value: object) -> Value | None:
    if name in ("into", "ticket"):
        return identifier(value)
    return value if name == "accepted" and isinstance(value, bool) else text(value)


def _keys(value: object) -> Mapping[str, object]:
    # A value that is no object can still be reached, under a name of its own.
    found = table(value)
    return found if found or value == {} else {"_item": value}
