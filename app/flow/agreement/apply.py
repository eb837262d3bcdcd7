"""What changes when a desk puts new calendars or a new agreement into force, and for which tickets?

Each change is a new version of the desk, with the documents as they were then; unchanged documents make none. The new
version is stored and every ticket that it may concern is marked to be looked at, in one transaction; the sweep then
judges them in batches, so a stop half-way loses nothing. `only` is the one desk that whoever applies may see: nothing
of another desk is read or changed then. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind, faults_of
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.sla.agreement.agreement import Agreement
from app.sla.calendar import CalendarFault
from app.sla.clock.evaluation import AppliesTo, NothingKnown, Version
from app.sla.document.faults import Fault, FaultyFile
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue, Documents, StoredVersion, lock_versions, parsed, put
from app.store.engine.batch import pieces
from app.store.engine.database import EVERY_DESK, Connection
from app.store.tickets import clocks, schedule

"""What is held while versions are numbered, so that two who apply at once make two versions and not one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A desk's next version, not in force yet."""

    desk: str
    number: int
    documents: Documents
    agreement: Agreement
    before: StoredVersion | None


@dataclass(frozen=True, slots=True)
class Applied:
    """A version that is in force. `tickets` are to be looked at again because of it."""

    desk: str
    number: int
    tickets: int


@dataclass(frozen=True, slots=True)
class Change:
    """A clock of an open ticket whose due date another version changes; none: it is not running, or not there."""

    desk: str
    ticket: str
    commitment: str
    cycle: int
    old_due_at: Micros | None
    new_due_at: Micros | None


def plans(
    conn: Connection, catalogue: Catalogue, files: Sequence[DeskFile], only: str = EVERY_DESK
) -> list[Plan]:
    """The versions that these files make, by desk; none for a desk to which they are nothing new. Raises FaultyFiles."""
    latest = {
        desk: catalogue.history(conn, desk, number)[-1]
        for desk, number in catalogue.desks(conn).items()
        if only in (EVERY_DESK, desk)
    }
    agreements = {file.desk: file for file in files if file.kind is FileKind.AGREEMENT}
    calendars = {file.desk: file for file in files if file.kind is FileKind.CALENDARS}
    counting_by = {
        desk for desk, held in latest.items() if held.documents.calendars.keys() & calendars.keys()
    }
    found: list[Plan] = []
    for desk in sorted(agreements.keys() | calendars.keys() | counting_by):
        before = latest.get(desk)
        documents = _documents(desk, before, agreements.get(desk), calendars, latest)
        if before is None or documents.digest != before.digest:
            agreement = _checked(desk, documents, files)
            number = 1 if before is None else before.version.number + 1
            found.append(Plan(desk, number, documents, agreement, before))
    return found


def _documents(
    desk: str,
    before: StoredVersion | None,
    agreement: DeskFile | None,
    calendars: Mapping[str, DeskFile],
    latest: Mapping[str, StoredVersion],
) -> Documents:
    held = before.documents if before is not None else Documents(None, {})
    document = held.agreement if agreement is None else agreement.document
    wanted = {desk, *_calendar_desks(document)}
    known: dict[str, Mapping[str, Any]] = {}
    texts: dict[str, str] = {}
    for owner in sorted(wanted):
        if owner in calendars:
            known[owner], texts[owner] = calendars[owner].document, calendars[owner].text
        elif (source := latest.get(owner)) is not None and owner in source.documents.calendars:
            known[owner] = source.documents.calendars[owner]
            texts[owner] = (source.documents.calendars_text or {}).get(owner, "")
        elif owner in held.calendars:
            # Another desk's, which may not be looked at here: as the desk counts by it already.
            known[owner] = held.calendars[owner]
            texts[owner] = (held.calendars_text or {}).get(owner, "")
    text = held.agreement_text if agreement is None else agreement.text or None
    return Documents(document, known, text, texts)


def _calendar_desks(document: object) -> Iterator[str]:
    """The desks whose calendars a document names, as in `calendar = "haisoft/tickets"`."""
    if isinstance(document, Mapping):
        for key, value in cast("Mapping[str, object]", document).items():
            if key == "calendar" and isinstance(value, str) and "/" in value:
                yield value.partition("/")[0]
            else:
                yield from _calendar_desks(value)
    elif isinstance(document, list):
        for value in cast("list[object]", document):
            yield from _calendar_desks(value)


def _checked(desk: str, documents: Documents, files: Sequence[DeskFile]) -> Agreement:
    try:
        return parsed(desk, documents)[0]
    except FaultyFile as error:
        raise FaultyFiles(_faults(desk, files, error)) from error


def _faults(desk: str, files: Sequence[DeskFile], error: FaultyFile) -> list[FileFault]:
    """The faults, each with the file in which it lies."""
    if isinstance(error, CalendarFault):
        at_fault = [file for file in files if file.kind is FileKind.CALENDARS]
    else:
        at_fault = [file for file in files if file.kind is FileKind.AGREEMENT and file.desk == desk]
    if not at_fault:
        return _faults_of_borrower(desk, files, error)
    # Among several files it is the one whose text has the place.
    return [
        next((place for place in places if place.line is not None), places[0])
        for places in zip(*(faults_of(file, error) for file in at_fault), strict=True)
    ]


def _faults_of_borrower(desk: str, files: Iterable[DeskFile], error: FaultyFile) -> list[FileFault]:
    """What calendars spoil for an agreement that counts by them and is not among the files."""
    path = next(iter(files)).path
    return [
        FileFault(path, None, Fault(f"the agreement of {desk}: {fault.place}", fault.wrong, fault.right))
        for fault in error.faults
    ]


def apply(
    conn: Connection,
    now: Micros,
    catalogue: Catalogue,
    files: Sequence[DeskFile],
    applies_to: AppliesTo,
    only: str = EVERY_DESK,
) -> list[Applied]:
    """Put files into force. Raises FaultyFiles, and then nothing is. The sweep judges the tickets afterwards."""
    lock_versions(conn)
    found: list[Applied] = []
    for plan in plans(conn, catalogue, files, only):
        # Whoever had to wait took the time before whoever went first: versions stay in the order of their numbers.
        applied_at = now if plan.before is None else max(now, plan.before.version.applied_at)
        put(conn, plan.desk, plan.number, plan.documents, applied_at, applies_to)
        # A version for new tickets only changes no other; the queue's rules are the latest version's for all.
        same_rules = plan.before is not None and plan.before.agreement.queue == plan.agreement.queue
        concerned = applies_to is not AppliesTo.NEW or not same_rules
        found.append(
            Applied(plan.desk, plan.number, schedule.mark_due(conn, plan.desk, now) if concerned else 0)
        )
    return found


def preview(
    conn: Connection,
    now: Micros,
    catalogue: Catalogue,
    files: Sequence[DeskFile],
    applies_to: AppliesTo,
    only: str = EVERY_DESK,
) -> list[Change]:
    """Which clocks of open tickets these files would change. Writes nothing. Raises FaultyFiles."""
    found: list[Change] = []
    for plan in plans(conn, catalogue, files, only):
        if plan.before is None:
            continue
        held = catalogue.versions(conn, plan.desk, plan.number - 1)
        coming = (*held, Version(plan.number, plan.agreement, now, applies_to))
        for part in pieces(clocks.open_tickets(conn, plan.desk)):
            merge_graph = gather(conn, plan.desk, part)
            for ticket in part:
                old, new = (_due_dates(merge_graph, ticket, versions, now) for versions in (held, coming))
                found += _changes(plan.desk, ticket, old, new)
    return found


_Due = Mapping[tuple[str, int], Micros | None]


def _due_dates(merge_graph: MergeGraph, ticket: str, versions: Sequence[Version], now: Micros) -> _Due:
    try:
        evaluation = judge(merge_graph, ticket, versions, now)
    except NothingKnown:
        return {}
    return {(view.commitment, view.cycle): view.due_at for view in evaluation.clocks}


def _changes(desk: str, ticket: str, old: _Due, new: _Due) -> Iterator[Change]:
    for commitment, cycle in sorted(old.keys() | new.keys()):
        before, after = old.get((commitment, cycle)), new.get((commitment, cycle))
        if before != after:
            yield Change(desk, ticket, commitment, cycle, before, after)
