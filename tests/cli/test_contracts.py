"""`slatimer contracts`: imported with a mapping, previewed, refused with file and line, listed."""

from pathlib import Path

import pytest

from tests.cli.conftest import Terminal

CSV = """Nr;Kunde;Tarif;Preis;Beginn;Ende
C-1;Müller;Gold;49,90;01.01.2026;31.12.2026
C-2;Acme;Gold;1.200,00;01.01.2026;
"""
MAPPING = """[columns]
id = "Nr"
customer = "Kunde"
level = { column = "Tarif", values = { Gold = "example-1" } }
fee = { amount = "Preis" }
valid_from = "Beginn"
last_day = "Ende"

[defaults]
currency = "EUR"
fee = { per = "month" }
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    export, mapping = tmp_path / "export.csv", tmp_path / "mapping.toml"
    export.write_bytes(CSV.encode("windows-1252"))
    mapping.write_text(MAPPING, encoding="utf-8")
    return export, mapping


def test_an_export_is_imported_with_its_mapping_and_listed(desks: Terminal, files: tuple[Path, Path]) -> None:
    export, mapping = files
    done = desks("contracts", "import", export, "--desk", "phpnet", "--mapping", mapping, "--json").json
    assert (done["contracts"], done["changed"], done["unread"]) == (2, 2, [])
    listed = desks("contracts", "list", "--desk", "phpnet", "--json").json["contracts"]
    assert [(each["id"], each["terms"][0]["customer"]) for each in listed] == [
        ("C-1", "Müller"),
        ("C-2", "Acme"),
    ]
    assert [each["terms"][0]["valid_to"] for each in listed] == ["2027-01-01", None]
    assert listed[1]["terms"][0]["fee"]["amount"] == "1200.00"
    again = desks("contracts", "import", export, "--desk", "phpnet", "--mapping", mapping, "--json").json
    assert again["changed"] == 0
    entries = desks("audit", "--desk", "phpnet", "--action", "contract.applied", "--json").json["entries"]
    assert [each["about"] for each in entries] == ["2 contracts, C-1 to C-2"]


def test_a_preview_writes_nothing(desks: Terminal, files: tuple[Path, Path]) -> None:
    export, mapping = files
    said = desks("contracts", "import", export, "--desk", "phpnet", "--mapping", mapping, "--preview")
    assert (said.code, "2 would be new or changed" in said.out) == (0, True)
    assert desks("contracts", "list", "--desk", "phpnet", "--json").json["contracts"] == []


def test_a_fault_is_shown_with_file_line_key_and_remedy_and_nothing_is_stored(
    desks: Terminal, files: tuple[Path, Path]
) -> None:
    export, mapping = files
    export.write_text(CSV.replace("Acme;Gold", "Acme;Platin"), encoding="utf-8")
    said = desks("contracts", "import", export, "--desk", "phpnet", "--mapping", mapping)
    assert said.code == 2
    assert said.out.startswith(f'{export}:3: level: the agreement has no level "Platin"')
    assert desks("contracts", "list", "--desk", "phpnet", "--json").json["contracts"] == []


def test_a_column_that_the_file_lacks_is_named(desks: Terminal, files: tuple[Path, Path]) -> None:
    export, mapping = files
    mapping.write_text(MAPPING.replace('"Kunde"', '"Client"'), encoding="utf-8")
    said = desks("contracts", "import", export, "--desk", "phpnet", "--mapping", mapping)
    assert (said.code, "column 'Client' is missing" in said.err) == (2, True)


def test_a_file_of_tables_is_imported_by_its_names(desks: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "contracts.toml"
    file.write_text('[contracts.C-9]\ncustomer = "Acme"\nvalid_from = 2026-01-01\n', encoding="utf-8")
    desks.done("contracts", "import", file, "--desk", "hvn")
    assert "C-9\tAcme" in desks.done("contracts", "list", "--desk", "hvn", "--customer", "acme")
    assert desks.done("contracts", "list", "--desk", "hvn", "--customer", "other") == ""
