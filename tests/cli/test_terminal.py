"""Foreign text on a terminal: nothing of it is obeyed."""

import pytest
from rich.table import Table

from app.cli.terminal import printable, remark, result, screen

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202egnp.exe"


def test_control_and_direction_characters_are_written_as_escapes() -> None:
    assert printable(HOSTILE) == "\\x1b]0;owned\\x07\\x9b31m\\u202egnp.exe"
    assert printable("Grüße, 日本\n\tline two") == "Grüße, 日本\n\tline two"


def test_lines_remarks_and_tables_print_foreign_text_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("title [bold]")
    table.add_row(HOSTILE + "[link=https://evil.example]x[/link]")
    result(HOSTILE)
    remark(HOSTILE)
    screen().print(table)
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert "owned" in text
        assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert "[link=" in printed.out
