"""Credits and statements over HTTP: lists, requests and grants by hand, three media types, and who may do what."""

import csv
import io
from datetime import datetime
from typing import Any

import pytest

from app.principal import Role, Scope
from app.sla.span import micros
from tests.web.room import Room

CREDIT = "phpnet.gti-credit.C-1.ticket.1"
LATER = micros(datetime.fromisoformat("2026-03-09T12:00:00+01:00"))
TERM = {
    "customer": "=Acme",
    "level": "example-1",
    "fee": {"amount": "49.90", "per": "month"},
    "valid_from": "2026-01-01",
}
MISSED = "was missed at 2026-03-07 09:30:00+01:00."
WHY = {"author": "Eva", "reason": "asked by telephone"}


@pytest.fixture
def missed(room: Room) -> Room:
    """A ticket of a contract whose delay was missed."""
    admin = room.key("*", Scope.ADMIN)
    put = room.client.put("/v1/contracts/phpnet/C-1", json=TERM, headers=admin)
    assert put.status_code == 200, put.text
    data = {"customer": "=Acme", "category": "software"}
    room.sent(
        room.event(source="phpnet", subject="1", data=data),
        room.event(source="phpnet", subject="1", type="call.registered", data={}),
    )
    room.wall.now = LATER
    return room


def decide(room: Room, verb: str, key: dict[str, str], credit: str = CREDIT) -> Any:
    room.wall.move(1)
    return room.client.post(f"/v1/credits/{credit}/{verb}", json=WHY, headers=key)


def test_credits_are_listed_with_their_totals(missed: Room) -> None:
    answer = missed.get("/v1/credits", desk="phpnet").json()
    (line,) = answer["credits"]
    assert (line["id"], line["amount"], line["state"], line["commitment"]) == (
        CREDIT,
        "24.95",
        "claimable",
        "gti",
    )
    assert (answer["totals"], answer["next"]) == (
        [{"currency": "EUR", "amount": "24.95", "due": "0.00", "open": "24.95"}],
        None,
    )
    for wanted, count in (
        ({"contract": "c-1"}, 1),
        ({"customer": "=ACME"}, 1),
        ({"customer": "other"}, 0),
        ({"period": "2026-03"}, 1),
        ({"period": "2026-02"}, 0),
        ({"state": "claimable"}, 1),
        ({"state": "granted"}, 0),
        ({"at": "2026-03-06T15:31:00+01:00"}, 0),
        ({"as_of": "2026-03-06T15:29:00+01:00"}, 0),
    ):
        assert len(missed.get("/v1/credits", **wanted).json()["credits"]) == count, wanted


def test_a_person_requests_and_grants_a_credit_with_a_reason(missed: Room) -> None:
    lead = missed.key("phpnet", Role.LEAD)
    assert decide(missed, "request", lead).json()["state"] == "claimed"
    granted = decide(missed, "grant", lead).json()
    assert granted["state"] == "granted"
    assert missed.get("/v1/credits", desk="phpnet").json()["totals"] == [
        {"currency": "EUR", "amount": "24.95", "due": "24.95", "open": "0.00"}
    ]
    last = granted["transitions"][-1]
    assert (last["author"], last["reason"], last["event"] in granted["facts"]) == (
        "Eva",
        "asked by telephone",
        True,
    )
    assert decide(missed, "refuse", lead).json()["state"] == "refused"
    assert missed.get("/v1/credits", desk="phpnet").json()["totals"] == []


@pytest.mark.parametrize(
    ("verb", "state", "sums"),
    [
        ("grant", "granted", [{"currency": "EUR", "amount": "24.95", "due": "24.95", "open": "0.00"}]),
        ("refuse", "refused", []),
    ],
)
def test_a_lead_lets_a_withdrawn_credit_stand_or_takes_it_back(
    missed: Room, verb: str, state: str, sums: list[dict[str, str]]
) -> None:
    lead = missed.key("phpnet", Role.LEAD)
    assert decide(missed, "grant", lead).status_code == 200
    in_time = {"type": "intervention.started", "time": "2026-03-06T16:00:00+01:00", "data": {}}
    missed.sent(missed.event(source="phpnet", subject="1", **in_time))
    found = missed.get("/v1/credits", desk="phpnet").json()
    assert ([each["state"] for each in found["credits"]], found["totals"]) == (["withdrawn"], [])
    refused = decide(missed, "request", lead)
    assert (refused.status_code, refused.json()["detail"][:18]) == (409, "It was withdrawn: ")
    decided = decide(missed, verb, lead).json()
    steps = ["claimable", "granted", "withdrawn", state]
    assert (decided["state"], [each["state"] for each in decided["transitions"]]) == (state, steps)
    assert decided["explanation"][-1] == f"{state.capitalize()} by Eva: asked by telephone."
    assert missed.get("/v1/credits", desk="phpnet").json()["totals"] == sums
    statement = missed.get("/v1/statements/phpnet/C-1/2026-03").json()
    place = "lines" if state == "granted" else "closed"
    assert [each["state"] for each in statement[place]] == [state]
    assert [each["due"] for each in statement["totals"]] == [each["due"] for each in sums]


def test_an_agent_may_request_a_credit_and_not_grant_it(missed: Room) -> None:
    agent = missed.key("phpnet", Role.AGENT)
    assert decide(missed, "grant", agent).status_code == 403
    assert decide(missed, "request", agent).status_code == 200


@pytest.mark.parametrize("role", [Role.PUSH, Scope.PUSH])
def test_a_ticket_system_grants_and_refuses_no_credit(missed: Room, role: Role | Scope) -> None:
    system = missed.key("phpnet", role)
    assert {verb: decide(missed, verb, system).status_code for verb in ("grant", "refuse")} == {
        "grant": 403,
        "refuse": 403,
    }
    (line,) = missed.get("/v1/credits", desk="phpnet").json()["credits"]
    assert line["state"] == "claimable"


@pytest.mark.parametrize("verb", ["request", "grant", "refuse"])
def test_a_credit_that_still_accrues_is_decided_when_it_does_not(room: Room, verb: str) -> None:
    admin = room.key("*", Scope.ADMIN)
    term = {**TERM, "level": None, "currency": "VND", "fee": {"amount": "100000", "per": "month"}}
    put = room.client.put("/v1/contracts/hvn/C-1", json=term, headers=admin)
    assert put.status_code == 200, put.text
    for kind, time in (("outage.started", "2026-03-05T10:00:00Z"), ("outage.ended", "2026-03-06T10:00:00Z")):
        room.sent(room.event(source="hvn", subject="service:Hosting", type=kind, time=time, data={}))
    room.wall.now = LATER
    (line,) = room.get("/v1/credits", desk="hvn").json()["credits"]
    assert line["state"] == "accruing"
    refused = decide(room, verb, admin, line["id"])
    assert refused.status_code == 409
    assert refused.json()["detail"] == "It still accrues, until 2026-03-31T17:00:00Z. Decide then."
    (line,) = room.get("/v1/credits", desk="hvn").json()["credits"]
    assert (line["state"], line["transitions"]) == ("accruing", [])


def test_a_credit_of_another_desk_is_as_unknown_as_one_that_does_not_exist(missed: Room) -> None:
    other = missed.key("haisoft", Role.LEAD)
    assert decide(missed, "grant", other).status_code == 404
    lead = missed.key("phpnet", Role.LEAD)
    for unknown in ("x", "phpnet.gti-credit.C-1.2026-03", "phpnet.gti-credit.C-9.ticket.1"):
        assert decide(missed, "grant", lead, unknown).status_code == 404, unknown
    assert missed.get("/v1/credits", other).json()["credits"] == []
    assert missed.get("/v1/statements/phpnet/C-1/2026-03", other).status_code == 404


def test_a_statement_is_json_csv_or_a_page_as_the_client_prefers(missed: Room) -> None:
    path = "/v1/statements/phpnet/C-1/2026-03"
    found = missed.get(path).json()
    (total,) = found["totals"]
    assert (found["state"], total["amount"], total["due"]) == ("running", "24.95", "0.00")
    assert (found["time_zone"], found["first_day"], found["last_day"]) == (
        "Europe/Paris",
        "2026-03-01",
        "2026-03-31",
    )
    assert found["lines"][0]["explanation"][0].endswith(MISSED)
    assert found["lines"][0]["explanation"][-1] == "50 % of the monthly fee."
    accept = {**missed.read, "Accept": "text/html;q=0.2, text/csv"}
    listed = missed.client.get(path, headers=accept)
    assert listed.headers["content-type"] == "text/csv; charset=utf-8"
    credit, whole, due, waiting, _ = csv.DictReader(io.StringIO(listed.text))
    # A spreadsheet must not take a name for a formula.
    assert (credit["kind"], credit["amount"], credit["customer"]) == ("credit", "24.95", "'=Acme")
    assert (whole["kind"], whole["amount"]) == ("total of credits", "24.95")
    assert (due["amount"], waiting["kind"], waiting["amount"]) == ("0.00", "open of credits", "24.95")
    page = missed.client.get(path, headers={**missed.read, "Accept": "text/html,application/xml;q=0.9"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for shown in (
        "€24.95",
        "1 Mar 2026 to 31 Mar 2026, not over yet",
        "Mon, 9 Mar 2026 12:00",
        "Europe/Paris",
    ):
        assert shown in page.text
    assert "style=" not in page.text
    assert 'rel="icon"' in page.text


def test_a_decision_with_a_character_that_cannot_be_stored_is_refused(missed: Room) -> None:
    key = missed.key("*", Scope.ADMIN)
    body = {"author": "Eva\0", "reason": "asked"}
    refused = missed.client.post(f"/v1/credits/{CREDIT}/grant", json=body, headers=key)
    assert (refused.status_code, "NUL" in refused.json()["detail"]) == (422, True)


def test_the_only_term_of_a_contract_with_recorded_credits_is_not_taken_back(missed: Room) -> None:
    admin, path = missed.key("*", Scope.ADMIN), "/v1/contracts/phpnet/C-1"
    assert decide(missed, "grant", admin).status_code == 200
    since = "2026-01-01"
    refused = missed.client.delete(path, params={"valid_from": since}, headers=admin)
    assert refused.status_code == 409, refused.text
    assert 'valid_to = "2026-01-02"' in refused.json()["detail"]
    ended = TERM | {"valid_to": "2026-01-02"}
    assert missed.client.put(path, json=ended, headers=admin).status_code == 200
    (line,) = missed.get("/v1/credits", desk="phpnet").json()["credits"]
    assert (line["id"], line["state"]) == (CREDIT, "withdrawn")


@pytest.mark.parametrize("period", ["2026-13", "march", "2026-3"])
def test_a_period_that_is_no_month_is_refused(missed: Room, period: str) -> None:
    refused = missed.get(f"/v1/statements/phpnet/C-1/{period}")
    assert refused.status_code == 422
    assert "is no month" in refused.json()["detail"]
    refused = missed.get("/v1/credits", period=period)
    assert refused.status_code == 422
    assert "is no month" in refused.json()["detail"]


def totals(room: Room) -> Any:
    found = room.get("/v1/credits", desk="phpnet").json()["totals"]
    return [{name: each[name] for name in ("currency", "amount")} for each in found]


def test_the_preview_of_a_contract_has_the_totals_before_and_after(missed: Room) -> None:
    path, admin = "/v1/contracts/phpnet/C-1", missed.key("*", Scope.ADMIN)
    term = TERM | {"fee": {"amount": "99.80", "per": "month"}}
    preview = missed.client.put(path, params={"preview": True}, json=term, headers=admin).json()
    changed = [{"currency": "EUR", "before": "24.95", "after": "49.90"}]
    said = "Credits in EUR change from 24.95 to 49.90."
    assert (preview["credits"], preview["sentence"], preview["complete"]) == (changed, said, True)
    rows = "id;customer;level;fee_amount;fee_per;valid_from\nC-1;=Acme;example-1;99,80;month;01.01.2026\n"
    exported = missed.client.post(
        "/v1/contracts/phpnet/import",
        params={"preview": True},
        content=rows,
        headers=admin | {"Content-Type": "text/csv"},
    ).json()
    assert (exported["credits"], exported["sentence"]) == (changed, said)
    assert totals(missed) == [{"currency": "EUR", "amount": "24.95"}]
    assert missed.client.put(path, json=term, headers=admin).json()["credits"] is None
    assert totals(missed) == [{"currency": "EUR", "amount": "49.90"}]


def test_the_preview_of_an_agreement_has_the_totals_before_and_after(missed: Room) -> None:
    path, admin = "/v1/agreements/phpnet", missed.key("*", Scope.ADMIN)
    document = missed.get(path).json()["document"]
    for credit in document["credits"]:
        credit["share"] = "40%"
    params = {"applies_to": "open", "preview": True}
    summary = missed.client.put(path, params=params, json=document, headers=admin).json()["summary"]
    assert summary["credits"] == [{"currency": "EUR", "before": "24.95", "after": "19.96"}]
    assert summary["sentence"] == "Credits in EUR change from 24.95 to 19.96."
    missed.client.put(path, params=params | {"preview": False}, json=document, headers=admin)
    assert totals(missed) == [{"currency": "EUR", "amount": "19.96"}]


def test_what_was_granted_stands_as_it_was_granted_under_a_later_version(missed: Room) -> None:
    path, admin = "/v1/agreements/phpnet", missed.key("*", Scope.ADMIN)
    assert decide(missed, "grant", missed.key("phpnet", Role.LEAD)).json()["amount"] == "24.95"
    document = missed.get(path).json()["document"]
    for credit in document["credits"]:
        credit["share"] = "40%"
    params = {"applies_to": "open", "preview": True}
    missed.wall.move(1)
    summary = missed.client.put(path, params=params, json=document, headers=admin).json()["summary"]
    assert summary["credits"] == []
    missed.client.put(path, params=params | {"preview": False}, json=document, headers=admin)
    missed.wall.move(1)
    assert totals(missed) == [{"currency": "EUR", "amount": "24.95"}]
    assert decide(missed, "refuse", missed.key("phpnet", Role.LEAD)).json()["amount"] == "19.96"
