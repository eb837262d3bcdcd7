"""Sign-in at an identity provider by OpenID Connect, against a provider that really listens and signs."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey

from app.web.http.access import COOKIE
from app.web.http.sign_in import PROVIDER_COOKIE
from tests.identity_provider import CLIENT, CLIENT_SECRET, IdentityProvider, identity_provider
from tests.servers.databases import SqliteDatabases
from tests.web.room import Room, room_on, with_desks
from tests.web.test_people import admin, create, entries, whoami


@pytest.fixture(scope="module")
def listening() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@pytest.fixture(scope="module")
def one_room(listening: IdentityProvider, sqlite_databases: SqliteDatabases) -> Iterator[Room]:
    """One kind of database: what a provider answers is decided before one is asked."""
    given = {
        "oidc_issuer": listening.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_roles": "leads=lead@haisoft,all=viewer@hvn",
    }
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, **given) as made:
        yield made


@pytest.fixture
def provider(listening: IdentityProvider) -> IdentityProvider:
    listening.lies, listening.discovery, listening.signing_key = {}, {}, None
    return listening


@pytest.fixture
def room(one_room: Room) -> Room:
    one_room.client.cookies.clear()
    return one_room


def names(provider: IdentityProvider, name: str, *groups: str) -> None:
    """Let the provider name this person from now on."""
    provider.person = {"sub": f"id-of-{name}", "preferred_username": name, "name": name.title()} | (
        {"groups": list(groups)} if groups else {}
    )


def at_provider(room: Room, go_to: str = "/") -> str:
    """Begin a sign-in, and sign in at the provider. Returns where it sends the browser back."""
    begun = room.client.get("/session/provider", params={"next": go_to}, follow_redirects=False)
    assert begun.status_code == 303, begun.text
    answered = httpx2.get(begun.headers["location"])
    assert answered.status_code == 303
    return answered.headers["location"].removeprefix("http://testserver")


def back(room: Room, address: str) -> Any:
    return room.client.get(address, follow_redirects=False)


def test_groups_of_the_provider_give_roles_and_the_asked_page_is_shown(
    room: Room, provider: IdentityProvider
) -> None:
    names(provider, "Ann", "leads", "all", "others")
    finished = back(room, at_provider(room, "/tickets/haisoft/4711?x=1"))
    assert (finished.status_code, finished.headers["location"]) == (303, "/tickets/haisoft/4711?x=1")
    me = whoami(room).json()
    assert (me["who"], me["roles"]) == ("user ann", {"haisoft": ["lead"], "hvn": ["viewer"]})
    assert me["person"]["display_name"] == "Ann"
    assert PROVIDER_COOKIE not in room.client.cookies
    assert ("user.created", "user ann") in entries(room, "user Ann")


def test_a_change_of_groups_changes_the_roles_and_ends_the_sessions_before(
    room: Room, provider: IdentityProvider
) -> None:
    names(provider, "bob", "leads")
    back(room, at_provider(room))
    before = room.client.cookies[COOKIE]
    room.client.cookies.clear()
    names(provider, "bob", "all")
    back(room, at_provider(room))
    assert whoami(room).json()["roles"] == {"hvn": ["viewer"]}
    room.client.cookies.clear()
    room.client.cookies.set(COOKIE, before)
    room.wall.move(2)
    assert whoami(room).status_code == 401


def test_who_is_in_no_group_with_a_role_is_refused_and_loses_the_roles(
    room: Room, provider: IdentityProvider
) -> None:
    names(provider, "cleo")
    refused = back(room, at_provider(room))
    assert (refused.status_code, refused.json()["reason"]) == (403, "no_role")
    names(provider, "dora", "all")
    back(room, at_provider(room))
    room.client.cookies.clear()
    names(provider, "dora")
    assert back(room, at_provider(room)).status_code == 403
    listed = room.client.get("/v1/people", headers=admin(room)).json()["people"]
    assert {each["name"]: each["roles"] for each in listed}["dora"] == {}
    assert "cleo" not in {each["name"] for each in listed}


def test_a_name_at_the_provider_takes_no_person_over(room: Room, provider: IdentityProvider) -> None:
    create(room, "eve")
    names(provider, "eve", "leads")
    refused = back(room, at_provider(room))
    assert (refused.status_code, refused.json()["reason"]) == (403, "name_taken")


def test_a_disabled_person_is_refused(room: Room, provider: IdentityProvider) -> None:
    names(provider, "finn", "all")
    back(room, at_provider(room))
    room.client.cookies.clear()
    assert room.client.post("/v1/people/finn/disable", headers=admin(room)).status_code == 200
    assert back(room, at_provider(room)).json()["reason"] == "disabled"


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://elsewhere.example"},
        {"exp": int(time.time()) - 3600},
        {"sub": None},
    ],
    ids=lambda lies: ",".join(lies),
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(
    room: Room, provider: IdentityProvider, lies: dict[str, Any]
) -> None:
    names(provider, "gwen", "leads")
    provider.lies = lies
    refused = back(room, at_provider(room))
    assert (refused.status_code, refused.json()["type"]) == (401, "urn:slatimer:problem:sign-in-refused")
    assert COOKIE not in room.client.cookies


def test_a_token_signed_by_another_key_is_refused(room: Room, provider: IdentityProvider) -> None:
    names(provider, "gwen", "leads")
    provider.signing_key = RSAKey.generate_key(2048)
    assert back(room, at_provider(room)).status_code == 401


def test_a_new_key_of_the_provider_is_looked_up_at_once(room: Room, provider: IdentityProvider) -> None:
    names(provider, "hugo", "leads")
    assert back(room, at_provider(room)).status_code == 303
    room.client.cookies.clear()
    provider.rotate()
    assert back(room, at_provider(room)).status_code == 303


def test_an_answer_is_accepted_once_and_by_the_browser_that_began(
    room: Room, provider: IdentityProvider
) -> None:
    names(provider, "ida", "leads")
    address = at_provider(room)
    begun = room.client.cookies[PROVIDER_COOKIE]
    room.client.cookies.clear()
    assert back(room, address).status_code == 401, "another browser"
    at_provider(room)
    assert back(room, address).status_code == 401, "the state of another sign-in"
    room.client.cookies.clear()
    room.client.cookies.set(PROVIDER_COOKIE, begun)
    assert back(room, address).status_code == 303
    room.client.cookies.clear()
    room.client.cookies.set(PROVIDER_COOKIE, begun)
    assert back(room, address).status_code == 401, "the code was used"


def test_a_code_without_its_verifier_is_refused_by_the_provider(
    room: Room, provider: IdentityProvider
) -> None:
    names(provider, "jack", "leads")
    address = at_provider(room)
    (code,) = parse_qs(urlsplit(address).query)["code"]
    provider.codes[code]["code_challenge"] = "of-another-verifier"
    assert back(room, address).status_code == 401


def test_a_person_who_cancels_is_answered_with_the_providers_reason(
    room: Room, provider: IdentityProvider
) -> None:
    address = at_provider(room)
    (state,) = parse_qs(urlsplit(address).query)["state"]
    given = {"state": state, "error": "access_denied", "error_description": "Cancelled by the person"}
    answer = room.client.get("/session/provider/answer", params=given)
    assert answer.status_code == 401
    assert "Cancelled by the person" in answer.json()["detail"]


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"authorization_endpoint": None},
        {"padding": "x" * 300_000},
    ],
    ids=lambda discovery: next(iter(discovery)),
)
def test_a_discovery_document_that_cannot_be_trusted_is_a_503(
    provider: IdentityProvider, sqlite_databases: SqliteDatabases, discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT}
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, **given) as room:
        answer = room.client.get("/session/provider", follow_redirects=False)
        assert answer.status_code == 503
