"""Authentication by key and by session, what a key sees of other desks, and requests by cookie."""

import re
from typing import Any

import pytest

from app.principal import EVERY, Permission, Role, Scope, roles_on
from app.sla.span import SECOND
from app.store.people import keys
from app.web.http.access import COOKIE
from app.web.http.principals import CACHE_TTL
from app.web.http.problems import MEDIA_TYPE
from tests.servers.databases import Databases
from tests.web.room import Room, room_on, with_desks

PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("POST", "/session"),
    ("DELETE", "/session"),
    ("POST", "/session/password"),
    ("POST", "/session/code"),
    ("POST", "/session/link"),
    ("GET", "/session/provider"),
    ("GET", "/session/provider/answer"),
    ("GET", "/openapi.json"),
    ("HEAD", "/openapi.json"),
    ("GET", "/"),
}
SIGNED = {("POST", "/v1/hooks/{desk}/{system}"), ("GET", "/v1/hooks/{desk}/{system}")}
"""Signed by the ticket system in place of a key: see test_hooks.py."""
PROOF = {"X-Slatimer": "page"}


def test_no_route_but_the_public_ones_answers_without_a_key(room: Room) -> None:
    asked = [
        operation
        for operation in operations(room)
        if operation not in PUBLIC | SIGNED and not is_page(operation[1])
    ]
    assert len(asked) >= 18
    for method, path in asked:
        response = room.client.request(method, filled(path))
        assert response.status_code == 401, (method, path)
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert response.headers["content-type"] == MEDIA_TYPE


def operations(room: Room) -> list[tuple[str, str]]:
    paths: dict[str, dict[str, Any]] = room.client.get("/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def is_page(path: str) -> bool:
    return not path.startswith("/v1/")


def filled(path: str, desk: str = "haisoft") -> str:
    values = {
        "desk": desk,
        "ticket": "4711",
        "name": "tickets",
        "queue": "support",
        "breach_id": "sig_0",
        "system": "zammad",
    }
    return re.sub(r"{(\w+)}", lambda match: values.get(match[1], "1"), path)


QUERIES = {
    "/v1/calendars/{desk}/{name}/spans": {"from": "2026-03-06T00:00:00Z", "to": "2026-03-07T00:00:00Z"},
    "/v1/tickets/{desk}/{ticket}/explanation": {"commitment": "ticket-response"},
    "/v1/queues/{desk}/{queue}/forecast": {"ticket": "4711"},
    "/v1/agreements/{desk}/versions/diff": {"from": "1", "to": "2"},
    "/v1/calendars/{desk}/versions/diff": {"from": "1", "to": "2"},
    "/v1/contracts/{desk}/{contract}/versions/diff": {"from": "1", "to": "2"},
}
LISTS = ("/v1/tickets", "/v1/desks", "/v1/signals", "/v1/stream", "/v1/breaches")


def test_another_desks_objects_are_answered_exactly_as_unknown_ones(room: Room) -> None:
    room.sent(room.event())
    own = room.key("webxtra", Scope.ADMIN)
    with_desk = [path for method, path in operations(room) if method == "GET" and "{desk}" in path]
    assert len(with_desk) >= 7
    for path in with_desk:
        answers = []
        for desk in ("haisoft", "nowhere"):
            response = room.client.get(filled(path, desk), params=QUERIES.get(path), headers=own)
            assert response.status_code == 404, path
            answers.append(response.text.replace(desk, "…"))
        assert answers[0] == answers[1]
    for path in LISTS:
        assert room.get(path, own, desk="haisoft").status_code == 404, path


def test_a_list_without_a_desk_holds_the_keys_own_desk_only(room: Room) -> None:
    room.sent(room.event(), room.event(source="webxtra", data={"title": "Help", "customer": "B"}))
    own = room.key("webxtra", Scope.READ)
    assert {each["desk"] for each in room.get("/v1/tickets", own).json()["tickets"]} == {"webxtra"}
    assert {each["desk"] for each in room.get("/v1/signals", own).json()["signals"]} == {"webxtra"}
    assert {each["desk"] for each in room.get("/v1/desks", own).json()["desks"]} == {"webxtra"}
    assert {each["desk"] for each in room.get("/v1/calendars", own).json()["calendars"]} == {"webxtra"}
    assert {each["desk"] for each in room.get("/v1/agreements", own).json()["agreements"]} == {"webxtra"}
    assert len(room.get("/v1/desks").json()["desks"]) == 5


def test_a_deadline_by_another_desks_calendar_is_answered_as_by_an_unknown_one(room: Room) -> None:
    own = room.key("webxtra", Scope.READ)
    answers = [
        room.client.post(
            "/v1/deadlines",
            json={"calendar": name, "start": "2026-03-06T15:30:00Z", "within": "2h"},
            headers=own,
        )
        for name in ("haisoft/tickets", "nowhere/tickets")
    ]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].text.replace("haisoft", "…") == answers[1].text.replace("nowhere", "…")


@pytest.mark.parametrize(
    ("scope", "pushes", "reads"),
    [(Scope.PUSH, 200, 403), (Scope.READ, 403, 200), (Scope.ADMIN, 200, 200)],
)
def test_a_scope_allows_what_it_names_and_admin_allows_both(
    room: Room, scope: Scope, pushes: int, reads: int
) -> None:
    key = room.key("*", scope)
    assert room.send(room.event(), key).status_code == pushes
    assert room.get("/v1/tickets", key).status_code == reads


@pytest.mark.parametrize(
    "given", ["Bearer slt_wrong", "Bearer ", "Basic c2x0Og==", "slt_wrong", "Bearer é".encode()]
)
def test_an_invalid_authorization_is_refused(room: Room, given: Any) -> None:
    response = room.client.get("/v1/tickets", headers={"Authorization": given})
    assert response.status_code == 401


def test_a_revoked_key_works_no_longer_than_its_cache_entry(room: Room) -> None:
    secret, made = room.database.write_now(
        lambda conn, now: keys.create(conn, roles_on(EVERY, [Scope.READ]), now)
    )
    header = {"Authorization": f"Bearer {secret}"}
    assert room.get("/v1/tickets", header).status_code == 200
    room.database.write_now(lambda conn, now: keys.revoke(conn, made.id, now))
    room.wall.move(CACHE_TTL / SECOND)
    assert room.get("/v1/tickets", header).status_code == 401


def test_a_new_key_works_though_its_secret_was_tried_before_it_existed(room: Room) -> None:
    assert room.client.get("/v1/tickets", headers={"Authorization": "Bearer slt_early"}).status_code == 401
    key = room.key("*", Scope.READ)
    assert room.get("/v1/tickets", key).status_code == 200


def sign_in(room: Room, desk: str, *granted: Scope | Role) -> Any:
    key = room.key(desk, *granted)["Authorization"].removeprefix("Bearer ")
    return room.client.post("/session", json={"key": key})


def test_a_session_may_do_what_its_key_may(room: Room) -> None:
    room.sent(room.event(), room.event(source="webxtra"))
    response = sign_in(room, "webxtra", Scope.READ)
    assert response.status_code == 200
    assert response.json() == {
        "desk": "webxtra",
        "scopes": ["read"],
        "roles": {"webxtra": ["viewer"]},
        "permissions": {"webxtra": ["view"]},
        "expires_at": "2026-03-07T02:30:00Z",
    }
    cookie = response.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert {each["desk"] for each in room.client.get("/v1/tickets").json()["tickets"]} == {"webxtra"}
    assert room.client.get("/v1/tickets/haisoft/4711").status_code == 404
    assert room.client.post("/v1/events", json=room.event(), headers=PROOF).status_code == 403


def test_a_session_ends(room: Room) -> None:
    sign_in(room, "*", Scope.READ)
    room.wall.move(12 * 3600)
    assert room.client.get("/v1/tickets").status_code == 401


def test_a_session_ends_with_the_key_that_it_was_signed_in_with(room: Room) -> None:
    secret, made = room.database.write_now(
        lambda conn, now: keys.create(conn, roles_on(EVERY, [Scope.READ]), now)
    )
    assert room.client.post("/session", json={"key": secret}).status_code == 200
    assert room.client.get("/v1/tickets").status_code == 200
    room.database.write_now(lambda conn, now: keys.revoke(conn, made.id, now))
    room.wall.move(CACHE_TTL / SECOND)
    assert room.client.get("/v1/tickets").status_code == 401


def test_a_session_cannot_sign_in_again(room: Room) -> None:
    """Else it would outlive its end, and the key that it came from."""
    sign_in(room, "*", Scope.ADMIN)
    response = room.client.post("/session", json={"key": room.client.cookies[COOKIE]})
    assert (response.status_code, "set-cookie" in response.headers) == (403, False)
    assert response.json()["type"] == "urn:slatimer:problem:not-allowed"
    assert "session" in response.json()["detail"]


def test_a_session_of_a_key_of_two_desks_names_both_and_their_roles(room: Room) -> None:
    answer = sign_in(room, "webxtra,hvn", Role.LEAD).json()
    assert (answer["desk"], answer["scopes"]) == ("hvn,webxtra", ["push", "read"])
    assert answer["roles"] == {"hvn": ["lead"], "webxtra": ["lead"]}
    assert {each["desk"] for each in room.client.get("/v1/desks").json()["desks"]} == {"hvn", "webxtra"}
    shown = room.client.get("/session").json()
    assert shown == {name: value for name, value in answer.items() if name != "scopes"}


def test_a_caller_is_shown_what_it_may_do_on_each_desk(room: Room) -> None:
    shown = room.client.get("/session", headers=room.key("hvn", Role.AGENT)).json()
    assert (shown["roles"], shown["expires_at"]) == ({"hvn": ["agent"]}, None)
    assert shown["permissions"] == {"hvn": ["acknowledge", "record", "view"]}
    every = room.client.get("/session", headers=room.key("*", Role.ADMIN)).json()
    assert set(every["permissions"]["*"]) == set(Permission)
    assert room.client.get("/session").status_code == 401


def test_what_a_key_lacks_is_answered_with_the_roles_and_the_scope_that_have_it(room: Room) -> None:
    response = room.client.put("/v1/calendars/hvn", json={}, headers=room.key("hvn", Role.LEAD))
    assert response.status_code == 403
    assert response.json()["detail"] == "This requires the role admin, or a key with the scope admin."
    assert response.headers["www-authenticate"].endswith('error="insufficient_scope", scope="admin"')


def test_signing_out_ends_the_session_of_a_copied_cookie(room: Room) -> None:
    sign_in(room, "*", Scope.READ)
    kept = room.client.cookies[COOKIE]
    assert room.client.delete("/session").status_code == 204
    room.client.cookies.set(COOKIE, kept)
    assert room.client.get("/v1/tickets").status_code == 401


def test_a_wrong_key_signs_no_page_in(room: Room) -> None:
    response = room.client.post("/session", json={"key": "slt_wrong"})
    assert (response.status_code, "set-cookie" in response.headers) == (401, False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (PROOF, 200),
        (PROOF | {"Origin": "http://testserver"}, 200),
        ({}, 403),
        (PROOF | {"Origin": "https://elsewhere.example"}, 403),
        (PROOF | {"Origin": "null"}, 403),
    ],
)
def test_a_push_by_cookie_requires_the_header_of_our_own_page(
    room: Room, headers: dict[str, str], status: int
) -> None:
    sign_in(room, "*", Scope.PUSH)
    assert room.client.post("/v1/events", json=room.event(), headers=headers).status_code == status


def test_a_key_in_the_header_takes_precedence_over_the_cookie(room: Room) -> None:
    sign_in(room, "*", Scope.READ)
    assert room.send(room.event()).status_code == 200


def test_every_response_has_the_security_headers_and_the_request_id(room: Room) -> None:
    given = room.client.get("/healthz", headers={"X-Request-Id": "a-1"})
    assert given.headers["x-request-id"] == "a-1"
    assert "default-src 'none'" in given.headers["content-security-policy"]
    assert given.headers["x-content-type-options"] == "nosniff"
    made = room.client.get("/nowhere", headers={"X-Request-Id": "a b\tc" + "x" * 100})
    assert re.fullmatch(r"[0-9a-f]{16}", made.headers["x-request-id"])
    assert (made.status_code, made.headers["content-type"]) == (404, MEDIA_TYPE)


def test_a_wrong_method_is_a_problem(room: Room) -> None:
    response = room.client.put("/v1/events", headers=room.push)
    assert (response.status_code, response.headers["content-type"]) == (405, MEDIA_TYPE)


def test_a_guest_is_signed_in_only_where_the_settings_say_so(databases: Databases) -> None:
    with databases.copy_of(with_desks) as url, room_on(url) as room:
        room.client.get("/")
        assert COOKIE not in room.client.cookies


def test_a_nul_character_in_path_or_query_is_refused(room: Room) -> None:
    """PostgreSQL accepts none in a text; without the check that would be a 500."""
    assert room.get("/v1/tickets/haisoft/%00").status_code == 404
    response = room.client.get("/v1/tickets?assignee=%00", headers=room.read)
    assert response.status_code == 400
    assert response.headers["content-type"] == MEDIA_TYPE


def test_a_page_that_is_signed_in_is_not_signed_in_as_another(room: Room) -> None:
    """A link, or another site's form, could else replace who is signed in."""
    sign_in(room, "webxtra", Scope.READ)
    before = room.client.cookies[COOKIE]
    response = sign_in(room, "haisoft", Scope.READ)
    assert (response.status_code, "set-cookie" in response.headers) == (409, False)
    assert room.client.cookies[COOKIE] == before
    room.client.delete("/session")
    assert sign_in(room, "haisoft", Scope.READ).status_code == 200


def test_a_key_that_may_only_push_reads_no_ticket_by_pushing(room: Room) -> None:
    room.sent(room.event())
    key = room.key("haisoft", Scope.PUSH)
    unknown = room.send(room.event(type="unknown.type", data={}), key)
    assert (unknown.status_code, unknown.json()["tickets"]) == (200, [])
    answer = room.send(room.event(type="note.added", data={}), key)
    (view,) = answer.json()["tickets"]
    assert view["clocks"][0]["due_at"] is not None
    assert {view[name] for name in ("title", "customer", "assignee", "queue")} == {None}
    assert "Server unreachable" not in answer.text
    assert room.send(room.event(type="note.added", data={})).json()["tickets"][0]["ticket"] == "4711"


@pytest.mark.parametrize(
    ("host", "allowed", "status", "guest"),
    [
        ("localhost:8000", (), 200, True),
        ("127.0.0.1", (), 200, True),
        ("[::1]:8000", (), 200, True),
        ("rebound.example", (), 401, False),
        ("sla.example:443", ("SLA.example",), 200, True),
        ("rebound.example", ("sla.example",), 421, False),
    ],
)
def test_a_guest_is_signed_in_under_our_own_names_only(
    databases: Databases, host: str, allowed: tuple[str, ...], status: int, *, guest: bool
) -> None:
    with (
        databases.copy_of(with_desks) as url,
        room_on(url, guest_sign_in=True, allowed_hosts=allowed) as room,
    ):
        response = room.client.get("/", headers={"Host": host})
        assert (response.status_code, "set-cookie" in response.headers) == (status, guest)
        assert room.client.get("/healthz", headers={"Host": host}).status_code == 200
