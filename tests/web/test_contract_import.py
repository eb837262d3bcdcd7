"""Exports of contracts over HTTP: CSV, JSON lines and TOML, previewed, refused whole, repeated."""

from typing import Any

import pytest

from app.principal import Scope
from tests.servers.databases import Databases
from tests.web.room import Room, room_on, with_desks

CSV = """id;customer;level;fee_amount;fee_per;currency;valid_from;valid_to
C-1;Acme;example-1;49,90;month;EUR;01.01.2026;01.07.2026
C-1;Acme;example-2;59,90;month;EUR;01.07.2026;
C-2;Other;example-1;1.200,00;year;EUR;01.01.2026;
"""
JSON_LINES = (
    '{"id":"C-1","customer":"Acme","level":"example-1","valid_from":"2026-01-01"}\n'
    '{"id":"C-2","customer":"Other","fee":{"amount":"5","per":"month"},"valid_from":"2026-01-01"}\n'
)
TOML = """[contracts.C-1]
customer = "Acme"
level = "example-1"
valid_from = 2026-01-01

[contracts.C-2]
customer = "Other"
valid_from = 2026-01-01
"""


class Office:
    def __init__(self, room: Room) -> None:
        self.room, self.key = room, room.key("*", Scope.ADMIN)

    def send(self, text: str | bytes, media_type: str = "text/csv", **params: Any) -> Any:
        content = text.encode() if isinstance(text, str) else text
        return self.room.client.post(
            "/v1/contracts/phpnet/import",
            content=content,
            params=params,
            headers=self.key | {"Content-Type": media_type},
        )

    def done(self, text: str | bytes, media_type: str = "text/csv", **params: Any) -> Any:
        response = self.send(text, media_type, **params)
        assert response.status_code == 200, response.text
        return response.json()

    def contracts(self) -> dict[str, Any]:
        listed = self.room.client.get("/v1/contracts", params={"desk": "phpnet"}, headers=self.key).json()
        return {each["id"]: each for each in listed["contracts"]}


@pytest.fixture
def office(room: Room) -> Office:
    return Office(room)


def test_an_export_is_stored_and_its_repetition_changes_nothing(office: Office) -> None:
    first = office.done(CSV)
    assert (first["terms"], first["contracts"], first["changed"]) == (3, 2, 2)
    assert office.done(CSV)["changed"] == 0
    found = office.contracts()
    assert [term["fee"]["amount"] for term in found["C-1"]["terms"]] == ["49.90", "59.90"]
    assert found["C-2"]["terms"][0]["fee"] == {"amount": "1200.00", "per": "year"}


@pytest.mark.parametrize(
    ("text", "media_type"),
    [(JSON_LINES, "application/jsonl"), (JSON_LINES, "application/x-ndjson"), (TOML, "application/toml")],
)
def test_json_lines_and_toml_are_read_as_well(office: Office, text: str, media_type: str) -> None:
    assert office.done(text, media_type)["changed"] == 2
    assert set(office.contracts()) == {"C-1", "C-2"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1252"])
def test_the_encoding_is_recognised(office: Office, encoding: str) -> None:
    office.done(CSV.replace("Acme", "Café").encode(encoding))
    assert office.contracts()["C-1"]["customer"] == "Café"


def test_a_preview_checks_everything_and_writes_nothing(office: Office) -> None:
    office.room.send([office.room.event(source="phpnet", data={"customer": "acme", "category": "software"})])
    preview = office.done(CSV, preview=True)
    assert (preview["changed"], preview["tickets"], preview["complete"]) == (2, None, True)
    assert (preview["credits"], preview["sentence"]) == ([], "1 clock begins.")
    assert office.contracts() == {}


def test_one_fault_refuses_the_whole_export_with_line_key_and_remedy(office: Office) -> None:
    faulty = CSV.replace("example-2", "platin") + "C-3;;example-1;-1;month;EUR;01.01.2026;\n"
    response = office.send(faulty)
    assert response.status_code == 422
    places = [error["place"] for error in response.json()["errors"]]
    assert places == ["line 3: level", "line 5: customer", "line 5: fee.amount"]
    assert office.contracts() == {}


def test_terms_that_overlap_within_the_file_or_with_stored_ones_are_refused(office: Office) -> None:
    twice = CSV.replace("01.07.2026\n", "\n")
    assert "overlaps" in office.send(twice).json()["errors"][0]["reason"]
    office.done(CSV)
    late = "id;customer;valid_from\nC-2;Other;2026-05-01\n"
    assert "overlaps" in office.send(late).json()["errors"][0]["reason"]


@pytest.mark.parametrize(
    ("text", "media_type", "status"),
    [
        ("customer;level\nAcme;x\n", "text/csv", 400),
        ("[contracts", "application/toml", 400),
        ("x = 1\n", "application/toml", 400),
        ("{", "application/jsonl", 422),
        (CSV, "application/json", 415),
    ],
)
def test_what_is_no_export_is_refused(office: Office, text: str, media_type: str, status: int) -> None:
    assert office.send(text, media_type).status_code == status


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        ("id;customer;valid_from\n" + "C;Acme;no date\n" * 4, "text/csv"),
        ("{}\n[]\nnull\n{\n", "application/jsonl"),
        ("[[contracts]]\n" * 4, "application/toml"),
    ],
)
def test_terms_that_cannot_be_read_count_towards_the_limit(
    databases: Databases, text: str, media_type: str
) -> None:
    """A fault is kept of each: a million faulty rows of 9 MB took 400 MB and a minute."""
    with databases.copy_of(with_desks) as url, room_on(url, contract_import_max=3) as room:
        answer = Office(room).send(text, media_type)
        assert (answer.status_code, "more than 3 terms" in answer.json()["detail"]) == (400, True)
