"""Inspection of a log before it is replayed: how it is read, and how its first tickets would stand. Writes nothing."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from app.flow.importing.log_file import opened_log
from app.flow.importing.order import FileOrder
from app.flow.importing.reading import Reading, reading_of
from app.flow.importing.replay import Wanted
from app.flow.query.answer import TicketAnswer
from app.flow.query.merge_graph import MergeGraph, judge
from app.intake.importing.entry import Entry, EntryReader, is_event
from app.intake.importing.guess import guessed_mapping, mapping_text, with_types
from app.intake.importing.layout import Format
from app.intake.importing.mapping import Mapped
from app.intake.importing.meaning import meaning
from app.intake.importing.rows import columns_of
from app.intake.importing.times import TimeFormat, TimeReader, UncertainTime, day_or_month_first
from app.intake.importing.unreadable import Refused
from app.settings import Settings
from app.sla.calendar.zone import Zone
from app.sla.clock.evaluation import NothingKnown, Version
from app.sla.event import Event
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Database

TICKETS: Final = 3
"""Tickets that are evaluated: enough to see a wrong mapping."""

_MOST_VALUES: Final = 500
"""Distinct values of the type column that are counted: a column of free text has no end of them."""


@dataclass(slots=True)
class Inspected:
    """How a log is read. `columns` have a value each; `mapping` is a file to start from, none for events."""

    layout: str = ""
    compressed: bool = False
    remarks: list[str] = field(default_factory=list[str])
    columns: dict[str, str] = field(default_factory=dict[str, str])
    read_as: dict[str, str] = field(default_factory=dict[str, str])
    """What is read from which column."""
    time_format: str = ""
    time_zone: str | None = None
    backwards: bool = False
    rows: int = 0
    refused: int = 0
    refusals: list[Refused] = field(default_factory=list[Refused])
    mapping: str | None = None
    tickets: list[TicketAnswer] = field(default_factory=list[TicketAnswer])


def inspect(wanted: Wanted, settings: Settings, database: Database, catalogue: Catalogue) -> Inspected:
    """Inspect a log. Raises UnusableLog."""
    at = database.now() if wanted.at is None else wanted.at
    versions = database.read_now(
        lambda conn: catalogue.versions(conn, wanted.desk, at=max(at, database.now()))
    )
    with opened_log(wanted.path, settings.replay_max_size) as log:
        reading = reading_of(
            log, wanted.path.name, wanted.desk, wanted.mapping, settings, checked=wanted.mapping is not None
        )
        return _Inspection(wanted, reading, settings.replay_listed_refusals).run(versions, at)


class _Inspection:
    def __init__(self, wanted: Wanted, reading: Reading, listed: int) -> None:
        self._wanted, self._reading, self._listed = wanted, reading, listed
        self._found = Inspected(reading.layout.description, reading.log.is_compressed)
        self._values: Counter[str] = Counter()
        self._first: dict[str, list[Entry]] = {}
        if reading.layout.guessed is not None:
            self._found.remarks.append(reading.layout.guessed)

    def run(self, versions: tuple[Version, ...], at: Micros) -> Inspected:
        """Read the log and evaluate its first tickets."""
        found, reading = self._found, self._reading
        columns = self._columns()
        found.columns = {name: self._shown(name) for name in columns}
        if self._are_events(columns):
            found.read_as = {"every row": "an event"}
        else:
            self._guess(columns)
        self._read()
        mapping = reading.mapping
        if not self._are_events(columns):
            mapping = with_types(mapping, self._values)
            found.mapping = mapping_text(
                mapping,
                reading.layout,
                dict(self._values.most_common()),
                guessed=self._wanted.mapping is None,
            )
        for subject, entries in self._first.items():
            events = [e for row in meaning(entries, mapping, backwards=found.backwards) for e in row.events]
            self._evaluate(subject, events, versions, at)
        return found

    def _columns(self) -> list[str]:
        if self._reading.layout.format is Format.CSV:
            return columns_of(self._reading.log.head, self._reading.layout)
        return list(dict.fromkeys(name for row in self._reading.sample for name in row.cells))

    def _shown(self, column: str) -> str:
        """A value of the column in the sample."""
        cells = (row.cells.get(column) for row in self._reading.sample)
        return next((str(cell)[:60] for cell in cells if cell not in (None, "")), "")

    def _are_events(self, columns: list[str]) -> bool:
        return self._wanted.mapping is None and is_event(dict.fromkeys(columns))

    def _guess(self, columns: list[str]) -> None:
        reading, found = self._reading, self._found
        mapping = guessed_mapping(columns, reading.sample, self._wanted.mapping)
        form = mapping.time_format
        if form is TimeFormat.AUTO:
            form = day_or_month_first(str(row.cells.get(mapping.time, "")) for row in reading.sample)
        mapping = replace(mapping, time_format=form)
        reading.mapping = mapping
        reading.reader = _reader_by(reading.reader, mapping)
        found.read_as = {"ticket": mapping.ticket, "type": mapping.type, "time": mapping.time}
        found.read_as |= {name: column.column for name, column in mapping.fields.items()}
        found.time_format, found.time_zone = form.value, mapping.time_zone
        if missing := [each for each in mapping.columns[:3] if each not in columns]:
            found.remarks.append(
                f"No column looks like {', '.join(map(repr, missing))}: name it in [columns]"
            )
        if self._wanted.mapping is None and mapping.time_zone is not None:
            found.remarks.append(
                "Its times have no offset and are read in UTC here: state time_zone in [columns]"
            )

    def _read(self) -> None:
        order = FileOrder(self._reading.mapping.order)
        try:
            for entry in self._reading.entries():
                if isinstance(entry, Refused):
                    self._refuse(entry)
                else:
                    order.add(entry)
                    self._add(entry)
        except UncertainTime as error:
            self._found.remarks.append(str(error))
        times, found = self._reading.reader.times, self._found
        found.backwards = order.backwards
        if times.twice:
            found.remarks.append(f"Local times that occur twice, read as the first of the two: {times.twice}")
        if times.skipped:
            found.remarks.append(f"Local times that do not exist, read as before the change: {times.skipped}")

    def _add(self, entry: Entry) -> None:
        self._found.rows += 1
        if entry.event is None and (entry.kind in self._values or len(self._values) < _MOST_VALUES):
            self._values[entry.kind] += 1
        if entry.subject in self._first or len(self._first) < TICKETS:
            self._first.setdefault(entry.subject, []).append(entry)

    def _refuse(self, refused: Refused) -> None:
        self._found.refused += 1
        if len(self._found.refusals) < self._listed:
            self._found.refusals.append(refused)

    def _evaluate(self, ticket: str, events: list[Event], versions: tuple[Version, ...], at: Micros) -> None:
        graph = MergeGraph(self._wanted.desk, logs={ticket: events})
        try:
            evaluation = judge(graph, ticket, versions, at)
        except NothingKnown:
            self._found.remarks.append(f"Nothing had happened to ticket {ticket!r} by then")
            return
        self._found.tickets.append(TicketAnswer(self._wanted.desk, ticket, evaluation, at, {}))


def _reader_by(reader: EntryReader, mapping: Mapped) -> EntryReader:
    """The reader with another mapping."""
    zone = None if mapping.time_zone is None else Zone(mapping.time_zone)
    times = TimeReader(mapping.time, mapping.time_format, zone)
    return replace(reader, mapping=mapping, times=times, by_names=False)
