"""One document of one desk over the network: put into force, or previewed.

The same as `apply` with one file, for a caller that may see one desk or all of them. The request does not wait for the
sweep: it is notified, here and in other processes, and judges the tickets. Instants are microseconds UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.flow.agreement.apply import Applied, Change, apply, preview
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind, faults_of
from app.flow.agreement.plan import Proposal, plans
from app.principal import EVERY, Desks
from app.sla.calendar import parse_calendars
from app.sla.clock.evaluation import AppliesTo
from app.sla.document.faults import Fault, FaultyFile
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.engine.notify import announce

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PutResult:
    """What a document changed, or would change. `number` is the version in force after it; `applied` are the new
    versions, empty when all of it was in force already."""

    number: int
    applied: tuple[Applied, ...]
    changes: tuple[Change, ...] = ()


def check_calendars(file: DeskFile) -> None:
    """Check a calendar file alone. Raises FaultyFiles with its faults.

    Faults that are found later lie in an agreement that counts by these calendars.
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
    only: Desks = EVERY,
) -> PutResult:
    """Put a checked document into force. Raises FaultyFiles, and then nothing is."""
    applied = _with_name(file, lambda: apply(conn, now, catalogue, Proposal([file], only=only), applies_to))
    if any(each.tickets for each in applied):
        announce(conn, None, now)
    return PutResult(catalogue.desks(conn)[file.desk], tuple(applied))


def would_put(
    conn: Connection,
    now: Micros,
    catalogue: Catalogue,
    file: DeskFile,
    applies_to: AppliesTo,
    only: Desks = EVERY,
) -> PutResult:
    """What `put_now` would change, with the due dates that would move. Writes nothing. Raises FaultyFiles."""
    proposal = Proposal([file], only=only)
    coming = _with_name(file, lambda: plans(conn, now, catalogue, proposal))
    numbers = catalogue.desks(conn) | {plan.desk: plan.number for plan in coming}
    applied = tuple(Applied(plan.desk, plan.number, 0, plan.note) for plan in coming)
    changes = tuple(preview(conn, now, catalogue, proposal, applies_to))
    return PutResult(numbers[file.desk], applied, changes)


def _with_name(file: DeskFile, work: Callable[[], T]) -> T:
    """The result of the work. The fault of a wrong desk name is reported together with its faults."""
    wrong_name = _faults_of_name(file)
    try:
        done = work()
    except FaultyFiles as error:
        raise FaultyFiles([*wrong_name, *error.faults]) from error
    if wrong_name:
        raise FaultyFiles(wrong_name)
    return done


def _faults_of_name(file: DeskFile) -> list[FileFault]:
    """The name in an agreement must be the desk of the address."""
    named = file.document.get("desk", file.desk)
    if file.kind is not FileKind.AGREEMENT or named == file.desk or not isinstance(named, str):
        return []
    fault = Fault("desk", f"{named!r} is not the desk of this address", f'Write desk = "{file.desk}".')
    return faults_of(file, FaultyFile([fault]))
