"""Entries of a log: its rows as read and checked, before the order of a ticket's rows gives them their meaning.

A row is an event already, or it is read by the mapping. Every event passes the checks of a pushed one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.intake.cloudevents import Faulty, NotJson, check, parse, read_event
from app.intake.event_data import CloudEvent
from app.intake.importing.mapping import FieldColumn, Mapped
from app.intake.importing.rows import Row
from app.intake.importing.times import TimeReader
from app.intake.importing.unreadable import UnreadableRow, columns_listed
from app.intake.mapping.value import dig, names
from app.sla.event import Event
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a log. `event` where it is one already, otherwise the value of its type column and its fields.

    `subject` is the ticket, or what else an event is about. `ordered`: whether the event has a sequence of its own.
    """

    line: int
    row: int
    subject: str
    at: Micros
    kind: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    event: Event | None = None
    ordered: bool = False


@dataclass(slots=True)
class EntryReader:
    """Reads rows. `by_names`: no mapping was given, so rows that have an event's attributes are events."""

    desk: str
    mapping: Mapped
    times: TimeReader
    max_text: int
    by_names: bool
    from_text: bool
    """Whether cells are texts: an empty one is then an absent one."""

    def read(self, row: Row) -> Entry:
        """The entry of a row. Raises UnreadableRow, and UncertainTime for a column whose format must be stated."""
        if self.by_names and is_event(row.cells):
            return self._event(row)
        mapping = self.mapping
        ticket, kind = self._text(row, mapping.ticket), self._text(row, mapping.type)
        at = self.times.read(_cell(row.cells, mapping.time))
        fields: dict[str, Any] = {}
        for name, column in mapping.fields.items():
            self._set_field(fields, name, column, row)
        probe = Event("row", "ticket.updated", ticket, at, fields)
        if faulty := check(probe, max_text=self.max_text):
            raise UnreadableRow(faulty.reason)
        return Entry(row.line, row.number, ticket, at, kind, fields)

    def _event(self, row: Row) -> Entry:
        """A row that is an event already. Absent attributes have defaults; one that is present is read as in a push."""
        cells = _filled(row.cells) if self.from_text else row.cells
        given = {name: cells[name] for name in CloudEvent.model_fields if name in cells}
        found = read_event({"specversion": "1.0", "source": self.desk} | given, max_text=self.max_text)
        if isinstance(found, Faulty):
            raise UnreadableRow(found.reason)
        if found.desk != self.desk:
            raise UnreadableRow(f"/source: must be the desk of --desk, {self.desk!r}, got {found.desk!r}")
        event = found.event
        return Entry(row.line, row.number, event.subject, event.at, event=event, ordered="sequence" in given)

    def _text(self, row: Row, column: str) -> str:
        """The text in a column. It may be empty, not missing; a number is written out."""
        cell = _cell(row.cells, column)
        if isinstance(cell, bool) or not isinstance(cell, str | int | float):
            raise UnreadableRow(f"column {column!r}: must be a text or a number, got {str(cell)[:60]}")
        return str(cell).strip()

    def _set_field(self, fields: dict[str, Any], name: str, column: FieldColumn, row: Row) -> None:
        """Set a field where the row states it: a cell that is empty or absent states nothing, a JSON null clears it."""
        cell = _found(row.cells, column.column)
        if cell is _ABSENT or (self.from_text and cell == ""):
            return
        if name == "tags":
            fields[name] = names(cell)
        elif isinstance(cell, str):
            fields[name] = column.values.get(cell.strip(), cell.strip())
        elif isinstance(cell, int | float) and not isinstance(cell, bool):
            fields[name] = column.values.get(str(cell), str(cell))
        else:
            fields[name] = cell


_ABSENT: Final = object()


def _found(cells: Mapping[str, object], column: str) -> object:
    """The value of a column; in JSON also what lies at a dotted path, as in "fields.status.name"."""
    if column in cells:
        return cells[column]
    if "." in column and (inner := dig(cells, column)) is not None:
        return inner
    return _ABSENT


def _cell(cells: Mapping[str, object], column: str) -> object:
    if (cell := _found(cells, column)) is _ABSENT or cell is None:
        raise UnreadableRow(
            f"column {column!r} is missing; the row has {columns_listed(cells)}. A mapping names them in [columns]"
        )
    return cell


def is_event(value: Mapping[str, object]) -> bool:
    """Whether a row is meant as an event: it has an event's attributes, and no `ticket` column as a mapped row."""
    if "id" in value and "subject" in value:
        return True
    return "ticket" not in value and "type" in value and ("time" in value or "specversion" in value)


def _filled(value: Mapping[str, object]) -> Mapping[str, object]:
    """A row of a CSV file as an event's attributes: without its empty cells, and with `data` read as JSON."""
    filled = {column: cell for column, cell in value.items() if cell}
    if isinstance(data := filled.get("data"), str):
        try:
            filled["data"] = parse(data)
        except NotJson as error:
            raise UnreadableRow(f"/data: is no JSON: {error}") from error
    return filled


def packed(entry: Entry) -> list[object]:
    """The entry as a JSON array, for a sort outside of memory."""
    event = entry.event
    attributes = None if event is None else [event.id, event.type, event.data, event.sequence]
    return [
        entry.line,
        entry.row,
        entry.subject,
        entry.at,
        entry.kind,
        entry.fields,
        attributes,
        entry.ordered,
    ]


def unpacked(values: list[Any]) -> Entry:
    """The entry of a JSON array."""
    line, row, subject, at, kind, fields, attributes, ordered = tuple(values)
    if attributes is None:
        return Entry(line, row, subject, at, kind, fields)
    event_id, type_, data, sequence = attributes
    return Entry(
        line, row, subject, at, event=Event(event_id, type_, subject, at, data, sequence), ordered=ordered
    )
