"""Embedded tickets: what a token opens, when it ends, and which pages may frame it."""

import hmac
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from app.intake.embed_token import embed_token
from app.main import ROUTERS
from app.principal import Role
from app.sla.span import SECOND
from app.web.pages.frame.assets import FILES
from tests.servers.databases import Databases, both_kinds
from tests.web.room import FRIDAY, Room, room_on, with_desks

PANEL = "https://example.zendesk.com"
NOW = FRIDAY // SECOND
PAGE_MAX = 30_000
"""Bytes of an embedded page with all its files, uncompressed."""
PUBLIC = {"/embed/tickets", "/embed/clocks", "/embed/badges"}


class Embedded:
    """A room whose desk haisoft may be embedded by one origin."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.admin = room.key("haisoft", Role.ADMIN)
        made = self.allow(PANEL)
        assert made.status_code == 200, made.text
        self.secret: str = made.json()["secret"]
        room.sent(
            room.event(),
            room.event(subject="4712", data={"title": "Other", "customer": "OTHER", "service": "dedicated"}),
            room.event(subject="4713", time="2026-03-04T10:00:00+01:00"),
        )

    def allow(self, *origins: str, desk: str = "haisoft") -> Any:
        return self.room.client.put(
            f"/v1/embedding/{desk}", json={"frame_ancestors": origins}, headers=self.admin
        )

    def token(self, ticket: str = "4711", seconds: int = 600, secret: str | None = None) -> str:
        return embed_token(secret or self.secret, "haisoft", ticket, NOW + seconds)

    def get(self, token: str, ticket: str = "4711", kind: str = "/embed/tickets", **params: str) -> Any:
        """Requested as a browser does from another site: without a key or a cookie."""
        return self.room.client.get(f"{kind}/haisoft/{ticket}", params={"token": token} | params)


@pytest.fixture(scope="module")
def embedded(databases: Databases) -> Iterator[Embedded]:
    with databases.copy_of(with_desks) as url, room_on(url) as room:
        yield Embedded(room)


def test_a_token_is_the_hmac_that_the_documentation_describes(embedded: Embedded) -> None:
    text = f"slatimer-embed\n{NOW + 600}\nhaisoft\n4711"
    computed = hmac.new(embedded.secret.encode(), text.encode(), sha256).hexdigest()
    assert embedded.token() == f"{NOW + 600}.{computed}"
    assert embedded.get(f"{NOW + 600}.{computed}").status_code == 200


def test_an_embedded_page_shows_the_clocks_and_weighs_less_than_30_kilobytes(embedded: Embedded) -> None:
    page = embedded.get(embedded.token())
    assert "data-left=" in page.text
    assert "due tomorrow 10:30" in page.text
    assert re.findall(r"https?://", page.text) == []
    assert re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)|<form", page.text) is None
    files = set(re.findall(r'(?:src|href)="/static/[^/]+/([^"]+)"', page.text))
    assert {"embed.css", "embed.js", "countdown.js"} <= files
    assert len(page.content) + sum(len(FILES[name]) for name in files) < PAGE_MAX
    assert "set-cookie" not in page.headers


def test_only_an_embedded_page_may_be_framed_and_only_by_the_desks_origins(embedded: Embedded) -> None:
    page, clocks = (embedded.get(embedded.token(), kind=f"/embed/{kind}") for kind in ("tickets", "clocks"))
    for each in (page, clocks):
        assert f"frame-ancestors {PANEL}" in each.headers["content-security-policy"]
        assert each.headers.get_list("content-security-policy") == [each.headers["content-security-policy"]]
        assert each.headers["referrer-policy"] == "no-referrer"
    for other in (embedded.room.get("/"), embedded.get("0"), embedded.room.get("/v1/tickets")):
        assert "frame-ancestors 'none'" in other.headers["content-security-policy"]


@pytest.mark.parametrize("kind", sorted(PUBLIC))
def test_a_token_opens_no_other_ticket(embedded: Embedded, kind: str) -> None:
    answer = embedded.get(embedded.token("4711"), "4712", kind)
    assert answer.status_code == 404
    assert "OTHER" not in answer.text


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (lambda here: here.token(seconds=0), 410),
        (lambda here: here.token(seconds=1), 200),
        (lambda here: here.token(seconds=33 * 86_400), 404),
        (lambda here: here.token(secret="sle_another"), 404),
        (lambda here: here.token().replace(str(NOW + 600), str(NOW + 601)), 404),
        (lambda here: here.token().upper(), 404),
        (lambda here: here.token() + "0", 404),
        (lambda _: "", 404),
        (lambda _: "9" * 101, 422),
    ],
)
def test_a_token_that_was_changed_or_has_expired_opens_nothing(
    embedded: Embedded, token: Any, status: int
) -> None:
    answer = embedded.get(token(embedded))
    assert answer.status_code == status
    if status != 200:
        assert "data-left" not in answer.text
        assert "<script" not in answer.text


def test_who_had_a_right_token_is_shown_in_the_frame_that_it_has_expired(embedded: Embedded) -> None:
    answer = embedded.get(embedded.token(seconds=-5), lang="fr")
    assert "Ce lien a expiré" in answer.text
    assert f"frame-ancestors {PANEL}" in answer.headers["content-security-policy"]


def test_a_token_opens_no_other_route_of_the_service(embedded: Embedded) -> None:
    token = embedded.token()
    for router in ROUTERS:
        for route in router.routes:
            path, methods = getattr(route, "path", ""), getattr(route, "methods", None) or ()
            required = getattr(route, "required", None)
            if required is None or "GET" not in methods:
                continue
            filled = re.sub(r"{\w+(?::path)?}", "haisoft", path)
            for headers in (
                {},
                {"Authorization": f"Bearer {token}"},
                {"Cookie": f"slatimer_session={token}"},
            ):
                answer = embedded.room.client.get(filled, params={"token": token}, headers=headers)
                assert answer.status_code == 401, (path, headers)


def test_a_badge_says_when_the_most_urgent_clock_is_due_and_escapes_what_it_says(embedded: Embedded) -> None:
    badge = embedded.get(embedded.token(), kind="/embed/badges")
    assert badge.headers["content-type"].startswith("image/svg+xml")
    assert "due" in badge.text
    late = embedded.get(embedded.token("4713"), "4713", "/embed/badges")
    assert "#b02a1c" in late.text
    expired = embedded.get(embedded.token(seconds=0), kind="/embed/badges")
    assert (expired.status_code, "expired" in expired.text) == (410, True)


def test_a_ticket_that_has_not_arrived_yet_is_no_error(embedded: Embedded) -> None:
    page = embedded.get(embedded.token("9999"), "9999")
    assert page.status_code == 200
    assert "No clock is known for this ticket yet." in page.text


def test_a_ticket_whose_id_has_slashes_is_embedded(embedded: Embedded) -> None:
    page = embedded.get(embedded.token("A/1"), "A%2F1")
    assert page.status_code == 200
    assert "/embed/clocks/haisoft/A%2F1?token=" in page.text


@both_kinds
def test_the_api_makes_tokens_for_those_who_may_see_the_desk_and_of_it_only(embedded: Embedded) -> None:
    room, wanted = embedded.room, {"desk": "haisoft", "ticket": "4711"}
    made = room.client.post("/v1/embed-tokens", json=wanted, headers=room.key("haisoft", Role.VIEWER))
    assert made.status_code == 201, made.text
    page = room.client.get(made.json()["url"].removeprefix("http://testserver"))
    assert page.status_code == 200
    other = room.key("hvn", Role.ADMIN)
    assert room.client.post("/v1/embed-tokens", json=wanted, headers=other).status_code == 404
    unset = room.client.post("/v1/embed-tokens", json=wanted | {"desk": "hvn"}, headers=other)
    assert unset.status_code == 409
    assert "PUT /v1/embedding/hvn" in unset.json()["detail"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.example; script-src *",
        "*",
        "'self'",
        "https://a.example/path",
        "https://a.example, https://b.example",
        "https://a.example https://b.example",
        "javascript:alert(1)",
        "https://user@a.example",
        "https://*",
        "https://*.com",
        "HTTP://*.NL:8080/",
        "https://*.co.uk",
        "https://*.com.vn:8443",
    ],
)
def test_what_is_no_origin_is_refused_and_the_policy_stays_one_directive(
    embedded: Embedded, origin: str
) -> None:
    answer = embedded.allow(origin)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == "/frame_ancestors"


@both_kinds
def test_a_rotated_secret_opens_for_the_grace_period_and_a_later_one_always(room: Room) -> None:
    here = Embedded(room)
    before = here.token(seconds=30 * 86_400)
    rotated = room.client.post("/v1/embedding/haisoft/secret", headers=here.admin).json()
    assert rotated["secret"] != here.secret
    assert here.get(before).status_code == 200
    room.wall.move(86_400 + 1)
    assert here.get(before).status_code == 404
    assert here.get(here.token(seconds=30 * 86_400, secret=rotated["secret"])).status_code == 200
    wide = ["https://*.example.com", "https://*.example.co.uk", "https://*.web.de", "https://com.vn"]
    shown = here.allow("https://*.example.com/", *wide[1:]).json()
    assert (shown["secret"], shown["frame_ancestors"]) == (None, wide)
    assert rotated["secret"] not in room.get("/v1/embedding/haisoft", here.admin).text
