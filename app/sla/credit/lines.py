"""The lines of a contract: every broken period and missed commitment against the agreement's credits.

Pure: the same causes, terms and facts give the same lines, in whatever order they come. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.credit import CreditOwed, CreditRule, FlatShare, TimeShare
from app.sla.agreement.version import Version, version_at
from app.sla.calendar.zone import Zone, zone
from app.sla.contract import Contract
from app.sla.credit.cause import BrokenUptime, Cause, Incident, MissedClock, claim_deadlines, latest
from app.sla.credit.claim import Claimable, CreditState, Transition, course, reason_of
from app.sla.credit.interruption import ServiceOutage, interruptions
from app.sla.credit.line import Line, LineKey
from app.sla.credit.period_id import period_id
from app.sla.credit.worth import Terms, seconds, term_of_month, worth
from app.sla.event import Event, order_key
from app.sla.fields import casefolded
from app.sla.period import Months, Period
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class ContractCredits:
    """What the lines of one contract are derived from. `facts` are those about its claims and credits, in any order."""

    desk: str
    contract: str
    terms: Sequence[Contract]
    facts: Iterable[Event] = ()
    versions: Sequence[Version] = ()
    """Of the agreement. What was granted keeps the rule of the version that was in force then."""

    def lines(self, caused: Iterable[tuple[Agreement, Cause | ServiceOutage]], at: Micros) -> list[Line]:
        """The lines by an instant, each with the agreement that judges its cause, ordered by period and id.

        A cause after the instant, and one that a credit of the agreement does not answer, makes none.
        """
        facts = sorted({fact.id: fact for fact in self.facts}.values(), key=order_key)
        found: dict[str, Line] = {}
        for agreement, rule, cause in _answered(caused, at):
            line = self._line(agreement, rule, cause, facts, at)
            if line is not None:
                found.setdefault(line.id, line)
        return sorted(found.values(), key=lambda line: (line.period, line.id))

    def _line(
        self, agreement: Agreement, rule: CreditRule, cause: Cause, facts: Sequence[Event], at: Micros
    ) -> Line | None:
        caused_at = cause.breached_at
        if caused_at is None or caused_at > at:
            return None
        local = zone(agreement.time_zone)
        period = _period(cause, local)
        term = self._term(cause, local, period)
        if term is None:
            return None
        key = self._key(agreement, rule, cause, local, at)
        services = _services(agreement, term, cause)
        about = self._about(rule, cause, key, period, services, facts)
        transitions = course(about, facts, at)
        agreement, rule = self._as_granted(agreement, rule, transitions)
        found = worth(rule.amount, cause, Terms(term, local, term.currency or agreement.currency), at)
        return Line(
            key=key,
            rule=rule,
            customer=term.customer,
            about=about,
            worth=found,
            transitions=transitions,
            next_at=_next_at(about, transitions, facts, at),
            facts=_facts(cause, transitions),
            reasons=(_why(cause, local), *found.reasons, *filter(None, map(reason_of, transitions))),
        )

    def _as_granted(
        self, agreement: Agreement, rule: CreditRule, transitions: Sequence[Transition]
    ) -> tuple[Agreement, CreditRule]:
        """The rule of a credit; of one that is granted that of its grant, if a later version judges its cause now."""
        if not transitions or transitions[-1].state is not CreditState.GRANTED:
            return agreement, rule
        granted_at = transitions[-1].at
        later = any(
            each.agreement == agreement and each.effective_from > granted_at for each in self.versions
        )
        if not later:
            return agreement, rule
        then = version_at(self.versions, granted_at).agreement
        return next(((then, each) for each in then.credits if each.id == rule.id), (agreement, rule))

    def _term(self, cause: Cause, local: Zone, period: Period) -> Contract | None:
        """The term of the month; of a ticket that misses after the last one, the term valid at its creation."""
        term = term_of_month(self.terms, local, period.span)
        if term is not None or isinstance(cause, BrokenUptime):
            return term
        on = local.local_date(cause.started_at if cause.created_at is None else cause.created_at)
        return next((each for each in self.terms if each.is_valid_on(on)), None)

    @staticmethod
    def _about(
        rule: CreditRule,
        cause: Cause,
        key: LineKey,
        period: Period,
        services: frozenset[str],
        facts: Sequence[Event],
    ) -> Claimable:
        deadlines = () if rule.claim is None else claim_deadlines(cause, rule.claim)
        about = Claimable(
            credit=key.text,
            answers=rule.answers,
            of_availability=rule.of_availability,
            service=key.service,
            services=services,
            period=period.name,
            ticket=None if isinstance(cause, BrokenUptime) else next(iter(_tickets(cause)), None),
            owed=rule.owed,
            caused_at=cause.breached_at or period.start,
            arises_at=None,
            claim_by=latest(deadlines),
            tickets=frozenset() if isinstance(cause, BrokenUptime) else frozenset(_tickets(cause)),
        )
        return replace(about, arises_at=_arises_at(rule, cause, about, deadlines, facts))

    def _key(self, agreement: Agreement, rule: CreditRule, cause: Cause, local: Zone, at: Micros) -> LineKey:
        """A flat share is owed once for each commitment and ticket, whatever its cycles; others for each cycle.

        The first clock of a ticket has no cycle of its own: its identity is 0.
        """
        if isinstance(cause, BrokenUptime):
            named = period_id(self.versions, agreement, cause, local, at)
            return LineKey(self.desk, rule.id, self.contract, named, cause.service)
        if cause.outage:
            return LineKey(self.desk, rule.id, self.contract, outage=cause.outage)
        cycle = None if isinstance(rule.amount, FlatShare) else cause.cycle or None
        return LineKey(self.desk, rule.id, self.contract, ticket=cause.ticket, cycle=cycle)


def _order(cause: Cause) -> tuple[Micros, str, Micros]:
    if isinstance(cause, BrokenUptime):
        return cause.period.start, cause.service, 0
    return cause.breached_at, cause.ticket, cause.cycle


def _answered(
    caused: Iterable[tuple[Agreement, Cause | ServiceOutage]], at: Micros
) -> Iterator[tuple[Agreement, CreditRule, Cause]]:
    """Each cause with the credits that answer it. Of interruptions those that overlap are one."""
    outages: list[tuple[Agreement, ServiceOutage]] = []
    causes: list[tuple[Agreement, Cause]] = []
    for agreement, each in caused:
        if isinstance(each, ServiceOutage):
            outages.append((agreement, each))
        else:
            causes.append((agreement, each))
    causes.sort(key=lambda each: _order(each[1]))
    interrupted: dict[str, list[tuple[Agreement, CreditRule, MissedClock]]] = {}
    for agreement, cause in causes:
        for rule in agreement.credits:
            if not _answers(rule, cause):
                continue
            if isinstance(cause, MissedClock) and isinstance(rule.amount, TimeShare):
                interrupted.setdefault(rule.id, []).append((agreement, rule, cause))
            else:
                yield agreement, rule, cause
    yield from _interrupted(interrupted, outages, at)


def _interrupted(
    missed: Mapping[str, Sequence[tuple[Agreement, CreditRule, MissedClock]]],
    outages: Sequence[tuple[Agreement, ServiceOutage]],
    at: Micros,
) -> Iterator[tuple[Agreement, CreditRule, Cause]]:
    """The interruptions, by the agreement that judges the first ticket or outage of each credit."""
    judging = {name: each[0][:2] for name, each in missed.items()}
    for agreement, _ in outages:
        for rule in agreement.credits:
            if rule.outages_of is not None:
                judging.setdefault(rule.id, (agreement, rule))
    for name, (agreement, rule) in judging.items():
        clocks = (clock for *_, clock in missed.get(name, ()))
        for cause in interruptions(agreement, rule, clocks, (outage for _, outage in outages), at):
            yield agreement, rule, cause


def _tickets(cause: MissedClock) -> tuple[str, ...]:
    return cause.tickets or ((cause.ticket,) if cause.ticket else ())


def _answers(rule: CreditRule, cause: Cause) -> bool:
    if isinstance(cause, BrokenUptime):
        return rule.of_availability and rule.answers == cause.availability
    return not rule.of_availability and rule.answers == cause.commitment


def _services(agreement: Agreement, term: Contract, cause: Cause) -> frozenset[str]:
    """The casefolded services that a broken uptime or an outage is about: its own, or those of the contract."""
    if isinstance(cause, BrokenUptime) and cause.service:
        return frozenset({casefolded(cause.service)})
    named = (
        name for rule in agreement.availability if rule.id == cause.availability for name in rule.services
    )
    return frozenset(casefolded(name) for name in named if term.covers(name))


def _period(cause: Cause, local: Zone) -> Period:
    return cause.period if isinstance(cause, BrokenUptime) else Months(local).at(cause.breached_at)


def _arises_at(
    rule: CreditRule,
    cause: Cause,
    about: Claimable,
    deadlines: Iterable[Micros | None],
    facts: Iterable[Event],
) -> Micros | None:
    """When it stops accruing: at the end of the period or of the interruption; None: that goes on.

    What must be claimed before the period ends is claimable as soon as the period is broken, and what was claimed
    before the end is claimed from then on.
    """
    if isinstance(cause, MissedClock):
        if not isinstance(rule.amount, TimeShare):
            return cause.breached_at
        return None if cause.ended_at is None else max(cause.ended_at, cause.breached_at)
    end = cause.period.end
    if rule.owed is CreditOwed.AUTOMATIC:
        return end
    early = [max(fact.at, about.caused_at) for fact in facts if about.is_asked_for_by(fact)]
    if any(deadline is not None and deadline <= end for deadline in deadlines):
        early.append(about.caused_at)
    return min([end, *early])


def _next_at(
    about: Claimable, transitions: Sequence[Transition], facts: Iterable[Event], at: Micros
) -> Micros | None:
    if not transitions:
        ahead = [about.arises_at]
    else:
        ahead = [about.claim_by if transitions[-1].state is CreditState.CLAIMABLE else None]
    ahead += [fact.at for fact in facts]
    return min((each for each in ahead if each is not None and each > at), default=None)


def _facts(cause: Cause, transitions: Iterable[Transition]) -> tuple[str, ...]:
    """The ids of the events behind a line, each once."""
    incidents: Iterable[Incident | None] = (
        cause.incidents if isinstance(cause, BrokenUptime) else [cause.incident]
    )
    of_outages = [fact for incident in incidents if incident is not None for fact in incident.facts]
    of_clock: tuple[str, ...] = () if isinstance(cause, BrokenUptime) else cause.facts
    decided = [each.fact for each in transitions if each.fact is not None]
    return tuple(dict.fromkeys([*of_outages, *of_clock, *decided]))


def _why(cause: Cause, local: Zone) -> Reason:
    if isinstance(cause, MissedClock):
        params = {
            "ticket": cause.ticket or None,
            "at": local.local(cause.breached_at).isoformat(),
            "from": local.local(cause.started_at).isoformat(),
            "tickets": list(_tickets(cause)),
        }
        return Reason(ReasonCode.CREDIT_MISSED, cause.commitment, params)
    params = {
        "period": cause.period.name,
        "uptime": str(cause.share),
        "target": cause.target,
        "downtime_seconds": seconds(cause.downtime),
        "total_seconds": seconds(cause.total),
    }
    return Reason(ReasonCode.CREDIT_UPTIME, cause.availability, params)
