"""People over HTTP: how they sign in, what ends their sessions, and whom an administrator may manage."""

from collections.abc import Iterator
from typing import Any

import pytest
from pyotp.totp import TOTP

from app.principal import Role, roles_on
from app.sla.span import SECOND
from app.store.people import accounts, persons
from app.web.api.people.keys import KeyList
from app.web.api.people.me import Me
from app.web.api.people.people import PeoplePage
from app.web.api.people.sessions import SessionList
from app.web.http.access import COOKIE
from app.web.http.sign_in import CODE_COOKIE, local
from tests.servers.databases import Databases, SqliteDatabases, both_kinds
from tests.web.room import Room, conforms, room_on, with_desks

PASSWORD = "correct horse battery staple"
PAGE = {"X-Slatimer": "page"}
CHEAP: dict[str, Any] = {"password_hash_memory": 8, "password_hash_passes": 1}


@pytest.fixture(scope="module")
def one_room(sqlite_databases: SqliteDatabases) -> Iterator[Room]:
    """One kind of database for how people sign in: tests/store holds both kinds to the same rows."""
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, **CHEAP) as made:
        yield made


@pytest.fixture(scope="module")
def one_room_each(databases: Databases) -> Iterator[Room]:
    """Both kinds for whom one may see and manage: on PostgreSQL, row-level security takes part in it."""
    with databases.copy_of(with_desks) as url, room_on(url, **CHEAP) as made:
        yield made


@pytest.fixture
def room(one_room: Room) -> Room:
    return fresh(one_room)


@pytest.fixture
def each_room(one_room_each: Room) -> Room:
    return fresh(one_room_each)


@pytest.fixture
def small_room(sqlite_databases: SqliteDatabases) -> Iterator[Room]:
    """With limits of two keys of a desk and two sessions of a key."""
    with (
        sqlite_databases.copy_of(with_desks) as url,
        room_on(url, desk_keys_max=2, key_sessions_max=2) as made,
    ):
        yield made


def fresh(room: Room) -> Room:
    """The room with no one signed in. Its wrong passwords are forgotten: the longest delay has passed."""
    room.client.cookies.clear()
    room.wall.move(16 * 60)
    return room


def admin(room: Room, desk: str = "*") -> dict[str, str]:
    return room.key(desk, Role.ADMIN)


def create(room: Room, name: str, key: dict[str, str] | None = None, /, **roles: str) -> str:
    """Create a person. Returns the secret of their link."""
    body: dict[str, Any] = {
        "name": name,
        "roles": {desk: [role] for desk, role in roles.items()} or {"haisoft": ["lead"]},
    }
    answer = room.client.post("/v1/people", json=body, headers=key or admin(room))
    assert answer.status_code == 201, answer.text
    return answer.json()["link"].partition("#")[2]


def by_link(room: Room, link: str) -> Any:
    return room.client.post("/session/link", json={"link": link})


def with_password(room: Room, name: str, **roles: str) -> None:
    """Create a person who has set their password, and sign them out."""
    assert by_link(room, create(room, name, None, **roles)).status_code == 200
    assert room.client.put("/v1/me/password", json={"new": PASSWORD}, headers=PAGE).status_code == 204
    assert room.client.delete("/session").status_code == 204


def sign_in(room: Room, name: str, password: str = PASSWORD) -> Any:
    return room.client.post("/session/password", json={"name": name, "password": password})


def with_second_factor(room: Room, name: str) -> tuple[TOTP, list[str]]:
    """Create a person with a second factor, and sign them out. Returns the app and the recovery codes."""
    with_password(room, name)
    sign_in(room, name)
    made = room.client.post("/v1/me/second-factor", json={"present": PASSWORD}, headers=PAGE)
    assert made.status_code == 201, made.text
    app = TOTP(made.json()["secret"])
    confirmed = room.client.post("/v1/me/second-factor/confirm", json={"code": code(room, app)}, headers=PAGE)
    assert confirmed.status_code == 200, confirmed.text
    room.client.delete("/session")
    room.wall.move(60)
    return app, confirmed.json()["recovery_codes"]


def code(room: Room, app: TOTP) -> str:
    return app.at(room.wall.now // SECOND)


def become(room: Room, secret: str) -> None:
    room.client.cookies.clear()
    room.client.cookies.set(COOKIE, secret)


def whoami(room: Room) -> Any:
    return room.client.get("/v1/me")


def entries(room: Room, who: str) -> list[tuple[str, str]]:
    answer = room.client.get("/v1/audit", params={"who": who}, headers=admin(room)).json()
    return [(each["action"], each["about"]) for each in answer["entries"]]


# -- ways to sign in ---------------------------------------------------------------------------------------------


def test_a_link_signs_in_once_and_the_person_sets_a_password(room: Room) -> None:
    link = create(room, "Ann")
    assert by_link(room, link).json()["roles"] == {"haisoft": ["lead"]}
    me = conforms(Me, whoami(room).content)
    assert (me["who"], me["person"]["password"]) == ("user ann", False)
    assert room.client.put("/v1/me/password", json={"new": PASSWORD}, headers=PAGE).status_code == 204
    assert whoami(room).json()["person"]["password"] is True
    room.client.delete("/session")
    assert by_link(room, link).status_code == 401
    assert sign_in(room, " ANN ").status_code == 200
    assert entries(room, "user ann")[-3:] == [
        ("session.ended", entries(room, "user ann")[-1][1]),
        ("password.changed", "user ann"),
        ("session.started", entries(room, "user ann")[-1][1]),
    ]


def test_a_link_is_over_after_its_lifetime_and_by_the_next_one(room: Room) -> None:
    first = create(room, "late")
    second = room.client.post("/v1/people/late/link", headers=admin(room)).json()["link"].partition("#")[2]
    assert by_link(room, first).status_code == 401
    room.wall.move(24 * 3600)
    assert by_link(room, second).json()["reason"] == "link_is_over"


def test_an_unknown_name_a_wrong_password_and_a_disabled_person_are_answered_alike(room: Room) -> None:
    with_password(room, "bob")
    with_password(room, "gone")
    assert room.client.post("/v1/people/gone/disable", headers=admin(room)).status_code == 200
    answers = [sign_in(room, "bob", "wrong"), sign_in(room, "unknown"), sign_in(room, "gone")]
    assert {each.status_code for each in answers} == {401}
    assert len({each.text for each in answers}) == 1


def test_a_person_acts_as_their_roles_say_and_the_record_names_them(room: Room) -> None:
    with_password(room, "cleo", haisoft="lead", hvn="viewer")
    sign_in(room, "cleo")
    assert {each["desk"] for each in room.client.get("/v1/desks").json()["desks"]} == {"haisoft", "hvn"}
    path = "/v1/calendars/{}/tickets/feeds"
    made = room.client.post(path.format("haisoft"), json={"note": "wall"}, headers=PAGE)
    assert (made.status_code, made.json()["created_by"]) == (201, "cleo")
    assert room.client.post(path.format("hvn"), json={}, headers=PAGE).status_code == 403
    assert room.client.post(path.format("webxtra"), json={}, headers=PAGE).status_code == 404
    assert ("feed.created", made.json()["id"]) in entries(room, "user cleo")


def test_wrong_passwords_delay_the_address_and_the_right_one_too(room: Room) -> None:
    with_password(room, "dora")
    assert [sign_in(room, "dora", "wrong").status_code for _ in range(6)] == [401] * 6
    refused = sign_in(room, "dora")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    room.wall.move(1)
    assert sign_in(room, "dora").status_code == 200


def test_a_second_factor_is_asked_for_after_the_password_and_no_code_is_accepted_twice(room: Room) -> None:
    app, recovery = with_second_factor(room, "eve")
    assert (sign_in(room, "eve").status_code, COOKIE in room.client.cookies) == (202, False)
    assert room.client.post("/session/code", json={"code": "000000"}).status_code == 401
    used = code(room, app)
    assert room.client.post("/session/code", json={"code": used}).status_code == 200
    assert CODE_COOKIE not in room.client.cookies
    room.client.delete("/session")
    sign_in(room, "eve")
    assert room.client.post("/session/code", json={"code": used}).status_code == 401
    assert room.client.post("/session/code", json={"code": recovery[0].upper()}).status_code == 200
    assert whoami(room).json()["person"]["recovery_codes"] == 9
    room.client.delete("/session")
    sign_in(room, "eve")
    assert room.client.post("/session/code", json={"code": recovery[0]}).status_code == 401


def test_after_too_many_wrong_codes_the_password_is_asked_for_again(room: Room) -> None:
    app, _ = with_second_factor(room, "finn")
    sign_in(room, "finn")
    for _ in range(5):
        assert room.client.post("/session/code", json={"code": "x"}).status_code == 401
    room.wall.move(60)
    assert room.client.post("/session/code", json={"code": code(room, app)}).status_code == 401


def test_a_link_does_not_replace_the_second_factor_but_an_administrator_may_remove_it(room: Room) -> None:
    with_second_factor(room, "gwen")
    link = room.client.post("/v1/people/gwen/link", headers=admin(room)).json()["link"].partition("#")[2]
    assert by_link(room, link).status_code == 202
    assert room.client.delete("/v1/people/gwen/second-factor", headers=admin(room)).status_code == 204
    assert sign_in(room, "gwen").status_code == 200
    actions = [action for action, _ in entries(room, "user gwen")]
    assert "second_factor.added" in actions


def test_secrets_of_people_are_stored_as_hashes(room: Room) -> None:
    _, recovery = with_second_factor(room, "hugo")
    link = create(room, "ida")

    def read(conn: Any) -> str:
        tables = ("person", "recovery_code", "one_time", "session")
        return str([conn.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables])

    stored = room.database.read_now(read)
    assert PASSWORD not in stored
    assert link not in stored
    assert not any(each in stored for each in recovery)


# -- sessions ----------------------------------------------------------------------------------------------------


def test_a_sign_in_gives_a_new_secret_and_ends_the_session_before(room: Room) -> None:
    with_password(room, "jack")
    planted = {"name": "jack", "password": PASSWORD}
    given = room.client.post("/session/password", json=planted, headers={"Cookie": f"{COOKIE}=sls_planted"})
    assert given.status_code == 200
    first = room.client.cookies[COOKIE]
    assert first != "sls_planted"
    assert sign_in(room, "jack").status_code == 409
    room.client.delete("/session")
    sign_in(room, "jack")
    assert room.client.cookies[COOKIE] != first


@pytest.mark.parametrize("change", ["password", "roles", "disable", "factor"])
def test_a_change_of_roles_or_ways_in_ends_the_other_sessions(room: Room, change: str) -> None:
    name = f"kim-{change}"
    with_password(room, name)
    sign_in(room, name)
    other = room.client.cookies[COOKIE]
    room.client.cookies.clear()
    sign_in(room, name)
    own = True
    if change == "password":
        body = {"present": PASSWORD, "new": PASSWORD + "!"}
        assert room.client.put("/v1/me/password", json=body, headers=PAGE).status_code == 204
    elif change == "factor":
        made = room.client.post("/v1/me/second-factor", json={"present": PASSWORD}, headers=PAGE).json()
        body = {"code": code(room, TOTP(made["secret"]))}
        assert room.client.post("/v1/me/second-factor/confirm", json=body, headers=PAGE).status_code == 200
    elif change == "roles":
        body = {"roles": {"haisoft": ["viewer"]}}
        own = False
        assert room.client.put(f"/v1/people/{name}/roles", json=body, headers=admin(room)).status_code == 200
    else:
        own = False
        assert room.client.post(f"/v1/people/{name}/disable", headers=admin(room)).status_code == 200
    assert whoami(room).status_code == (200 if own else 401)
    become(room, other)
    assert whoami(room).status_code == 401


def test_a_password_is_not_changed_without_the_present_one(room: Room) -> None:
    with_password(room, "lena")
    sign_in(room, "lena")
    for body in ({"new": PASSWORD + "!"}, {"present": "wrong", "new": PASSWORD + "!"}):
        assert room.client.put("/v1/me/password", json=body, headers=PAGE).status_code == 401
    short = room.client.put("/v1/me/password", json={"present": PASSWORD, "new": "short"}, headers=PAGE)
    assert (short.status_code, short.json()["detail"]) == (422, "A password has 12 to 200 characters.")


@both_kinds
def test_one_sees_and_ends_ones_own_sessions_and_an_administrator_those_of_the_desks_people(
    each_room: Room,
) -> None:
    room = each_room
    with_password(room, "mia", haisoft="agent")
    with_password(room, "nils", hvn="agent")
    sign_in(room, "nils")
    others = room.client.cookies[COOKIE]
    room.client.cookies.clear()
    sign_in(room, "mia")
    (own,) = conforms(SessionList, room.client.get("/v1/sessions").content)["sessions"]
    assert (own["who"], own["current"], own["method"]) == ("user mia", True, "password")
    seen = room.client.get("/v1/sessions", headers=admin(room, "hvn")).json()["sessions"]
    assert {each["who"] for each in seen} == {"user nils"}
    theirs = seen[0]["id"]
    assert room.client.delete(f"/v1/sessions/{theirs}", headers=PAGE).status_code == 404
    assert room.client.delete(f"/v1/sessions/{own['id']}", headers=admin(room, "hvn")).status_code == 404
    assert room.client.delete(f"/v1/sessions/{theirs}", headers=admin(room, "hvn")).status_code == 204
    assert room.client.delete(f"/v1/sessions/{own['id']}", headers=PAGE).status_code == 204
    assert whoami(room).status_code == 401
    become(room, others)
    assert whoami(room).status_code == 401


def test_a_person_has_so_many_sessions_and_the_oldest_ends(room: Room) -> None:
    with_password(room, "olga")
    cookies: list[str] = []
    for _ in range(21):
        room.client.cookies.clear()
        sign_in(room, "olga")
        cookies.append(room.client.cookies[COOKIE])
        room.wall.move(1)
    become(room, cookies[1])
    assert len(room.client.get("/v1/sessions").json()["sessions"]) == 20
    become(room, cookies[0])
    assert whoami(room).status_code == 401


# -- whom an administrator may manage ------------------------------------------------------------------------------


@both_kinds
def test_an_administrator_of_one_desk_makes_no_administrator_of_another(each_room: Room) -> None:
    room = each_room
    key = admin(room, "haisoft")
    for desk, status in (("hvn", 404), ("*", 403)):
        body = {"name": "pia", "roles": {desk: ["admin"]}}
        assert room.client.post("/v1/people", json=body, headers=key).status_code == status
        assert (
            room.client.post("/v1/keys", json={"roles": {desk: ["admin"]}}, headers=key).status_code == status
        )
    create(room, "pia", key, haisoft="viewer")
    for desk, status in (("hvn", 404), ("*", 403), ("haisoft", 200)):
        body = {"roles": {desk: ["admin"]}}
        assert room.client.put("/v1/people/pia/roles", json=body, headers=key).status_code == status


@both_kinds
def test_who_has_a_role_on_another_desk_is_taken_over_by_no_administrator_of_one(each_room: Room) -> None:
    room = each_room
    key = admin(room, "haisoft")
    create(room, "quinn", haisoft="agent", hvn="admin")
    (seen,) = [
        each
        for each in conforms(PeoplePage, room.client.get("/v1/people", headers=key).content)["people"]
        if each["name"] == "quinn"
    ]
    assert seen["roles"] == {"haisoft": ["agent"]}
    for method, path in (("POST", "link"), ("POST", "disable"), ("DELETE", "second-factor")):
        answer = room.client.request(method, f"/v1/people/quinn/{path}", headers=key)
        assert answer.status_code == 403, path
        assert "hvn" not in answer.text
    log = room.client.get("/v1/audit", params={"limit": 500}, headers=key).json()["entries"]
    assert {each["note"] for each in log if each["about"] == "user quinn"} == {None, "haisoft:agent"}
    taken = room.client.put("/v1/people/quinn/roles", json={"roles": {}}, headers=key)
    assert (taken.status_code, taken.json()["roles"]) == (200, {})
    whole = room.client.get("/v1/people", params={"limit": 500}, headers=admin(room)).json()["people"]
    assert next(each for each in whole if each["name"] == "quinn")["roles"] == {"hvn": ["admin"]}
    assert room.client.put("/v1/people/quinn/roles", json={"roles": {}}, headers=key).status_code == 404


@both_kinds
def test_people_are_paged_by_name_and_filtered_by_desk(each_room: Room) -> None:
    room = each_room
    for name in ("zed3", "zed1", "zed2"):
        create(room, name, clamehost="viewer")
    key, names, cursor = admin(room), [], None
    while True:
        wanted = {"desk": "clamehost", "limit": "2"} | ({} if cursor is None else {"cursor": cursor})
        page = room.client.get("/v1/people", params=wanted, headers=key).json()
        names += [each["name"] for each in page["people"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == ["zed1", "zed2", "zed3"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a b", "roles": {"haisoft": ["lead"]}}, 422),
        ({"name": "push", "roles": {"haisoft": ["push"]}}, 422),
        ({"name": "none", "roles": {}}, 422),
        ({"name": "taken", "roles": {"haisoft": ["lead"]}}, 409),
    ],
)
def test_a_person_that_cannot_be_created_is_refused(room: Room, body: dict[str, Any], status: int) -> None:
    if status == 409:
        create(room, "Taken")
    assert room.client.post("/v1/people", json=body, headers=admin(room)).status_code == status


def test_a_desk_has_so_many_keys_and_a_key_so_many_sessions(small_room: Room) -> None:
    key = admin(small_room, "clamehost")
    body = {"roles": {"clamehost": ["viewer"]}}
    made = [small_room.client.post("/v1/keys", json=body, headers=key) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 409]
    cookies: list[str] = []
    for _ in range(3):
        small_room.client.cookies.clear()
        answer = small_room.client.post("/session", json={"key": made[0].json()["key"]})
        assert answer.status_code == 200
        cookies.append(small_room.client.cookies[COOKIE])
        small_room.wall.move(3)
    found: list[int] = []
    for cookie in cookies:
        become(small_room, cookie)
        found.append(whoami(small_room).status_code)
    assert found == [401, 200, 200]


@both_kinds
def test_keys_are_created_listed_and_revoked_by_who_manages_all_their_desks(each_room: Room) -> None:
    room = each_room
    key = admin(room, "phpnet")
    made = room.client.post("/v1/keys", json={"roles": {"phpnet": ["push"]}}, headers=key).json()
    secret = {"Authorization": f"Bearer {made['key']}"}
    assert room.client.get("/v1/inbox", headers=secret).status_code == 200
    listed = conforms(KeyList, room.client.get("/v1/keys", headers=key).content)["keys"]
    assert {"id": made["id"], "roles": {"phpnet": ["push"]}} in listed
    assert all(set(each["roles"]) == {"phpnet"} for each in listed)
    assert room.client.delete(f"/v1/keys/{made['id']}", headers=admin(room, "hvn")).status_code == 404
    assert room.client.delete(f"/v1/keys/{made['id']}", headers=key).status_code == 204
    assert room.client.get("/v1/inbox", headers=secret).status_code == 401


def test_a_key_has_no_password_and_no_second_factor(room: Room) -> None:
    assert conforms(Me, room.client.get("/v1/me", headers=room.read).content)["person"] is None
    answer = room.client.put("/v1/me/password", json={"new": PASSWORD}, headers=room.read)
    assert answer.status_code == 404


# -- details -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/?desk=haisoft&state=late", "/?desk=haisoft&state=late"),
        ("/tickets/haisoft/4711#clock", "/tickets/haisoft/4711#clock"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\telsewhere", "/"),
        ("/\r\nX: y", "/"),
        ("", "/"),
    ],
)
def test_only_a_path_of_this_site_is_shown_after_a_sign_in(path: str, shown: str) -> None:
    assert local(path) == shown


def test_language_and_zone_are_stored_for_a_person(room: Room) -> None:
    with_password(room, "vera")
    sign_in(room, "vera")
    looks = {"language": "vi", "time_zone": "Asia/Ho_Chi_Minh"}
    assert room.client.put("/v1/me/looks", json=looks, headers=PAGE).status_code == 204
    assert looks.items() <= whoami(room).json()["person"].items()
    for faulty in ({"language": "xx"}, {"time_zone": "Mars/Base"}):
        assert room.client.put("/v1/me/looks", json=faulty, headers=PAGE).status_code == 422


def test_a_password_is_hashed_anew_when_the_parameters_have_changed(
    sqlite_databases: SqliteDatabases,
) -> None:
    def stored(room: Room) -> str:
        proofs = room.database.read_now(lambda conn: persons.proofs_of(conn, "wim"))
        assert proofs is not None
        return proofs.password or ""

    with sqlite_databases.copy_of(with_desks) as url:
        with room_on(url, **CHEAP) as room:
            with_password(room, "wim")
            assert ",t=1," in stored(room)
        with room_on(url, **CHEAP | {"password_hash_passes": 2}) as room:
            assert sign_in(room, "wim").status_code == 200
            assert ",t=2," in stored(room)
            room.client.delete("/session")
            assert sign_in(room, "wim").status_code == 200


def test_a_role_that_a_person_has_already_is_no_change(room: Room) -> None:
    create(room, "xena")

    def again(conn: Any, _: int) -> bool:
        person = persons.named(conn, "xena")
        assert person is not None
        return accounts.set_roles(conn, person, roles_on(["haisoft"], [Role.LEAD]), frozenset({"haisoft"}))

    assert room.database.write_now(again) is False


def test_what_a_person_records_has_their_name(room: Room) -> None:
    room.sent(room.event(subject="signed"))
    with_password(room, "yves")
    sign_in(room, "yves")
    note = room.event(subject="signed", type="note.added", data={"recorded_by": "intruder"})
    assert room.client.post("/v1/events", json=note, headers=PAGE).json()["accepted"] == 1
    events = room.get("/v1/tickets/haisoft/signed/events").json()["events"]
    assert [each["data"].get("recorded_by") for each in events if each["type"] == "note.added"] == ["yves"]
    room.wall.move(3 * 24 * 3600)
    room.sent(room.event(id="tick", subject="signed", type="note.added", data={}))
    breach = room.get("/v1/breaches", desk="haisoft").json()["breaches"][0]["id"]
    sign_in(room, "yves")
    path = f"/v1/breaches/{breach}/acknowledgement"
    seen = room.client.post(path, json={"author": "intruder"}, headers=PAGE).json()
    assert seen["acknowledgement"]["author"] == "yves"
