"""Queries of availability: uptimes of services, resources and contracts, derived from the log when they are asked for.

`at` selects the state at an instant by all that is known now; `as_of` what was known at an instant: the events, versions
and contracts recorded by then, at the earlier of the two. Instants are microseconds UTC.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

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
from app.store.tickets import ledger, service_facts, subjects
from app.store.tickets.board import FaultyCursor

NOTHING_REPORTED = "nothing_reported"
OUTAGES_CAPPED = "outages_capped"
NOT_COVERED = "not_covered"
"""The contract is not valid in the period, or has none of the services."""
NONE = "none"
"""The state of an uptime of which nothing is judged: neither kept nor broken."""


ObjectKey: TypeAlias = tuple[str, str, str]
"""Commitment, and casefolded service and resource; or a contract in place of a service."""


@dataclass(frozen=True, slots=True)
class AvailabilityPage:
    """The uptimes of some objects. `next`: the object after which more follow; None: there are none."""

    documents: list[Json]
    next: ObjectKey | None


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
    """How many objects a page may have, and how many outages each: the latest."""

    objects: int
    outages: int


@dataclass(frozen=True, slots=True)
class _Object:
    """What is judged: a service, one of its resources, or a contract."""

    key: ObjectKey
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

    @property
    def is_covered(self) -> bool:
        """Whether anything of it is judged: a contract has one of the services, and is valid on a day of the period."""
        return any(span.length for _, _, spans in self.parts for span in spans)


def availability(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    asked: AvailabilityQuestion,
    limits: AvailabilityLimits,
    after: ObjectKey | None = None,
) -> AvailabilityPage:
    """The uptimes of a desk, of up to so many objects after one of them.

    Raises UnknownDesk, UnknownContract, PeriodFault, FaultyCursor and TooExpensive.
    """
    versions = known_versions(catalogue.versions(conn, desk, at=asked.instant), asked.as_of)
    query = _Query(conn, catalogue, desk, versions, asked, after)
    found: list[Json] = []
    last: ObjectKey | None = None
    for each in query.objects():
        if len(found) >= limits.objects:
            return AvailabilityPage(found, last)
        found.append(_shown(desk, each, asked, limits.outages))
        last = each.key
    return AvailabilityPage(found, None)


class _Query:
    """One question about one desk. The logs of services are read once."""

    def __init__(
        self,
        conn: Connection,
        catalogue: Catalogue,
        desk: str,
        versions: Sequence[Version],
        asked: AvailabilityQuestion,
        after: ObjectKey | None,
    ) -> None:
        self._conn, self._catalogue, self._desk = conn, catalogue, desk
        self._versions, self._asked, self._after = versions, asked, after
        self._facts: dict[Subject, ServiceFacts] = {}
        self._days = DowntimeDays(versions, asked.instant, asked.days)

    def objects(self) -> Iterator[_Object]:
        """Everything that matches after the cursor, in the order of the agreement and by resource."""
        if self._asked.contract is not None:
            yield from self._of_contract(self._asked.contract)
            return
        judged, named = self._judged(FIRST_DAY), self._asked.service
        pairs = [
            (rule, service)
            for rule in judged.agreement.availability
            for service in rule.services
            if self._asked.id in (None, rule.id)
            and (named is None or casefolded(service) == casefolded(named))
        ]
        for rule, service in pairs[self._first(pairs) :]:
            yield from self._of_service(rule, service, judged.period)

    def _first(self, pairs: Sequence[tuple[AvailabilityRule, str]]) -> int:
        """The place of the pair with which the page begins. Raises FaultyCursor where there is no such pair."""
        if self._after is None:
            return 0
        wanted = self._after[:2]
        for n, (rule, service) in enumerate(pairs):
            if (rule.id, casefolded(service)) == wanted:
                return n
        raise FaultyCursor(
            "the cursor is of another question, or of another version of the agreement: start anew"
        )

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
        key = rule.id, casefolded(service)
        seen = self._after[2] if self._after is not None and self._after[:2] == key else None
        if not wanted and seen is None:
            yield self._of_who(rule, facts, period, ALL, (*key, ""), None)
        if wanted == "":
            return
        own, whole = facts.within(period.span).by_resource(), facts.by_resource()
        listed = facts.resources if wanted is None else {casefolded(wanted): wanted}
        for resource in sorted(listed):
            if seen is None or resource > seen:
                named = facts.resources.get(resource, listed[resource])
                about = whole.of(resource), own.of(resource)
                yield self._of_who(
                    rule, about[0], period, Who.of(resource), (*key, resource), named, about[1]
                )

    def _of_who(
        self,
        rule: AvailabilityRule,
        facts: ServiceFacts,
        period: Period,
        who: Who,
        key: ObjectKey,
        resource: str | None,
        touching: ServiceFacts | None = None,
    ) -> _Object:
        """`touching`: those of the facts that touch the period, where they are known."""
        touching = facts.within(period.span) if touching is None else touching
        downtime = compile_downtime(rule, [touching], who)
        parts = [(touching, who, [period.span])]
        days = self._days.of(rule, lambda past, span: compile_downtime(past, [facts.within(span)], who))
        return _Object(
            key,
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
        key = rule.id, contract_id, ""
        return _Object(key, rule, period, downtime, parts, concerned, contract=contract_id, days=days)

    def _read(self, service: str) -> ServiceFacts:
        """The facts of a service, in whichever ways they write its name."""
        key = Subject(SubjectKind.SERVICE, service).key
        if key not in self._facts:
            as_of = self._asked.as_of
            if as_of is None:
                known = service_facts.read(self._conn, self._catalogue.service_facts, self._desk, [service])
                self._facts[key] = known.get(key.id) or ServiceFacts(service)
                return self._facts[key]
            written = subjects.written(self._conn, self._desk, [key])
            log = ledger.subject_logs(self._conn, self._desk, [key], written)[key]
            events = [event for event in log if event.received_at <= as_of]
            self._facts[key] = read_facts(written[key][0].id if log else service, events)
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
    marks = [] if each.is_covered else [NOT_COVERED]
    marks += [NOTHING_REPORTED] if found.nothing_reported else []
    marks += [OUTAGES_CAPPED] if len(outages) > most else []
    return {
        "desk": desk,
        **figures(each.rule, found),
        **({} if each.is_covered else {"state": NONE}),
        "service": each.service,
        "resource": each.resource or None,
        "contract": each.contract,
        "outages": [outage_document(outage, at) for outage in outages[-most:]],
        "maintenance": announced(each.rule, each.concerned, each.period, at, most),
        "days": each.days,
        "flags": [*marks, *flags],
    }
