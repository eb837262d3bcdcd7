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
            if mapping is None and _is_event(value):
                yield reading.event(value if _is_json(path) else _filled(value), number)
            else:
                yield reading.row(value, number)
        except _Unreadable as error:
            raise FaultyRow(f"row {number}: {error}") from error


def _is_event(value: Mapping[str, Any]) -> bool:
    """Whether a row is meant as an event: it has an event's attributes, and no `ticket` column as a mapped row."""
    if "id" in value and "subject" in value:
        return True
    return "ticket" not in value and "type" in value and ("time" in value or "specversion" in value)


def _filled(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of a CSV file without its empty cells: CSV cannot distinguish them from absent ones."""
    return {column: cell for column, cell in value.items() if cell}


def _csv_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows by column, without the cells that a short row lacks or a long one has too many."""
    number = 0
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            for row in csv.DictReader(file):
                yield {column: cell for column, cell in row.items() if column and cell is not None}
                number += 1
        except (csv.Error, UnicodeDecodeError) as error:
            raise FaultyRow(f"row {number + 1} is no CSV in UTF-8: {error}") from error


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


class _Unreadable(ValueError):
    """Why a row cannot be read, without its number."""


class _Reading:
    def __init__(self, desk: str, mapping: Mapped, max_text: int) -> None:
        self._desk, self._mapping, self._max_text = desk, mapping, max_text
        self._zone = None if mapping.time_zone is None else ZoneInfo(mapping.time_zone)
        self._seen: set[str] = set()

    def event(self, value: Mapping[str, Any], number: int) -> Row:
        """A row that is an event already. Absent attributes have defaults: this desk, and the row's number as sequence.

        An attribute that is present is read as in a push, also an empty one.
        """
        given = {name: value[name] for name in CloudEvent.model_fields if name in value}
        absent = {"specversion": "1.0", "source": self._desk, "sequence": number}
        found = read_event(absent | given, max_text=self._max_text)
        if isinstance(found, Faulty):
            raise _Unreadable(found.reason)
        if found.desk != self._desk:
            raise _Unreadable(f"/source: must be the desk of --desk, {self._desk!r}, got {found.desk!r}")
        return Row(found.event.subject, (Incoming.of(self._desk, found.event),))

    def row(self, value: Mapping[str, Any], number: int) -> Row:
        """A row, by the mapping."""
        mapping = self._mapping
        ticket, kind = _cell(value, mapping.ticket), _cell(value, mapping.type)
        at = self._instant(mapping.time, _cell(value, mapping.time))
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
            raise _Unreadable(faulty.reason)
        return Incoming.of(self._desk, event)

    def _instant(self, column: str, written: str) -> Micros:
        """The instant of a time column; a local time is in the mapping's zone."""
        try:
            at = datetime.fromisoformat(written.strip())
        except ValueError as error:
            raise _Unreadable(
                f"column {column!r}: {written!r} is not a time. Write it as 2026-03-06T15:30:00+01:00"
            ) from error
        if at.tzinfo is None and self._zone is None:
            raise _Unreadable(
                f"column {column!r}: {written!r} has no offset. Write one, as in 2026-03-06T15:30:00+01:00, or set "
                "time_zone in [columns] of the mapping"
            )
        return micros(at if at.tzinfo is not None else at.replace(tzinfo=self._zone))


def _cell(value: Mapping[str, Any], column: str) -> str:
    """The text in a column. It may be empty, not missing."""
    if (cell := value.get(column)) is None:
        found = ", ".join(repr(name) for name in value) or "none"
        raise _Unreadable(
            f"column {column!r} is missing; the row has {found}. A mapping names the columns in [columns]"
        )
    return str(cell)
