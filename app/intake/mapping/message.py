"""Messages of a ticket: the event of a reply or a note, and the events that the desk's rules find in a note.

A note is searched for the desk's markers, a reply never is, since a customer could write them. Instants are
microseconds UTC.
"""

from typing import Final

from app.intake.mapping.events import happened, without_absent
from app.intake.mapping.rule import Change, rule_events
from app.intake.mapping.source import Source
from app.sla.event import Event, EventType
from app.sla.span import Micros

AUTHOR_OF: Final = {EventType.CUSTOMER_REPLIED: "customer", EventType.AGENT_REPLIED: "agent"}
"""Who wrote a reply; a note is the desk's own."""


def message(
    source: Source,
    ticket: str,
    kind: EventType,
    at: Micros,
    key: str,
    words: str | None,
    *,
    automatic: bool = False,
) -> tuple[Event, ...]:
    """A reply or a note with its `words`, and the events of the desk's rules in a note.

    `key` is unique among the messages of the ticket.
    """
    author = AUTHOR_OF.get(kind, "agent")
    data = without_absent({"author": author, "text": words, "automatic": automatic or None})
    recorded = happened(source.system, ticket, kind, at, key, data)
    if kind is not EventType.NOTE_ADDED:
        return (recorded,)
    return (recorded, *rule_events(source.system, ticket, recorded.at, key, source.rules, Change(note=words)))
