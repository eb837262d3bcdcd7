"""`simulate`: the counts of two replays under either agreement, values as written, faults, a readable summary."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.simulate import value_of
from tests.cli.conftest import ROOT, Terminal
from tests.servers.databases import SqliteDatabases

DESK = ROOT / "benchmarks" / "helpdesk"
AT = "2014-01-01T00:00:00+01:00"
SPAN = ("--desk", "helpdesk", "--from", "2013-01-01", "--to", "2014-01-01")
CHANGES = ("--set", "commitments.gti.target=8h", "--set", "commitments.gtr.target=48h")
COUNTS = ("clocks", "met", "missed", "running", "awaiting", "cancelled")


@pytest.fixture(scope="module")
def databases(sqlite_databases: SqliteDatabases) -> SqliteDatabases:
    """One kind: a command simulates as a process does, which tests/web runs on both."""
    return sqlite_databases


def made_log(path: Path) -> Path:
    spec = importlib.util.spec_from_file_location("replay_check", ROOT / "benchmarks" / "replay_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.made_log(path, tickets=60, seed=5)


def replayed(terminal: Terminal, log: Path, agreement: Path) -> dict[str, Any]:
    """The counts of a replay of the log, which has no ticket after its instant."""
    terminal.done("apply", agreement, DESK / "calendars")
    mapping = ("--mapping", DESK / "mapping.toml")
    said = terminal("replay", log, "--desk", "helpdesk", *mapping, "--at", AT, "--json")
    assert said.code == 0, said.err
    return said.json["commitments"]


def test_a_simulation_counts_what_two_replays_count_and_explains_itself(
    terminal: Terminal, databases: SqliteDatabases, tmp_path: Path
) -> None:
    log = made_log(tmp_path / "made.csv")
    text = (DESK / "agreements" / "helpdesk.toml").read_text()
    longer = tmp_path / "helpdesk.toml"
    longer.write_text(text.replace('"4h"', '"8h"').replace('"24h"', '"48h"'))
    before = replayed(terminal, log, DESK / "agreements")
    with databases.new() as url:
        after = replayed(Terminal(url), log, longer)
    found = terminal("simulate", *SPAN, *CHANGES, "--json").json
    for side, counts in (("before", before), ("after", after)):
        sides = {name: each[side] for name, each in found["commitments"].items()}
        assert {name: {key: each[key] for key in COUNTS} for name, each in sides.items()} == counts
    assert before != after
    assert len(found["flips"]) == found["flips_in_all"]
    assert found["flips_next"] is None
    # The same draft as a file comes to the same.
    drafts = ("--agreement", longer, "--calendars", DESK / "calendars" / "helpdesk.toml")
    assert terminal("simulate", *SPAN, *drafts, "--json").json["flips"] == found["flips"]
    said = terminal("simulate", *SPAN, *CHANGES)
    assert f"{found['flips_in_all']} clocks would flip" in said.out
    assert "90 % kept by" in said.out
    assert "one hour more: " in said.out
    assert "60 tickets, judged at " in said.err


def test_what_cannot_be_simulated_is_a_usage_error(terminal: Terminal) -> None:
    terminal.done("apply", DESK / "agreements", DESK / "calendars")
    for arguments, words in (
        (("--set", "commitments.gtx.target=8h"), "commitments.gtx.target: there is no 'gtx'"),
        (("--set", "commitments.gti.target"), "is not KEY=VALUE"),
        (("--from", "2014-02-01"), "--to must be later"),
        (("--from", "1980-01-01"), "SLATIMER_SIMULATION_SPAN_MAX"),
        (("--to", "soon"), "--to: 'soon' is not an instant"),
        (("--desk", "nowhere"), "there is no desk 'nowhere'"),
    ):
        said = terminal("simulate", *SPAN, *arguments)
        assert said.code == 2, arguments
        assert words in said.out + said.err


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("8h", "8h"),
        ('"8h"', "8h"),
        ("[]", []),
        ('["09:00-12:00"]', ["09:00-12:00"]),
        ("{ a = 1 }", {"a": 1}),
        ("true", True),
        ("5", 5),
        ("10.00", "10.00"),
        ("2026-01-01", "2026-01-01"),
        ("Christmas Eve", "Christmas Eve"),
        ("1\nother = 2", "1\nother = 2"),
        ("", None),
    ],
)
def test_a_value_is_read_as_toml_and_else_as_a_text(written: str, value: Any) -> None:
    assert value_of(written) == value
