"""Export of everything of a desk: JSON lines and CSV, one file of each for each kind, with a manifest.

A run reads in one transaction, so all of it is as of one instant. Events and signals are only ever appended: a run in a
folder that has an export already, complete or interrupted, goes on after the last row that is on the disk, if that part
is unchanged in the files and in the database. All else is written anew, as of the same instant. Memory does not grow
with the desk. Instants are microseconds UTC.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any, Final

from app.flow.transfer import credit_rows, manifest
from app.flow.transfer.files import ExportFile, is_as_described
from app.flow.transfer.manifest import ColumnState, KindState, Manifest, UnusableExport
from app.flow.transfer.values import Column, csv_header, csv_line, instant_text, json_line
from app.settings import Settings
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database
from app.store.transfer import rows
from app.store.transfer.kinds import KINDS, Kind
from app.store.transfer.rows import Extent, Row

JSON_LINES: Final = "jsonl"
CSV: Final = "csv"


class Stopped(RuntimeError):
    """The export was stopped. What is on the disk is where the next run goes on."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export, and where to."""

    extent: Extent
    folder: Path
    csv: bool = True


def no_progress(kind: str, count: int) -> None:
    """For a caller that shows none."""


@dataclass(slots=True)
class Writer:
    """Writes an export in a transaction that its caller gives.

    `progress` gets the kind and the rows written of it. `stop`, once set, ends it early.
    """

    catalogue: Catalogue
    settings: Settings
    wanted: Wanted
    progress: Callable[[str, int], None] = no_progress
    stop: Event = field(default_factory=Event)

    def begun(self) -> Manifest:
        """The manifest of a new export, or of the one that goes on. Raises UnusableExport."""
        folder, extent = self.wanted.folder, self.wanted.extent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        asked = Manifest(
            format=manifest.FORMAT,
            release=version("slatimer"),
            desk=extent.desk,
            since=None if extent.since is None else instant_text(extent.since),
            until=None if extent.until is None else instant_text(extent.until),
            csv=self.wanted.csv,
        )
        found = manifest.load(folder)
        if found is not None and found.asked != asked.asked:
            raise UnusableExport(f"{folder}: holds another export. Name an empty folder, or delete this one")
        return asked if found is None else asked.model_copy(update={"kinds": found.kinds})

    def write(self, conn: Connection, now: Micros, state: Manifest) -> None:
        """Write the files, as of `now`. Raises Stopped and OSError."""
        manifest.save(self.wanted.folder, state)
        for kind in KINDS:
            self._write_kind(conn, kind, state)
        limit = self.settings.answer_contracts
        credits = credit_rows.credit_rows(conn, self.catalogue, self.wanted.extent.desk, now, limit)
        with _Files(self, state, credit_rows.NAME, credit_rows.COLUMNS) as files:
            files.write(credits)
        state.as_of = instant_text(now)
        manifest.save(self.wanted.folder, state)

    def _write_kind(self, conn: Connection, kind: Kind, state: Manifest) -> None:
        so_far = state.kinds.get(kind.name)
        if so_far is not None and not self._goes_on(conn, kind, so_far):
            so_far = None
        after = 0 if so_far is None else so_far.position
        with _Files(self, state, kind.name, columns_of(kind), so_far) as files:
            files.write(
                rows.read(conn, kind, self.wanted.extent, after), is_appended=kind.position is not None
            )

    def _goes_on(self, conn: Connection, kind: Kind, so_far: KindState) -> bool:
        """Whether the files and the database still have what was written of a kind."""
        if kind.position is None or so_far.columns != _column_states(columns_of(kind)):
            return False
        folder = self.wanted.folder
        return all(
            is_as_described(folder / name, each) for name, each in so_far.files.items()
        ) and so_far.rows == rows.up_to(conn, kind, self.wanted.extent, so_far.position)


@dataclass(slots=True)
class Export:
    """An export that runs, and is in the audit log. `progress` and `stop` as of a Writer."""

    database: Database
    catalogue: Catalogue
    settings: Settings
    wanted: Wanted
    progress: Callable[[str, int], None] = no_progress
    stop: Event = field(default_factory=Event)

    def run(self) -> Manifest:
        """Write the files. Raises UnusableExport for a folder with another export, Stopped, and OSError."""
        desk = self.wanted.extent.desk
        writer = Writer(self.catalogue, self.settings, self.wanted, self.progress, self.stop)
        state = writer.begun()
        self.database.write_now(lambda conn, _: note_export(conn, desk), frozenset({desk}))
        self.database.read_now(lambda conn: writer.write(conn, self.database.now(), state))
        return state


def note_export(conn: Connection, desk: str) -> None:
    """Record in the audit log that everything of a desk is exported."""
    audit.record(conn, Action.DESK_EXPORTED, [desk], "all of it")


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """The columns of a kind's files."""
    return tuple(
        Column(each.name, each.type, required=not (each.never or each.column.nullable))
        for each in kind.fields
    )


def _column_states(columns: Iterable[Column]) -> list[ColumnState]:
    return [ColumnState(name=column.name, type=column.type.value) for column in columns]


class _Files:
    """The files of one kind, and their state in the manifest."""

    def __init__(
        self,
        export: Writer,
        state: Manifest,
        name: str,
        columns: Sequence[Column],
        so_far: KindState | None = None,
    ) -> None:
        self._export, self._state, self._name, self._columns = export, state, name, columns
        self._rows = 0 if so_far is None else so_far.rows
        self._position = 0 if so_far is None else so_far.position
        self._so_far = {} if so_far is None else so_far.files
        self._files: dict[str, ExportFile] = {}
        self._open = ExitStack()

    def __enter__(self) -> "_Files":
        folder = self._export.wanted.folder
        for form in (JSON_LINES, CSV) if self._export.wanted.csv else (JSON_LINES,):
            name = f"{self._name}.{form}"
            file = self._files[form] = ExportFile(folder / name, self._so_far.get(name))
            self._open.callback(file.close)
        if CSV in self._files and not self._files[CSV].size:
            self._files[CSV].write(csv_header(self._columns))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def write(self, found: Iterable[Mapping[str, Any]], *, is_appended: bool = False) -> None:
        """Append rows. Of a kind that is only appended the state is saved at checkpoints, of others at the end."""
        settings, checkpoint = self._export.settings, self._rows
        for batch in _batches(found, settings.transfer_batch_size):
            self._append(batch)
            if is_appended:
                self._position = batch[-1]["position"]
                if self._rows - checkpoint >= settings.transfer_checkpoint_rows:
                    self._save()
                    checkpoint = self._rows
            self._export.progress(self._name, self._rows)
            if self._export.stop.is_set():
                raise Stopped
        self._save()

    def _append(self, batch: Sequence[Row]) -> None:
        desk = self._export.wanted.extent.desk
        for form, line in ((JSON_LINES, json_line), (CSV, csv_line)):
            if form in self._files:
                self._files[form].write(b"".join(line(desk, self._columns, row) for row in batch))
        self._rows += len(batch)

    def _save(self) -> None:
        self._state.kinds[self._name] = KindState(
            rows=self._rows,
            position=self._position,
            columns=_column_states(self._columns),
            files={f"{self._name}.{form}": file.state() for form, file in self._files.items()},
        )
        manifest.save(self._export.wanted.folder, self._state)


def _batches(found: Iterable[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    rest = iter(found)
    while batch := list(islice(rest, size)):
        yield batch


def period(desk: str, since: Micros | None, until: Micros | None) -> Extent:
    """What of a desk to export. Raises ValueError for a period that ends before it begins."""
    if since is not None and until is not None and until <= since:
        raise ValueError("the period ends before it begins")
    return Extent(desk, since, until)
