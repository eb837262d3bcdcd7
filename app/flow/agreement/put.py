"""What does it do to put one document of one desk into force over the network, and which places of it are faulty?

The same as `apply` with one file, for a caller who may see one desk or all of them. Nobody waits for the sweep: it is
woken, here and in other processes, and judges the tickets anew. Instants are microseconds UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.flow.agreement.apply import Applied, Change, apply, plans, preview
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind, faults_of
from app.sla.calendar import parse_calendars
from app.sla.clock.evaluation import AppliesTo
from app.sla.document.faults import Fault, FaultyFile
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import EVERY_DESK, Connection
from app.store.engine.notify import announce

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PutResult:
    """What a document did, or would do. `number` is the version that is in force then; `applied` names the new
    versions, none when all of it was in force already."""

    number: int
    applied: tuple[Applied, ...]
    changes: tuple[Change, ...] = ()


def check_calendars(file: DeskFile) -> None:
    """Read calendars by themselves. Raises FaultyFiles with the faults that lie in them.

    What is found wrong with them afterwards lies in an agreement that counts by them.
    """
    try:
        parse_calendars(file.document, desk=file.desk)
    except FaultyFile as error:
        raise FaultyFiles(faults_of(file, error)) from error


def put_now(
    conn: Connection,
    now: Micros,
    catalogue: Catalogue,
    file: DeskFile,
    applies_to: AppliesTo,
    only: str = EVERY_DESK,
) -> PutResult:
    """Put a checked document into force. Raises FaultyFiles, and then nothing is."""
    applied = _with_name(file, lambda: apply(conn, now, catalogue, [file], applies_to, only))
    if any(each.tickets for each in applied):
        announce(conn, None, now)
    return PutResult(catalogue.desks(conn)[file.desk], tuple(applied))


def would_put(
    conn: Connection,
    now: Micros,
    catalogue: Catalogue,
    file: DeskFile,
    applies_to: AppliesTo,
    only: str = EVERY_DESK,
) -> PutResult:
    """What `put_now` would do, and which due dates that would move. Writes nothing. Raises FaultyFiles."""
    coming = _with_name(file, lambda: plans(conn, catalogue, [file], only))
    numbers = catalogue.desks(conn) | {plan.desk: plan.number for plan in coming}
    applied = tuple(Applied(plan.desk, plan.number, 0) for plan in coming)
    changes = tuple(preview(conn, now, catalogue, [file], applies_to, only))
    return PutResult(numbers[file.desk], applied, changes)


def _with_name(file: DeskFile, work: Callable[[], T]) -> T:
    """What the work gives; the fault of a wrong name joins its faults, so that all are told at once."""
    wrong_name = _faults_of_name(file)
    try:
        done = work()
    except FaultyFiles as error:
        raise FaultyFiles([*wrong_name, *error.faults]) from error
    if wrong_name:
        raise FaultyFiles(wrong_name)
    return done


def _faults_of_name(file: DeskFile) -> list[FileFault]:
    """An agreement names its desk itself: it must be the one that it is put to."""
    named = file.document.get("desk", file.desk)
    if file.kind is not FileKind.AGREEMENT or named == file.desk or not isinstance(named, str):
        return []
    fault = Fault("desk", f"{named!r} is not the desk of this address", f'Write desk = "{file.desk}".')
    return faults_of(file, FaultyFile([fault]))
