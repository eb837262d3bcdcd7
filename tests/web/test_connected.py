"""Connections over the API and on their page: what is set up, what came last, what could not be read."""

from typing import Any

import pytest

from app.intake.adapters import ADAPTERS
from app.intake.source_file import EXPRESSION
from app.principal import Role
from tests.servers.databases import both_kinds
from tests.web.room import Room

SYSTEMS = sorted(ADAPTERS.keys() - {EXPRESSION})


def put(room: Room, system: str = "zammad", **given: Any) -> Any:
    return room.client.put(
        f"/v1/connections/haisoft/{system}", json=given, headers=room.key("haisoft", Role.ADMIN)
    )


def listed(room: Room) -> list[Any]:
    return room.get("/v1/connections", room.key("haisoft", Role.LEAD)).json()["connections"]


@both_kinds
def test_a_secret_is_in_the_answer_that_makes_it_and_in_no_other(room: Room) -> None:
    first = put(room).json()
    assert (first["created"], first["url"]) == (True, "http://testserver/v1/hooks/haisoft/zammad")
    again, rotated = put(room), put(room, rotate=True).json()
    assert again.json()["created"] is False
    assert first["secret"] not in again.text
    assert rotated["secret"] not in (None, first["secret"])
    assert listed(room)[0]["former_secret_until"] == "2026-03-07T14:30:00Z"
    assert put(room, secret="made-by-zammad").json()["secret"] == "made-by-zammad"


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_is_connected_and_accepts_a_test(shared_room: Room, system: str) -> None:
    room, admin = shared_room, shared_room.key("haisoft", Role.ADMIN)
    made = put(room, system).json()
    assert made["secret"] in made["url"] + made["secret"]
    shown = put(room, system)
    assert made["secret"] not in shown.text
    test = room.client.post(f"/v1/connections/haisoft/{system}/test", headers=admin)
    assert test.status_code == 200, test.text
    found = next(each for each in listed(room) if each["system"] == system)
    assert found["received_at"] == "2026-03-06T14:30:00Z"


def test_an_unknown_system_or_desk_is_refused_with_what_there_is(room: Room) -> None:
    unknown = put(room, "none")
    assert unknown.status_code == 422
    assert "zammad" in unknown.json()["errors"][0]["reason"]
    admin = room.key("*", Role.ADMIN)
    assert room.client.put("/v1/connections/nowhere/zammad", json={}, headers=admin).status_code == 404
    untested = room.client.post("/v1/connections/haisoft/zammad/test", headers=admin)
    assert untested.status_code == 404
