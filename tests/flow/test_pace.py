"""Batches of the sweep are large while nothing else is written, and short while events are received."""

import pytest

from app.flow.process.pace import CALM, LEAST, Pace


@pytest.mark.parametrize(
    ("count", "seconds", "others", "size"),
    [
        (200, 0.100, 0, 200),
        (200, 0.100, 1, 50),
        (50, 0.010, 3, 125),
        (50, 0.001, 1, 200),
        (200, 10.0, 1, LEAST),
        (0, 0.001, 1, 200),
        (200, 0.0, 1, 200),
    ],
)
def test_the_next_batch_takes_the_time_aimed_at(count: int, seconds: float, others: int, size: int) -> None:
    pace = Pace(200, 0.025)
    pace.batch_ended(1.0, count, seconds, others=others)
    assert pace.size == size


def test_batches_are_large_again_some_time_after_the_last_event() -> None:
    pace = Pace(200, 0.025)
    pace.batch_ended(1.0, 200, 0.1, others=1)
    pace.batch_ended(1.1, 50, 0.05, others=0)
    assert pace.size == 25
    pace.batch_ended(1.0 + CALM, 25, 0.05, others=0)
    assert pace.size == 200
