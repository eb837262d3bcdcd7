"""Uptime, allowance, breach and warnings of a month: the numbers that the desks' texts promise."""

from fractions import Fraction

import pytest

from app.sla.availability.uptime import UptimeState, Who, compile_downtime, percent_text, uptime
from app.sla.calendar.zone import Zone
from app.sla.period import Months, Period
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Span
from tests.sla.availability.outages import (
    NOTICE,
    NOVEMBER,
    announced,
    excluded,
    fact,
    facts,
    judged,
    outage,
    rule,
    started,
)

T = NOVEMBER.start + 3 * DAY
AT_LEAST, MORE_THAN = rule(">= 99.9%"), rule("> 99.95%")


def test_exactly_the_target_is_kept_where_at_least_it_is_promised() -> None:
    allowed = 43 * MINUTE + 12 * SECOND
    kept = judged(AT_LEAST, *outage("r", T, allowed))
    broken = judged(AT_LEAST, *outage("r", T, allowed + 1))
    assert (kept.state, kept.text, kept.breached_at, kept.allowance) == (
        UptimeState.KEPT,
        "99.9000",
        None,
        allowed,
    )
    assert (broken.state, broken.text) == (UptimeState.BREACHED, "99.8999")
    assert (broken.breached_at, broken.remaining) == (T + allowed + 1, 0)


def test_exactly_the_target_is_a_breach_where_more_is_promised() -> None:
    allowed = 21 * MINUTE + 36 * SECOND
    broken = judged(MORE_THAN, *outage("r", T, allowed))
    kept = judged(MORE_THAN, *outage("r", T, allowed - 1))
    assert (broken.state, broken.text, broken.breached_at) == (UptimeState.BREACHED, "99.9500", T + allowed)
    assert (kept.state, kept.text, kept.remaining) == (UptimeState.KEPT, "99.9500", 1)


@pytest.mark.parametrize(
    ("minutes", "text"), [(59, "99.8634"), (60, "99.8611"), (119, "99.7245"), (15 * 60, "97.9166")]
)
def test_uptime_is_written_with_four_decimals_rounded_down(minutes: int, text: str) -> None:
    assert judged(MORE_THAN, *outage("r", T, minutes * MINUTE)).text == text


def test_the_example_of_two_hours_in_180_days() -> None:
    """HVN: "(4318/4320) x 100 = 99,95%"."""
    half_a_year = Period(Span(T, T + 180 * DAY), "")
    found = judged(rule(">= 99.9%"), *outage("r", T + DAY, 2 * HOUR), period=half_a_year)
    assert (found.share, found.text) == (Fraction(4318, 4320), "99.9537")


@pytest.mark.parametrize(
    ("month", "allowance"),
    [
        ("2026-02", 40 * MINUTE + 19 * SECOND + 200_000),
        ("2026-11", 43 * MINUTE + 12 * SECOND),
        ("2026-01", 44 * MINUTE + 38 * SECOND + 400_000),
        ("2026-03", 44 * MINUTE + 34 * SECOND + 800_000),
        ("2026-10", 44 * MINUTE + 42 * SECOND),
    ],
)
def test_the_allowance_is_a_share_of_the_months_own_length(month: str, allowance: int) -> None:
    period = Months(Zone("Europe/Rome")).named(month)
    assert judged(AT_LEAST, period=period).allowance == allowance


def test_a_month_without_facts_is_whole_and_marked() -> None:
    found = judged(AT_LEAST)
    assert (found.text, found.state, found.nothing_reported) == ("100.0000", UptimeState.KEPT, True)
    assert not judged(AT_LEAST, fact("v", "outage.verified", T)).nothing_reported


def test_overlapping_outages_count_once() -> None:
    found = judged(AT_LEAST, *outage("a", T, 40 * MINUTE), *outage("b", T + 20 * MINUTE, 40 * MINUTE))
    assert (found.downtime, found.counted) == (HOUR, (Span(T, T + HOUR),))


def test_an_open_outage_counts_up_to_the_instant_and_has_its_breach_ahead() -> None:
    watched = rule(">= 99.9%", warn_at=(50, 80))
    allowed = 43 * MINUTE + 12 * SECOND
    half, most = T + allowed // 2, T + allowed * 4 // 5
    now = judged(watched, started("a", T), at=T + MINUTE)
    assert (now.downtime, now.state, now.warnings, now.next_at) == (MINUTE, UptimeState.RUNNING, (), half)
    later = judged(watched, started("a", T), at=half)
    assert (later.warnings, later.next_at) == (((50, half),), most)
    last = judged(watched, started("a", T), at=T + allowed)
    assert (last.state, last.next_at, last.remaining) == (UptimeState.RUNNING, T + allowed + 1, 0)
    broken = judged(watched, started("a", T), at=T + allowed + 1)
    assert (broken.state, broken.next_at) == (UptimeState.BREACHED, NOVEMBER.end)
    assert judged(watched, started("a", T)).next_at is None


def test_nothing_may_be_down_where_the_whole_is_promised() -> None:
    whole = rule(">= 100%", warn_at=(50,))
    assert judged(whole).state is UptimeState.KEPT
    assert judged(whole, started("a", T), at=T).next_at == T + 1
    assert judged(whole, *outage("r", T, 1)).breached_at == T + 1


def test_a_cause_that_the_agreement_lists_does_not_count() -> None:
    listing = rule(">= 99.9%", excluded_causes=frozenset({"force_majeure"}))
    found = judged(listing, *outage("r", T, HOUR, cause=" Force_Majeure"), *outage("s", T, MINUTE))
    assert (found.downtime, found.excluded) == (MINUTE, 59 * MINUTE)


MAINTAINED = rule(">= 99.9%", maintenance=NOTICE)


@pytest.mark.parametrize(
    ("notice", "emergency", "counts"),
    [
        (24 * HOUR, False, False),
        (24 * HOUR - 1, False, True),
        (23 * HOUR + 59 * MINUTE + 59 * SECOND, False, True),
        (HOUR, True, False),
        (HOUR - 1, True, True),
        (HOUR, False, True),
        (-MINUTE, True, True),
    ],
)
def test_maintenance_does_not_count_when_it_was_announced_in_time(
    notice: int, emergency: bool, counts: bool
) -> None:
    window = announced("m", T - notice, Span(T, T + HOUR), emergency=emergency)
    found = judged(MAINTAINED, window, *outage("r", T, HOUR))
    assert (found.downtime, found.excluded) == ((HOUR, 0) if counts else (0, HOUR))


def test_only_the_announced_window_is_exempt() -> None:
    window = announced("m", T - DAY, Span(T, T + HOUR))
    found = judged(MAINTAINED, window, *outage("r", T - MINUTE, HOUR + 11 * MINUTE))
    assert found.counted == (Span(T - MINUTE, T), Span(T + HOUR, T + HOUR + 10 * MINUTE))


def test_announced_maintenance_counts_where_the_agreement_does_not_exempt_it() -> None:
    assert (
        judged(AT_LEAST, announced("m", T - DAY, Span(T, T + HOUR)), *outage("r", T, HOUR)).downtime == HOUR
    )


def test_a_replaced_window_has_its_own_notice() -> None:
    first = announced("m", T - 3 * DAY, Span(T, T + HOUR), reference="m")
    late = announced("n", T - HOUR, Span(T, T + 2 * HOUR), reference="m")
    early = announced("n", T - DAY, Span(T, T + 2 * HOUR), reference="m")
    down = outage("r", T, 2 * HOUR)
    assert judged(MAINTAINED, first, *down).downtime == HOUR
    assert judged(MAINTAINED, first, late, *down).downtime == 2 * HOUR
    assert judged(MAINTAINED, first, early, *down).downtime == 0


def test_an_exclusion_by_a_person_is_for_its_commitments_and_resource() -> None:
    span = Span(T, T + HOUR)
    down = outage("r", T, HOUR, resource="web1")

    def downtime(**data: object) -> int:
        return judged(AT_LEAST, excluded("x", T + DAY, span, **data), *down).downtime

    assert (downtime(), downtime(commitments=["uptime"]), downtime(resource="WEB1")) == (0, 0, 0)
    assert (downtime(commitments=["other"]), downtime(resource="web2")) == (HOUR, HOUR)


def test_who_is_down() -> None:
    """An outage without a resource concerns every one, one with it that resource, and the service all of them."""
    events = [
        *outage("all", T, HOUR),
        *outage("one", T + DAY, 10 * MINUTE, resource="web1"),
        *outage("two", T + 2 * DAY, 20 * MINUTE, resource="web2"),
    ]

    def downtime(who: Who) -> int:
        return judged(AT_LEAST, *events, who=who).downtime // MINUTE

    assert (downtime(Who()), downtime(Who.of("Web1")), downtime(Who.of("web2"))) == (90, 70, 80)
    assert (downtime(Who.of("web1", "web2")), downtime(Who.of("elsewhere")), downtime(Who.of())) == (
        90,
        60,
        60,
    )


def test_a_window_of_one_resource_excuses_that_resource_alone() -> None:
    window = announced("m", T - DAY, Span(T, T + HOUR), resource="web1")
    down = outage("r", T, HOUR)
    assert judged(MAINTAINED, window, *down).downtime == HOUR
    assert judged(MAINTAINED, window, *down, who=Who.of("web1")).downtime == 0
    assert judged(MAINTAINED, window, *down, who=Who.of("web1", "web2")).downtime == HOUR


def test_a_contract_is_down_while_one_of_its_services_is_and_while_it_is_valid() -> None:
    web, mail = facts(*outage("a", T, HOUR)), facts(*outage("b", T + 30 * MINUTE, HOUR))
    found = uptime(AT_LEAST, [web, mail], Who.of(), NOVEMBER, NOVEMBER.end)
    assert found.downtime == 90 * MINUTE
    valid = [Span(NOVEMBER.start, T + 45 * MINUTE)]
    assert (
        uptime(AT_LEAST, [web, mail], Who.of(), NOVEMBER, NOVEMBER.end, within=valid).downtime == 45 * MINUTE
    )


def test_an_outage_over_the_turn_of_the_month_counts_in_both() -> None:
    down = compile_downtime(AT_LEAST, [facts(*outage("r", NOVEMBER.end - HOUR, 3 * HOUR))])
    december = Months(Zone("UTC")).after(NOVEMBER)
    found = [down.uptime(period, december.end).downtime // HOUR for period in (NOVEMBER, december)]
    assert found == [1, 2]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(1), "100.0000"),
        (Fraction(9_989_999, 10_000_000), "99.8999"),
        (Fraction(0), "0.0000"),
        (Fraction(1, 20), "5.0000"),
        (Fraction(999_999_999, 1_000_000_000), "99.9999"),
    ],
)
def test_a_share_reads_as_less_rather_than_as_more(share: Fraction, text: str) -> None:
    assert percent_text(share) == text
