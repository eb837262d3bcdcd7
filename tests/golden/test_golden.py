"""Two thousand tickets are answered as they were before the great refactoring, but for new fields.

tickets.jsonl.xz was written by release 0.1.0 as it was at commit df67d60: of each ticket its view, all its signals and
the explanation of each of its clocks. What is answered now may have keys beside those. Words for people may have been
put otherwise, where `same.REWORDED` says so; what was changed on purpose is in changes.jsonl.xz, ticket by ticket with
the reasons that changes.py states; everything else is as it was.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.golden.changes import REASONS, answered_now, changed, name_of
from tests.golden.same import MISSING, Difference, differences, rewordings, shown, unlike
from tests.golden.scenario import COUNT, PARTS, Json, written
from tests.servers.databases import SqliteDatabases


@pytest.fixture(scope="module")
def golden() -> list[Json]:
    return written()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_ticket_is_answered_as_before(
    part: int, golden: list[Json], sqlite_databases: SqliteDatabases
) -> None:
    size = COUNT // PARTS
    then = golden[part * size : (part + 1) * size]
    now = list(answered_now(sqlite_databases, part))
    assert [(line["desk"], line["ticket"]) for line in now] == [
        (line["desk"], line["ticket"]) for line in then
    ]
    found: list[Difference] = []
    intended = changed()
    then = [intended.get(name_of(line), {"answer": line})["answer"] for line in then]
    for before, after in zip(then, now, strict=True):
        found += unlike(before, after, f"{before['desk']} {before['ticket']}: $")
    assert not found, shown(found)


def test_what_was_changed_on_purpose_is_another_answer_and_has_its_reasons(golden: list[Json]) -> None:
    then = {name_of(line): line for line in golden}
    for name, line in changed().items():
        assert unlike(then[name], line["answer"]), f"{name} is answered as before: take it out"
        assert line["why"], name
        assert REASONS.keys() >= set(line["why"]), name


def test_it_is_told_when_an_answer_is_another_and_not_when_it_says_more() -> None:
    then = {"a": [{"b": 1, "cause": "so"}], "c": None}
    same: Any = {"a": [{"b": 1, "cause": "so", "new": 1}], "c": None, "d": 2}
    assert [*differences(then, same, "$"), *rewordings(then, same, "$")] == []
    less: Any = {"a": [{"b": 2, "cause": "else"}, {}]}
    assert list(differences(then, less, "$")) == [("$.a", then["a"], less["a"]), ("$.c", None, MISSING)]
    other: Any = {"a": [{"b": True, "cause": "else"}], "c": None}
    assert list(differences(then, other, "$")) == [("$.a[0].b", 1, True)]
    assert list(rewordings(then, other, "$")) == [("$.a[0].cause", "so", "else")]


def _counts(golden: list[Json]) -> dict[str, int]:
    """How many tickets show what."""
    shows: dict[str, Callable[[Json], bool]] = {
        "merged": lambda line: _has_signal(line, "queue.left", cause="merged"),
        "superseded": lambda line: any(
            str(c["cause"]).startswith("superseded") for c in line["view"]["clocks"]
        ),
        "merge_ring": lambda line: "merge_ring" in line["view"]["flags"],
        "merge_target_unknown": lambda line: _has_flag(line, "merge_target_unknown:"),
        "withdrawal_of_unknown": lambda line: _has_flag(line, "withdrawal_of_unknown:"),
        "breach_retracted": lambda line: _has_signal(line, "clock.breach_retracted"),
        "miss_retracted": lambda line: _has_signal(line, "clock.miss_retracted"),
        "lapsed": lambda line: _has_signal(line, "clock.lapsed"),
        "reopened": lambda line: _has_signal(line, "clock.reopened"),
        "due_changed": lambda line: _has_signal(line, "clock.due_changed"),
        "duplicate": lambda line: _has_signal(line, "queue.moved", cause="duplicate"),
        "repeat_message": lambda line: _has_signal(line, "queue.moved", cause="repeat_message"),
        "corrected": lambda line: any(s["cause"] == "corrected" for s in line["signals"]),
        "waits": lambda line: line["view"]["queue"] is not None,
        "excluded": lambda line: _has_span(line, "excluded"),
        "overdue": lambda line: _has_span(line, "overdue"),
        "not_applicable": lambda line: bool(line["view"]["not_applicable"]),
        "stopped late": lambda line: _has_clock(line, "stopped", met=False),
        "stopped in time": lambda line: _has_clock(line, "stopped", met=True),
    }
    for state in ("awaiting", "running", "paused", "cancelled"):
        shows[state] = lambda line, state=state: any(c["state"] == state for c in line["view"]["clocks"])
    return {name: sum(map(shown, golden)) for name, shown in shows.items()}


def _has_signal(line: Json, kind: str, *, cause: str | None = None) -> bool:
    return any(s["kind"] == kind and cause in (None, s["cause"]) for s in line["signals"])


def _has_flag(line: Json, begin: str) -> bool:
    return any(flag.startswith(begin) for flag in line["view"]["flags"])


def _has_span(line: Json, kind: str) -> bool:
    return any(span["kind"] == kind for told in line["explanations"] for span in told["spans"])


def _has_clock(line: Json, state: str, *, met: bool) -> bool:
    return any(clock["state"] == state and clock["met"] is met for clock in line["view"]["clocks"])


def test_the_tickets_are_two_thousand_and_show_everything(golden: list[Json]) -> None:
    assert len(golden) == COUNT == 2000
    rare = {name: count for name, count in _counts(golden).items() if count < 10}
    assert rare == {}
