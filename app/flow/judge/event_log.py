"""What do the rows of somebody else's event log mean as events?

A mapping names the columns and says what each value of the type column stands for; without one the log is taken to hold
events already. The rule it guards: a row always makes the same events with the same ids, so reading a log twice changes
nothing, and an interrupted reading goes on where it was. Instants are microseconds UTC.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import orjson

from app.flow.judge.receive import Incoming
from app.sla.calendar.file import time_zone
from app.sla.document.faults import FaultyFile, instead_of
from app.sla.document.table import Table
from app.sla.span import Micros, micros
from app.sla.ticket import KNOWN_TYPES, STATUSES, Event

_STATUS: Final = "status:"
_ANYTHING_ELSE: Final = "*"


class FaultyMapping(FaultyFile):
    """A mapping was refused. `faults` holds everything that is wrong in it."""


class FaultyRow(ValueError):
    """A row of the log cannot be read. The message names its number."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """How the rows of a log are read. `types` has a list of event types or statuses for each value."""

    ticket: str = "ticket"
    type: str = "type"
    time: str = "time"
    time_zone: str | None = None
    first_types: tuple[str, ...] = ()
    first_data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    types: Mapping[str, tuple[str, ...]] | None = None
    """None: the values are event types or statuses themselves."""

    def meaning(self, value: str) -> tuple[str, ...] | None:
        """What a value of the type column stands for; none when the mapping does not say."""
        if self.types is None:
            return (value,) if value in KNOWN_TYPES or value.removeprefix(_STATUS) in STATUSES else None
        return self.types.get(value, self.types.get(_ANYTHING_ELSE))


def parse_mapping(document: Mapping[str, Any]) -> Mapped:
    """A mapping from its file's document. Raises FaultyMapping with every fault."""
    top = Table(document, "", [])
    columns, first = top.table("columns", example="[columns]"), top.table("first", example="[first]")
    types = top.table("types", example="[types]")
    mapped = Mapped(
        ticket=columns.text("ticket", example='"Case ID"') or "ticket",
        type=columns.text("type", example='"Activity"') or "type",
        time=columns.text("time", example='"Timestamp"') or "time",
        time_zone=time_zone(columns) if columns.value("time_zone") else None,
        first_types=_words(first, "types", first.value("types") or []),
        first_data=first.table("data", example='data = { category = "software" }').content,
        types={value: _words(types, value, types.value(value)) for value in types.content}
        if "types" in document
        else None,
    )
    for table in (top, columns, first):
        table.close()
    if top.faults:
        raise FaultyMapping(top.faults)
    return mapped


def _words(table: Table, key: str, given: object) -> tuple[str, ...]:
    """Event types and statuses, one or a list of them."""
    words = cast("list[object]", given) if isinstance(given, list) else [given]
    known = KNOWN_TYPES | {_STATUS + status for status in STATUSES}
    for word in words:
        if word not in known:
            table.fault(key, f"{word!r} is not an event type or status", instead_of(word, known))
    return tuple(map(str, words))


@dataclass(frozen=True, slots=True)
class Row:
    """A row and the events that it makes; `unmapped` is its type's value when the mapping does not know it."""

    ticket: str
    events: tuple[Incoming, ...]
    unmapped: str | None = None


def count_rows(path: Path) -> int:
    """How many rows a log has, about: lines, less the header of a CSV file."""
    with path.open("rb") as file:
        lines = sum(1 for _ in file)
    return lines if _is_json(path) else max(lines - 1, 0)


def _is_json(path: Path) -> bool:
    return path.suffix in (".jsonl", ".ndjson", ".json")


def rows(path: Path, desk: str, mapping: Mapped | None) -> Iterator[Row]:
    """The rows of a log in the order of the file. Raises FaultyRow at the first that cannot be read."""
    reading = _Reading(desk, mapping or Mapped())
    with path.open(newline="", encoding="utf-8-sig") as file:
        values = map(_json, file, range(1, 1 << 62)) if _is_json(path) else csv.DictReader(file)
        for number, value in enumerate(values, start=1):
            try:
                if mapping is None and "id" in value and "subject" in value:
                    yield reading.event(value, number)
                else:
                    yield reading.row(value, number)
            except (KeyError, TypeError, ValueError) as error:
                raise FaultyRow(f"row {number}: {type(error).__name__}: {error}") from error


def _json(line: str, number: int) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except ValueError as error:
        raise FaultyRow(f"row {number} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise FaultyRow(f"row {number} is no JSON object")
    return cast("dict[str, Any]", value)


class _Reading:
    def __init__(self, desk: str, mapping: Mapped) -> None:
        self._desk, self._mapping = desk, mapping
        self._zone = None if mapping.time_zone is None else ZoneInfo(mapping.time_zone)
        self._seen: set[str] = set()

    def event(self, value: Mapping[str, Any], number: int) -> Row:
        """A row that is an event already."""
        event = Event(
            id=str(value["id"]),
            type=str(value["type"]),
            subject=str(value["subject"]),
            at=self._instant(str(value["time"])),
            data=value.get("data") or {},
            sequence=int(value.get("sequence") or number),
        )
        return Row(event.subject, (Incoming.of(self._desk, event),))

    def row(self, value: Mapping[str, Any], number: int) -> Row:
        """A row by the mapping."""
        mapping = self._mapping
        ticket, kind = str(value[mapping.ticket]), str(value[mapping.type])
        at = self._instant(str(value[mapping.time]))
        first = ticket not in self._seen
        self._seen.add(ticket)
        meaning = mapping.meaning(kind)
        words = (*(mapping.first_types if first else ()), *(meaning or ()))
        events = tuple(self._made(ticket, word, at, number, place) for place, word in enumerate(words))
        return Row(ticket, events, kind if meaning is None else None)

    def _made(self, ticket: str, word: str, at: Micros, number: int, place: int) -> Incoming:
        data: dict[str, Any] = {}
        if word.startswith(_STATUS):
            word, data = "status.changed", {"status": word.removeprefix(_STATUS)}
        elif word == "ticket.created":
            data = dict(self._mapping.first_data)
        key = "\x1f".join((ticket, word, str(at), str(number), str(place)))
        made_id = "row-" + blake2b(key.encode(), digest_size=12).hexdigest()
        return Incoming.of(self._desk, Event(made_id, word, ticket, at, data, number))

    def _instant(self, written: str) -> Micros:
        at = datetime.fromisoformat(written.strip())
        if at.tzinfo is None and self._zone is not None:
            at = at.replace(tzinfo=self._zone)
        return micros(at)
