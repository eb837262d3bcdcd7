"""Laws of contracts: random services, resources and terms, against a walk through every hour, up to the credit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.availability.contract import contract_downtime, resources_of
from app.sla.availability.facts import read_facts
from app.sla.availability.uptime import Who, compile_downtime
from app.sla.calendar.zone import Zone
from app.sla.contract import Contract, Fee, FeePer
from app.sla.credit.cause import BrokenUptime
from app.sla.credit.line import Line
from app.sla.credit.lines import ContractCredits
from app.sla.credit.statement import Statement
from app.sla.event import Event
from app.sla.period import Months
from app.sla.span import HOUR, instant
from tests.sla.availability.outages import fact, rule
from tests.sla.credits import LATER, agreement
from tests.sla.test_credit_amounts import HVN

UTC = Zone("UTC")
NOVEMBER = Months(UTC).named("2026-11")
FIRST = date(2026, 11, 1)
HOURS = 720
SERVICES = ("Web", "mail")
RESOURCES = ("", "a", "B")
RULE = replace(rule(), services=SERVICES)
BANDS = agreement(HVN)
Down = tuple[str, str, int, int]
"""Service, resource, first hour and length in hours."""
OUTAGES = st.lists(
    st.tuples(
        st.sampled_from(SERVICES), st.sampled_from(RESOURCES), st.integers(0, HOURS - 1), st.integers(1, 200)
    ),
    max_size=6,
)
TERMS = st.builds(
    lambda days, own: [
        Contract(
            "C-1",
            "Acme",
            FIRST + timedelta(days=since),
            valid_to=FIRST + timedelta(days=until),
            services=services,
            resources=resources,
            fee=Fee(Decimal(100), FeePer.MONTH, 1),
        )
        for (since, until), (services, resources) in zip(pairwise(days), own, strict=False)
    ],
    st.lists(st.integers(0, 30), min_size=2, max_size=4, unique=True).map(sorted),
    st.lists(
        st.tuples(
            st.sampled_from([None, ("web",), ("MAIL",), ("Web", "mail")]),
            st.sampled_from([(), ("a",), ("A", "b")]),
        ),
        min_size=3,
        max_size=3,
    ),
)


def hours_of(outages: Sequence[Down], terms: Sequence[Contract]) -> set[int]:
    """The hours of November in which a contract is down, one by one."""
    found: set[int] = set()
    for (service, resource, since, length), term in product(outages, terms):
        own = resource == "" or resource.lower() in {each.lower() for each in term.resources}
        if own and term.covers(service):
            hours = range(since, min(since + length, HOURS))
            found |= {hour for hour in hours if term.is_valid_on(FIRST + timedelta(hours=hour))}
    return found


def downtime(outages: Sequence[Down], terms: Sequence[Contract]) -> int:
    """Its downtime in hours, by the service."""
    facts = {}
    for name in SERVICES:
        events: list[Event] = []
        for n, (service, resource, since, length) in enumerate(outages):
            if service == name:
                start, end = NOVEMBER.start + since * HOUR, NOVEMBER.start + (since + length) * HOUR
                about = {"resource": resource, "reference": str(n)}
                events += [fact(f"s{n}", "outage.started", start, **about)]
                events += [fact(f"e{n}", "outage.ended", end, **about)]
        facts[name.lower()] = read_facts(name, events)
    found = contract_downtime(RULE, facts, terms, UTC).uptime(NOVEMBER, NOVEMBER.end)
    assert found.downtime + found.remaining >= found.allowance
    return found.downtime // HOUR


def credits_of(hours: int, terms: Sequence[Contract]) -> list[Line]:
    cause = BrokenUptime("uptime", NOVEMBER, HOURS * HOUR, hours * HOUR, NOVEMBER.end - 1, (hours * HOUR,))
    return ContractCredits("acme", "C-1", tuple(terms)).lines([(BANDS, cause)], LATER)


@settings(max_examples=60)
@given(OUTAGES, TERMS)
def test_a_contract_is_down_in_the_hours_of_its_services_resources_and_terms(
    outages: list[Down], terms: list[Contract]
) -> None:
    whole = downtime(outages, terms)
    assert whole == len(hours_of(outages, terms))
    parts = [downtime([each], terms) for each in outages]
    assert max(parts, default=0) <= whole <= sum(parts)
    assert whole == sum(downtime(outages, [term]) for term in terms)


@settings(max_examples=40)
@given(OUTAGES, OUTAGES, TERMS)
def test_more_outages_never_credit_less_and_never_more_than_the_fee(
    outages: list[Down], further: list[Down], terms: list[Contract]
) -> None:
    (less,), (more,) = (credits_of(downtime(each, terms), terms) for each in (outages, [*outages, *further]))
    assert less.amount is not None
    assert more.amount is not None
    assert 0 <= less.amount <= more.amount <= 100
    (total,) = Statement.of([less]).totals
    assert (total.credits, total.due + total.open) == (less.amount, less.amount)


@settings(max_examples=60)
@given(OUTAGES, OUTAGES, st.sets(st.sampled_from("abxy")))
def test_resources_that_no_fact_names_are_down_as_one_even_where_another_is_excluded(
    outages: Sequence[Down], excluded: Sequence[Down], own: set[str]
) -> None:
    events = [
        event
        for n, (_, resource, since, length) in enumerate(outages)
        for event in (
            fact(f"s{n}", "outage.started", since * HOUR, reference=str(n), resource=resource or None),
            fact(f"e{n}", "outage.ended", (since + length) * HOUR, reference=str(n)),
        )
    ]
    for n, (_, resource, since, length) in enumerate(excluded):
        span = {"from": instant(since * HOUR).isoformat(), "to": instant((since + length) * HOUR).isoformat()}
        events.append(fact(f"x{n}", "exclusion.granted", since * HOUR, resource=resource or None, **span))
    facts = read_facts("web", events)
    term = Contract("C-1", "Acme", FIRST, resources=tuple(own))
    (whole, brief) = (
        compile_downtime(RULE, [facts], Who.of(*resources))
        for resources in (term.resources, resources_of(term, facts.resources))
    )
    assert (whole.counted, whole.all) == (brief.counted, brief.all)
