"""Allowances in the assessment of tickets: whose position depends on the facts of other tickets.

A ticket's own use is projected from its log; then its month is put in order. A ticket that this moves over the limit, or
back, is due at once and evaluated by the sweep: of equal limits one for each fact. Instants are microseconds UTC.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.flow.judge.emit import Emitter
from app.flow.judge.judges import SubjectSignal
from app.flow.judge.subjects import emitted_signal
from app.flow.judge.turn import Failures
from app.flow.query.allowances import exceeded_as_stored, has_allowances, use_figures, uses_from_log
from app.flow.query.measured_calls import months_of
from app.flow.query.merge_graph import MergeGraph
from app.sla.agreement.version import Version, version_of_period
from app.sla.allowance import (
    FLAG,
    AllowanceSignal,
    Exceeded,
    Use,
    allowance_signals,
    rule_of,
    uses_of,
    without_clocks,
)
from app.sla.clock.evaluation import Evaluation
from app.sla.clock.signals import RecordedSignal
from app.sla.event import Event
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import allowances
from app.store.tickets.allowances import Group, StoredUse
from app.store.tickets.averages import note_projected, projected_by
from app.store.tickets.signals import NewSignal

Again = Callable[[str, Sequence[Version]], Evaluation]
"""Evaluates a ticket under other versions."""


@dataclass(slots=True)
class TicketAllowances:
    """The allowances of the tickets of one desk that are evaluated together."""

    graph: MergeGraph
    versions: tuple[Version, ...]
    exceeded: dict[str, list[Exceeded]] = field(default_factory=dict[str, list[Exceeded]])
    """The allowances that each ticket is past."""
    has_moved_others: bool = False
    """Whether other tickets are due now because of these."""

    def applied(
        self,
        conn: Connection,
        evaluated: Mapping[str, Evaluation],
        at: Micros,
        again: Again,
        failures: Failures,
    ) -> dict[str, Evaluation]:
        """The evaluations, of tickets past an allowance with its flag and, where it says so, without clocks.

        Without those of tickets that failed.
        """
        if not has_allowances(self.versions):
            return dict(evaluated)
        stored = allowances.of_tickets(conn, self.graph.desk, evaluated)
        uses_of_each: dict[str, list[Use]] = {}
        for name, evaluation in evaluated.items():
            of_it = stored.get(name, ())
            _, found = failures.attempt([Subject.parse(name)], self._uses, name, evaluation, of_it)
            if found is not None:
                uses_of_each[name] = found
        uses = [use for found in uses_of_each.values() for use in found]
        before = {name: stored[name] for name in uses_of_each if name in stored}
        groups = allowances.replace(conn, self.graph.desk, before, uses)
        groups |= self._projected(conn, uses, at)
        others = allowances.settle(conn, self.graph.desk, groups) - evaluated.keys()
        allowances.make_due(conn, self.graph.desk, others, at)
        self.has_moved_others = bool(others)
        for name, found in allowances.of_tickets(conn, self.graph.desk, uses_of_each).items():
            self.exceeded[name] = exceeded_as_stored(found, self.versions, at)
        marked: dict[str, Evaluation] = {}
        for name in uses_of_each:
            _, found = failures.attempt([Subject.parse(name)], self._marked, name, evaluated[name], again)
            if found is not None:
                marked[name] = found
        return marked

    def _projected(self, conn: Connection, uses: Iterable[Use], at: Micros) -> set[Group]:
        """Project what the log has of months that are used for the first time: of tickets that were closed before the
        agreement had the allowance, or that a process of the release before has evaluated."""
        desk, groups = self.graph.desk, set[Group]()
        for allowance, start in sorted({(use.allowance, use.period) for use in uses}):
            if projected_by(conn, desk, allowance, start) is not None:
                continue
            period = months_of(self.versions).at(start)
            version = version_of_period(self.versions, period, at)
            rule = next(rule for rule in version.agreement.allowances if rule.id == allowance)
            found = uses_from_log(conn, desk, self.versions, rule, period, at)
            stored = allowances.of_tickets(conn, desk, [use.ticket for use in found])
            groups |= allowances.replace(conn, desk, {}, [use for use in found if use.ticket not in stored])
            note_projected(conn, desk, allowance, start, version.number)
        return groups

    def _uses(self, name: str, evaluation: Evaluation, before: Sequence[StoredUse]) -> list[Use]:
        """What a ticket uses up. Of one that goes on from a checkpoint the earlier facts are in its stored uses."""
        log, months = self.graph.whole_log(name, evaluation.at), months_of(self.versions)
        if name in self.graph.resumed:
            known = (rule_of(stored.use, self.versions, months, evaluation.at) for stored in before)
            facts = [Event(k.use.event, k.rule.counts, name, k.use.at) for k in known if k is not None]
            log = [*facts, *log]
        return uses_of(name, log, evaluation.ticket, self.versions, months, evaluation.at)

    def _marked(self, name: str, evaluation: Evaluation, again: Again) -> Evaluation:
        exceeded = self.exceeded.get(name)
        if not exceeded:
            return evaluation
        versions = without_clocks(exceeded, self.versions)
        marked = evaluation if versions is None else again(name, versions)
        return replace(marked, flags=(*marked.flags, FLAG))

    def signals(
        self, emitter: Emitter, name: str, recorded: Iterable[RecordedSignal], judged_at: Micros | None
    ) -> list[NewSignal]:
        """A ticket's signals of allowances that are not recorded yet."""
        found = allowance_signals(self.exceeded.get(name, ()), recorded)
        return [self._signal(emitter, name, signal, judged_at) for signal in found]

    def _signal(
        self, emitter: Emitter, name: str, signal: AllowanceSignal, judged_at: Micros | None
    ) -> NewSignal:
        made = SubjectSignal(
            kind=signal.kind,
            occurrence="",
            at=signal.at,
            commitment=signal.allowance,
            cycle=signal.cycle,
            generation=signal.generation,
            retracts=signal.retracts,
            details=use_figures(signal.exceeded),
        )
        return emitted_signal(emitter, self.graph.desk, Subject.parse(name), made, judged_at)
