"""Over HTTP: a ticket system's webhook is let in by its signature, answered once it is kept, and read next."""

import hmac
import json
from typing import Any

import pytest

from app.flow.agreement.desk_files import desk_file
from app.flow.inbound.connect import ConnectionDetails, connect
from app.flow.inbound.sources import Sources, apply_sources
from app.intake.challenge import GLPI_TOKEN
from app.principal import Scope
from app.sla.span import HOUR, SECOND
from app.store.inbound.hooks import HookState
from app.web.api.inbound.hooks import HookAccepted
from app.web.api.inbound.inbox import InboxView, RanAgain, WholeDelivery
from app.web.http.problems import MEDIA_TYPE
from tests.flow.door import samples
from tests.intake.sample import samples as samples_of
from tests.web.room import ALL, ROOT, Room, conforms

OPEN = {
    "ticket": {
        "id": 81,
        "title": "Checkout returns 502",
        "state": "open",
        "priority": {"name": "2 normal"},
        "created_at": "2026-03-06T14:00:00Z",
        "updated_at": "2026-03-06T14:00:00Z",
    },
    "article": {},
}
ODD = {"ticket": OPEN["ticket"] | {"state": "at the vendor's"}, "article": {}}


def plugged(room: Room, system: str = "zammad", desk: str = "haisoft", **given: Any) -> ConnectionDetails:
    return room.database.write_now(
        lambda conn, now: connect(conn, now, Sources(), desk, system, overlap=HOUR, **given)
    )[0]


def mapped(room: Room, text: str, desk: str = "haisoft") -> None:
    file = desk_file(f"sources/{desk}.toml", desk, text)
    catalogue = room.app.state.running.catalogue
    room.database.write_now(lambda conn, now: apply_sources(conn, now, catalogue, Sources(), [file]))


def send(room: Room, plug: ConnectionDetails, body: Any, path: str | None = None, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = plug.scheme.sign(plug.secret, raw, room.database.now(), "m1")
    return room.client.post(path or plug.url(""), content=raw, headers={**signed, **headers})


def read(room: Room) -> None:
    """Wait until everything is read: the running reader may be at it as well."""
    assert room.client.portal is not None
    room.client.portal.call(room.app.state.running.reader.read_all)


@pytest.fixture
def plug(room: Room) -> ConnectionDetails:
    return plugged(room)


def test_a_signed_webhook_is_answered_once_it_is_kept_and_read_next(
    room: Room, plug: ConnectionDetails
) -> None:
    response = send(room, plug, OPEN)
    assert response.status_code == 202
    accepted = conforms(HookAccepted, response.content)
    assert accepted["repeated"] is False
    assert send(room, plug, OPEN).json() == accepted | {"repeated": True}
    read(room)
    view = room.get("/v1/tickets/haisoft/81").json()
    assert (view["status"], view["title"]) == ("open", "Checkout returns 502")


@pytest.mark.parametrize("wrong", ["body", "signature", "none"])
def test_a_delivery_that_is_not_signed_as_it_should_be_is_401(
    room: Room, plug: ConnectionDetails, wrong: str
) -> None:
    raw = json.dumps(OPEN).encode()
    headers = plug.scheme.sign(plug.secret, raw, room.database.now(), "m1")
    match wrong:
        case "body":
            raw = raw[:-1] + b" "
        case "signature":
            headers = {
                name: value[:-1] + ("0" if value[-1] != "0" else "1") for name, value in headers.items()
            }
        case _:
            headers = {}
    response = room.client.post(plug.url(""), content=raw, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (401, MEDIA_TYPE)
    assert response.json()["type"] == "urn:slatimer:problem:bad-signature"
    assert kept(room) == 0


@pytest.mark.parametrize(
    "path", ["/v1/hooks/nobody/zammad", "/v1/hooks/haisoft/zendesk", "/v1/hooks/haisoft/%00", "/v1/hooks/a/b"]
)
def test_what_is_not_connected_is_404(room: Room, plug: ConnectionDetails, path: str) -> None:
    assert send(room, plug, OPEN, path).status_code == 404


def test_a_body_beyond_the_limit_is_413(room: Room, plug: ConnectionDetails) -> None:
    limit = room.app.state.running.settings.inbound_max_body_size
    assert send(room, plug, b" " * (limit + 1)).status_code == 413
    assert send(room, plug, b"1" * limit).status_code == 202


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[]", b"1", b"null", b'{"ticket": 7}', b"[" * 5000]
)
def test_no_body_that_is_signed_is_refused_for_what_it_says(
    room: Room, plug: ConnectionDetails, body: bytes
) -> None:
    response = send(room, plug, body)
    assert response.status_code == 202
    read(room)
    (listed,) = room.get("/v1/inbox", room.push).json()["deliveries"]
    assert (listed["id"], listed["state"]) == (response.json()["id"], HookState.KEPT)


def test_a_secret_in_the_address_is_taken_where_a_system_can_do_nothing_else(room: Room) -> None:
    sources = '[sources.jira]\nscheme = "url-secret"\n'
    mapped(room, sources)
    plug = plugged(room, "jira")
    assert "?secret=" in plug.url("")
    assert room.client.post(plug.url(""), content=b"{}").status_code == 202
    assert room.client.post(plug.url("")[:-1], content=b"{}").status_code == 401


def test_glpis_challenge_is_answered_by_each_live_secret_and_to_nobody_else(room: Room) -> None:
    before = plugged(room, "glpi")
    room.client.get(before.url(""))  # the connection is looked up, and believed for a while
    after = plugged(room, "glpi", rotate=True)
    for plug in (before, after):
        token = _hmac(plug.secret, "validate_cra_challenge")
        response = room.client.get(plug.url(""), params={GLPI_TOKEN: token})
        assert (response.status_code, response.text) == (200, _hmac(plug.secret, token))
        assert response.headers["content-type"].startswith("text/plain")
    for wrong in ({}, {GLPI_TOKEN: ""}, {GLPI_TOKEN: _hmac("guessed", "validate_cra_challenge")}):
        response = room.client.get(after.url(""), params=wrong)
        assert (response.status_code, response.headers["content-type"]) == (401, MEDIA_TYPE)
        assert response.headers["www-authenticate"].startswith("Signature")
    assert kept(room) == 0
    metrics = room.client.get("/metrics").text
    assert 'slatimer_hooks_total{desk="haisoft",outcome="challenged",system="glpi"}' in metrics


def test_a_challenge_of_what_is_not_connected_or_asks_nothing_is_refused(
    room: Room, plug: ConnectionDetails
) -> None:
    token = {GLPI_TOKEN: _hmac(plug.secret, "validate_cra_challenge")}
    assert room.client.get(plug.url(""), params=token).status_code == 401
    for path in ("/v1/hooks/haisoft/glpi", "/v1/hooks/nobody/zammad", "/v1/hooks/haisoft/%00"):
        assert room.client.get(path, params=token).status_code == 404


def test_fronts_challenge_is_read_back_once_its_signature_holds(room: Room) -> None:
    mapped(room, (ROOT / "sources" / "examples" / "front.toml").read_text())
    plug, sync = plugged(room, "front"), {"type": "sync", "authorization": {"id": "cmp_1"}}
    asked = {"X-Front-Challenge": "5f0c1b"}
    response = send(room, plug, sync, **asked)
    assert (response.status_code, response.json()) == (200, {"challenge": "5f0c1b"})
    assert response.headers["content-type"] == "application/json"
    raw = json.dumps(sync).encode()
    for signed in ({}, plug.scheme.sign("guessed", raw, room.database.now(), "")):
        assert room.client.post(plug.url(""), content=raw, headers=signed | asked).status_code == 401
    stale = plug.scheme.sign(plug.secret, raw, room.database.now() - 301 * SECOND, "")
    assert room.client.post(plug.url(""), content=raw, headers=stale | asked).status_code == 401
    assert kept(room) == 0
    assert send(room, plug, sync).status_code == send(room, plug, b"{", **asked).status_code == 202


def _hmac(secret: str, signed: str) -> str:
    return hmac.new(secret.encode(), signed.encode(), "sha256").hexdigest()


def kept(room: Room) -> int:
    return room.database.read_now(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM hook").scalar_one())


def test_the_inbox_lists_what_was_not_understood_and_shows_it_whole(
    room: Room, plug: ConnectionDetails
) -> None:
    hook = send(room, plug, ODD).json()["id"]
    send(room, plug, b"{")
    read(room)
    inbox = conforms(InboxView, room.get("/v1/inbox", room.push).content)
    assert [one["state"] for one in inbox["deliveries"]] == ["kept", "done"]
    assert inbox["deliveries"][1]["warnings"] == ['status "at the vendor\'s" of zammad is not mapped']
    whole = conforms(WholeDelivery, room.get(f"/v1/inbox/{hook}", room.push).content)
    assert json.loads(whole["body"]) == ODD


def test_the_inbox_run_again_after_the_mapping_was_mended_is_empty(
    room: Room, plug: ConnectionDetails
) -> None:
    send(room, plug, ODD)
    read(room)
    mapped(room, '[sources.zammad.statuses]\n"at the vendor\'s" = "on_hold"\n')
    answer = conforms(RanAgain, room.client.post("/v1/inbox/run-again", headers=room.push).content)
    assert answer == {"deliveries": 1, "left": 0, "tickets": 0, "failed": 0}
    assert room.get("/v1/inbox", room.push).json()["deliveries"] == []
    assert room.get("/v1/tickets/haisoft/81").json()["status"] == "on_hold"


def test_another_desks_deliveries_are_unknown(room: Room, plug: ConnectionDetails) -> None:
    hook = send(room, plug, b"{").json()["id"]
    read(room)
    other = room.key("phpnet", Scope.PUSH)
    assert room.get("/v1/inbox", other).json()["deliveries"] == []
    assert room.get("/v1/inbox", other, desk="haisoft").status_code == 404
    assert room.get(f"/v1/inbox/{hook}", other).status_code == 404
    assert room.get("/v1/inbox/%00", room.push).status_code == 404
    again = room.client.post("/v1/inbox/run-again", headers=other)
    assert again.json()["deliveries"] == 0
    assert room.get(f"/v1/inbox/{hook}", room.key("haisoft", Scope.PUSH)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/inbox", "/v1/inbox/hook-1"])
def test_the_inbox_needs_a_key_that_may_push(room: Room, path: str) -> None:
    assert room.get(path, room.key(ALL, Scope.READ)).status_code == 403
    assert room.get(path, {"X": "y"}).status_code == 401


def test_deliveries_and_unmapped_words_are_counted(room: Room, plug: ConnectionDetails) -> None:
    send(room, plug, ODD)
    send(room, plug, b"{")
    room.client.post(plug.url(""), content=b"{}")
    read(room)
    metrics = room.client.get("/metrics").text
    for outcome in ("accepted", "refused", "done", "kept"):
        assert f'slatimer_hooks_total{{desk="haisoft",outcome="{outcome}",system="zammad"}}' in metrics
    assert 'slatimer_mapping_warnings_total{desk="haisoft",system="zammad"}' in metrics


def test_a_zendesk_life_over_http_ends_as_it_should(room: Room) -> None:
    plug = plugged(room, "zendesk")
    for body, headers in samples("zendesk", "01_created", "04_agent_reply", "05_status_pending"):
        assert (
            send(
                room, plug, body, None, **{k: v for k, v in headers.items() if "Zendesk" not in k}
            ).status_code
            == 202
        )
    read(room)
    assert room.get("/v1/tickets/haisoft/5158").json()["status"] == "pending"


MONITORS = ("grafana", "uptime-kuma", "icinga", "nagios", "zabbix", "healthchecks", "statuspage")


def test_the_facts_of_every_monitor_come_in_at_the_address_and_with_the_secret_that_are_shown(
    room: Room,
) -> None:
    mapped(room, "[sources.grafana]\noutages = true\n[sources.healthchecks]\nservice_label = 'service'\n")
    expected: set[tuple[str, str]] = set()
    for system in MONITORS:
        plug = plugged(room, system)
        headers, body = plug.test(room.database.now())
        assert room.client.post(plug.url(""), content=body, headers=dict(headers)).status_code == 202
        for sample in samples_of(system.replace("-", "_")).values():
            assert send(room, plug, sample.body).status_code == 202
            expected |= {(fact["type"], fact["subject"]) for fact in sample.expect}
        assert room.client.post(plug.url("").partition("?")[0], content=b"{}").status_code == 401
    read(room)
    stored = room.database.read_now(
        lambda conn: conn.exec_driver_sql("SELECT DISTINCT type, subject FROM event").all()
    )
    found = {(kind, subject) for kind, subject in stored if kind.startswith(("outage.", "maintenance."))}
    assert found == {fact for fact in expected if fact[0].startswith(("outage.", "maintenance."))}
