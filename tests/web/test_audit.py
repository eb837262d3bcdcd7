"""`GET /v1/audit`: what administrators see of sign-ins and of each other's acts."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.principal import Role
from app.store.inbound import connections
from app.web.http.access import COOKIE
from tests.servers.databases import Databases, both_kinds
from tests.web.room import ALL, Room, room_on, with_desks

SUBSCRIPTION = {"desk": "haisoft", "url": "https://127.0.0.1/hook?token=t0ken", "kinds": ["clock.breached"]}


def acts(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return [(each["desk"], each["action"]) for each in answer.json()["entries"]]


@pytest.fixture
def sending(databases: Databases) -> Iterator[Room]:
    """A room that may deliver to this machine."""
    with databases.copy_of(with_desks) as url, room_on(url, allow_networks=("127.0.0.0/8",)) as made:
        yield made


@both_kinds
def test_what_an_administrator_does_is_listed_with_key_request_and_address(sending: Room) -> None:
    room, admin = sending, sending.key("haisoft", Role.ADMIN)
    made = room.client.post(
        "/v1/subscriptions", json=SUBSCRIPTION, headers=admin | {"x-request-id": "by-hand-1"}
    )
    assert made.status_code == 201, made.text
    which = made.json()["id"]
    assert room.client.delete(f"/v1/subscriptions/{which}", headers=admin).status_code == 204
    listed = room.get("/v1/audit", admin, limit=2)
    assert acts(listed) == [("haisoft", "subscription.removed"), ("haisoft", "subscription.created")]
    entry = listed.json()["entries"][1]
    (key,) = {each["about"] for each in room.get("/v1/audit", admin, action="key.created").json()["entries"]}
    assert (entry["who"], entry["about"]) == (f"key {key}", which)
    assert (entry["request_id"], entry["address"]) == ("by-hand-1", "testclient")
    assert "t0ken" not in listed.text


def test_a_document_put_into_force_is_listed(room: Room) -> None:
    admin = room.key("own", Role.ADMIN)
    hours = {"desk": {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:00"]}}}
    for _ in range(2):  # the second time it is in force already
        put = room.client.put("/v1/calendars/own", json={"calendars": hours}, headers=admin)
        assert put.status_code == 200, put.text
    listed = room.get("/v1/audit", admin).json()["entries"]
    assert [(each["action"], each["about"]) for each in listed[:-1]] == [("version.applied", "version 1")]
    assert listed[0]["who"] == f"key {listed[-1]['about']}"


def test_a_desk_sees_its_own_entries_only(room: Room) -> None:
    admin, other = room.key("haisoft", Role.ADMIN), room.key("hvn", Role.ADMIN)
    room.database.write_now(
        lambda conn, now: connections.add_secret(conn, "hvn", "zammad", "s3cret", now, overlap=0)
    )
    assert ("hvn", "connection.created") in acts(room.get("/v1/audit", other))
    assert {desk for desk, _ in acts(room.get("/v1/audit", admin))} == {"haisoft"}
    assert room.get("/v1/audit", admin, desk="hvn").status_code == 404
    assert "s3cret" not in room.get("/v1/audit", other).text


def test_only_an_administrator_reads_it(room: Room) -> None:
    for role in (Role.VIEWER, Role.AGENT, Role.LEAD, Role.PUSH):
        assert room.get("/v1/audit", room.key("haisoft", role)).status_code == 403
    assert room.client.get("/v1/audit").status_code == 401


def test_signing_in_and_out_is_listed(room: Room) -> None:
    header = room.key("haisoft", Role.ADMIN)
    secret = header["Authorization"].removeprefix("Bearer ")
    assert room.client.post("/session", json={"key": secret}).status_code == 200
    assert room.client.delete("/session").status_code == 204
    assert COOKIE not in room.client.cookies
    listed = room.get("/v1/audit", header, limit=2)
    assert acts(listed) == [("haisoft", "session.ended"), ("haisoft", "session.started")]
    assert all(each["who"].startswith("key ") for each in listed.json()["entries"])
    assert secret not in listed.text


def test_wrong_keys_are_counted_in_one_entry_for_all_desks(databases: Databases) -> None:
    with databases.copy_of(with_desks) as url:
        with room_on(url) as room:
            for _ in range(20):
                assert room.client.post("/session", json={"key": "slt_wrong"}).status_code == 401
                assert room.get("/v1/tickets", {"Authorization": "Bearer slt_wrong"}).status_code == 401
        with room_on(url) as room:
            admin = room.key(ALL, Role.ADMIN)
            entries = room.get("/v1/audit", admin, action="sign_in.refused").json()["entries"]
            assert [(each["count"], each["desk"], each["outcome"]) for each in entries] == [
                (40, "*", "refused")
            ]
            assert "slt_wrong" not in str(entries)
            own = room.key("haisoft", Role.ADMIN)
            assert acts(room.get("/v1/audit", own, action="sign_in.refused")) == []


@both_kinds
def test_pages_and_filters_of_the_list(room: Room) -> None:
    admin = room.key(ALL, Role.ADMIN)
    first = room.get("/v1/audit", admin, limit=3).json()
    second = room.get("/v1/audit", admin, limit=3, cursor=first["next"]).json()
    ids = [each["id"] for each in first["entries"] + second["entries"]]
    assert ids == sorted(set(ids), reverse=True)
    assert acts(room.get("/v1/audit", admin, **{"from": "2030-01-01T00:00:00Z"})) == []
    assert acts(room.get("/v1/audit", admin, who="service", to="2030-01-01T00:00:00Z"))
    assert acts(room.get("/v1/audit", admin, who="key nobody")) == []
    assert room.get("/v1/audit", admin, cursor="x").status_code == 422
    assert room.get("/v1/audit", admin, action="x").status_code == 422
