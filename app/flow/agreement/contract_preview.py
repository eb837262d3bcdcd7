"""Previews of contracts: what a statement about contracts would change of tickets and of credits. Writes nothing.

Each ticket is evaluated twice, by the contracts in force and by those to come; the difference is the answer. Then the
credits of the contracts and of the others of their customers are compared. Instants are microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import thread_time

from app.flow.agreement.contracts import ContractPlan, Stated, plan
from app.flow.agreement.effects import ClockKey, Effects
from app.flow.agreement.preview_money import concerned, contracts_money, with_plans
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.sla.clock.evaluation import NothingKnown, Version
from app.sla.clock.view import ClockView
from app.sla.contract_finder import StoredContracts
from app.sla.span import Micros
from app.sla.ticket import Status
from app.store.contracts.catalogue import Catalogue
from app.store.engine.batch import pieces
from app.store.engine.database import Connection


@dataclass(slots=True)
class ContractsPreview:
    """What statements about contracts would change, as far as the time suffices.

    `effects` collects it over all statements of a file; `left` is processor time in seconds.
    """

    effects: Effects
    left: float
    is_complete: bool = True
    """False: the time did not suffice for every ticket, or for the credits."""
    closed: list[str] = field(default_factory=list[str])
    """The closed tickets of which a breach would appear or fall away, as many as `effects` keeps changes."""
    closed_changed: int = 0
    """How many there are."""

    @property
    def late_added(self) -> int:
        """Clocks that would be late."""
        return sum(self.effects.appear.values())

    @property
    def late_removed(self) -> int:
        """Clocks that would not be late any more."""
        return sum(self.effects.fall_away.values())

    def add(
        self, conn: Connection, now: Micros, catalogue: Catalogue, desk: str, stated: Sequence[Stated]
    ) -> tuple[ContractPlan, ...]:
        """Compare what `put_terms` would change. Raises FaultyContracts and UnknownDesk."""
        started = thread_time()
        plans = plan(conn, desk, stated)
        changed = [each for each in plans if each.changes]
        versions = catalogue.versions(conn, desk, at=now)
        for part in pieces(concerned(conn, desk, changed)):
            if thread_time() - started >= self.left:
                self.is_complete = False
                break
            self._compare(conn, now, desk, part, versions, changed)
        if self.is_complete and thread_time() - started < self.left:
            for each in contracts_money(conn, now, catalogue, desk, plans):
                self.effects.credit({each.currency: each.before}, {each.currency: each.after})
        else:
            self.is_complete = False
        self.left -= thread_time() - started
        return tuple(plans)

    def _compare(
        self,
        conn: Connection,
        now: Micros,
        desk: str,
        tickets: Sequence[str],
        versions: Sequence[Version],
        changed: Sequence[ContractPlan],
    ) -> None:
        graph = gather(conn, desk, tickets)
        after = with_plans(graph.contracts, changed)
        for ticket in tickets:
            old, new = (_clocks(graph, ticket, versions, now, known) for known in (graph.contracts, after))
            self.effects.compare(desk, ticket, old, new)
            row = graph.rows.get(ticket)
            if row is not None and row.status == Status.CLOSED and _breached(old) != _breached(new):
                self.closed_changed += 1
                if len(self.closed) < self.effects.most:
                    self.closed.append(ticket)


def _breached(clocks: Mapping[ClockKey, ClockView]) -> set[ClockKey]:
    return {key for key, view in clocks.items() if view.breached_at is not None}


def _clocks(
    graph: MergeGraph, ticket: str, versions: Sequence[Version], now: Micros, known: StoredContracts
) -> dict[ClockKey, ClockView]:
    before, graph.contracts = graph.contracts, known
    try:
        evaluation = judge(graph, ticket, versions, now)
    except NothingKnown:
        return {}
    finally:
        graph.contracts = before
    return {(view.commitment, view.cycle): view for view in evaluation.clocks}
