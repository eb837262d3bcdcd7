"""Previews of contracts: which clocks of open tickets a statement about contracts would change. Writes nothing.

Each ticket is evaluated twice, by the contracts in force and by those to come; the difference is the answer. Instants
are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.flow.agreement.contracts import ContractPlan, Stated, plan
from app.flow.agreement.effects import Change
from app.flow.agreement.preview_money import concerned, with_plans
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.sla.clock.evaluation import Evaluation, NothingKnown, Version
from app.sla.clock.view import ClockView
from app.sla.contract_finder import StoredContracts
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.batch import pieces
from app.store.engine.database import Connection


@dataclass(frozen=True, slots=True)
class ContractsPreview:
    """What a statement would change: due dates, and clocks that would be late or would not be any more."""

    plans: tuple[ContractPlan, ...]
    changes: tuple[Change, ...] = ()
    late_added: int = 0
    late_removed: int = 0


def preview_terms(
    conn: Connection, now: Micros, catalogue: Catalogue, desk: str, stated: Sequence[Stated]
) -> ContractsPreview:
    """What `put_terms` would change. Raises FaultyContracts and UnknownDesk."""
    plans = plan(conn, desk, stated)
    changed = [each for each in plans if each.changes]
    versions = catalogue.versions(conn, desk, at=now)
    changes: list[Change] = []
    added = removed = 0
    for part in pieces(concerned(conn, desk, changed)):
        graph = gather(conn, desk, part)
        after = with_plans(graph.contracts, changed)
        for ticket in part:
            old, new = (_clocks(graph, ticket, versions, now, known) for known in (graph.contracts, after))
            changes += _changes(desk, ticket, old, new)
            late = [
                {key for key, view in each.items() if view.breached_at is not None} for each in (old, new)
            ]
            added, removed = added + len(late[1] - late[0]), removed + len(late[0] - late[1])
    return ContractsPreview(tuple(plans), tuple(changes), added, removed)


_Clocks = dict[tuple[str, int], ClockView]


def _clocks(
    graph: MergeGraph, ticket: str, versions: Sequence[Version], now: Micros, known: StoredContracts
) -> _Clocks:
    before, graph.contracts = graph.contracts, known
    try:
        evaluation: Evaluation = judge(graph, ticket, versions, now)
    except NothingKnown:
        return {}
    finally:
        graph.contracts = before
    return {(view.commitment, view.cycle): view for view in evaluation.clocks}


def _changes(desk: str, ticket: str, old: _Clocks, new: _Clocks) -> Iterable[Change]:
    for commitment, cycle in sorted(old.keys() | new.keys()):
        before, after = (each.get((commitment, cycle)) for each in (old, new))
        due = [None if view is None else view.due_at for view in (before, after)]
        if due[0] != due[1]:
            yield Change(desk, ticket, commitment, cycle, due[0], due[1])
