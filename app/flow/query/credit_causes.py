"""Causes of the credits of a desk's contracts: broken uptimes, missed commitments and the facts about claims.

Read in one pass for many contracts. Contracts that are down at the same times share one computation, so that ten
thousand of them on one service cost one. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from app.flow.query.contracts import CustomerContract
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.availability import AvailabilityRule
from app.sla.agreement.rule import Kind
from app.sla.agreement.version import Version, version_of_period
from app.sla.availability.contract import joined, resources_of, valid_span
from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.availability.outage import Outage
from app.sla.availability.uptime import Downtime, Who, compile_downtime
from app.sla.calendar.zone import Zone, zone
from app.sla.contract import Contract
from app.sla.credit.cause import BrokenUptime, Cause, Incident
from app.sla.credit.interruption import ServiceOutage
from app.sla.fields import casefolded
from app.sla.period import FIRST_DAY, Months, Period, PeriodRule
from app.sla.span import Micros, Span
from app.sla.subject import Subject, SubjectKind
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import ledger, service_facts, subjects

Judged: TypeAlias = tuple[Agreement, Cause | ServiceOutage]
"""A cause, or an outage that may be one, with the agreement that judges it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about the credits of one desk: the versions, and the instants `at` and `as_of`."""

    conn: Connection
    catalogue: Catalogue
    desk: str
    versions: tuple[Version, ...]
    now: Micros
    at: Micros
    as_of: Micros | None

    @property
    def zone(self) -> Zone:
        """The desk's zone."""
        return zone(self.versions[-1].agreement.time_zone)

    @property
    def is_latest(self) -> bool:
        """Whether nothing that is known happened after the instant asked."""
        return self.at >= (self.now if self.as_of is None else self.as_of)

    def is_known(self, received_at: Micros) -> bool:
        """Whether an event of this receipt is known."""
        return self.as_of is None or received_at <= self.as_of


_Who: TypeAlias = tuple[frozenset[str], frozenset[str], Span]
"""What a term of a contract is down by: services, resources, and when it is valid."""
_Key: TypeAlias = tuple[tuple[_Who, ...], int]
"""The terms of a contract, and its billing day."""


@dataclass(slots=True)
class Uptimes:
    """The broken uptimes of contracts, each computed once for all contracts that are down at the same times."""

    asked: Asked
    facts: Mapping[str, ServiceFacts]
    """By casefolded service."""
    _found: dict[_Key, list[Judged]] = field(default_factory=dict[_Key, list[Judged]])

    @classmethod
    def read(cls, asked: Asked) -> "Uptimes":
        """Read the facts of all services of which a credit depends."""
        wanted = {
            service
            for version in asked.versions
            for rule in (*_credited(version.agreement), *_interrupting(version.agreement))
            for service in rule.services
        }
        if not wanted:
            return cls(asked, {})
        if asked.as_of is None:
            return cls(
                asked, service_facts.read(asked.conn, asked.catalogue.service_facts, asked.desk, wanted)
            )
        written = subjects.written(
            asked.conn, asked.desk, (Subject(SubjectKind.SERVICE, each) for each in wanted)
        )
        facts: dict[str, ServiceFacts] = {}
        for key, log in ledger.subject_logs(asked.conn, asked.desk, written, written).items():
            if log:
                known = [event for event in log if asked.is_known(event.received_at)]
                facts[key.id] = read_facts(written[key][0].id, known)
        return cls(asked, facts)

    def of(self, contract: CustomerContract) -> list[Judged]:
        """The broken uptimes of a contract, and the outages that may be interruptions."""
        local = self.asked.zone
        who = tuple(self._who(term, local) for term in contract.terms)
        day = contract.terms[-1].billing_day or FIRST_DAY
        key = who, day
        if key not in self._found:
            self._found[key] = list(self._judged(who, day))
        return self._found[key]

    def _who(self, term: Contract, local: Zone) -> _Who:
        services = frozenset(name for name in self.facts if term.covers(name))
        named = {resource for name in services for resource in self.facts[name].resources}
        return services, resources_of(term, named), valid_span(term, local)

    def _judged(self, who: Sequence[_Who], day: int) -> Iterator[Judged]:
        spans = [
            outage.span
            for services, resources, valid in who
            for outage in self._outages(services, resources)
            if (outage.span & valid).length
        ]
        compiled: dict[tuple[int, str], Downtime] = {}
        for rule_period in PeriodRule:
            months = Months(self.asked.zone, day if rule_period is PeriodRule.CONTRACT_MONTH else FIRST_DAY)
            for period in _periods(months, spans, self.asked.at):
                version = version_of_period(self.asked.versions, period, self.asked.at)
                for rule in _credited(version.agreement):
                    if rule.period is rule_period:
                        key = (version.number, rule.id)
                        if key not in compiled:
                            compiled[key] = self._downtime(rule, who)
                        broken = self._broken(rule, compiled[key], period, who)
                        if broken is not None:
                            yield version.agreement, broken
        yield from self._interruptions(who, spans)

    def _interruptions(self, who: Sequence[_Who], spans: Sequence[Span]) -> Iterator[Judged]:
        """The outages of the contract's services for the credits that are for interruptions, by their first month."""
        compiled: dict[tuple[int, str], Downtime] = {}
        for period in _periods(Months(self.asked.zone), spans, self.asked.at):
            version = version_of_period(self.asked.versions, period, self.asked.at)
            for rule in _interrupting(version.agreement):
                key = version.number, rule.id
                if key not in compiled:
                    compiled[key] = self._downtime(rule, who)
                for each in self._begun(rule, compiled[key], period, who):
                    yield version.agreement, each

    def _begun(
        self, rule: AvailabilityRule, downtime: Downtime, period: Period, who: Sequence[_Who]
    ) -> Iterator[ServiceOutage]:
        at = self.asked.at
        outages = [
            outage
            for outage in self._own(rule, who)
            if casefolded(outage.cause) not in rule.excluded_causes and outage.start <= at
        ]
        for counts, covered in ((True, downtime.counted), (False, downtime.all.less(downtime.counted))):
            for span in covered.spans:
                if span.start in period.span and span.start <= at:
                    begun = [outage for outage in outages if counts and (outage.span & span).length]
                    first = min(begun, key=lambda each: (each.start, each.event), default=None)
                    ended_at = None if span.end > at else span.end
                    incident = None if first is None else _incident(first)
                    yield ServiceOutage(rule.id, span.start, ended_at, counts, incident)

    def _own(self, rule: AvailabilityRule, who: Sequence[_Who]) -> dict[Outage, None]:
        """The outages of the services of a rule, each once."""
        agreed = frozenset(map(casefolded, rule.services))
        return dict.fromkeys(
            outage for services, resources, _ in who for outage in self._outages(services & agreed, resources)
        )

    def _outages(self, services: Iterable[str], resources: Collection[str]) -> Iterator[Outage]:
        for name in services:
            for outage in self.facts[name].outages:
                if not outage.resource or outage.resource in resources:
                    yield outage

    def _downtime(self, rule: AvailabilityRule, who: Sequence[_Who]) -> Downtime:
        agreed = frozenset(map(casefolded, rule.services))
        parts = [
            compile_downtime(
                rule,
                [self.facts[name] for name in sorted(services & agreed)],
                Who.of(*resources),
                within=[valid],
            )
            for services, resources, valid in who
        ]
        return joined(rule, parts)

    def _broken(
        self, rule: AvailabilityRule, downtime: Downtime, period: Period, who: Sequence[_Who]
    ) -> BrokenUptime | None:
        found = downtime.uptime(period, self.asked.at)
        if found.breached_at is None:
            return None
        so_far = Span(period.start, min(max(self.asked.at, period.start), period.end))
        outages = [
            outage
            for outage in self._own(rule, who)
            if casefolded(outage.cause) not in rule.excluded_causes
            and downtime.counted.within(outage.span & so_far)
        ]
        return BrokenUptime(
            availability=rule.id,
            period=period,
            total=found.total,
            downtime=found.downtime,
            breached_at=found.breached_at,
            stretches=tuple(span.length for span in found.counted),
            incidents=tuple(_incident(outage) for outage in outages),
            target=rule.target.written,
        )


def _credited(agreement: Agreement) -> Iterator[AvailabilityRule]:
    """The availabilities that a credit answers."""
    answered = {credit.answers for credit in agreement.credits if credit.of_availability}
    return (rule for rule in agreement.availability if rule.id in answered and rule.kind is Kind.GUARANTEE)


def _interrupting(agreement: Agreement) -> Iterator[AvailabilityRule]:
    """The availabilities whose outages are interruptions for a credit."""
    named = {credit.outages_of for credit in agreement.credits} - {None}
    return (rule for rule in agreement.availability if rule.id in named)


def _periods(months: Months, spans: Iterable[Span], at: Micros) -> list[Period]:
    """The months up to an instant that have any of these spans, in order."""
    found: list[Period] = []
    for span in sorted(each for each in spans if each.start <= at):
        end = min(span.end, at + 1)
        # Ten thousand outages of a month ask for it once.
        if not found or span.start >= found[-1].end or end > found[-1].end:
            known = found[-1].start if found else None
            found += (each for each in months.between(span.start, end) if known is None or each.start > known)
    return found


def _incident(outage: Outage) -> Incident:
    return Incident(outage.start, outage.end, outage.verified_at, (outage.event, *outage.reports))
