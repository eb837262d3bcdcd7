"""Forms of connections, embedding and deliveries without scripts: secrets shown once, faults with what was typed."""

import re
from typing import Any

import pytest

from app.principal import Role
from tests.web.filled import form_to, forms_of_page
from tests.web.room import Room

ZAMMAD = "/connections/system?desk=haisoft&amp;system=zammad"
SYSTEM = "/connections/system?desk=haisoft&system=zammad"


@pytest.fixture
def admin(room: Room) -> dict[str, str]:
    return room.key("*", Role.ADMIN)


def pressed(room: Room, admin: dict[str, str], action: str, **given: str) -> Any:
    """The answer to a button of the page of a system."""
    page = room.get("/connections/system", admin, desk="haisoft", system="zammad").text
    form = next(each for each in forms_of_page(page) if ("action", action) in each.buttons)
    return form.filled(**given).sent(room, admin, ("action", action))


def secret_in(page: str) -> str:
    return re.findall(r'data-shown="secret">([^<]+)<', page)[0]


def test_a_system_is_connected_and_its_secret_shown_once(room: Room, admin: dict[str, str]) -> None:
    made = pressed(room, admin, "create")
    assert made.status_code == 200
    secret = secret_in(made.text)
    assert len(secret) > 20
    page = room.get("/connections/system", admin, desk="haisoft", system="zammad").text
    assert secret not in page
    rotating = next(each for each in forms_of_page(page) if ("action", "rotate") in each.buttons)
    room.wall.move(60)
    rotated = rotating.sent(room, admin, ("action", "rotate"))
    assert secret_in(rotated.text) not in (secret, "shown when it was made")
    again = rotating.sent(
        room, admin, ("action", "rotate")
    )  # the same form a second time: nothing is replaced
    assert (again.status_code, again.headers["location"]) == (303, f"{SYSTEM}&done=saved")
    tested = pressed(room, admin, "test")
    assert tested.headers["location"] == f"{SYSTEM}&done=tested"
    assert "The test was accepted" in room.client.get(tested.headers["location"], headers=admin).text


def test_a_secret_of_the_system_itself_is_saved_or_refused(room: Room, admin: dict[str, str]) -> None:
    saved = pressed(room, admin, "give", secret="made-by-zammad")
    assert saved.headers["location"] == f"{SYSTEM}&done=saved"
    for faulty in ("short", "with a space", "x" * 501):
        refused = pressed(room, admin, "give", secret=faulty)
        assert refused.status_code == 422
        assert 'id="secret-fault"' in refused.text
        assert faulty not in refused.text or faulty == "short"
    form = {"desk": "haisoft", "system": "nothing", "action": "create"}
    headers = admin | {"Origin": "http://testserver"}
    assert room.client.post("/connections/system", data=form, headers=headers).status_code == 404


def embedding(page: str, desk: str) -> Any:
    return next(
        each
        for each in forms_of_page(page)
        if ("action", "save") in each.buttons and each.value("desk") == desk
    )


def test_embedding_is_allowed_with_a_secret_that_is_shown_once(room: Room, admin: dict[str, str]) -> None:
    page = room.get("/connections", admin).text
    faulty = embedding(page, "hvn").filled(origins="https://a.example/path").sent(room, admin)
    assert faulty.status_code == 422
    assert 'id="origins-fault"' in faulty.text
    assert embedding(faulty.text, "hvn").value("origins") == "https://a.example/path"
    many = "\n".join(f"https://{number}.example" for number in range(200))
    assert embedding(page, "hvn").filled(origins=many).sent(room, admin).status_code == 422
    wide = embedding(page, "hvn").filled(origins="https://*.com").sent(room, admin)
    assert (wide.status_code, "An asterisk directly before com, co.uk" in wide.text) == (422, True)
    made = embedding(page, "hvn").filled(origins="https://a.example\nhttps://b.example").sent(room, admin)
    (secret,) = re.findall(r"<code>(sle_[^<]+)</code>", made.text)
    saved = embedding(made.text, "hvn").filled(origins="https://a.example").sent(room, admin)
    assert saved.headers["location"] == "/connections?done=saved"
    shown = room.get("/connections", admin).text
    assert secret not in shown
    assert embedding(shown, "hvn").value("origins") == "https://a.example"
    room.wall.move(60)
    rotated = embedding(shown, "hvn").sent(room, admin, ("action", "rotate"))
    assert re.findall(r"<code>(sle_[^<]+)</code>", rotated.text) not in ([], [secret])
    again = embedding(made.text, "hvn").sent(room, admin, ("action", "rotate"))  # of an earlier page
    assert again.status_code == 303


def test_an_address_is_subscribed_with_a_secret_that_is_shown_once(room: Room, admin: dict[str, str]) -> None:
    page = room.get("/deliveries", admin, desk="hvn").text
    form = form_to(page, "/deliveries?desk=hvn")
    faulty = form.filled(url="ftp://example.org", description="Pager").sent(room, admin)
    assert faulty.status_code == 422
    assert 'id="url-fault"' in faulty.text
    again = form_to(faulty.text, "/deliveries?desk=hvn")
    assert (again.value("url"), again.value("description")) == ("ftp://example.org", "Pager")
    made = again.filled(url="https://example.org/hook").sent(room, admin)
    assert made.status_code == 200
    assert "whsec_" in made.text
    assert "whsec_" not in room.get("/deliveries", admin).text
    (found,) = room.get("/v1/subscriptions", admin).json()["subscriptions"]
    assert (found["desk"], found["description"]) == ("hvn", "Pager")
    assert "clock.breached" in found["kinds"]


def test_the_inbox_is_read_again_by_its_form(room: Room, admin: dict[str, str]) -> None:
    pressed(room, admin, "create")
    room.client.post("/v1/events", json=[room.event(type="strange.type")], headers=room.push)
    page = room.get("/connections", admin).text
    again = form_to(page, "/connections/run-again").sent(room, admin)
    assert again.headers["location"] == "/connections?done=again"
    assert "The inbox was read again." in room.get("/connections", admin, done="again").text
