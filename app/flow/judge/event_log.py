"""Event logs: the rows of a CSV or JSON-lines file as events.

A mapping names the columns and defines what each value of the type column stands for; without one every row is an event
already. A row always gives the same events with the same ids, so a log can be read twice, and an interrupted reading can
be repeated. Instants are microseconds UTC.
"""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from app.flow.judge.receive import Incoming
from app.intake.cloudevents import Faulty, NotJson, check, parse, read_event
from app.intake.event_data import CloudEvent
from app.sla.calendar.file import time_zone
from app.sla.document.faults import FaultyFile, instead_of
from app.sla.document.table import Table
from app.sla.event import KNOWN_TYPES, Event
from app.sla.span import Micros, micros
from app.sla.ticket import STATUSES

_STATUS: Final = "status:"
_ANYTHING_ELSE: Final = "*"


class FaultyMapping(FaultyFile):
    """A mapping was refused. `faults` holds everything that is wrong in it."""


class FaultyRow(ValueError):
    """A row of the log cannot be read. The message has its number."""


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
        """The event types or statuses of a value of the type column; none when it is not mapped."""
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
    """A row and its events; `unmapped` is the value of its type column when the mapping does not have it."""

    ticket: str
    events: tuple[Incoming, ...]
    unmapped: str | None = None


def count_rows(path: Path) -> int:
    """The approximate number of rows: lines, less the header of a CSV file."""
    with path.open("rb") as file:
        lines = sum(1 for _ in file)
    return lines if _is_json(path) else max(lines - 1, 0)


def _is_json(path: Path) -> bool:
    return path.suffix in (".jsonl", ".ndjson", ".json")


def rows(path: Path, desk: str, mapping: Mapped | None, *, max_text: int) -> Iterator[Row]:
    """The rows of a log in the order of the file. Raises FaultyRow at the first that cannot be read.

    Every event passes the checks of a pushed one; `max_text` is in characters.
    """
    reading = _Reading(desk, mapping or Mapped(), max_text)
    for number, value in enumerate(_json_lines(path) if _is_json(path) else _csv_rows(path), start=1):
        try:
            if mapping is None and "id" in value and "subject" in value:
                yield reading.event(value, number)
            else:
                yield reading.row(value, number)
        except FaultyRow:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise FaultyRow(f"row {number}: {type(error).__name__}: {error}") from error


def _csv_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def _json_lines(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                value = parse(line.removeprefix(BOM_UTF8) if number == 1 else line)
            except NotJson as error:
                raise FaultyRow(f"row {number} is no JSON: {error}") from error
            if not isinstance(value, dict):
                raise FaultyRow(f"row {number} is no JSON object")
            yield cast("dict[str, Any]", value)


class _Reading:
    def __init__(self, desk: str, mapping: Mapped, max_text: int) -> None:
        self._desk, self._mapping, self._max_text = desk, mapping, max_text
        self._zone = None if mapping.time_zone is None else ZoneInfo(mapping.time_zone)
        self._seen: set[str] = set()

    def event(self, value: Mapping[str, Any], number: int) -> Row:
        """A row that is an event already, of this desk whatever its source; without a sequence it takes its number."""
        given = {name: value[name] for name in CloudEvent.model_fields if name in value}
        own = {
            "specversion": given.get("specversion") or "1.0",
            "source": self._desk,
            "sequence": given.get("sequence") or number,
            "data": given.get("data") or None,
        }
        found = read_event(given | own, max_text=self._max_text)
        if isinstance(found, Faulty):
            raise FaultyRow(f"row {number}: {found.reason}")
        return Row(found.event.subject, (Incoming.of(self._desk, found.event),))

    def row(self, value: Mapping[str, Any], number: int) -> Row:
        """A row, by the mapping."""
        mapping = self._mapping
        ticket, kind = str(value[mapping.ticket]), str(value[mapping.type])
        at = self._instant(str(value[mapping.time]))
        first = ticket not in self._seen
        self._seen.add(ticket)
        meaning = mapping.meaning(kind)
        types = (*(mapping.first_types if first else ()), *(meaning or ()))
        events = tuple(self._event_of(ticket, each, at, number, index) for index, each in enumerate(types))
        return Row(ticket, events, kind if meaning is None else None)

    def _event_of(self, ticket: str, kind: str, at: Micros, number: int, index: int) -> Incoming:
        """The event of this index in a row. Its id is made from the row, so that reading it again repeats it."""
        data: dict[str, Any] = {}
        if kind.startswith(_STATUS):
            kind, data = "status.changed", {"status": kind.removeprefix(_STATUS)}
        elif kind == "ticket.created":
            data = dict(self._mapping.first_data)
        key = "\x1f".join((ticket, kind, str(at), str(number), str(index)))
        event_id = "row-" + blake2b(key.encode(), digest_size=12).hexdigest()
        event = Event(event_id, kind, ticket, at, data, number)
        if faulty := check(event, max_text=self._max_text):
            raise FaultyRow(f"row {number}: {faulty.reason}")
        return Incoming.of(self._desk, event)

    def _instant(self, written: str) -> Micros:
        at = datetime.fromisoformat(written.strip())
        if at.tzinfo is None and self._zone is not None:
            at = at.replace(tzinfo=self._zone)
        return micros(at)
