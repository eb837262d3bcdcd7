"""One document of one desk over the network: put into force, or previewed.

The same as `apply` with one file, for a caller that may see one desk or all of them. The request does not wait for the
sweep: it is notified, here and in other processes, and judges the tickets. Instants are microseconds UTC.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from app.flow.agreement.apply import Applied, apply
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind, faults_of
from app.flow.agreement.plan import Plan, Proposal, plans
from app.flow.agreement.preview import Preview
from app.flow.judge.assess import Assessor
from app.intake.data_fields import MAX_NAME
from app.principal import EVERY, Desks
from app.sla.agreement.version import AppliesTo
from app.sla.calendar import parse_calendars
from app.sla.document.faults import Fault, FaultyFile
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.engine.notify import announce

T = TypeVar("T")

LARGEST: Final = 1_000_000
"""Bytes of a document. Overrides of every date of twenty years are a third of it; TOML takes a second per megabyte."""

_DESK: Final = re.compile(rf"[^\s/.\[\]*\x00-\x1f\x7f]{{1,{MAX_NAME}}}")
"""What an agreement may call its desk; a star stands for all of them."""

MOST_NOTE: Final = 2_000
"""Characters of a note: a paragraph. What is longer belongs into the file."""


@dataclass(frozen=True, slots=True)
class PutRequest:
    """A checked document and how it is to be put into force. Fields as in Proposal."""

    file: DeskFile
    applies_to: AppliesTo = AppliesTo.NEW
    only: Desks = EVERY
    effective_from: Micros | date | None = None
    note: str | None = None

    @property
    def proposal(self) -> Proposal:
        """What it proposes."""
        return Proposal(
            [self.file],
            only=self.only,
            applies_to=self.applies_to,
            effective_from=self.effective_from,
            author_note=self.note,
        )


@dataclass(frozen=True, slots=True)
class PutResult:
    """What a document changed, or would change. `number` is the desk's version with this document; `applied` are the new
    versions, empty when all of it was in force already. `preview` is that of the open tickets, where one was made."""

    number: int
    applied: tuple[Applied, ...]
    preview: Preview | None = None


def is_name_of_desk(name: str) -> bool:
    """Whether a desk may have this name."""
    return _DESK.fullmatch(name) is not None


def check_calendars(file: DeskFile) -> None:
    """Check a calendar file alone. Raises FaultyFiles with its faults.

    Faults that are found later lie in an agreement that counts by these calendars.
    """
    try:
        parse_calendars(file.document, desk=file.desk)
    except FaultyFile as error:
        raise FaultyFiles(faults_of(file, error)) from error


def put_now(conn: Connection, now: Micros, assessor: Assessor, request: PutRequest) -> PutResult:
    """Put a checked document into force. Raises FaultyFiles and Unplannable, and then nothing is."""
    applied = _with_name(request.file, lambda: apply(conn, now, assessor, request.proposal))
    if any(each.tickets for each in applied):
        announce(conn, None, min(each.effective_from or now for each in applied))
    number = _number(conn, now, assessor.catalogue, request.file.desk, applied)
    return PutResult(number, tuple(applied))


def would_put(
    conn: Connection,
    now: Micros,
    catalogue: Catalogue,
    request: PutRequest,
    *,
    budget: float,
    most_changes: int,
) -> PutResult:
    """What `put_now` would put into force, with a preview that the caller steps. Raises FaultyFiles and Unplannable."""
    coming = _with_name(request.file, lambda: plans(conn, now, catalogue, request.proposal))
    applied = tuple(_would_be(plan) for plan in coming)
    number = _number(conn, now, catalogue, request.file.desk, applied)
    return PutResult(number, applied, Preview(coming, now, budget, most_changes))


def _would_be(plan: Plan) -> Applied:
    effective_from = plan.effective_from if plan.is_planned else None
    return Applied(plan.desk, plan.number, 0, plan.note, effective_from, plan.applies_to, plan.replaces)


def _number(
    conn: Connection, now: Micros, catalogue: Catalogue, desk: str, applied: Sequence[Applied]
) -> int:
    """The number of the desk's new version, else of the one in force."""
    new = next((each.number for each in applied if each.desk == desk), None)
    return catalogue.in_force(conn, desk, at=now).number if new is None else new


def _with_name(file: DeskFile, work: Callable[[], T]) -> T:
    """The result of the work. The fault of a wrong desk name is reported together with its faults."""
    wrong_name = faults_of_name(file)
    try:
        done = work()
    except FaultyFiles as error:
        raise FaultyFiles([*wrong_name, *error.faults]) from error
    if wrong_name:
        raise FaultyFiles(wrong_name)
    return done


def faults_of_name(file: DeskFile) -> list[FileFault]:
    """The name in an agreement must be the desk of the address."""
    named = file.document.get("desk", file.desk)
    if file.kind is not FileKind.AGREEMENT or named == file.desk or not isinstance(named, str):
        return []
    fault = Fault("desk", f"{named!r} is not the desk of this address", f'Write desk = "{file.desk}".')
    return faults_of(file, FaultyFile([fault]))
