"""A simulation: the tickets created within a span, judged at its end twice, as they were and under a draft.

Judged as views and previews are, by `merge_graph.judge`. It reads only, slice by slice, each a short read of its own,
and counts no event received after it was asked for, so that its figures are those of one instant. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import structlog

from app.flow.agreement.preview_money import with_plans
from app.flow.query.allowances import exceeded_as_stored, has_allowances
from app.flow.query.failures import NOT_OF_THE_SUBJECT
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.flow.query.serialize import instant_text
from app.flow.simulation.best_hour import BestHour
from app.flow.simulation.draft import Question, Sides
from app.flow.simulation.money import SpanMoney
from app.flow.simulation.targets import KeptTargets
from app.flow.simulation.verdicts import Verdicts
from app.sla.agreement.version import Version
from app.sla.allowance import without_clocks
from app.sla.clock.evaluation import Evaluation, NothingKnown
from app.sla.event import Event
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import allowances, simulations
from app.store.tickets.allowances import StoredUse

_log = structlog.stdlib.get_logger()

_SLICE: Final = 200
"""Tickets in one read, as in a preview."""
_MONEY: Final = 0.05
"""The share of the progress that is left for the contracts."""

Json = dict[str, Any]
Uses = Mapping[str, Sequence[StoredUse]]


class Simulation:
    """One simulation, step by step. `flips` of a step are given to the caller; `flips_max` bounds them in all."""

    def __init__(self, question: Question, sides: Sides, tickets: Sequence[str], flips_max: int) -> None:
        self._question, self._sides, self._flips_max = question, sides, flips_max
        self._tickets = tickets
        self._compared = 0
        self._without_events = 0
        self._not_judged: list[str] = []
        self._flips = 0
        self._verdicts, self._targets = Verdicts(), KeptTargets()
        self._best_hour = BestHour(question.span)
        self._money = SpanMoney(question, sides)

    @classmethod
    def of(cls, conn: Connection, question: Question, sides: Sides, flips_max: int) -> "Simulation":
        """The simulation of a question whose draft was checked."""
        return cls(question, sides, simulations.created_within(conn, question.desk, question.span), flips_max)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to judge."""
        return self._compared == len(self._tickets) and self._money.is_done

    @property
    def progress(self) -> float:
        """How much of it is done, from 0 to 1."""
        if self.is_done:
            return 1.0
        return (1 - _MONEY) * self._compared / len(self._tickets) if self._tickets else 0.0

    def step(self, conn: Connection, catalogue: Catalogue) -> list[Json]:
        """Judge the next tickets, or credit the next contracts, in one read. Gives the flips found."""
        if self._compared == len(self._tickets):
            self._money.step(conn, catalogue)
            return []
        part = self._tickets[self._compared : self._compared + _SLICE]
        found = [flip for flip in self._flips_of(conn, part) if self._is_kept()]
        self._compared += len(part)
        return found

    def _is_kept(self) -> bool:
        """Count a flip: whether there is room for it."""
        self._flips += 1
        return self._flips <= self._flips_max

    def _flips_of(self, conn: Connection, tickets: Sequence[str]) -> Iterator[Json]:
        desk, now = self._question.desk, self._question.now
        graph = gather(conn, desk, tickets, as_of=now)
        has = has_allowances((*self._sides.before, *self._sides.after))
        uses = allowances.of_tickets(conn, desk, tickets) if has else {}
        for ticket in tickets:
            if not graph.logs[ticket]:
                self._without_events += 1
                continue
            try:
                old, new = self._both(graph, ticket, uses)
            except NothingKnown:
                continue
            except NOT_OF_THE_SUBJECT:
                raise
            except Exception:  # noqa: BLE001 - one ticket's own content must not hide the others
                _log.exception("evaluation for a simulation failed", desk=desk, subject=ticket)
                self._not_judged.append(ticket)
                continue
            yield from self._compare(ticket, graph.logs[ticket], old, new)

    def _both(self, graph: MergeGraph, ticket: str, uses: Uses) -> tuple[Evaluation, Evaluation]:
        old = self._judged(graph, ticket, self._sides.before, uses)
        if self._sides.are_same:
            return old, old
        known = graph.contracts
        if self._sides.contracts:
            graph.contracts = with_plans(known, self._sides.contracts)
        try:
            return old, self._judged(graph, ticket, self._sides.after, uses)
        finally:
            graph.contracts = known

    def _judged(self, graph: MergeGraph, ticket: str, versions: Sequence[Version], uses: Uses) -> Evaluation:
        """As a view does it: without clocks where the ticket is past an allowance that says so."""
        at = self._question.span.end
        exceeded = exceeded_as_stored(uses.get(ticket, ()), versions, at) if uses else []
        return judge(graph, ticket, without_clocks(exceeded, versions) or versions, at)

    def _compare(self, ticket: str, log: Iterable[Event], old: Evaluation, new: Evaluation) -> Iterator[Json]:
        yield from self._verdicts.compare(ticket, old, new)
        self._targets.add(new)
        self._best_hour.add(new)
        self._money.note(ticket, log, old, new)

    def result(self) -> Json:
        """The result as JSON, without the flips."""
        return {
            "at": instant_text(self._question.span.end),
            "as_of": instant_text(self._question.now),
            "tickets": self._compared - self._without_events - len(self._not_judged),
            "tickets_without_events": self._without_events,
            "tickets_not_judged": self._not_judged[:_SLICE],
            "commitments": self._verdicts.document(),
            "flips_in_all": self._flips,
            "credits": self._money.document(),
            "targets": self._targets.document(),
            "best_hour": self._best_hour.document(),
        }
