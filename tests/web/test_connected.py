"""Connections over the API and on their page: what is set up, what came last, what could not be read."""

import hmac
from hashlib import sha1
from typing import Any

import pytest

from app.intake.adapters import ADAPTERS
from app.intake.source_file import EXPRESSION
from app.principal import Role
from app.store import tables
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


def test_the_page_shows_what_came_last_and_what_could_not_be_read_with_its_body(room: Room) -> None:
    lead = room.key("haisoft", Role.LEAD)
    assert "No ticket system is connected." in room.get("/connections", lead).text
    secret = put(room).json()["secret"]
    assert "Nothing has arrived yet" in room.get("/connections", lead).text
    body = b'{"ticket": "<b>no ticket</b>"}'
    signature = hmac.new(secret.encode(), body, sha1).hexdigest()
    headers = {"X-Hub-Signature": f"sha1={signature}", "Content-Type": "application/json"}
    hook = room.client.post("/v1/hooks/haisoft/zammad", content=body, headers=headers).json()["id"]
    room.client.post("/v1/inbox/run-again", headers=lead)
    page = room.get("/connections", lead).text
    assert "Last webhook just now" in page
    assert "1 could not be read" in page
    assert secret not in page
    whole = room.get("/connections/webhook", lead, hook=hook).text
    assert "&lt;b&gt;no ticket&lt;/b&gt;" in whole
    assert hook in room.get("/connections/latest", lead, desk="haisoft", system="zammad").text
    asked = {"desk": "haisoft", "system": "zammad"}
    assert "data-refresh-at" in room.get("/connections/latest", lead, **asked).text
    room.wall.move(601)
    assert "data-refresh-at" not in room.get("/connections/latest", lead, **asked).text
    assert room.get("/connections/webhook", room.key("hvn", Role.LEAD), hook=hook).status_code == 404


def test_a_system_is_set_up_by_administrators_and_shown_to_leads_without_its_secret(room: Room) -> None:
    asked = {"desk": "haisoft", "system": "zammad"}
    admin, lead = room.key("haisoft", Role.ADMIN), room.key("haisoft", Role.LEAD)
    assert 'value="create"' in room.get("/connections/system", admin, **asked).text
    secret = put(room).json()["secret"]
    pages = [room.get("/connections/system", key, **asked).text for key in (admin, lead)]
    assert ['value="rotate"' in page for page in pages] == [True, False]
    assert all("/v1/hooks/haisoft/zammad" in page and secret not in page for page in pages)
    assert room.get("/connections/system", admin, desk="haisoft", system="none").status_code == 404
    assert room.get("/connections/system", admin, desk="hvn", system="zammad").status_code == 404


def test_where_nothing_is_sent_the_page_says_how_to_begin(room: Room) -> None:
    assert "Enter below where messages" in room.get("/deliveries", room.key("haisoft", Role.ADMIN)).text
    seen = room.get("/deliveries", room.key("haisoft", Role.VIEWER)).text
    assert "An administrator of the desk can enter here" in seen
    assert "data-subscribe" not in seen


def test_deliveries_show_the_state_of_subscriptions_with_masked_addresses(room: Room) -> None:
    admin = room.key("haisoft", Role.ADMIN)
    wanted = {"desk": "haisoft", "kinds": ["clock.started"], "url": "https://example.org/hooks/SECRETPATH"}
    made = room.client.post("/v1/subscriptions", json=wanted, headers=admin).json()
    room.client.patch(f"/v1/subscriptions/{made['id']}", json={"state": "paused"}, headers=admin)
    room.sent(room.event())
    page = room.get("/deliveries", admin).text
    assert "SECRETPATH" not in page
    assert "clock.started" in page
    assert 'value="resume"' in page
    viewer = room.get("/deliveries", room.key("haisoft", Role.VIEWER), lang="nl").text
    assert "gepauzeerd" in viewer
    assert 'name="action"' not in viewer
    assert made["id"] not in room.get("/deliveries", room.key("hvn", Role.ADMIN)).text


def test_a_subscription_is_paused_and_resumed_and_a_delivery_retried_by_forms(room: Room) -> None:
    admin = room.key("haisoft", Role.ADMIN)
    wanted = {"desk": "haisoft", "kinds": ["clock.started"], "url": "https://example.org/hook"}
    made = room.client.post("/v1/subscriptions", json=wanted, headers=admin).json()["id"]

    def send(key: dict[str, str], **given: str) -> Any:
        fields = {"subscription": made, "desk": "haisoft", **given}
        return room.client.post("/deliveries/change", data=fields, headers=key, follow_redirects=False)

    for action, state in (("pause", "paused"), ("resume", "active")):
        sent = send(admin, action=action)
        assert (sent.status_code, sent.headers["location"]) == (
            303,
            f"/deliveries?desk=haisoft&done={action}",
        )
        assert room.get(f"/v1/subscriptions/{made}", admin).json()["state"] == state
    assert "The subscription is paused." in room.get("/deliveries", admin, done="pause").text
    assert send(admin, action="retry", delivery="none").status_code == 404
    assert send(room.key("haisoft", Role.LEAD), action="pause").status_code == 403
    assert send(room.key("hvn", Role.ADMIN), action="pause", desk="hvn").status_code == 404
    parked = {"state": "parked", "outcome": "refused", "attempts": 1}
    room.sent(room.event())
    (delivery,) = room.get(f"/v1/subscriptions/{made}/deliveries", admin).json()["deliveries"]
    room.database.write_now(lambda conn, _: conn.execute(tables.delivery.update().values(parked)))
    assert 'value="retry"' in room.get("/deliveries", admin).text
    room.database.write_now(
        lambda conn, _: conn.execute(tables.subscription.update().values(state="disabled"))
    )
    refused = send(admin, action="retry", delivery=delivery["id"])
    assert (refused.status_code, "Enable it, then retry." in refused.text) == (422, True)
    send(admin, action="resume")
    assert send(admin, action="retry", delivery=delivery["id"]).status_code == 303
    listed = room.get(f"/v1/subscriptions/{made}/deliveries", admin).json()["deliveries"]
    assert [each["state"] for each in listed] != ["parked"]
