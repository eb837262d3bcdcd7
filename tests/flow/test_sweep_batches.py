"""Batches of the sweep are large while nothing else is written, and small while events are pushed."""

from datetime import timedelta
from itertools import count

import pytest

from app.flow.process.sweep import Batches
from app.settings import Settings
from app.sla.subject import Subject, SubjectKey

SETTINGS = Settings(
    sweep_batch_size=200,
    sweep_batch_time=timedelta(seconds=1),
    sweep_busy_batch_size=10,
    sweep_busy_batch_time=timedelta.resolution,
    sweep_busy_transaction_size=50,
    sweep_busy_batches=3,
    sweep_contracts_batch_size=100,
)


def due(kind: str, count: int) -> list[SubjectKey]:
    return [("haisoft", Subject.parse(f"{kind}{number}")) for number in range(count)]


def sizes(*pushed: bool) -> list[tuple[int, int]]:
    """The tickets and contracts of successive transactions of the sweep, beside some of which an event is pushed."""
    batches, found = Batches(SETTINGS, clock=count(0.0, 0.001).__next__), list[tuple[int, int]]()
    for has_push in pushed:
        batches.begin()
        found.append((batches.tickets, batches.contracts))
        batches.evaluate(due("", batches.tickets))
        batches.evaluated()
        batches.committed()
        if has_push:
            batches.committed()
    return found


def test_batches_are_large_while_nothing_is_pushed() -> None:
    assert sizes(False, False) == [(200, 100)] * 2


def test_after_a_push_some_batches_stay_small_and_then_each_is_twice_the_last() -> None:
    small = [(10, 5)] * 4
    assert sizes(True, *[False] * 9) == [
        (200, 100),
        *small,
        (20, 10),
        (40, 20),
        (80, 40),
        (160, 80),
        (200, 100),
    ]


def test_each_push_keeps_the_batches_small_anew() -> None:
    assert sizes(True, False, False, True, *[False] * 4)[1:] == [(10, 5)] * 7


@pytest.mark.parametrize(
    ("kind", "seconds_each", "expected"),
    [
        # 200 tickets take a second at 5 ms each, 100 contracts at 10 ms each.
        ("", 0.005, [200, 200, 200]),
        ("", 0.01, [200, 100, 100]),
        ("", 0.05, [200, 20, 20]),
        ("", 3.0, [200, 1, 1]),
        ("contract:", 0.02, [200, 100, 100]),
    ],
)
def test_a_batch_takes_no_longer_than_its_time(kind: str, seconds_each: float, expected: list[int]) -> None:
    now = 0.0
    batches, found = Batches(SETTINGS, clock=lambda: now), list[int]()
    for _ in expected:
        batches.begin()
        found.append(batches.tickets)
        many = batches.contracts if kind else batches.tickets
        batches.evaluate(due(kind, many))
        now += many * seconds_each
        batches.evaluated()
        batches.committed()
    assert found == expected


def test_batches_grow_again_by_twice_when_they_become_quick() -> None:
    now = 0.0
    batches, found = Batches(SETTINGS, clock=lambda: now), list[int]()
    for seconds in (10.0, 0.0, 0.0, 0.0, 0.0, 0.0):
        batches.begin()
        found.append(batches.tickets)
        batches.evaluate(due("", batches.tickets))
        now += seconds
        batches.evaluated()
        batches.committed()
    assert found == [200, 20, 40, 80, 160, 200]


def test_a_commit_that_takes_long_makes_no_batch_smaller() -> None:
    now = 0.0
    batches, found = Batches(SETTINGS, clock=lambda: now), list[int]()
    for _ in range(3):
        batches.begin()
        found.append(batches.tickets)
        batches.evaluate(due("", batches.tickets))
        batches.evaluated()
        now += 100.0
        batches.committed()
    assert found == [200, 200, 200]


@pytest.mark.parametrize(
    ("seconds_each", "expected"),
    [
        (0.0, [200, 20, 40, 80, 160, 200]),
        (0.001, [200, 20, 40, 50, 50, 50]),
        (0.0025, [200, 20, 20, 20, 20, 20]),
        # Fewer than ten would be within the time.
        (0.01, [200, 10, 10, 10, 10, 10]),
        # Ten take longer than any transaction may.
        (1.0, [200, 1, 1, 1, 1, 1]),
    ],
)
def test_beside_pushes_a_batch_is_what_its_time_allows(seconds_each: float, expected: list[int]) -> None:
    now = 0.0
    settings = SETTINGS.model_copy(update={"sweep_busy_batch_time": timedelta(milliseconds=50)})
    batches, found = Batches(settings, clock=lambda: now), list[int]()
    for _ in expected:
        batches.begin()
        found.append(batches.tickets)
        batches.evaluate(due("", batches.tickets))
        now += batches.tickets * seconds_each
        batches.evaluated()
        batches.committed()
        batches.committed()
    assert found == expected


@pytest.mark.parametrize(
    ("seconds_each", "expected"),
    [
        (0.0, 5),
        # A second is over after the third.
        (0.04, 3),
    ],
)
def test_a_transaction_has_small_batches_up_to_its_size_or_its_time(
    seconds_each: float, expected: int
) -> None:
    now = 0.0
    batches = Batches(SETTINGS, clock=lambda: now)
    batches.committed()  # a push
    batches.begin()
    found = 0
    while batches.has_room:
        assert batches.tickets == 10
        batches.evaluate(due("", 10))
        now += 10 * seconds_each
        batches.evaluated()
        found += 1
    assert found == expected


def test_a_whole_batch_is_a_transaction() -> None:
    batches = Batches(SETTINGS, clock=lambda: 0.0)
    batches.begin()
    batches.evaluate(due("", batches.tickets))
    batches.evaluated()
    assert not batches.has_room


def test_the_batches_of_a_transaction_are_no_pushes() -> None:
    batches = Batches(SETTINGS, clock=count(0.0, 0.001).__next__)
    batches.begin()
    for _ in range(3):
        batches.evaluate(due("", 10))
        batches.evaluated()
    for _ in range(3):
        batches.committed()
    batches.begin()
    assert batches.tickets == 200


def test_a_push_after_a_transaction_that_was_rolled_back_is_a_push() -> None:
    batches = Batches(SETTINGS, clock=count(0.0, 0.001).__next__)
    batches.begin()
    batches.evaluate(due("", 10))
    batches.begin()
    batches.committed()
    batches.begin()
    assert batches.tickets == 10
