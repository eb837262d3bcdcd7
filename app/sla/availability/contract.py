"""The downtime of a contract: of its services while it is valid, by the outages that name none or one of its resources.

A contract has terms with dates, services and resources of their own: each counts on its own days. Instants are
microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from app.sla.agreement.availability import AvailabilityRule
from app.sla.availability.covered import ENDLESS, Covered
from app.sla.availability.facts import ServiceFacts
from app.sla.availability.outage import EVERY_RESOURCE
from app.sla.availability.uptime import Downtime, Who, compile_downtime
from app.sla.calendar.zone import Zone
from app.sla.contract import Contract
from app.sla.fields import casefolded
from app.sla.span import Micros, Span

_DAY: Final = timedelta(days=1)


def valid_span(term: Contract, zone: Zone) -> Span:
    """The instants at which a term is valid."""
    start = -ENDLESS if term.valid_from == date.min else _midnight(zone, term.valid_from)
    return Span(start, ENDLESS if term.valid_to is None else _midnight(zone, term.valid_to))


def services_of(rule: AvailabilityRule, term: Contract) -> list[str]:
    """The services of a commitment that a term covers, casefolded."""
    return [casefolded(service) for service in rule.services if term.covers(service)]


def resources_of(term: Contract, named: Collection[str]) -> frozenset[str]:
    """By which resources a term is down: those of its own that facts name, and "" for all others, if it has any.

    What facts do not name is up and down with the whole service, so terms with equal resources of this kind are down at
    the same times.
    """
    own = frozenset(map(casefolded, term.resources))
    found = own.intersection(named)
    return found if found and found == own else found | {EVERY_RESOURCE}


def contract_downtime(
    rule: AvailabilityRule, services: Mapping[str, ServiceFacts], terms: Iterable[Contract], zone: Zone
) -> Downtime:
    """The downtime of a contract by a commitment. `services` are the facts by casefolded name."""
    return joined(rule, [_of_term(rule, services, term, zone) for term in terms])


def joined(rule: AvailabilityRule, parts: Sequence[Downtime]) -> Downtime:
    """The downtime of an object that is down whenever one of its parts is."""
    if len(parts) == 1:
        return parts[0]
    return Downtime(
        rule,
        Covered.of(span for part in parts for span in part.counted.spans),
        Covered.of(span for part in parts for span in part.all.spans),
        Covered.of(span for part in parts for span in part.announced.spans),
        tuple(sorted({at for part in parts for at in part.reports})),
    )


def _of_term(
    rule: AvailabilityRule, services: Mapping[str, ServiceFacts], term: Contract, zone: Zone
) -> Downtime:
    named = [services[name] for name in services_of(rule, term) if name in services]
    who = Who.of(*term.resources)
    return compile_downtime(rule, named, who, within=[valid_span(term, zone)])


def _midnight(zone: Zone, on: date) -> Micros:
    return zone.end_of_day(on - _DAY)
