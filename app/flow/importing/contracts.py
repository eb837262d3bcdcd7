"""Import of contracts from an export of a billing system: CSV, JSON lines or TOML.

The whole file is read and checked before anything is stored; with one fault nothing is. Contracts are then stored in
slices, each in its own transaction, so that the events of other desks need not wait. Stating what is in force changes
nothing, so an interrupted import is resumed by starting it again.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from math import inf
from typing import Final, cast

from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.contracts import FaultyContracts, PutContracts, Stated, plan, put_terms, read_terms
from app.flow.agreement.desk_files import document_of
from app.flow.agreement.effects import Effects
from app.flow.agreement.limits import limits_of
from app.flow.importing.log_file import OpenLog
from app.flow.query.contracts import agreement_known
from app.intake.importing.contract_mapping import ContractMapped, by_key_names
from app.intake.importing.contract_row import ContractRowReader, FaultyRow
from app.intake.importing.layout import Format, Layout, recognised
from app.intake.importing.rows import Row, columns_of, rows
from app.intake.importing.unreadable import Refused, UnusableLog, columns_listed
from app.settings import Settings
from app.sla.agreement.agreement import Agreement
from app.sla.contract import Contract
from app.sla.document.faults import Fault, lines_of_tables
from app.sla.fields import casefolded
from app.sla.span import Micros, length_of
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database

Progress = Callable[[str, int, int | None], None]
"""Called with (stage, done, total): bytes while reading, contracts while storing."""


def silent(stage: str, done: int, total: int | None) -> None:
    """Report no progress."""


READING, STORING, PREVIEWING = "reading", "storing", "previewing"
_MOST_CHANGES: Final = 1_000
"""Changes of due dates that a preview on the command line keeps; all are counted."""
_STEP: Final = 1_000
"""Rows between two reports of progress."""

Document = tuple[str, Mapping[str, object]]
"""A contract's document, with its place: `line 3`."""


@dataclass(slots=True)
class Imported:
    """What became of a file. `terms` were read; contracts are new, changed or as they were."""

    layout: str
    terms: int = 0
    contracts: int = 0
    changed: int = 0
    tickets: int = 0
    """Tickets that are judged again; in a preview 0."""
    unread: list[str] = field(default_factory=list[str])
    """Columns that no key was read from."""
    seen: ContractsPreview | None = None
    """In a preview: what would change of open tickets and of credits."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of contracts as it was read: its documents, and what is wrong with its rows."""

    layout: str
    documents: list[Document]
    faults: list[tuple[str, Fault]]
    unread: list[str]


def read_toml(content: bytes, *, most: float = inf) -> Source:
    """The documents of a TOML file: `[contracts.NAME]` tables, or `[[contracts]]` each with its id.

    Raises UnusableLog.
    """
    try:
        text = content.decode("utf-8-sig")
        document = document_of(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise UnusableLog(f"it is not TOML: {error}") from error
    given: object = document.get("contracts")
    if set(document) != {"contracts"} or not isinstance(given, dict | list):
        raise UnusableLog(
            "it has no contracts. Write [contracts.NAME], or [[contracts]] with id for several terms"
        )
    _check_count(len(cast("list[object]", given)), most)
    found, lines = list[Document](), lines_of_tables(text, "contracts")
    for step, table in _tables(cast("object", given)):
        if not isinstance(table, dict):
            raise UnusableLog(f"contracts.{step} is not a table. Write [contracts.NAME]")
        line = lines.get(step)
        content_of = cast("dict[str, object]", table)
        named = content_of if "id" in content_of or isinstance(given, list) else {"id": step} | content_of
        found.append((f"contracts.{step}" if line is None else f"line {line}", named))
    return Source("TOML", found, [], [])


def _tables(given: object) -> Iterator[tuple[str, object]]:
    if isinstance(given, dict):
        yield from cast("dict[str, object]", given).items()
    else:
        yield from ((str(number), each) for number, each in enumerate(cast("list[object]", given)))


def read_rows(
    log: OpenLog,
    name: str,
    mapping: ContractMapped | None,
    zone_name: str,
    settings: Settings,
    progress: Progress = silent,
) -> Source:
    """The documents of a CSV file or JSON lines. Raises UnusableLog."""
    stated = ContractMapped({}) if mapping is None else mapping
    layout = recognised(log.head, name, stated.stated, stated.names)
    if layout.format is Format.XES:
        raise UnusableLog("it is an XES log. Contracts come as CSV, JSON lines or TOML")
    columns = columns_of(log.head, layout) if layout.format is Format.CSV else []
    given = _mapping(mapping, columns, layout)
    longest = settings.replay_max_row_length
    reader = None if given is None else ContractRowReader(given, _sample(log, layout, longest), zone_name)
    unread = [] if given is None else [each for each in columns if each and each not in given.names]
    source = Source(layout.description, [], [], unread)
    for number, row in enumerate(rows(log.stream, layout, longest=longest)):
        if number % _STEP == 0:
            progress(READING, log.done, log.size)
        _check_count(number + 1, settings.contract_import_max)
        _add(source, row, reader)
    return source


def _check_count(terms: int, most: float) -> None:
    """Raise UnusableLog for too many terms, those that cannot be read included: a fault is kept of each."""
    if terms > most:
        raise UnusableLog(f"it has more than {most} terms. Split it, or raise SLATIMER_CONTRACT_IMPORT_MAX")


def _mapping(mapping: ContractMapped | None, columns: Sequence[str], layout: Layout) -> ContractMapped | None:
    """The mapping of the columns; none for JSON lines without one, which are documents already."""
    if mapping is None:
        if layout.format is Format.JSON_LINES:
            return None
        found = by_key_names(columns)
        if "id" not in found.columns:
            raise UnusableLog(
                f"column 'id' is missing; the file has {columns_listed(columns)}. A mapping names them in [columns]"
            )
        return found
    missing = [each for each in mapping.names if each not in columns] if layout.format is Format.CSV else []
    if missing:
        raise UnusableLog(
            f"column {missing[0]!r} is missing; the file has {columns_listed(columns)}. "
            "The mapping names it in [columns]"
        )
    return mapping


def _sample(log: OpenLog, layout: Layout, longest: int) -> list[Row]:
    try:
        found = list(rows(BytesIO(log.head), layout, longest=longest))
    except UnusableLog:
        return []  # reported where the file itself is read
    return [row for row in found if isinstance(row, Row)]


def _add(source: Source, row: Row | Refused, reader: ContractRowReader | None) -> None:
    if isinstance(row, Refused):
        source.faults.append((f"line {row.line}", Fault("row", row.reason, "Correct the row.")))
        return
    place = f"line {row.line}"
    try:
        document = row.cells if reader is None else reader.document(row)
    except FaultyRow as error:
        source.faults.extend((place, fault) for fault in error.faults)
        return
    source.documents.append((place, document))


class ContractImport:
    """The import of one file's contracts into a desk."""

    def __init__(self, settings: Settings, database: Database, catalogue: Catalogue, desk: str) -> None:
        self._settings, self._database, self._catalogue, self._desk = settings, database, catalogue, desk

    def agreement(self, conn: Connection) -> Agreement:
        """The agreement that the contracts are checked against."""
        return agreement_known(conn, self._catalogue, self._desk, None, at=self._database.now())

    def checked(self, source: Source, agreement: Agreement) -> list[Stated]:
        """The terms of a file. Raises FaultyContracts with every fault of every row."""
        stated, faults = read_terms(source.documents, agreement, limits_of(self._settings))
        if source.faults or faults:
            raise FaultyContracts([*source.faults, *faults])
        return stated

    def check_all(self, conn: Connection, stated: Sequence[Stated]) -> int:
        """Check the terms beside those in force. Returns how many contracts would change. Raises FaultyContracts."""
        faults: list[tuple[str, Fault]] = []
        changed = 0
        for part in self.slices(stated):
            try:
                changed += sum(bool(each.changes) for each in plan(conn, self._desk, part))
            except FaultyContracts as error:
                faults += error.faults
        if faults:
            raise FaultyContracts(faults)
        return changed

    def slices(self, stated: Sequence[Stated]) -> Iterator[list[Stated]]:
        """The terms in slices of so many contracts as one transaction stores; those of one contract stay together."""
        return self._sliced(stated, lambda term: term.key)

    def _sliced(self, stated: Sequence[Stated], key: Callable[[Contract], str]) -> Iterator[list[Stated]]:
        """The terms in slices of so many groups; those of one key are one group."""
        by_key: dict[str, list[Stated]] = {}
        for each in stated:
            by_key.setdefault(key(each.term), []).append(each)
        groups = iter(by_key.values())
        while part := list(islice(groups, self._settings.contract_import_slice)):
            yield [each for group in part for each in group]

    def put(self, conn: Connection, now: Micros, part: Sequence[Stated], note: str | None) -> PutContracts:
        """Store one slice, in its own transaction. Raises FaultyContracts when others have come between."""
        wait = length_of(self._settings.notification_group_wait)
        return put_terms(conn, now, self._desk, part, notice_wait=wait, note=note)

    def by_customer(self, stated: Sequence[Stated]) -> Iterator[list[Stated]]:
        """In slices of so many customers: the money of all contracts of a customer is compared at once."""
        customers = {each.term.key: casefolded(each.term.customer) for each in stated}
        return self._sliced(stated, lambda term: customers[term.key] or term.key)

    def preview(self, conn: Connection, part: Sequence[Stated], seen: ContractsPreview) -> None:
        """Add what one slice would change of open tickets and of credits."""
        seen.add(conn, self._database.now(), self._catalogue, self._desk, part)

    def run(
        self, source: Source, *, preview: bool, note: str | None = None, progress: Progress = silent
    ) -> Imported:
        """Check a file, then store it or say what it would change. Raises FaultyContracts, then nothing is stored."""
        stated = self.checked(source, self._database.read_now(self.agreement))
        found = imported(source, stated)
        would_change = self._database.read_now(lambda conn: self.check_all(conn, stated))
        stage = PREVIEWING if preview else STORING
        done = 0
        seen = ContractsPreview(Effects(_MOST_CHANGES), inf) if preview else None
        for part in self.slices(stated) if seen is None else self.by_customer(stated):
            if seen is not None:
                self._database.read_now(lambda conn, part=part: self.preview(conn, part, seen))
            else:
                add_put(
                    found,
                    self._database.write_now(
                        lambda conn, now, part=part: self.put(conn, now, part, note), frozenset({self._desk})
                    ),
                )
            done += len({each.term.key for each in part})
            progress(stage, done, found.contracts)
        if preview:
            found.changed, found.seen = would_change, seen
        return found


def imported(source: Source, stated: Iterable[Stated]) -> Imported:
    """What a file has, before any of it is stored."""
    terms = list(stated)
    keys = {each.term.key for each in terms}
    return Imported(source.layout, terms=len(terms), contracts=len(keys), unread=source.unread)


def add_put(found: Imported, done: PutContracts) -> None:
    """Add what one slice has changed."""
    found.changed += len(done.numbers)
    found.tickets += done.tickets
