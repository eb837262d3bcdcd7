"""`GET /v1/availability`: the figures, the outages with their reasons, contracts, spans, instants and faults."""

from typing import Any

import pytest

from app.principal import Scope
from tests.servers.databases import Databases
from tests.web.room import Room, room_on, with_desks

NETWORK = "service:network"


def send(
    room: Room,
    kind: str,
    time: str,
    event_id: str,
    subject: str = NETWORK,
    source: str = "haisoft",
    **data: Any,
) -> None:
    event = room.event(id=event_id, source=source, type=kind, subject=subject, time=time, data=data)
    response = room.send(event)
    assert response.status_code == 200, response.text


def outage(room: Room, name: str, start: str, end: str, subject: str = NETWORK, **data: Any) -> None:
    send(room, "outage.started", start, f"{name}-start", subject, reference=name, **data)
    send(room, "outage.ended", end, f"{name}-end", subject, reference=name)


def ask(room: Room, headers: dict[str, str] | None = None, **params: Any) -> Any:
    return room.client.get("/v1/availability", params=params, headers=headers or room.read)


def shown(room: Room, **params: Any) -> list[dict[str, Any]]:
    response = ask(room, **params)
    assert response.status_code == 200, response.text
    return response.json()["availability"]


def test_figures_and_outages_of_a_service_and_its_resources(room: Room) -> None:
    outage(
        room,
        "r1",
        "2026-03-02T12:00:00+01:00",
        "2026-03-02T12:10:00.500000+01:00",
        resource="Srv-1",
        cause="disk",
    )
    outage(room, "r2", "2026-03-03T12:00:00+01:00", "2026-03-03T12:05:00+01:00")
    whole, server = shown(room, desk="haisoft", service="NETWORK")
    assert {name: value for name, value in whole.items() if name != "outages"} == {
        "desk": "haisoft",
        "id": "network-uptime",
        "label": "Network uptime",
        "kind": "guarantee",
        "service": "network",
        "resource": None,
        "contract": None,
        "period": "2026-03",
        "from": "2026-02-28T23:00:00Z",
        "to": "2026-03-31T22:00:00Z",
        "target": "> 99.95%",
        "state": "running",
        "uptime": "99.9663",
        "total_seconds": 743 * 3600,
        "downtime_seconds": 900.5,
        "excluded_seconds": 0,
        "allowance_seconds": 1337.4,
        "remaining_seconds": 436.9,
        "breached_at": None,
        "next_at": "2026-03-31T22:00:00Z",
        "maintenance": [],
        "days": None,
        "flags": [],
    }
    assert whole["outages"][0] == {
        "reference": "r1",
        "service": "network",
        "resource": "Srv-1",
        "from": "2026-03-02T11:00:00Z",
        "to": "2026-03-02T11:10:00.500000Z",
        "cause": "disk",
        "event": "r1-start",
        "counted_seconds": 600.5,
        "spans": [
            {
                "from": "2026-03-02T11:00:00Z",
                "to": "2026-03-02T11:10:00.500000Z",
                "counted": True,
                "reason": "disk",
                "reason_detail": {"code": "outage_cause", "ref": "disk", "params": {}},
            }
        ],
    }
    assert (server["resource"], server["downtime_seconds"]) == ("Srv-1", 900.5)
    (only,) = shown(room, desk="haisoft", service="network", resource="srv-2")
    assert (only["resource"], only["downtime_seconds"]) == ("srv-2", 300)
    assert [each["resource"] for each in shown(room, desk="haisoft", resource="")] == [None] * 3


def test_a_service_without_facts_is_up_and_marked(room: Room) -> None:
    found = shown(room, desk="hvn")
    assert len(found) == 12
    assert {(each["uptime"], tuple(each["flags"])) for each in found} == {("100.0000", ("nothing_reported",))}
    assert shown(room, desk="webxtra") == shown(room, desk="hvn", id="other") == []


def test_a_named_month_a_span_and_an_instant_can_be_asked_for(room: Room) -> None:
    outage(room, "r", "2026-01-31T23:30:00+01:00", "2026-02-01T01:00:00+01:00")
    (january,) = shown(room, desk="haisoft", service="network", period="2026-01")
    (february,) = shown(room, desk="haisoft", service="network", period="2026-02")
    assert (january["downtime_seconds"], january["state"], february["downtime_seconds"]) == (
        1800,
        "breached",
        3600,
    )
    span = {"from": "2026-01-31T23:00:00+01:00", "to": "2026-02-01T00:30:00+01:00"}
    (asked,) = shown(room, desk="haisoft", service="network", **span)
    assert (asked["period"], asked["total_seconds"], asked["downtime_seconds"]) == (None, 5400, 3600)
    (then,) = shown(room, desk="haisoft", service="network", period="2026-02", at="2026-02-01T00:10:00+01:00")
    assert (then["state"], then["downtime_seconds"], then["next_at"]) == (
        "running",
        600,
        "2026-01-31T23:10:04.800000Z",
    )
    # It ends after that instant, so it lasts at it.
    assert [then["outages"][0]["to"], february["outages"][0]["to"]] == [None, "2026-02-01T00:00:00Z"]


def test_as_of_an_instant_it_is_what_was_known_then(room: Room) -> None:
    before = "2026-03-06T14:30:00Z"
    room.wall.move(60)
    outage(room, "r", "2026-03-02T12:00:00+01:00", "2026-03-02T13:00:00+01:00")
    (then,) = shown(room, desk="haisoft", service="network", as_of=before)
    (now,) = shown(room, desk="haisoft", service="network")
    assert (then["uptime"], then["flags"], now["state"]) == ("100.0000", ["nothing_reported"], "breached")


def test_a_contract_is_down_by_its_services_and_resources_while_it_is_valid(room: Room) -> None:
    term = {
        "customer": "Acme",
        "services": ["network", "virtual"],
        "resources": ["srv-1"],
        "valid_from": "2026-03-02",
        "currency": "EUR",
    }
    put = room.client.put("/v1/contracts/haisoft/C-1", json=term, headers=room.key("*", Scope.ADMIN))
    assert put.status_code == 200, put.text
    outage(room, "before", "2026-03-01T12:00:00+01:00", "2026-03-01T13:00:00+01:00")
    outage(room, "all", "2026-03-02T12:00:00+01:00", "2026-03-02T12:04:00+01:00")
    outage(
        room,
        "own",
        "2026-03-02T12:02:00+01:00",
        "2026-03-02T12:06:00+01:00",
        subject="service:virtual",
        resource="SRV-1",
    )
    outage(room, "other", "2026-03-03T12:00:00+01:00", "2026-03-03T13:00:00+01:00", resource="srv-2")
    (found,) = shown(room, desk="haisoft", contract="c-1")
    assert (found["contract"], found["service"], found["resource"]) == ("C-1", None, None)
    assert (found["downtime_seconds"], [each["reference"] for each in found["outages"]]) == (
        360,
        ["all", "own"],
    )
    assert ask(room, desk="haisoft", contract="C-2").status_code == 404


def test_a_breach_is_listed_with_its_service_and_period_and_can_be_acknowledged(room: Room) -> None:
    outage(room, "r", "2026-03-02T12:00:00+01:00", "2026-03-02T13:00:00+01:00", resource="srv-1")
    listed = room.client.get("/v1/breaches", headers=room.read).json()["breaches"]
    assert [
        (each["kind"], each["subject"], each["service"], each["resource"], each["period"]) for each in listed
    ] == [("availability.breached", NETWORK, "network", resource, "2026-03") for resource in ("srv-1", None)]
    assert (listed[0]["state"], listed[0]["cycle"], listed[0]["open"]) == (None, None, False)
    path = f"/v1/breaches/{listed[0]['id']}/acknowledgement"
    seen = room.client.post(path, json={"author": "Ann"}, headers=room.push)
    assert (seen.status_code, seen.json()["acknowledgement"]["author"]) == (200, "Ann")


FAULTY: list[tuple[dict[str, str], str]] = [
    ({"period": "2026-13"}, "2026-11"),
    ({"period": "2026-03", "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}, "one of them"),
    ({"from": "2026-03-01T00:00:00Z"}, "both"),
    ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "after"),
    ({"from": "2006-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "shorter"),
    ({"at": "2040-03-02T00:00:00Z"}, "ten years"),
    ({"as_of": "2026-04-02T00:00:00Z"}, "lies ahead"),
    ({"contract": "C-1", "desk": ""}, "desk"),
    ({"days": "0"}, "days"),
    ({"days": "401"}, "SLATIMER_AVAILABILITY_DAYS_MAX"),
]


@pytest.mark.parametrize(("params", "word"), FAULTY)
def test_a_faulty_question_is_refused_with_its_place(
    shared_room: Room, params: dict[str, str], word: str
) -> None:
    given = {"desk": "haisoft", **params}
    response = ask(shared_room, None, **{name: value for name, value in given.items() if value})
    assert response.status_code == 422
    assert word in response.json()["detail"]


def test_a_key_sees_its_own_desks_only(room: Room) -> None:
    key = room.key("hvn", Scope.READ)
    assert {each["desk"] for each in ask(room, key).json()["availability"]} == {"hvn"}
    assert ask(room, key, desk="haisoft").status_code == 404
    assert ask(room, desk="nowhere").status_code == 404


def test_an_answer_has_as_many_objects_and_outages_as_the_settings_allow(databases: Databases) -> None:
    limits = {"availability_outages_max": 2, "availability_objects_max": 1}
    with databases.copy_of(with_desks) as url, room_on(url, **limits) as room:
        for n in range(3):
            outage(room, f"r{n}", f"2026-03-0{n + 1}T12:00:00+01:00", f"2026-03-0{n + 1}T12:01:00+01:00")
        (found,) = shown(room, desk="haisoft", service="network")
        assert [each["reference"] for each in found["outages"]] == ["r1", "r2"]
        assert (found["flags"], found["downtime_seconds"]) == (["outages_capped"], 180)
        assert ask(room, desk="haisoft", cursor="x").status_code == 422


def test_an_answer_goes_on_with_the_objects_that_follow(databases: Databases) -> None:
    with databases.copy_of(with_desks) as url, room_on(url, availability_objects_max=2) as room:
        for n, name in enumerate(("srv-2", "SRV-1", "srv-3", "srv-10")):
            since = f"2026-03-0{n + 1}T12:00:00+01:00"
            send(room, "outage.started", since, name, "service:network", "haisoft", resource=name)
        found: list[tuple[str, str | None]] = []
        cursor: dict[str, str] = {}
        while True:
            page = ask(room, None, **cursor).json()
            assert len(page["availability"]) <= 2
            found += [(each["service"], each["resource"]) for each in page["availability"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len(found) == len(set(found))
        of_network = [resource for service, resource in found if service == "network"]
        assert of_network == [None, "SRV-1", "srv-10", "srv-2", "srv-3"]
        assert {service for service, _ in found} >= {"hosting", "Hosting", "DNS"}


def announce(room: Room, name: str, announced: str, start: str, end: str, subject: str, source: str) -> None:
    span = {"from": start, "to": end}
    send(room, "maintenance.announced", announced, name, subject, source, **span)


def test_the_downtime_of_each_local_day_sums_to_that_of_the_month(room: Room) -> None:
    outage(room, "night", "2026-03-02T23:00:00+01:00", "2026-03-03T00:30:00+01:00")
    outage(room, "before", "2026-02-27T12:00:00+01:00", "2026-02-27T12:10:00+01:00")
    (found,) = shown(room, desk="haisoft", service="network", days=8)
    days = found["days"]
    assert [each["date"] for each in days] == [
        *("2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"),
        *("2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"),
    ]
    assert [each["downtime_seconds"] for each in days] == [600, 0, 0, 3600, 1800, 0, 0, 0]
    assert {each["total_seconds"] for each in days} == {86400}
    assert sum(each["downtime_seconds"] for each in days[2:]) == found["downtime_seconds"]
    (then,) = shown(room, desk="haisoft", service="network", days=1, at="2026-03-02T23:10:00+01:00")
    assert then["days"] == [
        {"date": "2026-03-02", "total_seconds": 86400, "downtime_seconds": 600, "excluded_seconds": 0}
    ]


def test_a_month_in_which_a_contract_is_not_valid_is_neither_kept_nor_broken(shared_room: Room) -> None:
    term = {"customer": "Acme", "services": ["network"], "valid_from": "2026-03-02", "currency": "EUR"}
    key = shared_room.key("*", Scope.ADMIN)
    put = shared_room.client.put("/v1/contracts/haisoft/none-yet", json=term, headers=key)
    assert put.status_code == 200, put.text
    for period, state in (("2026-02", "none"), ("2026-03", "running")):
        (found,) = shown(shared_room, desk="haisoft", contract="none-yet", period=period)
        assert (found["state"], "not_covered" in found["flags"]) == (state, state == "none")


def test_the_days_of_a_contract_are_its_own(room: Room) -> None:
    term = {"customer": "Acme", "services": ["network"], "valid_from": "2026-03-02", "currency": "EUR"}
    put = room.client.put("/v1/contracts/haisoft/C-1", json=term, headers=room.key("*", Scope.ADMIN))
    assert put.status_code == 200, put.text
    outage(room, "r", "2026-03-01T12:00:00+01:00", "2026-03-02T00:30:00+01:00")
    (found,) = shown(room, desk="haisoft", contract="C-1", days=6)
    assert [each["downtime_seconds"] for each in found["days"]] == [0, 1800, 0, 0, 0, 0]


def test_announced_maintenance_is_listed_with_why_it_counts_or_does_not(room: Room) -> None:
    mail, noon = "service:Hosting", "2026-03-06T12:00:00+07:00"
    announce(room, "soon", "2026-03-05T12:00:00+07:00", noon, "2026-03-06T13:00:00+07:00", mail, "hvn")
    late = "2026-03-05T12:00:01+07:00"
    announce(room, "late", late, noon, "2026-03-06T14:00:00+07:00", mail, "hvn")
    april = ("2026-04-02T01:00:00+07:00", "2026-04-02T02:00:00+07:00")
    announce(room, "april", "2026-03-01T12:00:00+07:00", *april, mail, "hvn")
    (found,) = shown(room, desk="hvn", service="hosting")
    assert [(each["event"], each["counted"]) for each in found["maintenance"]] == [
        ("soon", False),
        ("late", True),
        ("april", False),
    ]
    assert found["maintenance"][1] == {
        "service": "Hosting",
        "resource": None,
        "from": "2026-03-06T05:00:00Z",
        "to": "2026-03-06T07:00:00Z",
        "announced_at": "2026-03-05T05:00:01Z",
        "emergency": False,
        "counted": True,
        "reason": "maintenance announced 23 h 59 min 59 s ahead; the agreement asks for 24 h",
        "reason_detail": {
            "code": "short_notice",
            "ref": "late",
            "params": {"notice_seconds": 86399.0, "needed_seconds": 86400.0},
        },
        "event": "late",
    }
    (ended,) = shown(room, desk="hvn", service="hosting", period="2026-02")
    assert ended["maintenance"] == []
