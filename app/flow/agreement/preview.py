"""Preview of new versions: what they would change for open tickets. Nothing is written.

Open tickets are judged at the instant at which a version would begin, with it and without it, by what is known now. The
difference equals that of the stored clocks before and after the same apply, once the sweep is done. Tickets are read in
slices, each a short read of its own, so that a preview of 100,000 clocks delays no other reader and no writer. Instants
are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import thread_time
from typing import Final

from app.flow.agreement.affected import affected_by
from app.flow.agreement.effects import ClockKey, Effects
from app.flow.agreement.plan import Plan
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.sla.agreement.version import AppliesTo, Version, begun
from app.sla.clock.evaluation import NothingKnown
from app.sla.clock.view import ClockView
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import clocks

_SLICE: Final = 200
"""Tickets in one read, which takes about 50 ms: what a batch of the sweep takes."""


@dataclass(frozen=True, slots=True)
class _Case:
    """The open tickets of a desk that a version may change, and the versions to judge them by at an instant."""

    desk: str
    at: Micros
    old: tuple[Version, ...]
    new: tuple[Version, ...]
    tickets: Sequence[str]


class Preview:
    """The comparison of open tickets under planned versions, slice by slice.

    `budget` is processor time in seconds; a preview that it does not suffice for is incomplete and says so.
    """

    def __init__(self, plans: Sequence[Plan], now: Micros, budget: float, most_changes: int) -> None:
        self.plans = plans
        self.effects = Effects(most_changes)
        self._now, self._left = now, budget
        self._slices: list[tuple[_Case, Sequence[str]]] | None = None
        self.total = 0
        """Open tickets that may change; known after the first step."""
        self.compared = 0
        self.skipped = 0
        """Open tickets that cannot change, which are not compared."""

    @property
    def is_complete(self) -> bool:
        """Whether every ticket that may change was compared."""
        return self._slices is not None and not self._slices

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to compare, or no time."""
        return self.is_complete or self._left <= 0

    def step(self, conn: Connection, catalogue: Catalogue) -> None:
        """Compare the next slice, in one read."""
        started = thread_time()
        if self._slices is None:
            self._slices = [
                part
                for plan in reversed(self.plans)
                if (case := self._case(conn, catalogue, plan)) is not None
                for part in _slices(case)
            ]
        else:
            self._compare(conn, *self._slices.pop())
        self._left -= thread_time() - started

    def _case(self, conn: Connection, catalogue: Catalogue, plan: Plan) -> _Case | None:
        """None for a version that changes no open ticket, and for one that only keeps up with an earlier one."""
        if plan.before is None or plan.is_anew or plan.applies_to is AppliesTo.NEW:
            return None
        at = max(plan.effective_from, self._now)
        old = begun(catalogue.timeline(conn, plan.desk), at)
        tickets = clocks.open_tickets(conn, plan.desk)
        affected = affected_by(conn, catalogue, plan, at)
        chosen = tickets if affected is None else [ticket for ticket in tickets if ticket in affected]
        self.total += len(chosen)
        self.skipped += len(tickets) - len(chosen)
        kept = (version for version in old if version.number not in plan.replaces)
        return _Case(plan.desk, at, old, (*kept, plan.version), chosen)

    def _compare(self, conn: Connection, case: _Case, tickets: Sequence[str]) -> None:
        graph = gather(conn, case.desk, tickets, as_of=self._now)
        for ticket in tickets:
            old, new = (_views(graph, ticket, versions, case.at) for versions in (case.old, case.new))
            self.effects.compare(case.desk, ticket, old, new)
        self.compared += len(tickets)


def _slices(case: _Case) -> Iterable[tuple[_Case, Sequence[str]]]:
    """The slices of a case, the last one first."""
    starts = range(0, len(case.tickets), _SLICE)
    return ((case, case.tickets[start : start + _SLICE]) for start in reversed(starts))


def _views(
    graph: MergeGraph, ticket: str, versions: Sequence[Version], at: Micros
) -> Mapping[ClockKey, ClockView]:
    try:
        evaluation = judge(graph, ticket, versions, at)
    except NothingKnown:
        return {}
    return {(view.commitment, view.cycle): view for view in evaluation.clocks}


def preview(conn: Connection, catalogue: Catalogue, run: Preview) -> Preview:
    """Do all steps in one read: for a caller that has no other work."""
    while not run.is_done:
        run.step(conn, catalogue)
    return run
