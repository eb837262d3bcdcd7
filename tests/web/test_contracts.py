"""Contracts over HTTP: put, ended, taken back, listed, as of an instant, and what becomes of the tickets."""

from typing import Any

import pytest

from app.principal import Scope
from tests.servers.databases import both_kinds
from tests.web.room import Room

TERM = {
    "customer": "Acme",
    "level": "example-1",
    "fee": {"amount": "49.90", "per": "month"},
    "currency": "EUR",
    "valid_from": "2026-01-01",
}


class Office:
    """Somebody who administers a desk."""

    def __init__(self, room: Room) -> None:
        self.room, self.key = room, room.key("*", Scope.ADMIN)

    def put(self, contract: str, body: dict[str, Any], desk: str = "phpnet", **params: Any) -> Any:
        return self.room.client.put(
            f"/v1/contracts/{desk}/{contract}", json=body, params=params, headers=self.key
        )

    def done(self, contract: str, body: dict[str, Any], desk: str = "phpnet", **params: Any) -> Any:
        response = self.put(contract, body, desk, **params)
        assert response.status_code == 200, response.text
        return response.json()

    def get(self, path: str, **params: Any) -> Any:
        response = self.room.client.get(path, params=params, headers=self.room.read)
        assert response.status_code == 200, response.text
        return response.json()

    def ticket(self, ticket: str, **data: Any) -> None:
        event = self.room.event(
            source="phpnet", subject=ticket, data={"customer": "ACME", "category": "software"} | data
        )
        call = self.room.event(source="phpnet", subject=ticket, type="call.registered", data={})
        assert self.room.send([event, call]).status_code == 200

    def view(self, ticket: str) -> Any:
        return self.get(f"/v1/tickets/phpnet/{ticket}")


@pytest.fixture
def office(room: Room) -> Office:
    return Office(room)


def test_a_put_contract_is_shown_with_its_terms_and_the_valid_one(office: Office) -> None:
    put = office.done("C-1", TERM)
    assert (put["changed"], put["version"], put["preview"]) == (True, 1, False)
    view = office.get("/v1/contracts/phpnet/c-1")
    assert (view["id"], view["customer"], view["source"], view["version"]) == ("C-1", "Acme", "stored", 1)
    assert view["valid"]["fee"] == {"amount": "49.90", "per": "month"}
    assert view["valid"]["valid_to"] is None
    assert view["terms"] == [view["valid"]]


def test_the_same_content_makes_no_version_and_an_earlier_end_does(office: Office) -> None:
    office.done("C-1", TERM)
    assert not office.done("C-1", TERM | {"fee": {"amount": 49.9, "per": "month"}})["changed"]
    assert office.done("C-1", TERM | {"valid_to": "2026-07-01"})["version"] == 2
    office.done("C-1", TERM | {"valid_from": "2026-07-01", "fee": {"amount": 60, "per": "month"}})
    terms = office.get("/v1/contracts/phpnet/C-1")["terms"]
    assert [(term["valid_from"], term["fee"]["amount"]) for term in terms] == [
        ("2026-01-01", "49.90"),
        ("2026-07-01", "60"),
    ]
    versions = office.get("/v1/contracts/phpnet/C-1/versions")["versions"]
    assert [each["number"] for each in versions] == [1, 2, 3]
    assert all(each["recorded_by"].startswith("key ") for each in versions)


def test_two_versions_of_a_contract_differ_by_the_keys_of_their_terms(office: Office) -> None:
    office.done("C-1", TERM)
    office.done("C-1", TERM | {"valid_to": "2026-07-01"})
    office.done("C-1", TERM | {"valid_from": "2026-07-01", "fee": {"amount": 60, "per": "month"}})
    versions = "/v1/contracts/phpnet/c-1/versions"
    first, last = (office.get(f"{versions}/{number}") for number in (1, 3))
    assert [term["valid_to"] for term in first["terms"]] == [None]
    assert (last["id"], last["number"], [term["valid_from"] for term in last["terms"]]) == (
        "C-1",
        3,
        ["2026-01-01", "2026-07-01"],
    )
    (change,) = office.get(f"{versions}/diff", **{"from": 1, "to": 2})["changes"]
    assert (change["key"], change["change"]) == ("terms.2026-01-01.valid_to", "changed")
    keys = [each["key"] for each in office.get(f"{versions}/diff", **{"from": 2, "to": 3})["changes"]]
    assert keys
    assert all(key.startswith("terms.2026-07-01") for key in keys)
    for unknown in (f"{versions}/4", f"{versions}/diff?from=1&to=4", "/v1/contracts/phpnet/no/versions/1"):
        assert office.room.client.get(unknown, headers=office.room.read).status_code == 404


def test_terms_that_overlap_are_refused_with_the_remedy_and_both_may_come_at_once(office: Office) -> None:
    office.done("C-1", TERM)
    later = TERM | {"valid_from": "2026-07-01"}
    response = office.put("C-1", later)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["place"] == "/valid_from"
    assert 'valid_to = "2026-07-01"' in error["reason"]
    both = office.done("C-1", {"terms": [TERM | {"valid_to": "2026-07-01"}, later]})
    assert both["version"] == 2


def test_a_term_that_was_entered_in_error_is_taken_back_and_stays_in_the_record(office: Office) -> None:
    office.done("C-1", TERM)
    response = office.room.client.delete(
        "/v1/contracts/phpnet/C-1", params={"valid_from": "2026-01-01"}, headers=office.key
    )
    assert response.status_code == 200
    assert office.room.client.get("/v1/contracts/phpnet/C-1", headers=office.room.read).status_code == 404
    versions = office.get("/v1/contracts/phpnet/C-1/versions")["versions"]
    assert [each["term"] is None for each in versions] == [False, True]


@both_kinds
def test_a_contract_as_of_an_instant_is_what_was_recorded_then(office: Office) -> None:
    office.done("C-1", TERM)
    before = office.get("/v1/contracts/phpnet/C-1")
    seen = "2026-03-06T15:30:00+01:00"
    office.room.wall.move(60)
    office.done("C-1", TERM | {"customer": "Other"})
    assert office.get("/v1/contracts/phpnet/C-1", as_of=seen) == before
    assert office.get("/v1/contracts/phpnet/C-1")["customer"] == "Other"


@both_kinds
def test_contracts_are_listed_by_customer_and_date_page_by_page(office: Office) -> None:
    for number in range(3):
        office.done(f"C-{number}", TERM)
    office.done("D-1", TERM | {"customer": "Other", "valid_to": "2026-02-01"})
    first = office.get("/v1/contracts", desk="phpnet", customer="acme", limit=2)
    rest = office.get("/v1/contracts", desk="phpnet", customer="acme", limit=2, cursor=first["next"])
    listed = [each["id"] for each in (*first["contracts"], *rest["contracts"])]
    assert (listed, rest["next"]) == (["C-0", "C-1", "C-2"], None)
    valid = office.get("/v1/contracts", desk="phpnet", at="2026-02-01T00:00:00+01:00")["contracts"]
    assert [each["id"] for each in valid] == ["C-0", "C-1", "C-2"]


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"level": "platinum"}, "/level", "no level"),
        ({"currency": "XYZ"}, "/currency", "ISO 4217"),
        ({"fee": {"amount": "-1", "per": "month"}}, "/fee/amount", "negative"),
        ({"valid_to": "2026-01-01"}, "/valid_to", "not after valid_from"),
        ({"billing_day": 32}, "/billing_day", "1 to 31"),
        ({"calendar": "phpnet/none"}, "/calendar", "no calendar"),
        ({"targets": {"gti": "soon"}}, "/targets/gti", "Write"),
        ({"customer": None}, "/customer", "missing"),
        ({"cutomer": "x"}, "/cutomer", "customer"),
    ],
)
def test_a_faulty_contract_is_refused_with_place_and_remedy(
    office: Office, change: dict[str, Any], place: str, words: str
) -> None:
    response = office.put("C-1", TERM | change)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["place"] == place
    assert words in error["reason"]


def test_a_ticket_is_judged_by_the_level_of_its_contract(office: Office) -> None:
    office.done("C-1", TERM)
    office.ticket("1")
    view = office.view("1")
    assert (view["contract"], view["level"], view["flags"]) == ("C-1", "example-1", [])
    assert any(clock["commitment"] == "gti" for clock in view["clocks"])


@both_kinds
def test_several_contracts_or_none_are_flagged_and_named_by_hand(office: Office) -> None:
    office.done("C-1", TERM)
    office.done("C-2", TERM)
    office.ticket("1")
    office.ticket("2", customer="Nobody's")
    assert (office.view("1")["contract"], office.view("1")["flags"]) == (None, ["contract_ambiguous"])
    assert office.view("2")["flags"] == ["contract_unknown"]
    update = office.room.event(
        source="phpnet",
        subject="1",
        type="ticket.updated",
        time="2026-03-06T15:30:00+01:00",
        data={"contract": "c-2"},
    )
    office.room.send([update])
    assert (office.view("1")["contract"], office.view("1")["flags"]) == ("C-2", [])


@pytest.mark.parametrize("what", ["allowances", "charges"])
def test_what_an_unknown_contract_has_used_is_not_found_where_a_desk_has_contracts(
    office: Office, what: str
) -> None:
    path = f"/v1/{what}"
    assert office.get(path, contract="C-2") == {what: []}
    office.done("C-1", TERM)
    assert office.get(path, contract="c-1") == {what: []}
    assert office.get(path, contract="C-2", desk="hvn") == {what: []}
    assert office.room.get(path, contract="C-2").status_code == 404


def test_a_desk_without_contracts_has_no_flags(office: Office) -> None:
    office.ticket("1")
    assert office.view("1")["flags"] == []
    assert office.view("1")["contract"] is None


@both_kinds
def test_a_new_contract_judges_the_tickets_of_its_customer_again(office: Office) -> None:
    office.ticket("1")
    assert office.view("1")["level"] is None
    preview = office.done("C-1", TERM, preview=True)
    assert preview["changes_in_all"] >= 1
    assert preview["changes"][0]["ticket"] == "1"
    assert office.done("C-1", TERM)["tickets"] == 1
    office.room.app.state.running.sweeper.sweep_now()
    signals = office.get("/v1/signals", desk="phpnet")["signals"]
    assert [each["kind"] for each in signals if each["subject"] == "contract:C-1"] == ["contract.applied"]
    assert "clock.started" in [each["kind"] for each in signals if each["ticket"] == "1"]
    listed = office.get("/v1/tickets", desk="phpnet", contract="C-1")["tickets"]
    assert [each["ticket"] for each in listed] == ["1"]


def test_a_change_concerns_the_tickets_of_its_customers_only(office: Office) -> None:
    office.done("C-1", TERM)
    office.ticket("1")
    office.ticket("2", customer="Other")
    assert office.done("C-1", TERM | {"level": "example-2"})["tickets"] == 1


def test_a_reader_sees_contracts_and_changes_none(office: Office) -> None:
    response = office.room.client.put("/v1/contracts/phpnet/C-1", json=TERM, headers=office.room.read)
    assert response.status_code == 403
