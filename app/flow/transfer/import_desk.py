"""Import of an exported desk into a database that does not have the desk.

Everything is inserted in one transaction, after every file has been compared with its checksum: an import is whole or
nothing. Ids, instants of receipt and recording and authors are those of the export, so that views, signals and reports,
also as of earlier instants, are the same. Signals count as delivered: subscriptions of this database get none of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from app.flow.transfer import manifest
from app.flow.transfer.export import columns_of, no_progress
from app.flow.transfer.files import is_as_described
from app.flow.transfer.manifest import Manifest, UnusableExport
from app.flow.transfer.values import FaultyValue, read_json_line
from app.principal import EVERY_DESK
from app.settings import Settings
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.contracts.catalogue import Catalogue, lock_versions
from app.store.engine.database import Connection, Database
from app.store.transfer import rows
from app.store.transfer.kinds import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Imported:
    """What was inserted: rows by kind."""

    desk: str
    rows: dict[str, int]


@dataclass(slots=True)
class Import:
    """An import of a folder. `progress` gets the kind and the rows inserted of it."""

    database: Database
    catalogue: Catalogue
    settings: Settings
    folder: Path
    progress: Callable[[str, int], None] = no_progress

    def run(self) -> Imported:
        """Insert everything. Raises UnusableExport, with the file and the line, and OSError."""
        found = self._checked()
        try:
            return self.database.write_now(
                lambda conn, now: self._insert(conn, now, found), frozenset({found.desk})
            )
        except BaseException:
            self.catalogue.forget()  # nothing was inserted
            raise

    def _checked(self) -> Manifest:
        """The manifest of an export that is complete, and whose files are as it describes them."""
        found = manifest.load(self.folder)
        if found is None:
            raise UnusableExport(f"{self.folder}: has no {manifest.NAME}, so it holds no export")
        if found.format != manifest.FORMAT:
            raise UnusableExport(
                f"{self.folder}: has format {found.format}; this release reads {manifest.FORMAT}"
            )
        if not found.desk.isprintable() or found.desk in ("", EVERY_DESK):
            raise UnusableExport(f"{self.folder}: {found.desk!r} is no name of a desk")
        if found.as_of is None:
            raise UnusableExport(f"{self.folder}: the export is not complete. Run it again to go on")
        if found.since is not None or found.until is not None:
            raise UnusableExport(
                f"{self.folder}: is of a period only. Export everything, without --since and --until"
            )
        for kind in _imported(found):
            self._check_file(kind, found)
        return found

    def _check_file(self, kind: Kind, found: Manifest) -> None:
        name = f"{kind.name}.jsonl"
        state = found.kinds[kind.name].files.get(name) if kind.name in found.kinds else None
        path = self.folder / name
        if state is None or not is_as_described(path, state) or path.stat().st_size != state.size:
            raise UnusableExport(f"{path}: is not the file that {manifest.NAME} describes. Export it again")

    def _insert(self, conn: Connection, _: Micros, found: Manifest) -> Imported:
        lock_versions(conn)
        if present := rows.present(conn, found.desk):
            raise UnusableExport(
                f"the database has the desk {found.desk!r} already ({', '.join(present)}). Import into an empty database"
            )
        inserted = {kind.name: self._insert_kind(conn, kind, found) for kind in _imported(found)}
        audit.record(conn, Action.DESK_IMPORTED, [found.desk], f"as of {found.as_of}")
        return Imported(found.desk, inserted)

    def _insert_kind(self, conn: Connection, kind: Kind, found: Manifest) -> int:
        count, read = 0, self._rows(kind, found)
        while batch := list(islice(read, self.settings.transfer_batch_size)):
            try:
                rows.insert(conn, kind, found.desk, batch)
            except rows.ForeignRow as error:
                raise UnusableExport(f"{self.folder / kind.name}.jsonl: {error}") from error
            count += len(batch)
            self.progress(kind.name, count)
        return count

    def _rows(self, kind: Kind, found: Manifest) -> Iterator[dict[str, Any]]:
        path, columns = self.folder / f"{kind.name}.jsonl", columns_of(kind)
        longest = self.settings.transfer_max_line_length
        with path.open("rb") as file:
            number = 0
            while line := file.readline(longest + 1):
                number += 1
                try:
                    if len(line) > longest:
                        raise FaultyValue(
                            f"is longer than {longest} bytes (SLATIMER_TRANSFER_MAX_LINE_LENGTH)"
                        )
                    yield read_json_line(found.desk, columns, line)
                except FaultyValue as error:
                    raise UnusableExport(f"{path}, line {number}: {error}") from error


def _imported(found: Manifest) -> list[Kind]:
    """The kinds that an import reads from this export."""
    return [kind for kind in KINDS if kind.imported and (kind.name in found.kinds or not kind.may_be_missing)]
