"""The pages of signing in and of the settings, as a browser without scripts uses them."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pyotp.totp import TOTP

from app.delivery.wording.language import Language
from app.flow.people.sign_in import Refusal
from app.principal import EVERY, Role, roles_on
from app.sla.span import Micros
from app.store.audit import Action
from app.store.engine.database import Connection
from app.store.people import accounts, persons
from app.store.people import roles as role_rows
from app.web.http.access import COOKIE
from app.web.pages.settings.acts import ACTS
from app.web.pages.sign_in.view import REFUSALS
from tests.servers.databases import SqliteDatabases
from tests.web.messages import TRANSLATED
from tests.web.room import Room, room_on, with_desks
from tests.web.test_isolation import FORMS, REQUIRES, ROUTES
from tests.web.test_people import (
    CHEAP,
    PASSWORD,
    become,
    code,
    create,
    fresh,
    whoami,
    with_password,
)

NUMBERS = itertools.count(1)
SITE = {"Origin": "http://testserver"}


@pytest.fixture(scope="module")
def one_room(sqlite_databases: SqliteDatabases) -> Iterator[Room]:
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, **CHEAP) as made:
        yield made


@pytest.fixture
def room(one_room: Room) -> Room:
    return fresh(one_room)


def send(room: Room, path: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
    """Send a form as a browser does from a page of the site."""
    return room.client.post(
        path, data=fields or {"none": ""}, headers=headers or SITE, follow_redirects=False
    )


def signed_in(room: Room, name: str, **roles: str) -> None:
    with_password(room, name, **roles)
    assert send(room, "/sign-in", name=name, password=PASSWORD).status_code == 303


def test_a_bookmark_of_a_filter_is_shown_after_the_sign_in(room: Room) -> None:
    with_password(room, "ann")
    asked = room.client.get("/?desk=haisoft&show=overdue")
    assert asked.status_code == 401
    (go_to,) = re.findall(r'name="next" value="([^"]+)"', asked.text)
    assert go_to == "/?desk=haisoft&amp;show=overdue"
    sent = send(room, "/sign-in", name="ann", password=PASSWORD, next="/?desk=haisoft&show=overdue")
    assert sent.headers["location"] == "/?desk=haisoft&show=overdue"
    assert room.client.get(sent.headers["location"]).status_code == 200


def test_a_sign_in_leads_to_no_other_site(room: Room) -> None:
    with_password(room, "bob")
    sent = send(room, "/sign-in", name="bob", password=PASSWORD, next="//elsewhere.example/")
    assert sent.headers["location"] == "/"


def test_a_refused_sign_in_keeps_the_name_and_says_why_in_the_readers_language(room: Room) -> None:
    refused = send(room, "/sign-in", SITE | {"Accept-Language": "fr"}, name="ann", password="wrong")
    assert refused.status_code == 401
    assert 'value="ann"' in refused.text
    assert 'role="alert"' in refused.text
    assert "The name or the password" not in refused.text


def test_every_refusal_has_a_phrase() -> None:
    assert set(REFUSALS) == set(Refusal)


def test_a_link_asks_for_a_click_and_leads_to_the_password(room: Room) -> None:
    link = create(room, "cleo")
    assert 'name="link"' in room.client.get("/sign-in/link").text
    sent = send(room, "/sign-in/link", link=link)
    assert sent.headers["location"] == "/settings?done=link"
    assert "Set a password now" in room.client.get(sent.headers["location"]).text
    again = send(room, "/settings/password", new=PASSWORD, again=PASSWORD + "x")
    assert (again.status_code, "differ" in again.text) == (422, True)
    done = send(room, "/settings/password", new=PASSWORD, again=PASSWORD)
    assert done.headers["location"] == "/settings?done=password"
    assert "Signed out" in send(room, "/sign-out").text
    assert COOKIE not in room.client.cookies
    assert send(room, "/sign-in/link", link=link).status_code == 401


def test_a_second_factor_is_set_up_asked_for_and_turned_off(room: Room) -> None:
    signed_in(room, "dora")
    page = send(room, "/settings/second-factor", present=PASSWORD).text
    assert "<svg" in page
    app = TOTP(re.findall(r"<code>([A-Z2-7]{32})</code>", page)[0])
    assert send(room, "/settings/second-factor/confirm", code="000000").status_code == 422
    codes = re.findall(
        r"<code>([\w-]{17})</code>", send(room, "/settings/second-factor/confirm", code=code(room, app)).text
    )
    assert len(codes) == 10
    send(room, "/sign-out")
    asked = send(room, "/sign-in", name="dora", password=PASSWORD, next="/services")
    assert (asked.status_code, 'action="/sign-in/code"' in asked.text) == (200, True)
    assert 'value="/services"' in asked.text
    room.wall.move(60)
    assert send(room, "/sign-in/code", code="1").status_code == 401
    assert (
        send(room, "/sign-in/code", code=code(room, app), next="/services").headers["location"] == "/services"
    )
    assert send(room, "/settings/second-factor/remove", code=codes[0]).status_code == 303
    assert whoami(room).json()["person"]["second_factor"] is False


def test_language_and_zone_follow_the_person_to_another_browser(room: Room) -> None:
    signed_in(room, "eve")
    assert send(room, "/settings/looks", language="nl", time_zone="Mars/Base").status_code == 422
    sent = send(room, "/settings/looks", language="nl", time_zone="Europe/Amsterdam")
    assert '<html lang="nl"' in room.client.get(sent.headers["location"]).text
    room.client.cookies.clear()
    send(room, "/sign-in", name="eve", password=PASSWORD)
    assert '<html lang="nl"' in room.client.get("/settings").text


def test_the_zone_of_the_settings_comes_before_that_of_the_browser(room: Room) -> None:
    signed_in(room, "kim")
    room.sent(room.event())
    room.client.cookies.set("slatimer_zone", "Europe/Paris")
    assert "your time" not in room.client.get("/now/list").text
    send(room, "/settings/looks", language="en", time_zone="Asia/Ho_Chi_Minh")
    for path in ("/now/list", "/tickets/haisoft/4711"):
        assert "CET (your time: " in room.client.get(path).text
    assert "UTC+7" in room.client.get("/settings").text


def test_an_administrator_manages_people_keys_and_reads_the_log(room: Room) -> None:
    signed_in(room, "root", **{"*": "admin"})
    page = send(room, "/settings/people", name="Finn", desk="hvn", role="agent").text
    assert re.search(r"http://testserver/sign-in/link#sll_[\w-]+", page)
    assert send(room, "/settings/people", name="finn", desk="hvn", role="agent").status_code == 422
    assert send(room, "/settings/people/roles", name="finn", desk="haisoft", role="lead").status_code == 303
    listed = room.client.get("/settings/people").text
    assert "haisoft: Team lead" in listed
    assert "hvn: Agent" in listed
    assert send(room, "/settings/people/roles", name="finn", desk="hvn", role="").status_code == 303
    assert send(room, "/settings/people/state", name="finn", action="disable").status_code == 303
    assert "disabled" in room.client.get("/settings/people").text
    assert "slt_" in send(room, "/settings/keys", desk="hvn", role="push").text
    (key,) = re.findall(r'name="key" value="(\w+)"', room.client.get("/settings/keys").text)[-1:]
    assert send(room, "/settings/keys/revoke", key=key).status_code == 303
    log = room.client.get("/settings/audit?who=user+root").text
    assert "user.disabled" in log
    assert "key.revoked" in log
    french = room.client.get("/settings/audit?lang=fr").text
    assert "Clé d\N{RIGHT SINGLE QUOTATION MARK}API révoquée<small><code>key.revoked</code></small>" in french
    room.client.get("/settings?lang=en")


def row_of(page: str, name: str) -> str:
    """The row of a person on the page of people."""
    (row,) = re.findall(rf'<tr>\s*<th scope="row">{re.escape(name)}<.*?</tr>', page, re.DOTALL)
    return row


def with_administrators(room: Room, *names: str) -> None:
    """These people administer every desk, and those that other tests have made do not."""

    def work(conn: Connection, _: Micros) -> None:
        for each in persons.listed(conn):
            accounts.set_disabled(conn, each, disabled=True)
        for name in names:
            persons.add(conn, name, roles_on(EVERY, [Role.ADMIN]), most=1000)

    room.database.write_now(work)


def as_key(room: Room) -> None:
    """Signed in with a key of an administrator, as on a service that has no people yet."""
    secret = room.key("*", Role.ADMIN)["Authorization"].removeprefix("Bearer ")
    assert room.client.post("/session", json={"key": secret}).status_code == 200


@pytest.mark.parametrize(
    ("path", "form", "command"),
    [
        ("state", {"action": "disable"}, "slatimer user disable {name}"),
        ("roles", {"desk": "*", "role": "lead"}, "slatimer user roles {name} --desk &#39;*&#39; --role lead"),
        (
            "roles",
            {"desk": "*", "role": ""},
            "slatimer user roles {name} --desk &#39;*&#39; --role admin --remove",
        ),
    ],
    ids=["disable", "another role", "no role"],
)
def test_the_last_administrator_stays_one_until_another_person_is(
    room: Room, path: str, form: dict[str, str], command: str
) -> None:
    name = f"last-{next(NUMBERS)}"
    with_administrators(room, name)
    as_key(room)
    refused = send(room, f"/settings/people/{path}", SITE, name=name.upper(), **form)
    row = row_of(refused.text, name)
    assert (refused.status_code, 'role="alert"' in row, command.format(name=name) in row) == (422, True, True)
    assert "last enabled administrator of all desks" in row
    room.database.write_now(
        lambda conn, _: persons.add(conn, f"other-{name}", roles_on(EVERY, [Role.ADMIN]), most=1000)
    )
    assert send(room, f"/settings/people/{path}", SITE, name=name, **form).status_code == 303
    refused = send(room, f"/settings/people/{path}", SITE, name=f"other-{name}", **form)
    assert (refused.status_code, "disabled" in row_of(refused.text, f"other-{name}")) == (422, False)


def test_the_last_administrator_of_one_desk_stays_one(room: Room) -> None:
    with_administrators(room)
    as_key(room)
    room.database.write_now(
        lambda conn, _: persons.add(conn, "desk-admin", {"hvn": frozenset({Role.ADMIN})}, most=1000)
    )
    refused = send(room, "/settings/people/roles", name="desk-admin", desk="hvn", role="agent")
    assert "last enabled administrator of hvn" in row_of(refused.text, "desk-admin")
    assert (
        send(room, "/settings/people/roles", name="desk-admin", desk="haisoft", role="agent").status_code
        == 303
    )


def test_one_does_not_disable_oneself(room: Room) -> None:
    with_administrators(room, "colleague")
    signed_in(room, "self", **{"*": "admin"})
    refused = send(room, "/settings/people/state", name="self", action="disable")
    row = row_of(refused.text, "self")
    assert (refused.status_code, "Ask another administrator" in row, "slatimer user" in row) == (
        422,
        True,
        False,
    )
    assert whoami(room).status_code == 200


@pytest.mark.parametrize("language", TRANSLATED)
def test_why_the_last_administrator_stays_is_said_in_every_language(room: Room, language: Language) -> None:
    name = f"last-{language}"
    with_administrators(room, name)
    as_key(room)
    headers = SITE | {"Accept-Language": language.value}
    refused = send(room, "/settings/people/state", headers, name=name, action="disable")
    row = row_of(refused.text, name)
    assert f"slatimer user disable {name}" in row
    assert "administrator of" not in row


def test_the_api_disables_the_last_administrator(room: Room) -> None:
    with_administrators(room, "last-of-the-api")
    key = room.key("*", Role.ADMIN)
    assert room.client.post("/v1/people/last-of-the-api/disable", headers=key).status_code == 200


def form_of(row: str) -> dict[str, str]:
    """The form of roles in a row, as a browser without scripts sends it untouched."""
    selected = re.findall(r'<option value="([^"]*)" selected>', row)
    shown = dict(re.findall(r'name="(shown_\w+)" value="([^"]*)"', row))
    return {"desk": selected[0], "role": selected[1]} | shown


@pytest.mark.parametrize(
    ("roles", "desk", "role"),
    [
        ({"hvn": ["agent"]}, "hvn", "agent"),
        ({"webxtra": ["viewer"], "phpnet": ["lead"]}, "phpnet", "lead"),
        ({"hvn": ["lead", "viewer"]}, "hvn", "lead"),
        ({"hvn": ["agent"], "*": ["admin"]}, "*", "admin"),
        ({"a-desk-to-come": ["agent"]}, "a-desk-to-come", "agent"),
        ({}, "clamehost", ""),
    ],
)
def test_the_form_of_a_row_is_at_the_persons_role_and_saving_it_changes_nothing(
    room: Room, roles: dict[str, list[str]], desk: str, role: str
) -> None:
    name = f"person-{next(NUMBERS)}"
    signed_in(room, name)
    held = {each: frozenset(Role(one) for one in given) for each, given in roles.items()}
    session = room.client.cookies[COOKIE]
    room.client.cookies.clear()
    signed_in(room, f"admin-of-{name}", **{"*": "admin"})
    own = room.client.cookies[COOKIE]

    def work(conn: Connection, _: Micros) -> None:
        person = persons.named(conn, name)
        assert person is not None
        role_rows.replace(conn, person.id, held, EVERY)

    room.database.write_now(work)
    form = form_of(row_of(room.client.get("/settings/people").text, name))
    assert (form["desk"], form["role"]) == (desk, role)
    sent = send(room, "/settings/people/roles", SITE, name=name, **form)
    assert "Nothing has changed." in room.client.get(sent.headers["location"]).text
    become(room, session)
    assert whoami(room).status_code == (200 if held else 403)  # 401 without the session
    become(room, own)
    person = room.database.read_now(lambda conn: persons.named(conn, name))
    assert person is not None
    assert person.roles == held


def test_the_same_role_chosen_again_ends_no_session(room: Room) -> None:
    signed_in(room, "again", haisoft="lead", hvn="agent")
    session = room.client.cookies[COOKIE]
    room.client.cookies.clear()
    signed_in(room, "admin-again", **{"*": "admin"})
    for role, said in (("agent", "Nothing has changed."), ("lead", "The roles are changed.")):
        sent = send(room, "/settings/people/roles", name="again", desk="hvn", role=role)
        assert said in room.client.get(sent.headers["location"]).text
        own = room.client.cookies[COOKIE]
        become(room, session)
        assert whoami(room).status_code == (200 if role == "agent" else 401)
        become(room, own)


def test_a_refused_role_stays_chosen(room: Room) -> None:
    with_administrators(room, "stays")
    as_key(room)
    refused = send(room, "/settings/people/roles", name="stays", desk="*", role="agent")
    form = form_of(row_of(refused.text, "stays"))
    assert form == {"desk": "*", "role": "agent", "shown_desk": "*", "shown_role": "admin"}


def test_every_action_of_the_audit_log_has_a_name_for_readers() -> None:
    assert set(ACTS) == set(Action)


def test_a_session_of_the_list_is_ended(room: Room) -> None:
    signed_in(room, "gwen")
    other = room.client.cookies[COOKIE]
    room.client.cookies.clear()
    send(room, "/sign-in", name="gwen", password=PASSWORD)
    (session,) = re.findall(r'name="session" value="(\w+)"', room.client.get("/settings").text)
    assert send(room, "/settings/sessions/end", session=session).status_code == 303
    room.client.cookies.clear()
    room.client.cookies.set(COOKIE, other)
    assert whoami(room).status_code == 401


def test_a_form_of_the_settings_that_is_not_accepted_keeps_what_was_typed(room: Room) -> None:
    signed_in(room, "keeper", **{"*": "admin"})
    sent = send(
        room, "/settings/people", name="two words", display_name="Two Words", desk="hvn", role="agent"
    )
    assert (sent.status_code, 'value="two words"' in sent.text, 'value="Two Words"' in sent.text) == (
        422,
        True,
        True,
    )
    zone = send(room, "/settings/looks", language="en", time_zone="Europe/Nowhere")
    assert (zone.status_code, 'value="Europe/Nowhere"' in zone.text) == (422, True)


def test_no_route_that_changes_anything_serves_a_request_of_another_site(room: Room) -> None:
    """Enumerated from the app: a cookie alone proves nothing, whatever is sent with it."""
    signed_in(room, "target", **{"*": "admin"})
    forms = {("POST", path) for path in FORMS}  # those of signing in too, which need no session
    writing = {each for each in ROUTES if each[0] not in ("GET", "HEAD") and REQUIRES[each] is not None}
    assert ("POST", "/ticket/record") in writing & forms
    for method, path in sorted(writing | forms):
        at = re.sub(r"{\w+(?::path)?}", "haisoft", path)
        for headers in ({}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
            sent = room.client.request(method, at, data={"desk": "hvn", "name": "x"}, headers=headers)
            assert sent.status_code == 403, (method, path, headers)
    assert whoami(room).status_code == 200


def test_where_the_address_of_the_pages_is_known_a_form_has_its_scheme(
    sqlite_databases: SqliteDatabases,
) -> None:
    given: dict[str, Any] = {"public_url": "https://testserver", "allowed_hosts": ("testserver",)}
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, **given) as room:
        for origin, status in (("http://testserver", 403), ("https://testserver", 401)):
            sent = send(room, "/sign-in", {"Origin": origin}, name="ann", password="wrong")
            assert sent.status_code == status, origin


@pytest.mark.parametrize(
    ("service", "origin", "status"),
    [
        ("https://testserver", "https://testserver", 401),
        ("https://testserver", "http://testserver", 403),
        ("http://testserver", "http://testserver", 401),
        ("http://testserver", "https://testserver", 401),  # a proxy that ends TLS and does not say so
        ("http://testserver", "ftp://testserver", 403),
        ("http://testserver", "https://testserver:8443", 403),
        ("http://testserver", "//testserver", 403),
        ("http://testserver", "null", 403),
    ],
)
def test_a_form_comes_from_an_origin_with_the_scheme_by_which_the_service_is_reached(
    room: Room, service: str, origin: str, status: int
) -> None:
    headers = {"Origin": origin}
    data = {"name": "unknown", "password": "wrong"}
    sent = room.client.post(f"{service}/sign-in", data=data, headers=headers)
    assert sent.status_code == status


def test_a_form_is_a_form(room: Room) -> None:
    assert (
        room.client.post("/sign-in", json={"name": "x"}, headers=SITE | {"X-Slatimer": "1"}).status_code
        == 415
    )
    many = "&".join(f"a{number}=1" for number in range(200))
    headers = SITE | {"Content-Type": "application/x-www-form-urlencoded"}
    assert room.client.post("/sign-in", content=many, headers=headers).status_code == 400
    assert room.client.post("/sign-in", content=b"name=a%00b", headers=headers).status_code == 400


@pytest.mark.parametrize("language", Language)
def test_the_pages_are_rendered_in_every_language(room: Room, language: Language) -> None:
    signed_in(room, f"reader-{language}", **{"*": "admin"})
    for path in (
        "/settings",
        "/settings/people",
        "/settings/keys",
        "/settings/audit",
        "/sign-in",
        "/sign-in/link",
    ):
        page = room.client.get(path, params={"lang": language})
        assert (page.status_code, f'<html lang="{language}"' in page.text) == (200, True), path


def test_a_guest_of_the_demonstration_becomes_the_person_who_signs_in(
    sqlite_databases: SqliteDatabases,
) -> None:
    given: dict[str, Any] = {"guest_sign_in": True, "allowed_hosts": ("testserver",)}
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, **given) as room:
        link = create(room, "lea")
        room.client.get("/sign-in/link?next=/")
        assert whoami(room).json()["kind"] == "guest"
        assert send(room, "/sign-in/link", link=link, next="/").headers["location"] == "/"
        assert whoami(room).json()["who"] == "user lea"
