"""`check` and `deadline` need no database."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Terminal

BAD = """\
desk = "bad"
name = "Bad desk"

[[commitments]]
id = "response"
label = "Response"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replyed"]
target = "2 weeks"
calendar = "haisoft/ticket"
warn = ["75%"]
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal whose database is never opened."""
    path = tmp_path / "never.db"
    yield Terminal(f"sqlite:///{path}")
    assert not path.exists()


def test_the_shipped_files_have_no_fault(terminal: Terminal) -> None:
    said = terminal("check", ROOT / "agreements", ROOT / "calendars")
    assert (said.code, said.out) == (0, "")
    assert "10 files" in said.err


def test_an_agreement_alone_is_checked_with_the_calendars_beside_it(terminal: Terminal) -> None:
    assert terminal("check", ROOT / "agreements" / "webxtra.toml").code == 0


def test_every_fault_is_told_with_file_line_key_and_remedy(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    said = terminal("check", path)
    assert said.code == 1
    lines = said.out.splitlines()
    assert len(lines) == 4
    for line, key, remedy in (
        (10, "commitments.response.stops_on", "agent.replied"),
        (11, "commitments.response.target", "3 working days"),
        (12, "commitments.response.calendar", "haisoft/tickets"),
        (13, "commitments.response.warn", "warn_at"),
    ):
        assert any(said.startswith(f"{path}:{line}: {key}") and remedy in said for said in lines), (
            key,
            lines,
        )


SELDOM_MEANT = """\
[calendars.desk]
time_zone = "Europe/Athens"
hours = { mon-fri = ["00:00-23:59"], sat = ["09:00-13:00"] }

[calendars.desk.holidays]
add = { "2020-12-24" = "Christmas Eve", "2021-12-24" = "Christmas Eve" }
"""


def test_remarks_are_printed_with_file_and_line_and_refuse_nothing(
    terminal: Terminal, tmp_path: Path
) -> None:
    path = tmp_path / "athens.toml"
    path.write_text(SELDOM_MEANT)
    checked = terminal("check", path)
    assert checked.code == 0
    assert checked.out.splitlines() == [
        f'{path}:3: remark: calendars.desk.hours.mon-fri[0]: "00:00-23:59" leaves the last minute of the day'
        ' closed. Write "00:00-24:00".',
        f"{path}:6: remark: calendars.desk.holidays.add: the last date is 2021-12-24: none is of"
        f' {datetime.now(UTC).year} or later. Add those to come, or a day of every year, as "*-12-24" or'
        ' "friday after Ascension Day".',
    ]
    assert "1 file, no fault, 2 remarks" in checked.err


def test_a_row_across_a_clock_change_has_the_offset_of_each_end(terminal: Terminal) -> None:
    out = terminal.done(
        *("deadline", "--calendar", "phpnet/desk", "--start", "2026-10-24T15:00:00Z"),
        *("--within", "3h", "--explain"),
    )
    assert "Sun 25 Oct 00:00 +0200 - Sun 09:00 +0100" in out
    assert "Sat 24 Oct 17:00 - Sat 18:00 +0200" in out


@pytest.mark.parametrize("content", ["a = ", "\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_a_fault_with_its_name(
    terminal: Terminal, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "broken.toml"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    said = terminal("check", path)
    assert said.code == 1
    assert str(path) in said.out


def test_one_unreadable_file_does_not_hide_the_faults_of_another(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(BAD)
    said = terminal("check", tmp_path / "missing.toml", tmp_path / "bad.toml")
    assert "missing.toml" in said.out
    assert "agent.replied" in said.out


@pytest.mark.parametrize(
    ("calendar", "start", "within", "due"),
    [
        ("haisoft/tickets", "2026-03-06T11:30:00+01:00", "2h", "2026-03-06T15:30:00+01:00"),
        (f"{ROOT}/calendars/haisoft.toml#tickets", "2026-03-06T15:30:00Z", "2h", "2026-03-07T11:30:00+01:00"),
        (
            f"{ROOT}/calendars/webxtra.toml",
            "2026-04-02T10:00:00+02:00",
            "3 working days",
            "2026-04-09T17:30:00+02:00",
        ),
        ("always", "2026-03-29T00:30:00Z", "4h", "2026-03-29T04:30:00+00:00"),
        ("phpnet/desk", "2026-10-25T00:15:00+02:00", "12h", "2026-10-26T12:00:00+01:00"),
    ],
)
def test_a_deadline_is_one_line_with_its_offset(
    terminal: Terminal, calendar: str, start: str, within: str, due: str
) -> None:
    out = terminal.done("deadline", "--calendar", calendar, "--start", start, "--within", within)
    assert out == due + "\n"


def test_a_deadline_in_json_has_the_shape_of_the_api(terminal: Terminal) -> None:
    said = terminal(
        *(
            "deadline",
            "--calendar",
            "haisoft/tickets",
            "--start",
            "2026-03-06T11:30:00+01:00",
            "--within",
            "2h",
        ),
        "--json",
    )
    assert said.json["due_at"] == "2026-03-06T14:30:00Z"
    spans = said.json["explanation"]["spans"]
    assert [(span["counted"], span["reason"]) for span in spans] == [
        (True, "open hours"),
        (False, "lunch gap"),
        (True, "open hours"),
    ]
    assert spans[-1]["total_seconds"] == said.json["explanation"]["target_seconds"] == 7200


def test_an_explained_deadline_names_what_was_skipped(terminal: Terminal) -> None:
    out = terminal.done(
        *("deadline", "--calendar", "webxtra/desk", "--start", "2026-04-24T23:00:00+02:00"),
        *("--within", "3 working days", "--explain"),
    )
    assert out.splitlines()[0] == "2026-04-30T17:30:00+02:00"
    assert "King's Day" in out


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--start": "2026-03-06T11:30:00"}, "no offset"),
        ({"--start": "yesterday"}, "Write it as"),
        ({"--within": "2 weeks"}, "3 working days"),
        ({"--calendar": "haisoft/nights"}, "tickets"),
        ({"--calendar": "nowhere"}, "PATH#NAME".lower()),
        ({"--calendar": "always", "--within": "3 working days"}, "Name a calendar"),
    ],
)
def test_a_wrong_question_ends_with_two_and_what_would_be_right(
    terminal: Terminal, changed: dict[str, str], said: str
) -> None:
    right = {"--calendar": "haisoft/tickets", "--start": "2026-03-06T11:30:00+01:00", "--within": "2h"}
    answer = terminal("deadline", *(part for pair in (right | changed).items() for part in pair))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err or "haisoft/tickets" in answer.err


def test_a_year_that_the_calendar_does_not_cover_is_told(terminal: Terminal) -> None:
    said = terminal(
        "deadline",
        "--calendar",
        "webxtra/desk",
        "--start",
        "2100-12-31T10:00:00Z",
        "--within",
        "40 working days",
    )
    assert said.code == 1
    assert "2101" in said.err


def test_a_faulty_calendar_beside_an_agreement_is_a_fault_with_its_line(
    terminal: Terminal, tmp_path: Path
) -> None:
    for folder, desk in (("calendars", "haisoft"), ("agreements", "haisoft")):
        (tmp_path / folder).mkdir()
        shutil.copy(ROOT / folder / f"{desk}.toml", tmp_path / folder)
    calendar = tmp_path / "calendars" / "haisoft.toml"
    calendar.write_text(calendar.read_text().replace('"Europe/Paris"', '"Europe/Pariss"'))
    for paths in ((tmp_path / "calendars", tmp_path / "agreements"), (tmp_path / "agreements",)):
        said = terminal("check", *paths)
        assert said.code == 1
        assert "Europe/Pariss" in said.out
        assert re.search(
            rf"^{re.escape(str(calendar))}:\d+: calendars\.\w+\.time_zone", said.out, re.MULTILINE
        )
