"""`replay`: the same counts as an independent judge, and nothing new the second time."""

import gzip
import importlib.util
import json
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from app.cli.commands import cli
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


ROWS = "Case ID,Activity,Complete Timestamp\nC1,Wait,2013-03-04 10:00:00+00:00\nC1,Wait,yesterday\n"


def test_a_faulty_row_is_listed_with_its_line_and_the_rest_is_stored(
    helpdesk: Terminal, tmp_path: Path
) -> None:
    log, refusals = tmp_path / "log.csv", tmp_path / "refusals.txt"
    log.write_text(ROWS)
    given = ("replay", log, "--desk", "helpdesk", "--mapping", DESK / "mapping.toml", "--refusals", refusals)
    said = helpdesk(*given)
    assert said.code == 1
    assert "refused: line 3, row 2: column 'Complete Timestamp': 'yesterday' is not a time" in said.err
    assert "1 ticket, 1 row, 0 of them stored before, 0 unmapped, 1 refused" in said.err
    assert refusals.read_text().startswith("line 3, row 2: ")


def test_a_strict_replay_stores_nothing_of_a_file_with_a_faulty_row(
    helpdesk: Terminal, tmp_path: Path
) -> None:
    log = tmp_path / "log.csv"
    log.write_text(ROWS)
    said = helpdesk("replay", log, "--desk", "helpdesk", "--mapping", DESK / "mapping.toml", "--strict")
    assert said.code == 1
    assert "Nothing was stored" in said.err
    log.write_text("".join(ROWS.splitlines(keepends=True)[:2]))
    assert _replay(helpdesk, log)["repeated"] == 0


def test_a_file_that_cannot_be_used_is_a_wrong_question(helpdesk: Terminal, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("Case ID,Activity\nC1,Wait\n")
    said = helpdesk("replay", log, "--desk", "helpdesk", "--mapping", DESK / "mapping.toml")
    assert said.code == 2
    assert "column 'Complete Timestamp' is missing; the file has 'Case ID', 'Activity'" in said.err


def test_a_look_shows_how_a_log_is_read_and_prints_a_mapping_that_works(
    helpdesk: Terminal, tmp_path: Path
) -> None:
    log, mapping = tmp_path / "log.csv", tmp_path / "mapping.toml"
    text = (
        "Ticket ID;Status;Changed At;Assigned To;Note\n"
        "81;Resolved;25/03/2013 10:15;Zoë;x\n81;Waiting;05/03/2013 09:30;Zoë;x\n81;New;04/03/2013 9:00 AM;Bob;x\n"
    )
    log.write_bytes(gzip.compress(text.encode("windows-1252")))
    said = helpdesk("replay", log, "--desk", "helpdesk", "--inspect", "--at", AT)
    assert said.code == 0
    assert "CSV, delimiter semicolon, windows-1252, compressed by gzip, newest first" in said.err
    assert "3 rows, 0 refused. Nothing was written." in said.err
    assert "State another as encoding" in said.err
    assert "81" in said.err
    mapping.write_text(said.out)
    document = tomllib.loads(said.out)
    assert document["columns"] == {
        "ticket": "Ticket ID",
        "type": "Status",
        "time": "Changed At",
        "time_format": "day_first",
        "time_zone": "UTC",
    }
    assert document["types"] == {
        "New": "status:new",
        "Waiting": "status:pending",
        "Resolved": "status:solved",
    }
    assert document["fields"] == {"assignee": "Assigned To"}
    assert helpdesk("check", mapping).code == 0
    out = helpdesk.done("replay", log, "--desk", "helpdesk", "--mapping", mapping, "--json")
    assert (json.loads(out)["events"], json.loads(out)["repeated"]) == (3, 0)


def test_a_look_in_json_has_the_first_tickets_as_the_api_shows_them(
    helpdesk: Terminal, judge: ModuleType, tmp_path: Path
) -> None:
    log = judge.made_log(tmp_path / "made.csv", tickets=8)
    given = ("replay", log, "--desk", "helpdesk", "--mapping", DESK / "mapping.toml", "--inspect", "--json")
    found = helpdesk(*given).json
    assert [ticket["ticket"] for ticket in found["tickets"]] == ["Made1", "Made2", "Made3"]
    assert found["read_as"]["time"] == "Complete Timestamp"
    assert _replay(helpdesk, log)["repeated"] == 0


def test_standard_input_is_a_log(helpdesk: Terminal) -> None:
    said = CliRunner(env={"SLATIMER_DATABASE_URL": helpdesk.settings.database_url}).invoke(
        cli,
        ["replay", "-", "--desk", "helpdesk", "--mapping", str(DESK / "mapping.toml"), "--json"],
        input="".join(ROWS.splitlines(keepends=True)[:2]),
    )
    assert said.exit_code == 0, said.stderr
    assert json.loads(said.stdout)["events"] == 1


def test_a_faulty_mapping_fails_the_check_with_its_line(terminal: Terminal, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[columns]\nticket = "Case"\n[types]\n"Wait" = "status:waiting"\n')
    said = terminal("check", mapping)
    assert said.code == 1
    assert f"{mapping}:4: types.Wait: 'status:waiting' is not an event type or status" in said.out


def test_a_syntax_error_of_a_mapping_has_its_line(helpdesk: Terminal, tmp_path: Path) -> None:
    mapping, log = tmp_path / "mapping.toml", tmp_path / "log.csv"
    mapping.write_text("[types]\n\nWait = pending\n")
    log.write_text(ROWS)
    said = helpdesk("replay", log, "--desk", "helpdesk", "--mapping", mapping)
    assert said.code == 2
    assert f"{mapping}:3: file: " in said.err


def test_a_faulty_mapping_is_a_wrong_question(helpdesk: Terminal, tmp_path: Path) -> None:
    mapping, log = tmp_path / "mapping.toml", tmp_path / "log.csv"
    mapping.write_text('[types]\n"Wait" = "status:waiting"\n')
    log.write_text("a,b\n")
    said = helpdesk("replay", log, "--desk", "helpdesk", "--mapping", mapping)
    assert said.code == 2
    assert "status:pending" in said.err or "waiting" in said.err
