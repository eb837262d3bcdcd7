"""Interruptions: what a credit for the time of an interruption is for, each counted once.

A customer's tickets and the outages of the services of a contract may state the same interruption. One that two tickets
report makes one credit; one that is not the desk's own makes none, whatever its tickets say; one that no ticket reports
makes one too. A ticket that begins during an outage reports that outage, whose facts state then when it began and
ended and whether it counts. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.sla.agreement.agreement import Agreement, Commitment
from app.sla.agreement.credit import CreditRule
from app.sla.availability.covered import ENDLESS, Covered
from app.sla.calendar import NeverOpen, UncoveredYear
from app.sla.credit.cause import Incident, MissedClock
from app.sla.fields import casefolded
from app.sla.span import Micros, Span


@dataclass(frozen=True, slots=True)
class ServiceOutage:
    """Uninterrupted downtime of a contract's services by an availability. `ended_at` None: it goes on."""

    availability: str
    started_at: Micros
    ended_at: Micros | None
    counts: bool
    """Whether the availability counts it: its cause is not an excluded one, and no person excluded it."""
    incident: Incident | None = None
    """What began it; None where it does not count."""

    @property
    def span(self) -> Span:
        """From its beginning to its end."""
        return Span(self.started_at, ENDLESS if self.ended_at is None else self.ended_at)


@dataclass(frozen=True, slots=True)
class _Part:
    """A ticket's interruption or an outage. `missed`: it lasted longer than the commitment allows."""

    clock: MissedClock
    missed: bool

    @property
    def ends_at(self) -> Micros:
        return ENDLESS if self.clock.ended_at is None else self.clock.ended_at


def interruptions(
    agreement: Agreement,
    rule: CreditRule,
    missed: Iterable[MissedClock],
    outages: Iterable[ServiceOutage],
    at: Micros,
) -> list[MissedClock]:
    """The interruptions that a credit is for, by an instant. Those that overlap are one, in order of their starts."""
    commitment = next((each for each in agreement.commitments if each.id == rule.answers), None)
    if commitment is None:
        return []
    excluded = next(
        (each.excluded_causes for each in agreement.availability if each.id == rule.outages_of),
        frozenset[str](),
    )
    own = [each for each in missed if each.cause is None or casefolded(each.cause) not in excluded]
    stated = sorted(
        (each for each in outages if each.availability == rule.outages_of), key=lambda each: each.started_at
    )
    parts = [*_of_outages(commitment, stated, at), *_of_tickets(commitment, own, stated, at)]
    return [clock for clock in map(_joined, _overlapping(parts)) if clock is not None]


def _of_outages(commitment: Commitment, outages: Iterable[ServiceOutage], at: Micros) -> Iterator[_Part]:
    for outage in outages:
        if outage.counts and outage.incident is not None:
            clock = MissedClock(
                commitment=commitment.id,
                ticket="",
                cycle=0,
                breached_at=outage.started_at,
                started_at=outage.started_at,
                ended_at=outage.ended_at,
                incident=outage.incident,
                facts=outage.incident.facts,
                availability=outage.availability,
            )
            yield _judged(commitment, clock, at)


def _of_tickets(
    commitment: Commitment, missed: Iterable[MissedClock], outages: Sequence[ServiceOutage], at: Micros
) -> Iterator[_Part]:
    for clock in missed:
        reported = [each for each in outages if clock.started_at in each.span]
        if reported:
            yield from (_report(clock, each) for each in reported if each.counts)
            continue
        down = Span(clock.started_at, ENDLESS if clock.ended_at is None else clock.ended_at)
        not_own = Covered.of(each.span for each in outages if not each.counts)
        left = Covered.of([down]).less(not_own).spans
        if left == (down,):
            yield _Part(clock, missed=True)
            continue
        for n, span in enumerate(left):
            end = None if span.end == ENDLESS else span.end
            cycle = span.start if n else clock.cycle  # a credit of its own, with its own name
            yield _judged(commitment, replace(clock, cycle=cycle, started_at=span.start, ended_at=end), at)


def _report(clock: MissedClock, outage: ServiceOutage) -> _Part:
    """A ticket of an outage: it adds its name and its facts, and no time."""
    at = outage.started_at
    return _Part(replace(clock, started_at=at, ended_at=at, breached_at=at), missed=False)


def _judged(commitment: Commitment, clock: MissedClock, at: Micros) -> _Part:
    """Whether an interruption was longer than a fixed target allows."""
    due = due_at(commitment, clock.started_at)
    missed = due is not None and due < (at if clock.ended_at is None else clock.ended_at)
    return _Part(clock if due is None else replace(clock, breached_at=due), missed)


def due_at(commitment: Commitment, since: Micros) -> Micros | None:
    """When an interruption since an instant is too long; None: the target is not the same for all, or has no date."""
    if commitment.target.fixed is None:
        return None
    try:
        return commitment.target.fixed.deadline(since, commitment.calendar)
    except (UncoveredYear, NeverOpen):
        return None


def _overlapping(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    """The parts in groups that overlap, in order of their starts; a report is with what it reports."""
    group: list[_Part] = []
    until = -ENDLESS
    for part in sorted(parts, key=_order):
        if group and part.clock.started_at >= until:
            yield group
            group = []
        until = max(until, part.ends_at) if group else part.ends_at
        group.append(part)
    if group:
        yield group


def _order(part: _Part) -> tuple[Micros, bool, str, Micros]:
    return part.clock.started_at, bool(part.clock.ticket), part.clock.ticket, part.clock.cycle


def _joined(parts: Sequence[_Part]) -> MissedClock | None:
    """Overlapping parts as one; None: none of them was too long.

    It has the name of its first outage, or of its first ticket where no outage is stated.
    """
    missed = [part.clock.breached_at for part in parts if part.missed]
    if not missed:
        return None
    clocks = [part.clock for part in parts]
    named = next((clock for clock in clocks if not clock.ticket), clocks[0])
    ended_at = max(part.ends_at for part in parts)
    return replace(
        named,
        started_at=clocks[0].started_at,
        ended_at=None if ended_at == ENDLESS else ended_at,
        breached_at=min(missed),
        tickets=tuple(dict.fromkeys(clock.ticket for clock in clocks if clock.ticket)),
        facts=tuple(dict.fromkeys(fact for clock in clocks for fact in clock.facts)),
    )
