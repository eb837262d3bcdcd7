"""New versions of desks: put into force, or previewed.

A new version is inserted and every ticket that it may change is marked to be judged again, in one transaction; the
sweep then judges them in batches, so a stop half-way loses nothing. Instants are microseconds UTC.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.flow.agreement.plan import Plan, Proposal, plans
from app.flow.judge.concerned import ALL_CONTRACTS
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.sla.clock.evaluation import AppliesTo, NothingKnown, Version
from app.sla.span import Micros
from app.store.contracts import contracts
from app.store.contracts.catalogue import Catalogue, lock_versions, put
from app.store.engine.batch import pieces
from app.store.engine.database import Connection
from app.store.tickets import clocks, schedule, subjects


@dataclass(frozen=True, slots=True)
class Applied:
    """A version that is in force. `tickets` are judged again because of it; `note` as in Plan."""

    desk: str
    number: int
    tickets: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A clock of an open ticket whose due date another version changes; None: it does not run, or does not exist."""

    desk: str
    ticket: str
    commitment: str
    cycle: int
    old_due_at: Micros | None
    new_due_at: Micros | None


def apply(
    conn: Connection, now: Micros, catalogue: Catalogue, proposal: Proposal, applies_to: AppliesTo
) -> list[Applied]:
    """Put a proposal into force. Raises FaultyFiles, and then nothing is. The sweep judges the tickets afterwards.

    The exclusive lock on versions makes two that apply at once number their versions one after the other.
    """
    lock_versions(conn)
    return [_insert(conn, now, plan, applies_to) for plan in plans(conn, now, catalogue, proposal)]


def _insert(conn: Connection, now: Micros, plan: Plan, applies_to: AppliesTo) -> Applied:
    # A transaction that waited for the lock may have an earlier timestamp than the version stored before it: versions
    # stay in the order of their numbers.
    recorded_at = now if plan.before is None else max(now, plan.before.recorded_at)
    put(conn, plan.desk, plan.number, plan.documents, recorded_at, applies_to, note=plan.note)
    # A version for new tickets only changes no other; but the latest version's queue rules hold for all tickets.
    same_rules = plan.before is not None and plan.before.agreement.queue == plan.agreement.queue
    changes_open = applies_to is not AppliesTo.NEW or not same_rules
    tickets = schedule.mark_due(conn, plan.desk, now) if changes_open else 0
    if plan.agreement.credits and (plan.agreement.contracts or contracts.exist(conn, plan.desk)):
        # What a period is worth may be another amount now, and new contracts of the file have a running period.
        subjects.mark_due(conn, plan.desk, [ALL_CONTRACTS], now + 1)
    return Applied(plan.desk, plan.number, tickets, plan.note)


def preview(
    conn: Connection, now: Micros, catalogue: Catalogue, proposal: Proposal, applies_to: AppliesTo
) -> list[Change]:
    """Which clocks of open tickets a proposal would change. Writes nothing. Raises FaultyFiles."""
    found: list[Change] = []
    for plan in plans(conn, now, catalogue, proposal):
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
