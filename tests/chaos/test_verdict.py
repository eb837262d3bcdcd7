"""The comparison passes a correct record and names each kind of error."""

from dataclasses import replace
from random import Random

import pytest

from tests.chaos.breach import Breach, Clock
from tests.chaos.credits import RecordedCredit, broken_chains, missing_credits, owed, past_life
from tests.chaos.fault import Outage
from tests.chaos.life import SECOND, Happening, life, written
from tests.chaos.outages import outage_life, uptime_breaches
from tests.chaos.reference import BREACHED, MISSED, Reference, breaches
from tests.chaos.verdict import Findings, RecordedSignal, compare

T0 = 1_000_000 * SECOND


def happened(number: int, type_: str, after: float, **data: str) -> Happening:
    return Happening(f"T-{number}", type_, "T", T0 + round(after * SECOND), dict(data))


def late(*log: Happening) -> dict[str, float]:
    """When which commitment of the ticket is late, in seconds after its creation."""
    return {breach.clock.commitment: (breach.at - T0) / SECOND for breach in breaches("T", log)}


CREATED = happened(0, "ticket.created", 0)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ((), {"answer": 1, "reading": 2, "repair": 3}),
        ((happened(1, "agent.replied", 1),), {"reading": 2, "repair": 3}),
        ((happened(1, "agent.replied", 1.1), happened(2, "request.read", 0.5)), {"answer": 1, "repair": 3}),
        ((happened(1, "status.changed", 1.5, status="closed"),), {"answer": 1}),
        (
            (
                happened(1, "status.changed", 0.5, status="pending"),
                happened(2, "status.changed", 1.5, status="open"),
            ),
            {"answer": 2, "reading": 2, "repair": 4},
        ),
        ((happened(1, "status.changed", 0.5, status="pending"),), {"reading": 2}),
        (
            (happened(1, "customer.replied", 0.5), happened(2, "agent.replied", 0.8)),
            {"reading": 2, "repair": 3},
        ),
        (
            (happened(1, "customer.replied", 0.5), happened(2, "customer.replied", 1.2)),
            {"answer": 1, "reading": 2, "repair": 3, "reply": 1.5},
        ),
    ],
)
def test_the_reference_counts_by_hand(log: tuple[Happening, ...], expected: dict[str, float]) -> None:
    assert late(CREATED, *log) == expected


LINE = "service:line-1"


def fact(number: int, type_: str, after: float, **data: str) -> Happening:
    return Happening(f"F-{number}", type_, LINE, NOVEMBER + round(after * SECOND), dict(data))


def broken(*log: Happening) -> dict[str, float]:
    """When the uptime of which resource is broken, in seconds after the beginning of November."""
    return {each.clock.resource: (each.at - NOVEMBER) / SECOND for each in uptime_breaches(LINE, log)}


NOVEMBER = 1_793_491_200 * SECOND
"""Its 30 days may be down for 2.592 s."""
DOWN = fact(0, "outage.started", 10, reference="O", resource="host")
SPAN = {"from": written(NOVEMBER + 12 * SECOND), "to": written(NOVEMBER + 13 * SECOND)}


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ((), {"": 12.592, "host": 12.592}),
        ((fact(1, "outage.ended", 12.591999, reference="O"),), {}),
        ((fact(1, "outage.ended", 12.592, reference="O"),), {"": 12.592, "host": 12.592}),
        ((fact(1, "outage.verified", 20, reference="O", cause="provider"),), {}),
        (
            (
                fact(1, "outage.verified", 20, reference="O", cause="provider"),
                fact(2, "outage.verified", 21, reference="O", cause="hardware"),
            ),
            {"": 12.592, "host": 12.592},
        ),
        ((fact(1, "event.withdrawn", 20, id="F-0"),), {}),
        ((fact(1, "maintenance.announced", 11, **SPAN),), {"": 13.592, "host": 13.592}),
        ((fact(1, "maintenance.announced", 11.000001, **SPAN),), {"": 12.592, "host": 12.592}),
        ((fact(1, "exclusion.granted", 20, **SPAN),), {"": 13.592, "host": 13.592}),
        ((fact(1, "outage.started", 11, reference="P"),), {"": 12.592, "host": 12.592}),
        (
            (
                fact(1, "outage.ended", 11, reference="O"),
                fact(2, "outage.started", 11, reference="P", resource="other"),
            ),
            {"": 12.592, "other": 13.592},
        ),
    ],
)
def test_the_reference_of_uptimes_counts_by_hand(
    log: tuple[Happening, ...], expected: dict[str, float]
) -> None:
    assert broken(DOWN, *log) == expected


def test_a_withdrawn_fact_names_its_resource_no_more_and_a_breach_is_known_by_the_next_one() -> None:
    reference, whole = Reference(), fact(0, "outage.started", 10, reference="O")
    started = fact(1, "outage.started", 20, reference="P", resource="Host")
    withdrawn = fact(2, "event.withdrawn", 21, id=started.id)
    ended = fact(3, "outage.ended", 22, reference="P", resource="Host")
    for each in (whole, started, withdrawn, ended):
        reference.add(each, each.at)
    (breach,) = (each for each in reference.expected().values() if each.clock.resource == "host")
    assert (breach.at, reference.known_at(breach)) == (NOVEMBER + round(12.592 * SECOND), ended.at)


def test_an_outage_over_the_end_of_a_month_breaks_each_month_by_its_own_length() -> None:
    over = (fact(0, "outage.started", -5, reference="O"), fact(1, "outage.ended", 5, reference="O"))
    found = [(each.at - NOVEMBER) / SECOND for each in uptime_breaches(LINE, over)]
    assert found == [-5 + 2.6784, 2.592]


OCTOBER = NOVEMBER - 31 * 86_400 * SECOND


def outage_of(number: int, start: int, seconds: float) -> list[Happening]:
    """An outage of October, from so many seconds after its beginning on."""
    return [
        replace(fact(number, type_, 0, reference=f"P{number}"), id=f"{number}-{type_}", at=OCTOBER + micros)
        for type_, micros in (
            ("outage.started", start * SECOND),
            ("outage.ended", round((start + seconds) * SECOND)),
        )
    ]


@pytest.mark.parametrize(
    ("log", "amount"),
    [
        ([], "0.00"),
        (outage_of(1, 100, 2678.4), "0.00"),
        (outage_of(1, 100, 2678.400001), "25.00"),
        (outage_of(1, 100, 26_784), "25.00"),
        (outage_of(1, 100, 26_784.000001), "50.00"),
        (outage_of(1, 100, 133_920), "50.00"),
        (outage_of(1, 100, 133_920.000001), "100.00"),
        ([*outage_of(1, 100, 2000), *outage_of(2, 200, 2000)], "0.00"),
        ([*outage_of(1, 100, 2000), *outage_of(2, 5000, 2000)], "25.00"),
        ([*outage_of(1, 100, 9000), fact(3, "event.withdrawn", 0, id="1-outage.started")], "0.00"),
    ],
)
def test_the_reference_of_credits_counts_by_hand(log: list[Happening], amount: str) -> None:
    assert owed(log) == amount


def credit(kind: str, old: str | None, new: str | None) -> RecordedCredit:
    return RecordedCredit("contract:C-1", f"credit.{kind}", old, new)


def test_credits_continue_from_the_one_before_and_end_with_what_is_owed() -> None:
    chain = [
        credit("owed", None, "25.00"),
        credit("changed", "25.00", "50.00"),
        credit("withdrawn", "50.00", None),
        credit("owed", None, "25.00"),
    ]
    assert broken_chains(chain) == set()
    assert missing_credits({"contract:C-1": "25.00"}, chain) == set()
    assert len(missing_credits({"contract:C-1": "50.00"}, chain)) == 1
    assert len(missing_credits({"contract:C-1": "25.00"}, chain[:3])) == 1
    assert missing_credits({"contract:C-1": "0.00", "contract:C-2": "0.00"}, chain[:3]) == set()
    assert len(broken_chains([*chain, chain[-1]])) == 1
    assert len(broken_chains([chain[0], chain[2]])) == 1


def test_lives_of_outages_of_the_month_before_are_owed_every_share() -> None:
    lives = [
        [each for _, each in past_life(Random(seed), seed, NOVEMBER + 60 * SECOND)] for seed in range(100)
    ]
    outages = [each for lived in lives for each in lived if each.type != "event.withdrawn"]
    assert all(OCTOBER <= each.at < NOVEMBER for each in outages)
    assert {owed(lived) for lived in lives} == {"0.00", "25.00", "50.00"}
    assert owed(outages) == "100.00"


def test_lives_of_outages_break_and_keep_uptimes() -> None:
    lives = [[each for _, each in outage_life(Random(seed), seed, NOVEMBER)] for seed in range(100)]
    assert {each.type for lived in lives for each in lived} == {
        "outage.started",
        "outage.ended",
        "outage.verified",
        "maintenance.announced",
        "exclusion.granted",
        "event.withdrawn",
    }
    broke = [bool(list(uptime_breaches(lived[0].ticket, lived))) for lived in lives]
    assert any(broke)
    assert not all(broke)


def test_lives_of_every_sort_are_lived() -> None:
    lives = [life(Random(seed), "T", T0) for seed in range(300)]
    assert all(len({happening.at for _, happening in lived}) == len(lived) for lived in lives)
    types = {happening.type for lived in lives for _, happening in lived}
    assert types >= {"agent.replied", "customer.replied", "request.read", "service.restored"}
    late_at_all = [bool(late(*(happening for _, happening in lived))) for lived in lives]
    assert any(late_at_all)
    assert not all(late_at_all)


@pytest.fixture
def reference() -> Reference:
    """Three breaches, known from the beginning."""
    made = Reference()
    made.add(CREATED, T0 + SECOND // 2)
    return made


def record(reference: Reference) -> list[RecordedSignal]:
    """The signals of a correct service."""
    return [recorded(seq, breach) for seq, breach in enumerate(reference.expected().values(), 1)]


def recorded(seq: int, breach: Breach) -> RecordedSignal:
    return RecordedSignal(
        seq, f"sig_{seq}", breach.clock, breach.kind, breach.at, breach.at, breach.at + 2_000, False
    )


def found(reference: Reference, rows: list[RecordedSignal], *outages: Outage) -> set[str]:
    findings, _ = compare(reference, {"T-0"}, rows, outages)
    return {kind for kind, names in findings.kinds().items() if names}


def test_a_record_that_is_right_has_no_findings(reference: Reference) -> None:
    assert [row.kind for row in record(reference)] == [BREACHED, MISSED, BREACHED]
    assert found(reference, record(reference)) == set()
    assert not Findings()


def test_each_kind_of_wrong_is_named(reference: Reference) -> None:
    right = record(reference)
    first = right[0]
    assert found(reference, right[:2]) == {"unrecorded"}
    assert found(reference, [replace(first, at=first.at + 1), *right[1:]]) == {"unrecorded"}
    assert found(reference, [replace(first, gone=True), *right[1:]]) == {"unrecorded"}
    assert found(reference, [*right, replace(first, seq=4)]) == {"doubled"}
    assert found(reference, [*right, replace(first, seq=4, clock=Clock("T", "reply", T0))]) == {"invented"}
    assert found(reference, [*right[:2], replace(right[2], seq=4)]) == {"doubled"}
    assert found(reference, [replace(first, detected_at=first.at - 1), *right[1:]]) == {"early"}
    assert found(reference, [replace(first, detected_at=first.at + SECOND + 1), *right[1:]]) == {"late"}
    assert compare(reference, set(), right, ())[0].lost == {"T-0"}


def test_an_outage_excuses_what_fell_into_it_and_a_second_more(reference: Reference) -> None:
    right = record(reference)
    first = right[0]
    outage = Outage("a fault", "of something", first.at - SECOND, first.at + 2 * SECOND)
    for excess, kinds in ((0, set[str]()), (1, {"late"})):
        rows = [replace(first, detected_at=outage.ended_at + SECOND + excess), *right[1:]]
        assert found(reference, rows, outage) == kinds
    over = replace(outage, began_at=first.at - 9 * SECOND, ended_at=first.at - 2 * SECOND)
    assert found(reference, [replace(first, detected_at=first.at + SECOND + 1), *right[1:]], over) == {"late"}
