"""Queries of availability: uptimes of services, resources and contracts, derived from the log when they are asked for.

`at` selects the state at an instant by all that is known now; `as_of` what was known at an instant: the events, versions
and contracts recorded by then, at the earlier of the two. Instants are microseconds UTC.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.flow.query.announced import announced
from app.flow.query.contracts import contract as one_contract
from app.flow.query.downtime_days import DowntimeDays
from app.flow.query.serialize import Json
from app.flow.query.uptimes import figures, outage_document
from app.sla.agreement.availability import AvailabilityRule
from app.sla.agreement.version import Version, known_versions, version_of_period
from app.sla.availability.contract import contract_downtime, services_of, valid_span
from app.sla.availability.explanation import explain
from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.availability.uptime import ALL, Downtime, Who, compile_downtime
from app.sla.availability.version import JudgedPeriod, months_of, period_at, period_named
from app.sla.contract import Contract
from app.sla.fields import casefolded
from app.sla.period import FIRST_DAY, Period, PeriodRule
from app.sla.span import Micros, Span
from app.sla.subject import Subject, SubjectKind
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import ledger, subjects

NOTHING_REPORTED = "nothing_reported"
OUTAGES_CAPPED = "outages_capped"


class TooManyObjects(RuntimeError):
    """More objects match than one answer may have. Name a service, a resource or a commitment."""


@dataclass(frozen=True, slots=True)
class AvailabilityQuestion:
    """Which uptimes. `resource`: None for all objects, "" for whole services only. Of `period` and `span` one at most;
    neither: the month of `at`."""

    now: Micros
    id: str | None = None
    service: str | None = None
    resource: str | None = None
    contract: str | None = None
    period: str | None = None
    span: Span | None = None
    at: Micros | None = None
    as_of: Micros | None = None
    days: int | None = None
    """Of how many local days up to the instant the downtime is asked for, apart for each."""

    @property
    def instant(self) -> Micros:
        """The instant that is asked for."""
        at = self.now if self.at is None else self.at
        return at if self.as_of is None else min(at, self.as_of)


@dataclass(frozen=True, slots=True)
class AvailabilityLimits:
    """How many objects an answer may have, and how many outages each: the latest."""

    objects: int
    outages: int


@dataclass(frozen=True, slots=True)
class _Object:
    """What is judged: a service, one of its resources, or a contract."""

    rule: AvailabilityRule
    period: Period
    downtime: Downtime
    parts: Sequence[tuple[ServiceFacts, Who, Sequence[Span]]]
    """Its outages: of which services, of whom, and within which spans."""
    concerned: Sequence[tuple[ServiceFacts, Who]]
    """Its services with all that is known of them, and of whom."""
    service: str | None = None
    resource: str | None = None
    contract: str | None = None
    days: list[Json] | None = None


def availability(
    conn: Connection, catalogue: Catalogue, desk: str, asked: AvailabilityQuestion, limits: AvailabilityLimits
) -> list[Json]:
    """The uptimes of a desk. Raises UnknownDesk, UnknownContract, PeriodFault, TooManyObjects and TooExpensive."""
    versions = known_versions(catalogue.versions(conn, desk, at=asked.instant), asked.as_of)
    query = _Query(conn, catalogue, desk, versions, asked)
    found: list[Json] = []
    for each in query.objects():
        if len(found) >= limits.objects:
            raise TooManyObjects(
                f"more than {limits.objects} services and resources match, the limit "
                "SLATIMER_AVAILABILITY_OBJECTS_MAX. Name a service, a resource or a commitment; an empty resource "
                "selects whole services only"
            )
        found.append(_shown(desk, each, asked, limits.outages))
    return found


class _Query:
    """One question about one desk. The logs of services are read once."""

    def __init__(
        self,
        conn: Connection,
        catalogue: Catalogue,
        desk: str,
        versions: Sequence[Version],
        asked: AvailabilityQuestion,
    ) -> None:
        self._conn, self._catalogue, self._desk = conn, catalogue, desk
        self._versions, self._asked = versions, asked
        self._facts: dict[Subject, ServiceFacts] = {}
        self._days = DowntimeDays(versions, asked.instant, asked.days)

    def objects(self) -> Iterator[_Object]:
        """Everything that matches, in the order of the agreement."""
        if self._asked.contract is not None:
            yield from self._of_contract(self._asked.contract)
            return
        judged = self._judged(FIRST_DAY)
        for rule in judged.agreement.availability:
            if self._asked.id in (None, rule.id):
                for service in rule.services:
                    if self._asked.service is None or casefolded(service) == casefolded(self._asked.service):
                        yield from self._of_service(rule, service, judged.period)

    def _judged(self, day: int) -> JudgedPeriod:
        asked, versions = self._asked, self._versions
        if asked.span is not None:
            period = Period(asked.span, "")
            return JudgedPeriod(period, version_of_period(versions, period, asked.instant).agreement)
        if asked.period is not None:
            return period_named(versions, asked.period, asked.instant, day)
        return period_at(versions, asked.instant, asked.instant, day)

    def _of_service(self, rule: AvailabilityRule, service: str, period: Period) -> Iterator[_Object]:
        facts, wanted = self._read(service), self._asked.resource
        if not wanted:
            yield self._of_who(rule, facts, period, ALL, None)
        for resource, named in facts.resources.items():
            if wanted is None or (wanted and resource == casefolded(wanted)):
                yield self._of_who(rule, facts, period, Who.of(resource), named)
        if wanted and casefolded(wanted) not in facts.resources:
            yield self._of_who(rule, facts, period, Who.of(wanted), wanted)

    def _of_who(
        self, rule: AvailabilityRule, facts: ServiceFacts, period: Period, who: Who, resource: str | None
    ) -> _Object:
        touching = facts.within(period.span)
        downtime = compile_downtime(rule, [touching], who)
        parts = [(touching, who, [period.span])]
        days = self._days.of(rule, lambda past, span: compile_downtime(past, [facts.within(span)], who))
        return _Object(
            rule,
            period,
            downtime,
            parts,
            [(facts, who)],
            service=facts.service,
            resource=resource,
            days=days,
        )

    def _of_contract(self, contract_id: str) -> Iterator[_Object]:
        asked = self._asked
        found = one_contract(
            self._conn, self._catalogue, self._desk, contract_id, at=asked.instant, as_of=asked.as_of
        )
        for rule_id in dict.fromkeys(rule.id for v in self._versions for rule in v.agreement.availability):
            if asked.id not in (None, rule_id):
                continue
            # Contract months begin on its billing day, all others on the first.
            for period_rule in PeriodRule:
                of_contract = period_rule is PeriodRule.CONTRACT_MONTH
                day = (found.terms[-1].billing_day or FIRST_DAY) if of_contract else FIRST_DAY
                judged = self._judged(day)
                for rule in judged.agreement.availability:
                    if rule.id == rule_id and rule.period is period_rule:
                        yield self._of_terms(rule, judged, found.terms, found.id)

    def _of_terms(
        self, rule: AvailabilityRule, judged: JudgedPeriod, terms: Sequence[Contract], contract_id: str
    ) -> _Object:
        zone, period = months_of(judged.agreement).zone, judged.period
        pairs = [(term, service) for term in terms for service in services_of(rule, term)]
        parts = [
            (
                self._read(service).within(period.span),
                Who.of(*term.resources),
                [valid_span(term, zone) & period.span],
            )
            for term, service in pairs
        ]
        concerned = [(self._read(service), Who.of(*term.resources)) for term, service in pairs]

        def compiled(past: AvailabilityRule, span: Span) -> Downtime:
            joined = {casefolded(name): self._read(name).within(span) for name in past.services}
            return contract_downtime(past, joined, terms, zone)

        downtime, days = compiled(rule, period.span), self._days.of(rule, compiled)
        return _Object(rule, period, downtime, parts, concerned, contract=contract_id, days=days)

    def _read(self, service: str) -> ServiceFacts:
        """The facts of a service, in whichever ways they write its name."""
        key = Subject(SubjectKind.SERVICE, service).key
        if key not in self._facts:
            written = subjects.written(self._conn, self._desk, [key])
            log = ledger.subject_logs(self._conn, self._desk, [key], written)[key]
            as_of = self._asked.as_of
            events = log if as_of is None else [event for event in log if event.received_at <= as_of]
            name = written[key][0].id if log else service
            self._facts[key] = read_facts(name, events)
        return self._facts[key]


def _shown(desk: str, each: _Object, asked: AvailabilityQuestion, most: int) -> Json:
    at = asked.instant
    found = each.downtime.uptime(each.period, at)
    until = Span(each.period.start, max(each.period.start, min(at, each.period.end)))
    outages = [
        outage
        for facts, who, spans in each.parts
        for outage in explain(each.rule, facts, who, [span & until for span in spans])
    ]
    outages.sort(key=lambda outage: outage.outage.start)
    flags = dict.fromkeys(flag for facts, _, _ in each.parts for flag in facts.flags)
    marks = [NOTHING_REPORTED] if found.nothing_reported else []
    marks += [OUTAGES_CAPPED] if len(outages) > most else []
    return {
        "desk": desk,
        **figures(each.rule, found),
        "service": each.service,
        "resource": each.resource or None,
        "contract": each.contract,
        "outages": [outage_document(outage) for outage in outages[-most:]],
        "maintenance": announced(each.rule, each.concerned, each.period, at, most),
        "days": each.days,
        "flags": [*marks, *flags],
    }
