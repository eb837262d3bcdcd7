"""The report of availability: the uptimes of a desk's services, or of its contracts, in each period.

Each figure equals what `GET /v1/availability` answers for the same object and span. Everything is derived from the log,
so an answer as of an earlier instant is the one that was given then. Instants are microseconds UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.flow.query.contracts import CustomerContract, contracts_of
from app.flow.query.report_scope import Answer, Asked, ReportScope, too_large
from app.settings import Settings
from app.sla.agreement.availability import AvailabilityRule
from app.sla.agreement.version import version_of_period
from app.sla.availability.contract import contract_downtime, services_of, valid_span
from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.availability.uptime import ALL, Downtime, compile_downtime
from app.sla.budget import charge
from app.sla.fields import casefolded
from app.sla.period import Period
from app.sla.report.measure import COMMITMENT
from app.sla.report.object_report import OBJECT_SPLITS, CountedUptime, uptime_report
from app.sla.subject import Subject, SubjectKind
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import ledger, subjects

_OF_CONTRACTS = frozenset({"contract", "customer"})


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
    most = scope.settings.availability_objects_max * len(scope.periods)
    for count, each in enumerate(query.of_contracts() if of_contracts else query.of_services()):
        charge()
        if count == most:
            limit = f"{scope.settings.availability_objects_max} objects a period"
            raise too_large(f"the report has more than {limit}, the limit SLATIMER_AVAILABILITY_OBJECTS_MAX")
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
        desk, at, as_of = scope.asked.desk, scope.known_at, scope.asked.as_of
        most = scope.settings.availability_objects_max
        contracts = contracts_of(scope.conn, self.catalogue, desk, at=at, as_of=as_of, limit=most + 1)
        for number, period, rule in self._judged():
            facts = {casefolded(name): self._of(name).within(period.span) for name in rule.services}
            for each in contracts:
                terms = [
                    term
                    for term in each.terms
                    if services_of(rule, term) and (valid_span(term, scope.zone) & period.span).length
                ]
                if terms:
                    downtime = contract_downtime(rule, facts, terms, scope.zone)
                    yield self._counted(
                        number, period, downtime, contract=each.id, customer=self._customer(each, period)
                    )

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
        written = subjects.written(conn, desk, (Subject(SubjectKind.SERVICE, each) for each in named))
        logs = ledger.subject_logs(conn, desk, written, written)
        found: dict[str, ServiceFacts] = {}
        for key, name in named.items():
            subject = Subject(SubjectKind.SERVICE, key).key
            log = [event for event in logs.get(subject, ()) if as_of is None or event.received_at <= as_of]
            found[key] = read_facts(written[subject][0].id if log else name, log)
        return found
