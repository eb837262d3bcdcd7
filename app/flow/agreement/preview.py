"""Preview of new versions: what they would change for open tickets and for credits. Nothing is written.

Open tickets are judged at the instant at which a version would begin, with it and without it, by what is known now. The
difference equals that of the stored clocks before and after the same apply, once the sweep is done. Tickets are read in
slices, each a short read of its own, so that a preview of 100,000 clocks delays no other reader and no writer. Credits
come last, a page of contracts at a time; a desk without any pays nothing. Instants are microseconds UTC.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import thread_time
from typing import Final

from app.flow.agreement.affected import affected_by
from app.flow.agreement.effects import ClockKey, Effects
from app.flow.agreement.plan import Plan
from app.flow.agreement.preview_money import VersionMoney
from app.flow.agreement.unchanged import unchanged
from app.flow.query.allowances import has_allowances
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.sla.agreement.version import AppliesTo, Version, begun
from app.sla.clock.evaluation import Evaluation, NothingKnown
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
    money: VersionMoney

    @property
    def reads_stored(self) -> bool:
        """Whether stored clocks suffice for how a ticket stands without the version."""
        return not self.money.needs_tickets and not has_allowances((*self.old, *self.new))


class Preview:
    """The comparison of open tickets under planned versions, slice by slice.

    `budget` is processor time in seconds; a preview that it does not suffice for is incomplete and says so.
    """

    def __init__(self, plans: Sequence[Plan], now: Micros, budget: float, most_changes: int) -> None:
        self.plans = plans
        self.effects = Effects(most_changes)
        self._now, self._left = now, budget
        self._slices: list[tuple[_Case, Sequence[str] | None]] | None = None
        self.total = 0
        """Open tickets that may change; known after the first step."""
        self.compared = 0
        self.skipped = 0
        """Open tickets that cannot change, which are not compared."""

    @property
    def is_complete(self) -> bool:
        """Whether every ticket and contract that may change was compared."""
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
            case, tickets = self._slices.pop()
            if tickets is not None:
                self._compare(conn, case, tickets)
            elif (credited := case.money.step(conn, catalogue)) is not None:
                self.effects.credit(*credited)
                self._slices.append((case, None))
        self._left -= thread_time() - started

    def _case(self, conn: Connection, catalogue: Catalogue, plan: Plan) -> _Case | None:
        """None for a version that only keeps up with an earlier one, and for a desk's first."""
        if plan.before is None or plan.is_anew:
            return None
        at = max(plan.effective_from, self._now)
        old = begun(catalogue.timeline(conn, plan.desk), at)
        kept = (version for version in old if version.number not in plan.replaces)
        new = (*kept, plan.version)
        money = VersionMoney(plan.desk, self._now, at, old, new)
        return _Case(plan.desk, at, old, new, self._tickets(conn, catalogue, plan, at), money)

    def _tickets(self, conn: Connection, catalogue: Catalogue, plan: Plan, at: Micros) -> Sequence[str]:
        """The open tickets that a version may change: none where it is for new tickets."""
        if plan.applies_to is AppliesTo.NEW:
            return ()
        tickets = clocks.open_tickets(conn, plan.desk)
        affected = affected_by(conn, catalogue, plan, at)
        chosen = tickets if affected is None else [ticket for ticket in tickets if ticket in affected]
        self.total += len(chosen)
        self.skipped += len(tickets) - len(chosen)
        return chosen

    def _compare(self, conn: Connection, case: _Case, tickets: Sequence[str]) -> None:
        graph = gather(conn, case.desk, tickets, as_of=self._now)
        kept = unchanged(conn, graph, tickets, self._now, case.at) if case.reads_stored else {}
        for ticket in tickets:
            new = _evaluation(graph, ticket, case.new, case.at)
            if ticket in kept:
                self.effects.compare(case.desk, ticket, kept[ticket], _views(new))
                continue
            old = _evaluation(graph, ticket, case.old, case.at)
            self.effects.compare(case.desk, ticket, _views(old), _views(new))
            case.money.note(ticket, old, new, graph.logs[ticket])
        self.compared += len(tickets)


def _slices(case: _Case) -> Iterator[tuple[_Case, Sequence[str] | None]]:
    """The slices of a case, the last one first: None stands for the money, which needs all of its tickets."""
    if case.money.is_needed:
        yield case, None
    for start in reversed(range(0, len(case.tickets), _SLICE)):
        yield case, case.tickets[start : start + _SLICE]


def _evaluation(graph: MergeGraph, ticket: str, versions: Sequence[Version], at: Micros) -> Evaluation | None:
    try:
        return judge(graph, ticket, versions, at)
    except NothingKnown:
        return None


def _views(evaluation: Evaluation | None) -> Mapping[ClockKey, ClockView]:
    clocks_of = () if evaluation is None else evaluation.clocks
    return {(view.commitment, view.cycle): view for view in clocks_of}


def preview(conn: Connection, catalogue: Catalogue, run: Preview) -> Preview:
    """Do all steps in one read: for a caller that has no other work."""
    while not run.is_done:
        run.step(conn, catalogue)
    return run
