"""Which outages the facts of a service state, and what is flagged."""

import pytest

from app.sla.event import Event
from app.sla.span import HOUR, Span
from tests.sla.availability.outages import NOVEMBER, announced, ended, excluded, fact, facts, outage, started

T = NOVEMBER.start


def spans(*events: Event) -> list[tuple[int, int | None, str | None]]:
    return [
        ((each.start - T) // HOUR, each.end and (each.end - T) // HOUR, each.cause)
        for each in facts(*events).outages
    ]


def hour(n: float) -> int:
    return T + int(n * HOUR)


def test_a_flag_is_of_the_month_of_its_fact() -> None:
    found = facts(fact("a", "outage.ended", hour(1)), fact("w", "event.withdrawn", hour(30), id="gone"))
    assert found.flags == ("withdrawal_of_unknown:gone", "end_without_start:a")
    assert found.within(Span(hour(0), hour(24))).flags == ("end_without_start:a",)
    assert found.within(Span(hour(24), hour(48))).flags == ("withdrawal_of_unknown:gone",)


def test_without_a_reference_there_is_one_outage_at_a_time_for_each_resource() -> None:
    found = facts(
        started("a", hour(1)),
        started("b", hour(2), resource="Web1"),
        started("c", hour(3), resource="web1"),
        ended("d", hour(4), resource="WEB1 "),
        ended("e", hour(5)),
    )
    assert [(each.named, each.start, each.end) for each in found.outages] == [
        ("", hour(1), hour(5)),
        ("Web1", hour(2), hour(4)),
    ]
    assert (found.flags, found.resources) == (("second_start:c",), {"web1": "Web1"})


def test_a_reference_says_which_outage_a_fact_is_about_whatever_resource_it_names() -> None:
    found = facts(
        started("a", hour(1), reference="r1", resource="web1"),
        started("b", hour(2), reference="r2", resource="web1"),
        ended("c", hour(3), reference="r1"),
        ended("d", hour(4)),
    )
    assert [(each.reference, each.end) for each in found.outages] == [("r1", hour(3)), ("r2", None)]
    assert found.flags == ("end_without_start:d",)


def test_a_reference_can_be_used_again_once_its_outage_is_over() -> None:
    assert spans(*outage("r", hour(1), HOUR), started("again", hour(5), reference="r")) == [
        (1, 2, None),
        (5, None, None),
    ]


def test_an_end_before_its_start_is_flagged_and_changes_nothing() -> None:
    found = facts(started("a", hour(3), reference="r"), ended("b", hour(2), reference="r"))
    assert [each.end for each in found.outages] == [None]
    assert found.flags == ("end_without_start:b",)


@pytest.mark.parametrize("order", [1, -1])
def test_of_one_instant_an_outage_that_begins_can_end(order: int) -> None:
    assert spans(*[started("a", hour(1)), ended("b", hour(1))][::order]) == [(1, 1, None)]


@pytest.mark.parametrize("order", [1, -1])
def test_of_one_instant_an_outage_ends_before_the_next_begins(order: int) -> None:
    assert spans(started("a", hour(1)), *[ended("z", hour(2)), started("b", hour(2))][::order]) == [
        (1, 2, None),
        (2, None, None),
    ]


def test_a_cause_is_what_the_latest_fact_that_states_one_says() -> None:
    first = started("a", hour(1), reference="r", cause="hardware")
    end = ended("b", hour(2), reference="r", cause="network")
    silent = fact("c", "outage.verified", hour(3), reference="r")
    corrected = fact("d", "outage.verified", hour(4), reference="r", cause="isp")
    assert spans(first) == [(1, None, "hardware")]
    assert spans(first, end, silent) == [(1, 2, "network")]
    assert spans(corrected, silent, end, first) == [(1, 2, "isp")]


def test_a_verification_of_no_outage_is_flagged() -> None:
    assert facts(fact("v", "outage.verified", hour(1), cause="isp")).flags == ("verified_without_outage:v",)


def test_a_withdrawn_fact_is_as_if_it_had_never_been() -> None:
    withdrawn = fact("w", "event.withdrawn", hour(9), id="r-end")
    assert spans(*outage("r", hour(1), HOUR), withdrawn) == [(1, None, None)]
    assert spans(*outage("r", hour(1), HOUR), withdrawn, fact("w2", "event.withdrawn", hour(9), id="w")) == [
        (1, 2, None)
    ]
    assert facts(fact("w", "event.withdrawn", hour(9), id="gone")).flags == ("withdrawal_of_unknown:gone",)


def test_a_later_announcement_replaces_the_window_from_its_own_instant_on() -> None:
    found = facts(
        announced("a", hour(0), Span(hour(30), hour(34)), reference="m"),
        announced("b", hour(31), Span(hour(60), hour(62)), reference="m"),
        announced("other", hour(0), Span(hour(30), hour(31))),
    )
    assert [(window.event, window.span, window.notice) for window in found.windows] == [
        ("a", Span(hour(30), hour(31)), 30 * HOUR),
        ("other", Span(hour(30), hour(31)), 30 * HOUR),
        ("b", Span(hour(60), hour(62)), 29 * HOUR),
    ]


def test_a_window_replaced_before_it_began_is_gone() -> None:
    found = facts(
        announced("a", hour(0), Span(hour(30), hour(34)), reference="m"),
        announced("b", hour(1), Span(hour(40), hour(44)), reference="m"),
    )
    assert [window.event for window in found.windows] == ["b"]


def test_a_span_that_cannot_be_read_is_flagged() -> None:
    backwards = excluded("x", hour(1), Span(hour(1), hour(1)))
    assert facts(fact("m", "maintenance.announced", hour(1)), backwards).flags == (
        "unreadable_span:m",
        "unreadable_span:x",
    )
