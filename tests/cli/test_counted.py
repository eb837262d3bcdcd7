"""Counts in messages: singular and plural."""

from pathlib import Path

from tests.cli.conftest import ROOT, Terminal


def test_one_fault_in_one_file_is_singular(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("x = ")
    said = terminal("check", tmp_path / "one.toml")
    assert said.err == "1 fault in 1 file\n"


def test_one_ticket_is_singular_where_it_is_evaluated_again(desks: Terminal, tmp_path: Path) -> None:
    desks.done("record", "clamehost", "C1", "outage.started")
    other = tmp_path / "clamehost.toml"
    text = (ROOT / "agreements" / "clamehost.toml").read_text()
    other.write_text(text.replace('target = "2h"', 'target = "3h"'))
    assert "1 ticket was evaluated again\n" in desks("apply", other, "--applies-to", "open").err
