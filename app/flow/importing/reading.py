"""Reading a log: its layout is recognised, its columns are checked, and its rows become entries or are refused."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

from app.flow.importing.log_file import OpenLog
from app.intake.importing.entry import Entry, EntryReader, is_event
from app.intake.importing.layout import HEAD_SIZE, Format, Layout, recognised
from app.intake.importing.mapping import BY_EVENT_NAMES, OF_XES, Mapped
from app.intake.importing.rows import Row, columns_of, rows
from app.intake.importing.times import TimeFormat, TimeReader, day_or_month_first
from app.intake.importing.unreadable import Refused, UnreadableRow, UnusableLog, columns_listed
from app.settings import Settings
from app.sla.calendar.zone import Zone


@dataclass(slots=True)
class Reading:
    """A log that is being read. `sample` are the rows in its first bytes."""

    log: OpenLog
    layout: Layout
    mapping: Mapped
    reader: EntryReader
    sample: list[Row]
    longest: int

    def entries(self) -> Iterator[Entry | Refused]:
        """The entries in the order of the file, once. Raises UnusableLog."""
        for row in rows(self.log.stream, self.layout, longest=self.longest):
            if isinstance(row, Refused):
                yield row
                continue
            try:
                yield self.reader.read(row)
            except UnreadableRow as error:
                yield Refused(row.line, row.number, str(error), _id_of(row))


def reading_of(
    log: OpenLog, name: str, desk: str, mapping: Mapped | None, settings: Settings, *, checked: bool = True
) -> Reading:
    """Begin to read a log of this file name. `checked` false: columns of the mapping may be missing.

    Raises UnusableLog.
    """
    given = mapping or BY_EVENT_NAMES
    layout = recognised(log.head, name, given.stated, given.columns)
    if mapping is None and layout.format is Format.XES:
        given = OF_XES
    sample = _sample(log.head, layout, settings.replay_max_row_length)
    if checked and layout.format is Format.CSV:
        _check_columns(columns_of(log.head, layout), given, by_names=mapping is None)
    reader = EntryReader(
        desk,
        given,
        _times(given, sample),
        settings.max_text_length,
        by_names=mapping is None,
        from_text=layout.format is not Format.JSON_LINES,
    )
    return Reading(log, layout, given, reader, sample, settings.replay_max_row_length)


def _sample(head: bytes, layout: Layout, longest: int) -> list[Row]:
    """The rows in the first bytes of a log, without the last one, which may be cut off."""
    found: list[Row] = []
    # What is wrong is reported where the log itself is read; an XES log always breaks off here.
    with suppress(UnusableLog):
        found.extend(row for row in rows(BytesIO(head), layout, longest=longest) if isinstance(row, Row))
    return found[:-1] if len(head) >= HEAD_SIZE else found


def _check_columns(columns: list[str], mapping: Mapped, *, by_names: bool) -> None:
    if by_names and is_event(dict.fromkeys(columns)):
        return
    if missing := [column for column in mapping.columns if column not in columns]:
        raise UnusableLog(
            f"column {missing[0]!r} is missing; the file has {columns_listed(columns)}. "
            "A mapping names them in [columns] and [fields]"
        )


def _times(mapping: Mapped, sample: Iterable[Row]) -> TimeReader:
    form = mapping.time_format
    if form is TimeFormat.AUTO:
        form = day_or_month_first(str(row.cells.get(mapping.time, "")) for row in sample)
    return TimeReader(mapping.time, form, None if mapping.time_zone is None else Zone(mapping.time_zone))


def _id_of(row: Row) -> str | None:
    given = row.cells.get("id")
    return given if isinstance(given, str) else None
