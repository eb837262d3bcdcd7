"""Drafts: what a simulation judges by, in place of what was in force.

A draft is a desk's agreement, its calendars, some contracts, single changes of the version in force, or several of
these. It is checked as an apply of the same would be, and never stored. Instants are microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.flow.agreement.contracts import ContractPlan, FaultyContracts, plan, read_terms
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind
from app.flow.agreement.plan import Plan, Proposal, plans
from app.flow.agreement.put import faults_of_name
from app.flow.simulation.changes import Changed, changed
from app.flow.simulation.contract_changes import ContractDocument, with_contract_changes
from app.sla.agreement.version import Version, begun
from app.sla.span import Micros, Span
from app.store.contracts.catalogue import Catalogue
from app.store.contracts.stored_version import StoredVersion
from app.store.engine.database import Connection

CHANGES_PATH = "changes"
"""The path of a fault that lies in a single change, in place of a file's."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be judged by. `changes` are made to the files given here, else to the version in force."""

    files: Sequence[DeskFile] = ()
    contracts: Sequence[ContractDocument] = ()
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Question:
    """The tickets created within a span of a desk, judged at its end, as they were and under a draft.

    `now` is when it was asked: nothing received later counts, however long the simulation takes.
    """

    desk: str
    span: Span
    now: Micros
    draft: Draft = field(default_factory=Draft)


@dataclass(frozen=True, slots=True)
class Sides:
    """What both judgements are made by: versions in force then, those of the draft, and contracts that it states."""

    before: tuple[Version, ...]
    after: tuple[Version, ...]
    contracts: tuple[ContractPlan, ...] = ()

    @property
    def are_same(self) -> bool:
        """Whether both judge alike, so that one judgement is enough."""
        return self.before is self.after and not self.contracts


def sides_of(conn: Connection, catalogue: Catalogue, question: Question) -> Sides:
    """Check the draft. Raises FaultyFiles and FaultyContracts with every fault, and UnknownDesk.

    The draft judges every ticket of the span. Without files and changes each ticket keeps the version that judged it.
    """
    question = _with_contract_changes(conn, question)
    desk, draft = question.desk, question.draft
    before = begun(catalogue.timeline(conn, desk), question.span.end)
    after = before
    if draft.files or draft.changes:
        current = catalogue.in_force(conn, desk, at=question.now)
        after = (_version(conn, catalogue, question, current),)
    return Sides(before, after, _contracts(conn, catalogue, question, after[-1]))


def _with_contract_changes(conn: Connection, question: Question) -> Question:
    """The question with its changes of stored contracts among its contracts. Raises FaultyContracts."""
    draft = question.draft
    stated, rest = with_contract_changes(conn, question.desk, question.now, draft.contracts, draft.changes)
    return replace(question, draft=replace(draft, contracts=stated, changes=rest))


def _version(conn: Connection, catalogue: Catalogue, question: Question, current: StoredVersion) -> Version:
    """The version that a draft would make, as one that judges every ticket. Raises FaultyFiles with every fault."""
    desk = question.desk
    made = _changed(desk, current, question.draft)
    files = _with_changes(desk, question.draft, made)
    faults = [FileFault(CHANGES_PATH, None, fault) for fault in made.faults]
    faults += [fault for file in files for fault in faults_of_name(file)]
    planned: list[Plan] = []
    try:
        # No other desk is read: a calendar of another desk stays as this one counts by it.
        planned = plans(conn, question.now, catalogue, Proposal(files, only=frozenset({desk})))
    except FaultyFiles as error:
        faults += error.faults
    if faults:
        raise FaultyFiles(faults)
    own = next((each for each in planned if each.desk == desk and not each.is_anew), None)
    return current.version if own is None else own.version


def _changed(desk: str, current: StoredVersion, draft: Draft) -> Changed:
    """The changes, made to the files of a draft, else to the stored documents."""
    given = {file.kind: file.document for file in draft.files if file.desk == desk}
    documents = current.documents
    return changed(
        given.get(FileKind.AGREEMENT, documents.agreement),
        given.get(FileKind.CALENDARS, documents.calendars.get(desk)),
        draft.changes,
    )


def _with_changes(desk: str, draft: Draft, made: Changed) -> list[DeskFile]:
    """The files of a draft, with what its changes made of them."""
    files = {(file.kind, file.desk): file for file in draft.files}
    for kind, document in ((FileKind.AGREEMENT, made.agreement), (FileKind.CALENDARS, made.calendars)):
        if document is not None:
            files[kind, desk] = DeskFile(CHANGES_PATH, desk, kind, document, "")
    return list(files.values())


def _contracts(
    conn: Connection, catalogue: Catalogue, question: Question, version: Version
) -> tuple[ContractPlan, ...]:
    """What the draft states of contracts."""
    stated, faults = read_terms(question.draft.contracts, version.agreement, catalogue.limits)
    if faults:
        raise FaultyContracts(faults)
    return tuple(plan(conn, question.desk, stated))
