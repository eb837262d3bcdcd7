"""Next versions of desks: what a set of files, or newer holidays, would put into force.

Unchanged documents make no version. A changed calendar file makes one of every desk that counts by it. `only` is the
one desk that the caller may see: nothing of another desk is read then. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.flow.agreement.desk_files import (
    DeskFile,
    FaultyFiles,
    FileFault,
    FileKind,
    check_limits,
    faults_of,
)
from app.flow.agreement.holidays import note_of, with_holidays
from app.principal import EVERY, Desks, covers
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.file import desks_of_calendars
from app.sla.calendar import CalendarFault
from app.sla.calendar.stored_holidays import StoredHolidays
from app.sla.document.faults import Fault, FaultyFile
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue, Documents, StoredVersion, digest_of
from app.store.engine.database import Connection


@dataclass(frozen=True, slots=True)
class Plan:
    """A desk's next version, not in force yet. `note` states what it changes in the holidays, None for nothing."""

    desk: str
    number: int
    documents: Documents
    agreement: Agreement
    before: StoredVersion | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be put into force: files, and the desks whose calendars take the holidays of the installed package.

    A calendar file among `files` that differs from the stored one takes them too; every other keeps its own.
    """

    files: Sequence[DeskFile] = ()
    refresh: Collection[str] = ()
    only: Desks = EVERY

    @property
    def agreements(self) -> Mapping[str, DeskFile]:
        """The agreement files by desk."""
        return {file.desk: file for file in self.files if file.kind is FileKind.AGREEMENT}

    @property
    def calendars(self) -> Mapping[str, DeskFile]:
        """The calendar files by desk."""
        return {file.desk: file for file in self.files if file.kind is FileKind.CALENDARS}


def plans(conn: Connection, now: Micros, catalogue: Catalogue, proposal: Proposal) -> list[Plan]:
    """The versions that a proposal makes, by desk; none for a desk that it does not change.

    Raises FaultyFiles with the faults of all desks.
    """
    latest = {
        desk: catalogue.history(conn, desk, number)[-1]
        for desk, number in catalogue.desks(conn).items()
        if covers(proposal.only, desk)
    }
    # Only what changes is measured: a stored file beyond a limit that was lowered stays in force.
    check_limits((file for file in proposal.files if not _is_stored(file, latest)), catalogue.limits)
    changed = proposal.calendars.keys() | set(proposal.refresh)
    counting_by = {desk for desk, held in latest.items() if held.documents.calendars.keys() & changed}
    found, faults = list[Plan](), list[FileFault]()
    for desk in sorted(proposal.agreements.keys() | proposal.calendars.keys() | counting_by):
        before = latest.get(desk)
        documents = _documents(desk, before, proposal, latest)
        if before is None or documents.digest != before.digest or proposal.refresh:
            try:
                plan = _plan(now, catalogue, desk, before, documents, proposal.files)
            except FaultyFiles as error:
                faults += error.faults
                continue
            if before is None or not _is_same(plan.documents, before):
                found.append(plan)
    if faults:
        # A calendar file that several desks count by has the same fault for each of them.
        raise FaultyFiles(dict.fromkeys(faults))
    return found


def _is_stored(file: DeskFile, latest: Mapping[str, StoredVersion]) -> bool:
    """Whether the latest version of the file's desk has the same document."""
    held = latest.get(file.desk)
    if held is None:
        return False
    documents = held.documents
    stored = documents.agreement if file.kind is FileKind.AGREEMENT else documents.calendars.get(file.desk)
    return stored is not None and digest_of(stored) == digest_of(file.document)


def _is_same(documents: Documents, before: StoredVersion) -> bool:
    held = before.documents.holidays
    return documents.digest == before.digest and all(
        owner in held and stored.is_same(held[owner]) for owner, stored in documents.holidays.items()
    )


def _plan(
    now: Micros,
    catalogue: Catalogue,
    desk: str,
    before: StoredVersion | None,
    documents: Documents,
    files: Sequence[DeskFile],
) -> Plan:
    try:
        documents = with_holidays(catalogue, documents, now)
        agreement = catalogue.parsed(desk, documents)[0]
    except FaultyFile as error:
        raise FaultyFiles(_faults(desk, files, error)) from error
    number = 1 if before is None else before.version.number + 1
    note = note_of(None if before is None else before.documents, documents, now)
    return Plan(desk, number, documents, agreement, before, note)


@dataclass(frozen=True, slots=True)
class _CalendarFile:
    """A calendar file for a version: as applied now, or as stored."""

    document: Mapping[str, Any]
    text: str
    holidays: StoredHolidays | None

    @staticmethod
    def stored(documents: Documents, owner: str) -> "_CalendarFile | None":
        """The calendar file of a desk in stored documents."""
        if owner not in documents.calendars:
            return None
        text = (documents.calendars_text or {}).get(owner, "")
        return _CalendarFile(documents.calendars[owner], text, documents.holidays.get(owner))

    @staticmethod
    def applied(file: DeskFile, before: "_CalendarFile | None") -> "_CalendarFile":
        """The file, with the holidays that are stored for it if it states the same as before."""
        same = before is not None and digest_of(before.document) == digest_of(file.document)
        return _CalendarFile(file.document, file.text, before.holidays if before and same else None)


def _documents(
    desk: str, before: StoredVersion | None, proposal: Proposal, latest: Mapping[str, StoredVersion]
) -> Documents:
    """The documents of a desk's next version, with the holidays that are stored for them."""
    held = before.documents if before is not None else Documents(None, {})
    agreement = proposal.agreements.get(desk)
    document = held.agreement if agreement is None else agreement.document
    known: dict[str, _CalendarFile] = {}
    for owner in sorted({desk, *desks_of_calendars(document)}):
        # Another desk's file that may not be read here stays as the desk counts by it already.
        source = latest[owner].documents if owner in latest else held
        stored = _CalendarFile.stored(source, owner) or _CalendarFile.stored(held, owner)
        if owner in proposal.calendars:
            known[owner] = _CalendarFile.applied(proposal.calendars[owner], stored)
        elif stored is not None:
            known[owner] = stored
        if owner in known and owner in proposal.refresh:
            known[owner] = replace(known[owner], holidays=None)
    return Documents(
        agreement=document,
        calendars={owner: file.document for owner, file in known.items()},
        agreement_text=held.agreement_text if agreement is None else agreement.text or None,
        calendars_text={owner: file.text for owner, file in known.items()},
        holidays={owner: file.holidays for owner, file in known.items() if file.holidays is not None},
    )


def _faults(desk: str, files: Sequence[DeskFile], error: FaultyFile) -> list[FileFault]:
    """The faults, each with the file in which it lies."""
    if isinstance(error, CalendarFault):
        at_fault = [file for file in files if file.kind is FileKind.CALENDARS]
    else:
        at_fault = [file for file in files if file.kind is FileKind.AGREEMENT and file.desk == desk]
    if not at_fault:
        return _faults_of_stored(desk, files, error)
    # Among several files it is the one whose text has the place.
    return [
        next((place for place in places if place.line is not None), places[0])
        for places in zip(*(faults_of(file, error) for file in at_fault), strict=True)
    ]


def _faults_of_stored(desk: str, files: Iterable[DeskFile], error: FaultyFile) -> list[FileFault]:
    """Faults of a stored document that is not among the files: changed calendars or holidays do not fit it."""
    path = next((file.path for file in files), f"desk {desk}")
    what = "the calendars" if isinstance(error, CalendarFault) else "the agreement"
    return [
        FileFault(path, None, Fault(f"{what} of {desk}: {fault.place}", fault.wrong, fault.right))
        for fault in error.faults
    ]
