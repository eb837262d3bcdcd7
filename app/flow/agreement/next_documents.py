"""The documents of a desk's next version: the stored ones, with the files of a proposal in their places."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.flow.agreement.desk_files import DeskFile, FileKind
from app.sla.agreement.file import desks_of_calendars
from app.sla.calendar.stored_holidays import StoredHolidays
from app.store.contracts.stored_version import Documents, StoredVersion, digest_of

_NOTHING = Documents(None, {})


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

    def applied(self, file: DeskFile) -> "_CalendarFile":
        """The file, with the holidays that are stored for it if it states the same as before."""
        same = digest_of(self.document) == digest_of(file.document)
        return _CalendarFile(file.document, file.text, self.holidays if same else None)

    def is_same(self, other: "_CalendarFile | None") -> bool:
        """Whether both state the same and store the same holidays."""
        if other is None or digest_of(self.document) != digest_of(other.document):
            return False
        if self.holidays is None or other.holidays is None:
            return self.holidays is other.holidays
        return self.holidays.is_same(other.holidays)


def next_documents(
    desk: str,
    before: StoredVersion | None,
    files: Sequence[DeskFile],
    refresh: Collection[str],
    in_force_then: Mapping[str, StoredVersion],
) -> Documents:
    """The documents of the version that follows `before`, with the holidays that are stored for them.

    `in_force_then` are the versions of the desks that may be read, as they are in force then.
    """
    held = _NOTHING if before is None else before.documents
    document, text = _agreement(desk, held, files)
    known: dict[str, _CalendarFile] = {}
    for owner in sorted({desk, *desks_of_calendars(document)}):
        # Another desk's file that may not be read here stays as the desk counts by it already.
        source = in_force_then[owner].documents if owner in in_force_then else held
        stored = _CalendarFile.stored(source, owner) or _CalendarFile.stored(held, owner)
        if (file := _changed(owner, stored, files, refresh)) is not None:
            known[owner] = file
    return _documents(document, text, known)


def rebased_documents(
    desk: str,
    planned: Documents,
    before: StoredVersion | None,
    files: Sequence[DeskFile],
    refresh: Collection[str],
    in_force_then: Mapping[str, StoredVersion],
) -> Documents:
    """The documents of a planned version after files change before it is in force.

    A file that the planned version has as it is in force before changes in both; one that it has otherwise stays.
    """
    held = _NOTHING if before is None else before.documents
    follows = digest_of(planned.agreement) == digest_of(held.agreement)
    document, text = (
        _agreement(desk, planned, files) if follows else (planned.agreement, planned.agreement_text)
    )
    known: dict[str, _CalendarFile] = {}
    for owner in sorted({desk, *desks_of_calendars(document)}):
        own = _CalendarFile.stored(planned, owner)
        in_force = [
            _CalendarFile.stored(held, owner),
            _CalendarFile.stored(in_force_then[owner].documents, owner) if owner in in_force_then else None,
        ]
        stored = own or in_force[1] or in_force[0]
        if own is None or any(own.is_same(each) for each in in_force):
            stored = _changed(owner, stored, files, refresh)
        if stored is not None:
            known[owner] = stored
    return _documents(document, text, known)


def _agreement(
    desk: str, held: Documents, files: Sequence[DeskFile]
) -> tuple[Mapping[str, Any] | None, str | None]:
    """The agreement, as applied now or as stored, and its text."""
    for file in files:
        if file.kind is FileKind.AGREEMENT and file.desk == desk:
            return file.document, file.text or None
    return held.agreement, held.agreement_text


def _changed(
    owner: str, stored: _CalendarFile | None, files: Sequence[DeskFile], refresh: Collection[str]
) -> _CalendarFile | None:
    """A desk's calendar file, as applied now or as stored. Without holidays where they are to be taken anew."""
    for file in files:
        if file.kind is FileKind.CALENDARS and file.desk == owner:
            stored = _CalendarFile(file.document, file.text, None) if stored is None else stored.applied(file)
    if stored is not None and owner in refresh:
        return replace(stored, holidays=None)
    return stored


def _documents(
    document: Mapping[str, Any] | None, text: str | None, known: Mapping[str, _CalendarFile]
) -> Documents:
    return Documents(
        agreement=document,
        calendars={owner: file.document for owner, file in known.items()},
        agreement_text=text,
        calendars_text={owner: file.text for owner, file in known.items()},
        holidays={owner: file.holidays for owner, file in known.items() if file.holidays is not None},
    )
