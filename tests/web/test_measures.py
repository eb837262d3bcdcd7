"""`GET /v1/averages`, `/v1/allowances` and `/v1/charges`: their shapes, filters, instants and refusals."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.principal import Scope
from app.web.api.contracts.averages import AllowanceList, AverageList, ChargeList
from tests.web.room import Room, conforms

ELEVEN = datetime.fromisoformat("2026-03-05T11:00:00+01:00")
"""A Thursday before the room's present, in the hours of HaiSoft's phone."""


def call(room: Room, number: int, waited: int | None, /, **data: Any) -> list[dict[str, Any]]:
    """A call on one line, answered after some seconds."""
    subject, offered = f"call:{number}", ELEVEN + timedelta(minutes=number)
    data = {"line": "support"} | data
    facts = [room.event(type="call.offered", subject=subject, time=offered.isoformat(), data=data)]
    if waited is not None:
        answered = (offered + timedelta(seconds=waited)).isoformat()
        facts.append(room.event(type="call.answered", subject=subject, time=answered, data={}))
    return facts


def test_the_average_of_a_month_says_how_it_stands(room: Room) -> None:
    room.sent(*call(room, 1, 80), *call(room, 2, 101), *call(room, 3, None))
    answer = conforms(AverageList, room.get("/v1/averages", desk="haisoft", period="2026-03").content)
    (found,) = answer["averages"]
    assert found == {
        "desk": "haisoft",
        "id": "phone-pickup",
        "label": "Phone answered on average",
        "kind": "guarantee",
        "line": "support",
        "lines": ["", "support"],
        "period": "2026-03",
        "from": "2026-02-28T23:00:00Z",
        "to": "2026-03-31T22:00:00Z",
        "target": "< 90s",
        "count": 2,
        "abandoned": 1,
        "mean_seconds": 90.5,
        "state": "running",
        "warned_at": None,
        "breached_at": None,
        "at": found["at"],
    }
    later = room.get("/v1/averages", desk="haisoft", period="2026-03", at="2026-04-01T00:00:00+02:00").json()
    assert later["averages"][0]["breached_at"] == "2026-03-31T22:00:00Z"
    empty = room.get("/v1/averages", id="phone-pickup", at="2026-02-02T00:00:00Z").json()["averages"]
    assert [(each["state"], each["count"], each["mean_seconds"]) for each in empty] == [("running", 0, None)]
    assert room.get("/v1/averages", id="other").json() == {"averages": []}
    assert room.get("/v1/averages", as_of="2020-01-01T00:00:00Z", period="2026-03").status_code == 200


def test_allowances_say_what_is_used_and_left(room: Room) -> None:
    fields = {"kind": "intervention", "category": "software", "level": "example-1", "customer": "Nord"}
    for number in range(3):
        when = f"2026-03-0{number + 2}T10:00:00+01:00"
        name = f"t{number}"
        room.sent(
            room.event(source="phpnet", subject=name, time=when, data=fields),
            room.event(source="phpnet", subject=name, time=when, type="intervention.started", data={}),
        )
    answer = conforms(AllowanceList, room.get("/v1/allowances", period="2026-03").content)
    (found,) = answer["allowances"]
    assert (found["desk"], found["id"], found["customer"], found["contract"]) == (
        *("phpnet", "interventions", "Nord", None),
    )
    assert (found["limit"], found["used"], found["left"], found["tickets"]) == (2, 3, 0, ["t0", "t1", "t2"])
    assert [each["exceeded"] for each in found["uses"]] == [False, False, True]
    assert "allowance_exceeded" in room.get("/v1/tickets/phpnet/t2").json()["flags"]
    assert room.get("/v1/allowances", desk="phpnet", contract="C-1").json() == {"allowances": []}
    as_of = room.get("/v1/allowances", desk="phpnet", as_of="2026-03-01T00:00:00Z", period="2026-03")
    assert as_of.json() == {"allowances": []}


def test_calls_to_the_emergency_line_are_charged_to_whom_they_name(room: Room) -> None:
    room.sent(*call(room, 1, 5, line="emergency", customer="Nord"), *call(room, 2, 5))
    answer = conforms(ChargeList, room.get("/v1/charges", period="2026-03").content)
    (found,) = answer["charges"]
    assert (found["id"], found["subject"], found["customer"], found["amount"], found["currency"]) == (
        *("emergency-call", "call:1", "Nord", "10.00", "EUR"),
    )
    assert room.get("/v1/charges", period="2026-03", customer="nord ").json() == answer
    assert room.get("/v1/charges", period="2026-03", customer="Sud").json() == {"charges": []}
    assert room.get("/v1/charges", period="2026-02").json() == {"charges": []}


@pytest.mark.parametrize("path", ["/v1/averages", "/v1/allowances", "/v1/charges"])
def test_what_cannot_be_asked_is_refused_with_its_place(shared_room: Room, path: str) -> None:
    room = shared_room
    month = room.get(path, desk="haisoft", period="2026-13")
    assert month.status_code == 422
    assert month.json()["errors"] == [
        {"in": "query", "place": "period", "reason": '"2026-13" is no month. Write it as "2026-11".'}
    ]
    assert room.get(path, desk="nowhere").status_code == 404
    assert room.get(path, at="yesterday").status_code == 422
    far = room.get(path, at="9999-12-31T23:59:59Z")
    assert (far.status_code, far.json()["errors"][0]["place"]) == (422, "at")
    assert room.client.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/v1/calendars/haisoft/tickets", "/v1/contracts"])
def test_an_instant_that_some_zone_has_in_the_year_10000_is_refused(shared_room: Room, path: str) -> None:
    answer = shared_room.get(path, at="9999-12-31T23:59:59Z")
    assert (answer.status_code, answer.json()["errors"][0]["place"]) == (422, "at")


@pytest.mark.parametrize("path", ["/v1/averages", "/v1/allowances", "/v1/charges"])
def test_a_key_sees_its_own_desks_only(shared_room: Room, path: str) -> None:
    key = shared_room.key("hvn", Scope.READ)
    assert shared_room.get(path, key).json() == {path.removeprefix("/v1/"): []}
    assert shared_room.get(path, key, desk="haisoft").status_code == 404
