"""Faults of a desk's next version, each with the file in which it lies. Instants are microseconds UTC."""

from collections.abc import Iterable, Sequence

from app.flow.agreement.desk_files import DeskFile, FileFault, FileKind, faults_of
from app.flow.query.serialize import instant_text
from app.sla.calendar import CalendarFault
from app.sla.document.faults import Fault, FaultyFile
from app.sla.span import Micros
from app.store.contracts.stored_version import StoredVersion


def plan_faults(
    desk: str, before: StoredVersion | None, now: Micros, files: Sequence[DeskFile], error: FaultyFile
) -> list[FileFault]:
    """The faults of a desk's next version. `before` is planned where a planned version is made anew."""
    planned = before is not None and before.version.effective_from > now
    if isinstance(error, CalendarFault):
        at_fault = [file for file in files if file.kind is FileKind.CALENDARS]
    else:
        at_fault = [file for file in files if file.kind is FileKind.AGREEMENT and file.desk == desk]
    if planned or not at_fault:
        return _faults_of_stored(desk, before if planned else None, files, error)
    # Among several files it is the one whose text has the place.
    return [
        next((place for place in places if place.line is not None), places[0])
        for places in zip(*(faults_of(file, error) for file in at_fault), strict=True)
    ]


def _faults_of_stored(
    desk: str, planned: StoredVersion | None, files: Iterable[DeskFile], error: FaultyFile
) -> list[FileFault]:
    """Faults of a stored document that is not among the files: changed calendars or holidays do not fit it."""
    path = next((file.path for file in files), f"desk {desk}")
    what = "the calendars" if isinstance(error, CalendarFault) else "the agreement"
    when = "" if planned is None else _when(planned)
    return [
        FileFault(path, None, Fault(f"{what} of {desk}{when}: {fault.place}", fault.wrong, fault.right))
        for fault in error.faults
    ]


def _when(planned: StoredVersion) -> str:
    return f", planned from {instant_text(planned.version.effective_from)} as version {planned.number}"
