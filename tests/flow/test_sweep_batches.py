"""Batches of the sweep are large while nothing else is written, and small while events are pushed."""

from app.flow.process.sweep import Batches
from app.settings import Settings

SETTINGS = Settings(
    sweep_batch_size=200, sweep_busy_batch_size=10, sweep_busy_batches=3, sweep_contracts_batch_size=100
)


def sizes(*pushed: bool) -> list[tuple[int, int]]:
    """The tickets and contracts of successive transactions of the sweep, beside some of which an event is pushed."""
    batches, found = Batches(SETTINGS), list[tuple[int, int]]()
    for has_push in pushed:
        batches.begin()
        found.append((batches.tickets, batches.contracts))
        batches.evaluate()
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
