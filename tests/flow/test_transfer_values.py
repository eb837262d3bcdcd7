"""Lines of exports: JSON lines are exact and can be read back, CSV is typed and no formula."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flow.transfer import credit_rows
from app.flow.transfer.export import columns_of
from app.flow.transfer.values import (
    Column,
    FaultyValue,
    csv_header,
    csv_line,
    json_line,
    read_json_line,
)
from app.store.transfer.kinds import EVENTS, KINDS, FieldType

ONE_OF_EACH = [Column(each.value, each) for each in FieldType]
EVENT_COLUMNS = columns_of(EVENTS)

VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: st.text(),
    FieldType.INTEGER: st.integers(-(2**63) + 1, 2**63 - 1),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.INSTANT: st.integers(0, 2**52),
    FieldType.JSON: st.dictionaries(st.text(), st.integers(0, 9) | st.text()).map(
        lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    ),
}
ROWS = st.fixed_dictionaries({type_.value: st.none() | values for type_, values in VALUES.items()})


@settings(max_examples=15)
@given(ROWS)
def test_a_row_is_read_back_as_it_was(row: dict[str, Any]) -> None:
    columns = [each for each in ONE_OF_EACH if each.type in VALUES]
    line = json_line("haisoft", columns, row)
    found = read_json_line("haisoft", columns, line)
    assert {**found, "json": row["json"]} == row
    assert (found["json"] and json.loads(found["json"])) == (row["json"] and json.loads(row["json"]))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "is no JSON"),
        (b"[]", "is no JSON object"),
        (b'{"desk": "phpnet"}', "is not of the desk 'haisoft'"),
        (b'{"desk": "haisoft", "weight": 1}', "unknown field 'weight'"),
        (b'{"desk": "haisoft", "position": 1}', "id: is missing"),
        (b'{"desk": "haisoft", "position": 1, "id": 7}', "id: is no text"),
        (b'{"desk": "haisoft", "position": true}', "position: is no integer"),
        (b'{"desk": "haisoft", "position": 9223372036854775808}', "position: is no integer"),
        (
            b'{"desk": "haisoft", "position": 1, "id": "1", "type": "a", "subject": "1", "at": "2026-03-02"}',
            "at: is not an instant",
        ),
    ],
)
def test_a_faulty_line_is_refused_with_the_field(line: bytes, reason: str) -> None:
    with pytest.raises(FaultyValue, match=reason):
        read_json_line("haisoft", EVENT_COLUMNS, line)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_in_csv_is_no_formula(text: str) -> None:
    line = csv_line("haisoft", [Column("title", FieldType.TEXT)], {"title": text}).decode()
    assert next(csv.reader(io.StringIO(line, newline="")))[1] == f"'{text}"


def test_a_line_of_csv_is_typed() -> None:
    row = {
        "text": 'a "b"\n',
        "integer": -3,
        "boolean": True,
        "instant": 1_772_438_400_000_000,
        "json": '{"a":1}',
        "decimal": "-12.50",
    }
    assert csv_header(ONE_OF_EACH) == b"desk,text,integer,boolean,instant,json,decimal\r\n"
    assert csv_line("haisoft", ONE_OF_EACH, row).decode() == (
        '"haisoft","a ""b""\n",-3,true,2026-03-02T08:00:00.000000Z,"{""a"":1}",-12.50\r\n'
    )
    nothing = dict.fromkeys(row) | {"text": ""}
    assert csv_line("haisoft", ONE_OF_EACH, nothing) == b'"haisoft","",,,,,\r\n'


def test_the_page_lists_every_kind_with_its_columns(root: Path) -> None:
    """Readers rely on the names: a change of one shows here and in the page."""
    listed = {
        kind: re.findall(r"`(\w+)`", columns)
        for kind, columns in re.findall(r"^\| `(\w+)` \| [^|]+ \| (`\w+`, .*) \|$", page(root), re.MULTILINE)
    }
    written = {kind.name: [field.name for field in kind.fields] for kind in KINDS}
    assert listed == written | {credit_rows.NAME: [column.name for column in credit_rows.COLUMNS]}


def page(root: Path) -> str:
    """The part of the page that lists the kinds."""
    return (root / "docs" / "export.md").read_text().partition("| kind | what | columns |")[2]
