"""The report of availability: the uptimes of a desk's services, or of its contracts, in each period.

Each figure equals what `GET /v1/availability` answers for the same object and span. Everything is derived from the log,
so an answer as of an earlier instant is the one that was given then. Instants are microseconds UTC.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from app.flow.query.contracts import CustomerContract, contracts_of
from app.flow.query.report_scope import Answer, Asked, ReportScope
from app.settings import Settings
from app.sla.agreement.availability import AvailabilityRule
from app.sla.agreement.version import version_of_period
from app.sla.availability.contract import (
    contract_downtime,
    resources_of,
    services_of,
    valid_span,
)
from app.sla.availability.facts import FactsByResource, ServiceFacts, read_facts
from app.sla.availability.uptime import ALL, Downtime, compile_downtime
from app.sla.budget import charge
from app.sla.contract import Contract
from app.sla.fields import casefolded
from app.sla.period import Period
from app.sla.report.measure import COMMITMENT
from app.sla.report.object_report import OBJECT_SPLITS, CountedUptime, uptime_report
from app.sla.span import Span
from app.sla.subject import Subject, SubjectKind
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import ledger, service_facts, subjects

_OF_CONTRACTS: Final = frozenset({"contract", "customer"})
_BATCH: Final = 500
"""Contracts that are read at once."""

_Who: TypeAlias = tuple[frozenset[str], frozenset[str], Span]


def availability_report(conn: Connection, catalogue: Catalogue, settings: Settings, asked: Asked) -> Answer:
    """The report of availability: by services, and with a split by contract or customer by contracts.

    Raises UnknownDesk, and TooExpensive for one that counts too much.
    """
    scope = ReportScope(conn, catalogue, settings, asked)
    named = (*asked.splits, *(name for name, _ in asked.only))
    found = _uptimes(scope, catalogue, of_contracts=not _OF_CONTRACTS.isdisjoint(named))
    wanted = (each for each in found if all(each.of[name] == value for name, value in asked.only))
    return scope.answer(uptime_report(wanted, asked.splits), incomplete=0)


def uptimes_behind(
    conn: Connection,
    catalogue: Catalogue,
    settings: Settings,
    asked: Asked,
    wanted: Mapping[str, str | None],
    *,
    of_contracts: bool,
) -> list[CountedUptime]:
    """The uptimes that a figure counts. `wanted`: values of splits, and `kind`. Raises what the report raises."""
    scope = ReportScope(conn, catalogue, settings, asked)
    found = _uptimes(scope, catalogue, of_contracts=of_contracts)
    return [
        each
        for each in found
        if all(({**each.of, "kind": each.kind})[name] == value for name, value in wanted.items())
    ]


def _uptimes(scope: ReportScope, catalogue: Catalogue, *, of_contracts: bool) -> Iterator[CountedUptime]:
    query = _Query(scope, catalogue)
    for each in query.of_contracts() if of_contracts else query.of_services():
        charge()
        yield each


@dataclass(slots=True)
class _Query:
    """The uptimes of one report. The log of each service is read once."""

    scope: ReportScope
    catalogue: Catalogue
    _facts: dict[str, ServiceFacts] | None = None

    def of_services(self) -> Iterator[CountedUptime]:
        for number, period, rule in self._judged():
            for service in rule.services:
                facts = self._of(service)
                downtime = compile_downtime(rule, [facts.within(period.span)], ALL)
                yield self._counted(number, period, downtime, service=facts.service)

    def of_contracts(self) -> Iterator[CountedUptime]:
        scope = self.scope
        judged = list(self._judged())
        facts = [self._found_by_resource(rule, period) for _, period, rule in judged]
        # Ten thousand contracts on one service, none of which has a server that was down alone, are computed once.
        shared: dict[tuple[object, ...], CountedUptime] = {}
        for each in self._contracts():
            for (number, period, rule), found in zip(judged, facts, strict=True):
                terms = [
                    term
                    for term in each.terms
                    if services_of(rule, term) and (valid_span(term, scope.zone) & period.span).length
                ]
                if terms:
                    key = number, rule.id, *(self._who(rule, term, found, period) for term in terms)
                    if key not in shared:
                        shared[key] = self._counted(number, period, self._downtime(rule, found, terms))
                    of = {"contract": each.id, "customer": self._customer(each, period)}
                    yield replace(shared[key], of={**shared[key].of, **of})

    def _downtime(
        self, rule: AvailabilityRule, found: Mapping[str, FactsByResource], terms: Sequence[Contract]
    ) -> Downtime:
        named = [casefolded(resource) for term in terms for resource in term.resources]
        own = {name: service.of(*named) for name, service in found.items()}
        return contract_downtime(rule, own, terms, self.scope.zone)

    def _who(
        self, rule: AvailabilityRule, term: Contract, found: Mapping[str, FactsByResource], period: Period
    ) -> _Who:
        """What a term is down by in a period: its services, those of its resources that a fact names, and when."""
        services = frozenset(services_of(rule, term))
        named = {resource for name in services for resource in found[name].named}
        return services, resources_of(term, named), valid_span(term, self.scope.zone) & period.span

    def _found_by_resource(self, rule: AvailabilityRule, period: Period) -> dict[str, FactsByResource]:
        """The facts of a commitment's services in a period, by casefolded name."""
        return {casefolded(name): self._of(name).within(period.span).by_resource() for name in rule.services}

    def _contracts(self) -> Iterator[CustomerContract]:
        """All contracts of the desk, page by page: so many are in memory at once."""
        scope, after = self.scope, ""
        desk, at, as_of = scope.asked.desk, scope.known_at, scope.asked.as_of
        while True:
            page = contracts_of(
                scope.conn, self.catalogue, desk, at=at, as_of=as_of, after=after, limit=_BATCH
            )
            yield from page
            if len(page) < _BATCH:
                return
            after = page[-1].key

    def _judged(self) -> Iterator[tuple[int, Period, AvailabilityRule]]:
        """The periods that have begun, each with the commitments of the version that judges it."""
        for number, span in enumerate(self.scope.periods):
            if span.start > self.scope.known_at:
                return
            period = Period(span, "")
            version = version_of_period(self.scope.versions, period, self.scope.known_at)
            for rule in version.agreement.availability:
                yield number, period, rule

    def _counted(self, number: int, period: Period, downtime: Downtime, **of: str | None) -> CountedUptime:
        found, rule = downtime.uptime(period, self.scope.known_at), downtime.rule
        return CountedUptime(
            period=number,
            kind=rule.kind.value,
            of={**dict.fromkeys(OBJECT_SPLITS), COMMITMENT: rule.id, **of},
            total=found.total,
            downtime=found.downtime,
            excluded=found.excluded,
            interruptions=len(found.counted),
            breached_at=found.breached_at,
        )

    def _customer(self, contract: CustomerContract, period: Period) -> str | None:
        """Whose contract it is at the end of the period, so far."""
        last = min(period.end, self.scope.known_at + 1) - 1
        return (contract.on(self.scope.zone.local_date(last)) or contract.terms[-1]).customer

    def _of(self, service: str) -> ServiceFacts:
        if self._facts is None:
            self._facts = self._read()
        return self._facts[casefolded(service)]

    def _read(self) -> dict[str, ServiceFacts]:
        """The facts of all services on which an agreement commits, by casefolded name."""
        conn, desk, as_of = self.scope.conn, self.scope.asked.desk, self.scope.asked.as_of
        named = {
            casefolded(service): service
            for version in self.scope.versions
            for rule in version.agreement.availability
            for service in rule.services
        }
        if as_of is None:
            known = service_facts.read(conn, self.catalogue.service_facts, desk, named)
            return {key: known.get(key) or ServiceFacts(name) for key, name in named.items()}
        written = subjects.written(conn, desk, (Subject(SubjectKind.SERVICE, each) for each in named))
        logs = ledger.subject_logs(conn, desk, written, written)
        found: dict[str, ServiceFacts] = {}
        for key, name in named.items():
            subject = Subject(SubjectKind.SERVICE, key).key
            log = [event for event in logs.get(subject, ()) if event.received_at <= as_of]
            found[key] = read_facts(written[subject][0].id if log else name, log)
        return found
