"""`replay`: the same counts as an independent judge, and nothing new the second time."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.cli.conftest import ROOT, Terminal

DESK = ROOT / "benchmarks" / "helpdesk"
AT = "2014-01-01T00:00:00+01:00"


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    """The independent judge of benchmarks/, which imports nothing of the service."""
    spec = importlib.util.spec_from_file_location("replay_check", ROOT / "benchmarks" / "replay_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def helpdesk(terminal: Terminal) -> Terminal:
    terminal.done("apply", DESK / "agreements", DESK / "calendars")
    return terminal


def _replay(terminal: Terminal, log: Path, *more: object) -> dict[str, object]:
    out = terminal.done(
        *("replay", log, "--desk", "helpdesk", "--mapping", DESK / "mapping.toml", "--at", AT, "--json"),
        *more,
    )
    return json.loads(out)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_replay_counts_what_an_independent_judge_counts(
    helpdesk: Terminal, judge: ModuleType, tmp_path: Path, seed: int
) -> None:
    log = judge.made_log(tmp_path / "made.csv", tickets=120, seed=seed)
    tickets = judge.read(log)
    first = _replay(helpdesk, log)
    rows = sum(map(len, tickets.values()))
    assert first["commitments"] == judge.judge(tickets, judge.AT)
    assert (first["tickets"], first["events"], first["repeated"]) == (len(tickets), rows, 0)
    second = _replay(helpdesk, log)
    assert second == first | {"repeated": rows}


def test_every_clock_is_in_exactly_one_count(helpdesk: Terminal, judge: ModuleType, tmp_path: Path) -> None:
    log = judge.made_log(tmp_path / "made.csv", tickets=60)
    commitments = _replay(helpdesk, log)["commitments"]
    assert isinstance(commitments, dict)
    for counts in commitments.values():
        assert set(counts) == {"clocks", "met", "missed", "running", "awaiting", "cancelled"}
        assert counts["clocks"] == sum(value for key, value in counts.items() if key != "clocks")


def test_an_interrupted_replay_goes_on_where_it_was(
    helpdesk: Terminal, judge: ModuleType, tmp_path: Path
) -> None:
    log = judge.made_log(tmp_path / "made.csv", tickets=80)
    lines = log.read_text().splitlines(keepends=True)
    half = tmp_path / "half.csv"
    half.write_text("".join(lines[: len(lines) // 2]))
    before = _replay(helpdesk, half)
    after = _replay(helpdesk, log)
    assert after["repeated"] == before["events"]
    assert after["commitments"] == judge.judge(judge.read(log), judge.AT)


def test_rows_that_the_mapping_does_not_know_are_counted(helpdesk: Terminal, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text((DESK / "mapping.toml").read_text().replace('"*" = "status:open"', ""))
    log = tmp_path / "log.csv"
    log.write_text(
        "Case ID,Activity,Complete Timestamp\n"
        "C1,Insert ticket,2013-03-04 10:00:00+00:00\n"
        "C1,Take in charge ticket,2013-03-04 11:00:00+00:00\n"
        "C1,Insert ticket,2013-03-04 12:00:00+00:00\n"
    )
    out = helpdesk.done("replay", log, "--desk", "helpdesk", "--mapping", mapping, "--at", AT, "--json")
    assert json.loads(out)["unmapped"] == {"Insert ticket": 2}


def test_a_log_of_events_needs_no_mapping(helpdesk: Terminal, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    events = [
        {"id": "e1", "type": "ticket.created", "subject": "T1", "time": "2013-03-04T10:00:00Z", "data": {}},
        {"id": "e2", "type": "call.registered", "subject": "T1", "time": "2013-03-04T10:05:00Z", "data": {}},
        {
            "id": "e3",
            "type": "intervention.started",
            "subject": "T1",
            "time": "2013-03-04T11:00:00Z",
            "data": {},
        },
    ]
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    out = helpdesk.done("replay", log, "--desk", "helpdesk", "--at", "2013-03-04T12:00:00Z", "--json")
    gti = json.loads(out)["commitments"]["gti"]
    assert (gti["clocks"], gti["met"]) == (1, 1)


def test_a_faulty_row_is_named_and_what_came_before_it_is_kept(helpdesk: Terminal, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "Case ID,Activity,Complete Timestamp\nC1,Wait,2013-03-04 10:00:00+00:00\nC1,Wait,yesterday\n"
    )
    said = helpdesk("replay", log, "--desk", "helpdesk", "--mapping", DESK / "mapping.toml")
    assert said.code == 1
    assert "row 2" in said.err


def test_a_faulty_mapping_is_a_wrong_question(helpdesk: Terminal, tmp_path: Path) -> None:
    mapping, log = tmp_path / "mapping.toml", tmp_path / "log.csv"
    mapping.write_text('[types]\n"Wait" = "status:waiting"\n')
    log.write_text("a,b\n")
    said = helpdesk("replay", log, "--desk", "helpdesk", "--mapping", mapping)
    assert said.code == 2
    assert "status:pending" in said.err or "waiting" in said.err
