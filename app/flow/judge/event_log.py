"""Event logs: the rows of a CSV or JSON-lines file as events.

A mapping names the columns and defines what each value of the type column stands for; without one every row is an event
already. A row always gives the same events with the same ids, so a log can be read twice, and an interrupted reading can
be repeated. Instants are microseconds UTC.
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
from app.sla.document.faults import Fault, FaultyFile, instead_of
from app.sla.span import Micros, micros
from app.sla.ticket import KNOWN_TYPES, STATUSES, Event

_STATUS: Final = "status:"
_ANYTHING_ELSE: Final = "*"
_KEYS: Final = {
    "columns": ("ticket", "type", "time", "time_zone"),
    "first": ("types", "data"),
}


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
    faults: list[Fault] = []
    tables = {name: _table(document, name, faults) for name in ("columns", "first", "types")}
    faults += [Fault(key, "no such table", instead_of(key, tables)) for key in document if key not in tables]
    for name, known in _KEYS.items():
        faults += [
            Fault(f"{name}.{key}", "no such key", instead_of(key, known))
            for key in tables[name]
            if key not in known
        ]
    columns, first = tables["columns"], tables["first"]
    meanings = {value: _types_of(given, f"types.{value}", faults) for value, given in tables["types"].items()}
    first_types = _types_of(first.get("types", []), "first.types", faults)
    if zone := columns.get("time_zone"):
        _check_zone(str(zone), faults)
    if faults:
        raise FaultyMapping(faults)
    return Mapped(
        ticket=str(columns.get("ticket", "ticket")),
        type=str(columns.get("type", "type")),
        time=str(columns.get("time", "time")),
        time_zone=None if zone is None else str(zone),
        first_types=first_types,
        first_data=cast("Mapping[str, Any]", first.get("data", {})),
        types=meanings if "types" in document else None,
    )


def _table(document: Mapping[str, Any], name: str, faults: list[Fault]) -> Mapping[str, Any]:
    found: object = document.get(name, {})
    if isinstance(found, Mapping):
        return cast("Mapping[str, Any]", found)
    faults.append(Fault(name, f"{found!r} is no table", f"Write [{name}]."))
    return {}


def _types_of(given: object, place: str, faults: list[Fault]) -> tuple[str, ...]:
    types = cast("list[object]", given) if isinstance(given, list) else [given]
    known = KNOWN_TYPES | {_STATUS + status for status in STATUSES}
    faults += [
        Fault(place, f"{kind!r} is no event", instead_of(kind, known)) for kind in types if kind not in known
    ]
    return tuple(map(str, types))


def _check_zone(name: str, faults: list[Fault]) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, LookupError, OSError):
        faults.append(Fault("columns.time_zone", f"{name!r} is no time zone", "Write one as in Europe/Rome."))


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


def rows(path: Path, desk: str, mapping: Mapped | None) -> Iterator[Row]:
    """The rows of a log in the order of the file. Raises FaultyRow at the first that cannot be read."""
    parser = _RowParser(desk, mapping or Mapped())
    with path.open(newline="", encoding="utf-8-sig") as file:
        values = map(_json, file, range(1, 1 << 62)) if _is_json(path) else csv.DictReader(file)
        for number, value in enumerate(values, start=1):
            try:
                if mapping is None and "id" in value and "subject" in value:
                    yield parser.event(value, number)
                else:
                    yield parser.row(value, number)
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


class _RowParser:
    """Makes events of the rows of one log."""

    def __init__(self, desk: str, mapping: Mapped) -> None:
        self._desk, self._mapping = desk, mapping
        self._zone = None if mapping.time_zone is None else ZoneInfo(mapping.time_zone)
        self._seen: set[str] = set()

    def event(self, value: Mapping[str, Any], number: int) -> Row:
        """A row that is an event."""
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
        return Incoming.of(self._desk, Event(event_id, kind, ticket, at, data, sequence=number))

    def _instant(self, written: str) -> Micros:
        at = datetime.fromisoformat(written.strip())
        if at.tzinfo is None and self._zone is not None:
            at = at.replace(tzinfo=self._zone)
        return micros(at)
