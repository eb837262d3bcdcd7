"""Next versions of desks: what a set of files, or newer holidays, would put into force, and from when on.

Unchanged documents make no version. A changed calendar file makes one of every desk that counts by it. A change that
comes into force before a planned version reaches into it: the planned version is made anew with the changed file,
unless it has another text of that file itself. `only` is the one desk that the caller may see: nothing of another desk
is read then. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind, check_limits
from app.flow.agreement.effective import check_same_instant, effective_instant
from app.flow.agreement.holidays import note_of, with_holidays
from app.flow.agreement.next_documents import next_documents, rebased_documents
from app.flow.agreement.plan_faults import plan_faults
from app.principal import EVERY, Desks, covers
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import AppliesTo, Version
from app.sla.calendar import Calendar
from app.sla.document.faults import FaultyFile
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.contracts.stored_version import (
    Documents,
    StoredVersion,
    digest_of,
    in_force_at,
    planned_at,
)
from app.store.engine.database import Connection


@dataclass(frozen=True, slots=True)
class Plan:
    """A desk's next version, not stored yet.

    `before` is the version that it follows, or the planned one that is made anew. `note` states what it changes in the
    holidays, None for nothing; `replaces` are planned versions that it takes the place of.
    """

    desk: str
    number: int
    documents: Documents
    agreement: Agreement
    calendars: Mapping[str, Calendar]
    before: StoredVersion | None
    note: str | None
    recorded_at: Micros
    effective_from: Micros
    applies_to: AppliesTo
    author_note: str | None
    replaces: tuple[int, ...] = ()
    is_anew: bool = False
    """Whether it is a version planned for later, made anew because of an earlier change."""

    @property
    def is_planned(self) -> bool:
        """Whether it comes into force later than it is stored."""
        return self.effective_from > self.recorded_at

    @property
    def version(self) -> Version:
        """The version as the core judges by it."""
        return Version(self.number, self.agreement, self.effective_from, self.applies_to, self.recorded_at)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be put into force: files, and the desks whose calendars take the holidays of the installed package.

    A calendar file among `files` that differs from the stored one takes them too; every other keeps its own.
    `effective_from` lies ahead; a date is its beginning in the desk's zone. None: as soon as it is stored.
    """

    files: Sequence[DeskFile] = ()
    refresh: Collection[str] = ()
    only: Desks = EVERY
    applies_to: AppliesTo = AppliesTo.NEW
    effective_from: Micros | date | None = None
    author_note: str | None = None

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

    Raises FaultyFiles with the faults of all desks, and Unplannable for an instant that no version can have.
    """
    histories = {
        desk: catalogue.recorded(conn, desk, number)
        for desk, number in catalogue.desks(conn).items()
        if covers(proposal.only, desk)
    }
    # Only what changes is measured: a stored file beyond a limit that was lowered stays in force.
    current = {desk: in_force_at(versions, now) for desk, versions in histories.items()}
    check_limits((file for file in proposal.files if not _is_stored(file, current)), catalogue.limits)
    planning = _Planning(now, catalogue, proposal, histories)
    found, faults = list[Plan](), list[FileFault]()
    for desk in planning.desks():
        try:
            found += planning.of(desk)
        except FaultyFiles as error:
            faults += error.faults
    if faults:
        # A calendar file that several desks count by has the same fault for each of them.
        raise FaultyFiles(dict.fromkeys(faults))
    return found


def _is_stored(file: DeskFile, current: Mapping[str, StoredVersion]) -> bool:
    """Whether the version in force of the file's desk has the same document."""
    held = current.get(file.desk)
    if held is None:
        return False
    documents = held.documents
    stored = documents.agreement if file.kind is FileKind.AGREEMENT else documents.calendars.get(file.desk)
    return stored is not None and digest_of(stored) == digest_of(file.document)


class _Planning:
    """Plans the versions of each desk from its stored versions."""

    def __init__(
        self,
        now: Micros,
        catalogue: Catalogue,
        proposal: Proposal,
        histories: Mapping[str, tuple[StoredVersion, ...]],
    ) -> None:
        self._now, self._catalogue, self._proposal, self._histories = now, catalogue, proposal, histories

    def desks(self) -> list[str]:
        """The desks that the proposal may change: its own, and those that count by its calendars, now or as planned."""
        changed = self._proposal.calendars.keys() | set(self._proposal.refresh)
        counting_by = {
            desk
            for desk, versions in self._histories.items()
            for each in (in_force_at(versions, self._now), *planned_at(versions, self._now))
            if each.documents.calendars.keys() & changed
        }
        return sorted(self._proposal.agreements.keys() | self._proposal.calendars.keys() | counting_by)

    def of(self, desk: str) -> Iterator[Plan]:
        """The next version of a desk, and those that are planned anew because of it."""
        history = self._histories.get(desk, ())
        current = in_force_at(history, self._now) if history else None
        recorded_at = max(self._now, history[-1].recorded_at) if history else self._now
        wanted = effective_instant(self._proposal.effective_from, desk, current, self._now)
        at = recorded_at if wanted is None else max(wanted, recorded_at)
        in_force_then = {name: in_force_at(versions, at) for name, versions in self._histories.items()}
        found = [*self._next(desk, in_force_then, at), *self._anew(desk, in_force_then, at)]
        for number, plan in enumerate(found, start=len(history) + 1):
            yield replace(plan, number=number, recorded_at=recorded_at)

    def _next(self, desk: str, in_force_then: Mapping[str, StoredVersion], at: Micros) -> Iterator[Plan]:
        """The version that is in force from an instant on, if it differs from the one that would be then."""
        before, proposal = in_force_then.get(desk), self._proposal
        documents = next_documents(desk, before, proposal.files, proposal.refresh, in_force_then)
        if before is not None and documents.digest == before.digest and not proposal.refresh:
            return
        plan = self._plan(desk, before, documents)
        if before is not None and plan.documents.is_same(before.documents):
            return
        same_instant = [
            each
            for each in planned_at(self._histories.get(desk, ()), self._now)
            if each.version.effective_from == at
        ]
        check_same_instant(same_instant, proposal.applies_to)
        yield replace(plan, effective_from=at, replaces=tuple(each.number for each in same_instant))

    def _anew(self, desk: str, in_force_then: Mapping[str, StoredVersion], at: Micros) -> Iterator[Plan]:
        """The versions planned for later that have a file as it was before the proposal."""
        before, proposal = in_force_then.get(desk), self._proposal
        for planned in planned_at(self._histories.get(desk, ()), at):
            documents = rebased_documents(
                desk, planned.documents, before, proposal.files, proposal.refresh, in_force_then
            )
            if documents.is_same(planned.documents):
                continue
            plan = self._plan(desk, planned, documents)
            if not plan.documents.is_same(planned.documents):
                yield replace(
                    plan,
                    effective_from=planned.version.effective_from,
                    applies_to=planned.version.applies_to,
                    author_note=planned.author_note,
                    replaces=(planned.number,),
                    is_anew=True,
                )

    def _plan(self, desk: str, before: StoredVersion | None, documents: Documents) -> Plan:
        try:
            documents = with_holidays(self._catalogue, documents, self._now)
            agreement, calendars = self._catalogue.parsed(desk, documents)
        except FaultyFile as error:
            raise FaultyFiles(plan_faults(desk, before, self._now, self._proposal.files, error)) from error
        note = note_of(None if before is None else before.documents, documents, self._now)
        return Plan(
            desk=desk,
            number=0,
            documents=documents,
            agreement=agreement,
            calendars=calendars,
            before=before,
            note=note,
            recorded_at=self._now,
            effective_from=self._now,
            applies_to=self._proposal.applies_to,
            author_note=self._proposal.author_note,
        )
