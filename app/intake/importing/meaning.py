"""Meaning of a ticket's rows: the events that they stand for, once all of them are there, in the order of time.

The first row of a ticket is its earliest, wherever it stands in the file. Rows of one instant keep the order of the
file, or its reverse where the file runs backwards. The id of an event is made of what its row states, so that a later
export with more rows repeats the same events; rows that state the same are distinguished by counting them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final

from app.intake.importing.entry import Entry
from app.intake.importing.mapping import STATUS, Mapped
from app.sla.event import Event

_AT: Final = attrgetter("at")
_CARRIES_FIELDS: Final = ("ticket.created", "ticket.updated")
_PREFIX: Final = "log-"


@dataclass(frozen=True, slots=True)
class Meant:
    """A row and its events. `unmapped` is the value of its type column when the mapping does not have it."""

    entry: Entry
    events: tuple[Event, ...]
    unmapped: str | None = None


def meaning(entries: Iterable[Entry], mapping: Mapped, *, backwards: bool) -> Iterator[Meant]:
    """The events of one ticket's entries, which are in the order of the file; in the order of time."""
    listed = list(entries)
    if backwards:
        listed.reverse()
    listed.sort(key=_AT)
    ticket = _Ticket(mapping)
    for entry in listed:
        yield ticket.next(entry)


class _Ticket:
    """What is known of one ticket while its rows are read in order."""

    def __init__(self, mapping: Mapped) -> None:
        self._mapping = mapping
        self._first = True
        self._fields: dict[str, Any] = {}
        self._at, self._rank = -1, 0
        self._occurrences: Counter[str] = Counter()

    def next(self, entry: Entry) -> Meant:
        """The events of the next row. Their sequence is the row's rank among those of its instant."""
        self._rank = self._rank + 1 if entry.at == self._at else 0
        if entry.at != self._at:
            self._occurrences.clear()
        self._at = entry.at
        if entry.event is not None:
            event = entry.event if entry.ordered else replace(entry.event, sequence=self._rank)
            return Meant(entry, (event,))
        types = self._mapping.meaning(entry.kind)
        parts = [(kind, f"{n}") for n, kind in enumerate(types or ())]
        if self._first:
            parts = [(kind, f"first{n}") for n, kind in enumerate(self._mapping.first_types)] + parts
        self._first = False
        changed = {k: v for k, v in entry.fields.items() if k not in self._fields or self._fields[k] != v}
        self._fields |= changed
        if changed and not any(kind in _CARRIES_FIELDS for kind, _ in parts):
            parts.insert(0, ("ticket.updated", "fields"))
        occurrence = self._occurrences[entry.kind]
        self._occurrences[entry.kind] += 1
        events = tuple(self._event(entry, kind, f"{occurrence}\x1f{part}", changed) for kind, part in parts)
        return Meant(entry, events, entry.kind if types is None else None)

    def _event(self, entry: Entry, kind: str, part: str, changed: dict[str, Any]) -> Event:
        data: dict[str, Any] = {}
        if kind.startswith(STATUS):
            kind, data = "status.changed", {"status": kind.removeprefix(STATUS)}
        elif kind == "ticket.created":
            data = {**self._mapping.first_data, **changed}
        elif kind == "ticket.updated":
            data = changed
        key = "\x1f".join((entry.subject, str(entry.at), entry.kind, part))
        event_id = _PREFIX + blake2b(key.encode(), digest_size=12).hexdigest()
        return Event(event_id, kind, entry.subject, entry.at, data, self._rank)
