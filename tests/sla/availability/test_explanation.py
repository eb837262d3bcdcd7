"""Why each span of an outage counts, or does not."""

from random import Random

import pytest

from app.flow.query.reasons import text
from app.sla.agreement.availability import AvailabilityRule
from app.sla.availability.covered import Covered
from app.sla.availability.explanation import explain
from app.sla.availability.facts import read_facts
from app.sla.availability.uptime import ALL, Who, compile_downtime
from app.sla.event import Event
from app.sla.span import DAY, HOUR, MINUTE, Span
from tests.sla.availability.outages import NOTICE, NOVEMBER, announced, excluded, facts, outage, rule
from tests.sla.availability.test_uptime_laws import EVERYONE, PERIOD, history, rule_of

T = NOVEMBER.start + 3 * DAY


def reasons(of: AvailabilityRule, *events: Event, who: Who = ALL) -> list[tuple[int, bool, str]]:
    """The minutes of each span of the outages, whether it counts, and why."""
    found = explain(of, facts(*events), who, [NOVEMBER.span])
    return [
        (each.span.length // MINUTE, each.counted, text(each.reason))
        for outage in found
        for each in outage.spans
    ]


def test_a_span_says_why_it_counts_or_does_not() -> None:
    promised = rule(">= 99.9%", maintenance=NOTICE, excluded_causes=frozenset({"isp"}))
    assert reasons(promised, *outage("r", T, HOUR)) == [(60, True, "cause not stated")]
    assert reasons(promised, *outage("r", T, HOUR, cause="disk")) == [(60, True, "disk")]
    assert reasons(promised, *outage("r", T, HOUR, cause="ISP")) == [
        (60, False, "ISP, which the agreement excludes")
    ]
    window = announced("m", T - DAY, Span(T + 10 * MINUTE, T + 30 * MINUTE))
    assert reasons(promised, window, *outage("r", T, HOUR, cause="upgrade")) == [
        (10, True, "upgrade"),
        (20, False, "maintenance announced in time"),
        (30, True, "upgrade"),
    ]
    late = announced("m", T - HOUR, Span(T, T + HOUR))
    assert reasons(promised, late, *outage("r", T, HOUR)) == [
        (60, True, "maintenance announced 1 h ahead; the agreement asks for 24 h")
    ]
    # What was announced for another resource says nothing about this one.
    other = announced("m", T - HOUR, Span(T, T + HOUR), resource="b")
    of_a = outage("r", T, HOUR, resource="a")
    assert reasons(promised, other, *of_a, who=Who.of("a")) == [(60, True, "cause not stated")]
    assert reasons(rule(), late, *outage("r", T, HOUR)) == [
        (60, True, "announced maintenance, which counts in this agreement")
    ]
    granted = excluded("x", T + DAY, Span(T, T + HOUR), reason="their own power cut")
    assert reasons(promised, granted, *outage("r", T, HOUR)) == [
        (60, False, "excluded by lead: their own power cut")
    ]


def test_an_outage_of_a_resource_is_not_of_another() -> None:
    down = outage("r", T, HOUR, resource="a")
    assert len(reasons(rule(), *down, who=Who.of("a"))) == 1
    assert reasons(rule(), *down, who=Who.of("b")) == []


@pytest.mark.parametrize("seed", range(4))
def test_what_counts_in_the_explanation_is_the_downtime(seed: int) -> None:
    chance = Random(seed)
    for _ in range(60):
        read, promised, who = read_facts("web", history(chance)), rule_of(chance), chance.choice(EVERYONE)
        at = chance.randint(PERIOD.start, PERIOD.end)
        until = Span(PERIOD.start, at)
        explained = list(explain(promised, read, who, [until]))
        counted = Covered.of(each.span for one in explained for each in one.spans if each.counted)
        everything = Covered.of(each.span for one in explained for each in one.spans)
        found = compile_downtime(promised, [read], who).uptime(PERIOD, at)
        assert counted.spans == Covered.of(found.counted).spans
        assert everything.sums[-1] == found.downtime + found.excluded
