"""Building the events that a ticket system reports: ids, instants, withdrawals.

An event depends on the request's content alone, never on when or how often it came: its id is made of the source's own
ids, instants and a word. Instants are microseconds UTC.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from app.intake.data_fields import MAX_NAME
from app.intake.mapping.value import NoInstant, dig, instant, is_empty, read_instant
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

_DIGEST: Final = 24
"""Hexadecimal digits of a digest within an id: 96 bits, so that no two contents ever meet."""


class Unreadable(ValueError):
    """The body cannot be read. The webhook is kept whole and can be read again."""

    def __init__(self, reason: str, place: str = "") -> None:
        self.reason, self.place = reason, place
        super().__init__(f"{place}: {reason}" if place else reason)


def instant_of(value: object, what: str, place: str, zone: str | None = None) -> Micros:
    """The instant of a value. Raises Unreadable with the place, what is wrong and what would be right.

    `what` names the instant in the reason, as in "the instant of the last update".
    """
    if is_empty(value):
        raise Unreadable(f"{what} is missing", place)
    try:
        return read_instant(value, zone)
    except NoInstant as error:
        raise Unreadable(f"{what} cannot be read: {error}", place) from error


def instant_in(
    content: object, paths: Sequence[str], what: str, zone: str | None = None, above: str = ""
) -> Micros:
    """The instant at the first of these paths that holds one. Raises Unreadable about the first that holds anything.

    `above` is what stands before the paths in the place that is named.
    """
    given = [path for path in paths if not is_empty(dig(content, path))]
    for path in given:
        if (at := instant(dig(content, path), zone)) is not None:
            return at
    path = (given or paths)[0]
    return instant_of(dig(content, path), what, above + path, zone)


def happened(
    system: str,
    ticket: str | None,
    kind: str,
    at: Micros,
    key: str,
    data: Mapping[str, Value] | None = None,
    *,
    sequence: int = 0,
) -> Event:
    """An event of a ticket, under the id `system:ticket:key`.

    `key` is unique within the ticket: the source's own id or instant, and a word. Raises Unreadable when
    the ticket is not known.
    """
    if not ticket:
        raise Unreadable("the ticket's id is missing", "ticket")
    if len(ticket) > MAX_NAME or not ticket.isprintable():
        raise Unreadable("the ticket's id is no name", "ticket")
    return Event(event_id(system, ticket, key), kind, ticket, at, dict(data or {}), sequence)


def event_id(*parts: str) -> str:
    """An id of these parts. One that is too long for an id, or not printable, is cut and ends in its digest."""
    whole = ":".join(parts)
    if len(whole) <= MAX_NAME and whole.isprintable():
        return whole
    tail = digest(whole)
    start = "".join(c for c in whole[: MAX_NAME - len(tail) - 1] if c.isprintable())
    return f"{start}~{tail}"


def digest(content: object) -> str:
    """A short digest of anything that JSON can say: equal content, equal digest."""
    written = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(written.encode()).hexdigest()[:_DIGEST]


def withdrawal(event: Event, reason: str) -> Event:
    """The event that withdraws an event, dated like it and about the same ticket. One event has one withdrawal,
    whatever the reason."""
    data = without_absent(
        {"id": event.id, "author": "system", "reason": reason, "ticket": event.data.get("ticket")}
    )
    name = event_id("withdrawn", event.id)
    return Event(name, EventType.EVENT_WITHDRAWN, event.subject, event.at, data)


def without_absent(data: Mapping[str, Value | None], names: Sequence[str] = ()) -> dict[str, Value]:
    """The entries that are not null. Those in `names` are kept when null, since there null means "empty"."""
    return {name: value for name, value in data.items() if value is not None or name in names}
