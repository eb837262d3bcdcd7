"""Benchmarks are compared with the last release by the ratios to their limits, and a figure that is gone is noticed."""

import re
from pathlib import Path

import pytest

from benchmarks._figures import Compared, Figure, Recorded, better, compared, gone, read, table, write

LAST = {
    "sweep: sqlite": Recorded(cost=0.30, unit="ms", ratio=3.0),
    "sweep: postgresql": Recorded(cost=0.32, unit="ms", ratio=4.0),
    "start: help": Recorded(cost=0.13, unit="s", ratio=None),
}


@pytest.mark.parametrize(
    ("cost", "limit", "last", "is_worse"),
    [
        (0.36, 0.1, 3.0, False),  # a fifth worse is within the tolerance
        (0.37, 0.1, 3.0, True),
        (0.10, 0.1, 3.0, False),
        (0.74, 0.2, 3.0, True),
        (9.00, 3.0, 3.0, False),  # a slower machine
        (9.00, None, 3.0, False),
        (9.00, 0.1, None, False),
    ],
)
def test_a_ratio_is_worse_when_it_grew_by_more_than_a_fifth(
    cost: float, limit: float | None, last: float | None, is_worse: bool
) -> None:
    figure = Figure("sweep: sqlite", cost, "ms", limit=limit)
    assert Compared(figure, Recorded(0.3, "ms", last)).is_worse is is_worse


def test_a_new_figure_is_not_worse() -> None:
    (row,) = compared([Figure("sweep: mysql", 9.0, "ms", limit=0.1)], LAST)
    assert row.change is None
    assert not row.is_worse


def test_a_figure_is_gone_when_its_script_ran_without_it() -> None:
    found = [Figure("sweep: sqlite", 0.3, "ms", limit=0.1)]
    assert gone(found, LAST) == ["sweep: postgresql"]


def test_what_was_measured_twice_counts_with_its_better_ratio() -> None:
    first = [Figure("sweep: sqlite", 0.5, "ms", limit=0.1), Figure("start: help", 0.2, "s", limit=0.1)]
    again = [Figure("sweep: sqlite", 0.6, "ms", limit=0.2)]
    assert better(first, again) == [again[0], first[1]]


def test_the_table_says_what_is_worse_and_which_aim_is_missed() -> None:
    head, line = table(compared([Figure("sweep: sqlite", 0.5, "ms", 0.2, 0.1)], LAST)).splitlines()
    assert head.split() == ["figure", "cost", "aim", "limit", "ratio", "last", "cost", "last", "ratio"]
    assert line.startswith("sweep: sqlite ")
    assert line.endswith(" WORSE  aim missed")
    assert re.findall(r"[\d.]+", line) == ["0.5", "0.2", "0.1", "5", "0.3", "3"]


def test_recording_keeps_the_figures_of_scripts_that_did_not_run(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    write(path, "0.2.0", [Figure("sweep: sqlite", 0.25, "ms", limit=0.1)], LAST)
    assert read(path) == (
        "0.2.0",
        {"sweep: sqlite": Recorded(0.25, "ms", 2.5), "start: help": LAST["start: help"]},
    )
