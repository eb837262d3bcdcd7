"""New versions of desks: put into force at once, planned for later, or withdrawn before they are in force.

A version is inserted, its signals are recorded and every ticket that it may change is scheduled to be judged again, in
one transaction. The sweep then judges them in batches: now, or when a planned version begins. Whatever is judged in
between is scheduled for that instant again (`sla.agreement.version.next_change_at`), so a stop loses nothing. Instants
are microseconds UTC.
"""

from dataclasses import dataclass

from app.flow.agreement.affected import affected_by
from app.flow.agreement.applied_signals import applied_signals
from app.flow.agreement.plan import Plan, Proposal, plans
from app.flow.judge.assess import Assessor
from app.flow.judge.concerned import ALL_CONTRACTS
from app.flow.query.serialize import instant_text
from app.sla.agreement.version import AppliesTo, changes_existing
from app.sla.span import Micros
from app.store.contracts import contracts
from app.store.contracts.catalogue import Catalogue, lock_versions, put, withdraw
from app.store.contracts.stored_version import StoredVersion, VersionState, states_at
from app.store.engine.database import Connection
from app.store.tickets import clocks, schedule, subjects


@dataclass(frozen=True, slots=True)
class Applied:
    """A version that is in force, or will be. `tickets` are judged again because of it; `note` as in Plan.

    `replaces` are planned versions whose place it takes.
    """

    desk: str
    number: int
    tickets: int
    note: str | None = None
    effective_from: Micros | None = None
    """The instant ahead at which it comes into force; None: it is in force."""
    applies_to: AppliesTo = AppliesTo.NEW
    replaces: tuple[int, ...] = ()


class NotPlanned(LookupError):
    """The version is in force already, or over. Apply the former text as a new version instead."""


class NoSuchVersion(LookupError):
    """The desk has no version of this number."""


def apply(conn: Connection, now: Micros, assessor: Assessor, proposal: Proposal) -> list[Applied]:
    """Put a proposal into force. The sweep judges the tickets afterwards.

    The exclusive lock on versions makes two that apply at once number their versions one after the other. Raises
    FaultyFiles and Unplannable, and then nothing is stored.
    """
    lock_versions(conn)
    planned = plans(conn, now, assessor.catalogue, proposal)
    applied = [_insert(conn, assessor.catalogue, plan) for plan in planned]
    if planned:
        assessor.publish(conn, now, [signal for plan in planned for signal in applied_signals(plan)])
    return applied


def _insert(conn: Connection, catalogue: Catalogue, plan: Plan) -> Applied:
    tickets = _schedule(conn, catalogue, plan)
    put(
        conn,
        plan.desk,
        plan.number,
        plan.documents,
        plan.recorded_at,
        plan.applies_to,
        note=plan.note,
        effective_from=plan.effective_from,
        author_note=plan.author_note,
    )
    if plan.agreement.credits and (plan.agreement.contracts or contracts.exist(conn, plan.desk)):
        # What a period is worth may be another amount then, and new contracts of the file have a running period.
        begins_at = max(plan.recorded_at, plan.effective_from)
        subjects.mark_due(conn, plan.desk, [ALL_CONTRACTS], begins_at + 1)
    for number in plan.replaces:
        withdraw(conn, plan.desk, number, plan.recorded_at, replaced_by=plan.number)
    return Applied(
        desk=plan.desk,
        number=plan.number,
        tickets=tickets,
        note=plan.note,
        effective_from=plan.effective_from if plan.is_planned else None,
        applies_to=plan.applies_to,
        replaces=plan.replaces,
    )


def _schedule(conn: Connection, catalogue: Catalogue, plan: Plan) -> int:
    """Schedule the tickets that a version may change. Returns how many."""
    if plan.before is None or not changes_existing(plan.before.version, plan.version):
        return 0
    if plan.is_planned:
        return schedule.wake_at(conn, plan.desk, plan.effective_from)
    affected = affected_by(conn, catalogue, plan, plan.recorded_at)
    # New rules of the queues hold for every ticket.
    if affected is None or plan.before.agreement.queue != plan.agreement.queue:
        return schedule.mark_due(conn, plan.desk, plan.recorded_at)
    return schedule.mark_some_due(conn, plan.desk, sorted(affected), plan.recorded_at)


def withdraw_planned(
    conn: Connection, now: Micros, assessor: Assessor, desk: str, number: int
) -> StoredVersion:
    """Take a planned version back. Raises NoSuchVersion, and NotPlanned once it is in force.

    A ticket may have been evaluated by it already although this transaction began before: then it is in force.
    """
    lock_versions(conn)
    versions = assessor.catalogue.recorded(conn, desk)
    found = next((each for each in versions if each.number == number), None)
    if found is None:
        raise NoSuchVersion(f"desk {desk} has no version {number}")
    state = states_at(versions, now)[number]
    begins_at = found.version.effective_from
    if state is not VersionState.PLANNED or clocks.was_evaluated_since(conn, desk, begins_at):
        raise NotPlanned(
            f"version {number} of desk {desk} is not planned any more: it is {state.value.replace('_', ' ')}, from "
            f"{instant_text(begins_at)} on. Apply the former text as a new version"
        )
    withdraw(conn, desk, number, now)
    return found
