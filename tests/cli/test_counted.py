"""Counts in messages: singular and plural."""

from pathlib import Path

from tests.cli.conftest import Terminal


def test_one_fault_in_one_file_is_singular(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("x = ")
    said = terminal("check", tmp_path / "one.toml")
    assert said.err == "1 fault in 1 file\n"
