"""Mapping of a log: the columns of its rows, and what each value of the type column means.

A mapping also states what of the file is not certain: its encoding, its delimiter, its order, the form of its times.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, cast

from app.intake.cloudevents import check
from app.intake.data_fields import MAX_NAME
from app.intake.importing.layout import Format, Stated
from app.intake.importing.times import TimeFormat
from app.sla.calendar.file import time_zone
from app.sla.document.faults import FaultyFile, instead_of
from app.sla.document.table import Table
from app.sla.event import KNOWN_TYPES, Event
from app.sla.ticket import STATUSES

STATUS: Final = "status:"
ANYTHING_ELSE: Final = "*"
TABLES: Final = frozenset({"columns", "file", "first", "fields", "types"})
"""The tables of a mapping, by which its file is recognised."""

_NOT_FIELDS: Final = frozenset({"status", "ticket"})
_ANY_TEXT: Final = 1_000_000_000
"""No limit: the texts of a mapping are limited by its file."""


class FaultyMapping(FaultyFile):
    """A mapping was refused. `faults` holds everything that is wrong in it."""


class Order(StrEnum):
    """The order of the rows of a file, which decides between rows of one instant."""

    AUTO = "auto"
    OLDEST_FIRST = "oldest_first"
    NEWEST_FIRST = "newest_first"


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """A column that holds a ticket's field. `values` maps what it holds; a value that is not mapped stays as it is."""

    column: str
    values: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Mapped:
    """How the rows of a log are read. `types` has a list of event types or statuses for each value."""

    ticket: str = "ticket"
    type: str = "type"
    time: str = "time"
    time_zone: str | None = None
    time_format: TimeFormat = TimeFormat.AUTO
    stated: Stated = field(default_factory=Stated)
    order: Order = Order.AUTO
    first_types: tuple[str, ...] = ()
    first_data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fields: Mapping[str, FieldColumn] = field(default_factory=dict[str, FieldColumn])
    types: Mapping[str, tuple[str, ...]] | None = None
    """None: the values are event types or statuses themselves."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the file must have."""
        return (self.ticket, self.type, self.time, *(field.column for field in self.fields.values()))

    def meaning(self, value: str) -> tuple[str, ...] | None:
        """The event types or statuses of a value of the type column; none when it is not mapped."""
        if self.types is None:
            return (value,) if value in KNOWN_TYPES or value.removeprefix(STATUS) in STATUSES else None
        return self.types.get(value, self.types.get(ANYTHING_ELSE))


BY_EVENT_NAMES: Final = Mapped()
"""The mapping of a file without one: columns `ticket`, `type` and `time`, and the types themselves."""

OF_XES: Final = Mapped(ticket="case:concept:name", type="concept:name", time="time:timestamp")
"""The mapping of an XES log without one: the attributes of the standard's extensions, those of a trace with `case:`."""


def parse_mapping(document: Mapping[str, Any]) -> Mapped:
    """A mapping from its file's document. Raises FaultyMapping with every fault."""
    top = Table(document, "", [])
    columns, first = top.table("columns", example="[columns]"), top.table("first", example="[first]")
    file, fields = top.table("file", example="[file]"), top.table("fields", example="[fields]")
    types = top.table("types", example="[types]")
    default = OF_XES if file.content.get("format") == Format.XES else BY_EVENT_NAMES
    mapped = Mapped(
        ticket=columns.text("ticket", example='"Case ID"') or default.ticket,
        type=columns.text("type", example='"Activity"') or default.type,
        time=columns.text("time", example='"Timestamp"') or default.time,
        time_zone=time_zone(columns) if columns.value("time_zone") else None,
        time_format=columns.word("time_format", TimeFormat.AUTO),
        stated=_stated(file),
        order=file.word("order", Order.AUTO),
        first_types=_words(first, "types", first.value("types") or []),
        first_data=_first_data(first),
        fields={name: column for name in fields.content if (column := _field(fields, name)) is not None},
        types={value: _words(types, value, types.value(value)) for value in types.content}
        if "types" in document
        else None,
    )
    for table in (top, columns, file, first):
        table.close()
    if top.faults:
        raise FaultyMapping(top.faults)
    return mapped


def _stated(file: Table) -> Stated:
    encoding = file.text("encoding", example='"windows-1252"')
    if encoding is not None and not _is_encoding(encoding):
        file.fault("encoding", f"{encoding!r} is not an encoding", 'Write encoding = "windows-1252".')
    delimiter = file.value("delimiter")
    if delimiter is not None and not (
        isinstance(delimiter, str) and len(delimiter) == 1 and delimiter != '"'
    ):
        file.fault("delimiter", f"{delimiter!r} is not one character", 'Write delimiter = ";" or "\\t".')
        delimiter = None
    wanted = file.value("format")
    if wanted is not None and wanted not in set(Format):
        file.fault("format", f"{wanted!r} is not known", instead_of(wanted, Format))
        wanted = None
    return Stated(None if wanted is None else Format(str(wanted)), encoding, delimiter)


def _is_encoding(name: str) -> bool:
    try:
        b"\xff".decode(name, "replace")
    except (LookupError, ValueError, TypeError):
        return False
    return True


def _first_data(first: Table) -> Mapping[str, Any]:
    data = first.table("data", example='data = { category = "software" }')
    probe = Event("first", "ticket.created", "first", 0, data.content)
    if faulty := check(probe, max_text=_ANY_TEXT):
        wrong = faulty.reason.partition(": ")[2] or faulty.reason
        data.fault(faulty.place.removeprefix("/data/").replace("/", "."), wrong, "Correct the value.")
    return data.content


def _field(fields: Table, name: str) -> FieldColumn | None:
    """A field with its column, or with a table of its column and the words of its values."""
    given = fields.value(name)
    if name in _NOT_FIELDS or not name or len(name) > MAX_NAME:
        fields.fault(name, "this is no field of a ticket", "A status is a value in [types].")
    elif isinstance(given, str) and given.strip():
        return FieldColumn(given)
    elif isinstance(given, Mapping):
        table = fields.inner_of(name, cast("Mapping[str, object]", given))
        column = table.text("column", example='"Priority"', required=True)
        values = table.table("values", example='values = { "1 - Critical" = "urgent" }')
        words = {value: values.text(value, example='"urgent"') or "" for value in values.content}
        table.close()
        return FieldColumn(column, words) if column else None
    else:
        right = (
            f'Write {name} = "Priority", or {name} = {{ column = "Priority", values = {{ P1 = "urgent" }} }}.'
        )
        fields.fault(name, f"{given!r} is not the name of a column", right)
    return None


def _words(table: Table, key: str, given: object) -> tuple[str, ...]:
    """Event types and statuses, one or a list of them."""
    words = cast("list[object]", given) if isinstance(given, list) else [given]
    known = KNOWN_TYPES | {STATUS + status for status in STATUSES}
    for word in words:
        if not isinstance(word, str) or word not in known:
            table.fault(key, f"{word!r} is not an event type or status", instead_of(word, known))
        elif word in _NEEDS_DATA:
            wrong = f"{word} needs data that a row does not have"
            table.fault(key, wrong, "Replay such events as JSON lines of events.")
    return tuple(map(str, words))


_NEEDS_DATA: Final = frozenset(
    kind for kind in KNOWN_TYPES if check(Event("e", kind, "t", 0, {}), max_text=_ANY_TEXT) is not None
)
"""Types that mean nothing without data: a merge without its target, a change of status without the status."""
