"""Saved views over HTTP: whose they are, who changes them, what they may filter by, and the default of a person."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.principal import Role
from app.store.people import accounts, persons
from app.web.api.people.saved_views import SavedView, SavedViews
from tests.servers.databases import Databases, SqliteDatabases, both_kinds
from tests.web.room import Room, conforms, room_on, with_desks
from tests.web.test_people import CHEAP, PAGE, fresh, sign_in, with_password

DEFAULT = "/v1/me/default-view"


@pytest.fixture(scope="module")
def one_room(databases: Databases) -> Iterator[Room]:
    with databases.copy_of(with_desks) as url, room_on(url, **CHEAP) as made:
        yield made


@pytest.fixture
def room(one_room: Room) -> Room:
    return fresh(one_room)


@pytest.fixture
def small_room(sqlite_databases: SqliteDatabases) -> Iterator[Room]:
    """With a limit of two views of one owner."""
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, **CHEAP, saved_views_max=2) as made:
        yield made


def signed_in(room: Room, name: str, **roles: str) -> None:
    room.client.cookies.clear()
    with_password(room, name, **roles)
    assert sign_in(room, name).status_code == 200


def ask(room: Room, method: str, path: str, **body: Any) -> Any:
    return room.client.request(method, path, json=body or None, headers=PAGE)


def save(room: Room, name: str, desk: str | None = None, page: str = "now", **filters: str) -> Any:
    return ask(room, "POST", "/v1/views", page=page, name=name, desk=desk, filters=filters)


def names(room: Room, key: dict[str, str] | None = None) -> list[str]:
    return [view["name"] for view in room.client.get("/v1/views", headers=key or PAGE).json()["views"]]


@both_kinds
def test_a_view_of_a_person_is_seen_renamed_and_deleted_by_that_person_alone(room: Room) -> None:
    signed_in(room, "ann", haisoft="viewer")
    made = conforms(SavedView, save(room, "Night", group="Night", show="overdue").content)
    assert (made["filters"], made["desk"], made["changeable"]) == (
        {"show": "overdue", "group": "Night"},
        None,
        True,
    )
    at = f"/v1/views/{made['id']}"
    signed_in(room, "admin-of-all", **{"*": "admin"})
    assert names(room) == []
    assert ask(room, "PATCH", at, name="Mine").status_code == 404
    assert ask(room, "DELETE", at).status_code == 404
    signed_in(room, "ann2", haisoft="viewer")
    assert ask(room, "PUT", DEFAULT, view=made["id"]).status_code == 404
    sign_in_again(room, "ann")
    assert ask(room, "PATCH", at, name=" Late ").json()["name"] == "Late"
    assert ask(room, "PATCH", at, filters={"q": "ACME"}).json()["filters"] == {"q": "ACME"}
    assert ask(room, "DELETE", at).status_code == 204
    assert names(room) == []


def sign_in_again(room: Room, name: str) -> None:
    room.client.cookies.clear()
    assert sign_in(room, name).status_code == 200


@both_kinds
def test_a_lead_shares_a_view_with_a_desk_that_all_of_it_see_and_only_leads_change(room: Room) -> None:
    signed_in(room, "lea", haisoft="lead", webxtra="agent")
    made = save(room, "Overdue", "haisoft", show="overdue").json()
    assert made["filters"] == {"desk": "haisoft", "show": "overdue"}
    assert made["created_by"] == "lea"
    assert save(room, "Overdue", "webxtra").status_code == 403
    assert save(room, "Overdue", "hvn").status_code == 404
    signed_in(room, "vic", haisoft="viewer")
    seen = conforms(SavedViews, room.client.get("/v1/views", headers=PAGE).content)["views"]
    assert [(view["name"], view["changeable"]) for view in seen] == [("Overdue", False)]
    at = f"/v1/views/{made['id']}"
    assert ask(room, "PATCH", at, name="x").status_code == 403
    assert ask(room, "DELETE", at).status_code == 403
    assert names(room, room.key("webxtra", Role.ADMIN)) == []
    lead = room.key("haisoft", Role.LEAD)
    assert room.client.patch(at, json={"name": "Broken"}, headers=lead).json()["name"] == "Broken"
    assert room.client.delete(at, headers=lead).status_code == 204
    log = room.client.get("/v1/audit", headers=room.key("haisoft", Role.ADMIN)).json()["entries"]
    acts = [(each["action"], each["note"]) for each in log if each["about"] == made["id"]]
    assert acts == [("view.removed", "Broken"), ("view.changed", "Broken"), ("view.shared", "Overdue")]


def test_the_default_is_a_view_of_now_that_the_person_sees(room: Room) -> None:
    signed_in(room, "dan", haisoft="lead")
    own, shared = save(room, "Mine", q="x").json()["id"], save(room, "Ours", "haisoft").json()["id"]
    breaches = save(room, "Untaken", page="breaches", taken="no").json()["id"]
    for view in (own, shared):
        assert ask(room, "PUT", DEFAULT, view=view).status_code == 204
        listed = room.client.get("/v1/views", headers=PAGE).json()["views"]
        assert [each["id"] for each in listed if each["default"]] == [view]
    assert ask(room, "PUT", DEFAULT, view=breaches).status_code == 422
    assert room.client.put(DEFAULT, json={"view": None}, headers=PAGE).status_code == 204
    key = room.key("haisoft", Role.ADMIN)
    assert room.client.put(DEFAULT, json={"view": None}, headers=key).status_code == 404
    assert room.client.post("/v1/views", json={"page": "now", "name": "x"}, headers=key).status_code == 404


def test_a_default_of_a_desk_that_the_person_does_not_see_opens_nothing(room: Room) -> None:
    signed_in(room, "eve", haisoft="lead")
    made = ask(room, "POST", "/v1/views", page="now", name="Theirs", filters={"desk": "webxtra"})
    view = made.json()["id"]
    assert ask(room, "PUT", DEFAULT, view=view).status_code == 204
    assert room.client.get("/", headers=PAGE, follow_redirects=False).status_code == 200


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "a\u202eb"}, "/name"),
        ({"filters": {"cursor": "x"}}, "/filters/cursor"),
        ({"filters": {"show": "everything"}}, "/filters/show"),
        ({"filters": {"q": "x" * 201}}, "/filters/q"),
        ({"page": "breaches", "filters": {"from": "yesterday"}}, "/filters/from"),
        ({"page": "breaches", "filters": {"taken": "maybe"}}, "/filters/taken"),
        ({"page": "reports", "filters": {"range": "ever"}}, "/filters/range"),
        ({"page": "reports", "filters": {"kind": "promise"}}, "/filters/kind"),
        ({"page": "reports", "filters": {"show": "overdue"}}, "/filters/show"),
        ({"desk": "haisoft", "filters": {"desk": "webxtra"}}, "/filters/desk"),
    ],
)
def test_a_faulty_view_is_refused_with_its_place(room: Room, given: dict[str, Any], place: str) -> None:
    key = room.key("haisoft", Role.LEAD)
    body = {"page": "now", "name": "x", "desk": "haisoft"} | given
    answer = room.client.post("/v1/views", json=body, headers=key)
    assert (answer.status_code, [each["place"] for each in answer.json()["errors"]]) == (422, [place])


def test_names_are_of_one_view_and_views_are_limited(small_room: Room) -> None:
    room = small_room
    signed_in(room, "eva", haisoft="lead")
    first = save(room, "Night").json()["id"]
    assert save(room, "NIGHT").status_code == 409
    assert save(room, "Night", page="breaches").status_code == 201
    assert save(room, "Third").json()["type"].endswith("limit-reached")
    assert save(room, "Third", "haisoft").status_code == 201
    assert ask(room, "PATCH", f"/v1/views/{first}", name="night").json()["name"] == "night"


def test_who_is_disabled_leaves_no_view_of_their_own(room: Room) -> None:
    signed_in(room, "finn", haisoft="lead")
    own, shared = save(room, "Mine").json()["id"], save(room, "Shared by Finn", "haisoft").json()["id"]
    ask(room, "PUT", DEFAULT, view=own)

    def again(disabled: bool) -> None:
        def work(conn: Any, _: int) -> None:
            person = persons.named(conn, "finn")
            assert person is not None
            accounts.set_disabled(conn, person, disabled=disabled)

        room.database.write_now(work)

    again(disabled=True)
    again(disabled=False)
    sign_in_again(room, "finn")
    assert own not in room.client.get("/v1/views", headers=PAGE).text
    assert "Shared by Finn" in names(room)
    assert ask(room, "DELETE", f"/v1/views/{shared}").status_code == 204
