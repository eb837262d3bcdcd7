"""The pages: their security headers and static files, and the API that they need."""

import re
from datetime import datetime

import pytest

from app.principal import Role
from app.sla.span import micros
from app.store.tickets.decided import decided
from app.store.tickets.open_tickets import OpenFilters
from app.web.api.tickets.ticket_events import TicketEvents
from app.web.pages.frame.assets import FILES, STATIC
from app.web.pages.frame.assets import PAGES as PAGES_FOLDER
from app.web.pages.frame.choices import THEME_COOKIE
from app.web.pages.frame.navigation import BUILT
from app.web.pages.routes import ROOMS
from tests.servers.databases import both_kinds
from tests.web.room import Room, conforms

PAGES = (
    *(entry.path for entry in BUILT),
    "/?view=wall",
    "/tickets/haisoft/4711",
    "/queues/haisoft/default",
)


FIRST_PAGE_MAX = 150_000
"""Bytes of the page with all its files, uncompressed."""


def test_a_page_has_scripts_of_its_own_host_only_and_none_inline(room: Room) -> None:
    room.sent(room.event())
    for path in PAGES:
        page = room.get(path, room.push)
        assert page.status_code == 200, path
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", page.text) is None
        assert re.findall(r"https?://", page.text) == []


def test_every_file_that_a_page_names_exists_and_is_cached_for_ever(room: Room) -> None:
    room.sent(room.event())
    for path in PAGES:
        named = re.findall(r'(?:src|href)="(/static/[^"]+)"', room.get(path, room.push).text)
        assert len(named) > 6
        for each in named:
            file = room.client.get(each)
            assert (file.status_code, file.headers["cache-control"]) == (
                200,
                "public, max-age=31536000, immutable",
            )


def test_a_script_imports_only_existing_files_and_no_file_names_another_host() -> None:
    for name, content in FILES.items():
        text = content.decode()
        assert set(re.findall(r'from "\./([^"]+)"', text)) <= FILES.keys(), name
        assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}, name
        assert "innerHTML" not in text


def test_files_of_rooms_have_names_of_their_own() -> None:
    names = [
        path.name
        for folder in (PAGES_FOLDER / "static", *PAGES_FOLDER.glob("*/static"))
        for path in folder.iterdir()
    ]
    assert sorted(names) == sorted(set(names)) == sorted(FILES)


def test_every_room_of_the_navigation_answers_its_path_and_marks_itself(room: Room) -> None:
    assert {entry.room for entry in BUILT} <= {each.name for each in ROOMS}
    for entry in BUILT:
        page = room.get(entry.path, room.push).text
        assert re.search(rf'<a href="{entry.path}" aria-current="page">', page), entry.path


def test_a_visitor_without_a_session_gets_the_sign_in_page_of_any_page_and_nothing_else(room: Room) -> None:
    room.sent(room.event())
    for path in PAGES:
        page = room.client.get(path)
        assert page.status_code == 401
        assert "sign-in-form" in page.text
        assert "data-words=" in page.text  # what its script says, which does not start without
        assert "Server unreachable" not in page.text
        asked = re.compile(r'name="next" value="[^"]*"')  # the address that the visitor has sent
        assert "haisoft" not in asked.sub("", page.text)


def test_a_page_of_another_desk_is_not_found_as_a_page(room: Room) -> None:
    page = room.get("/tickets/haisoft/4711", room.key("hvn", Role.VIEWER))
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Not found</h1>" in page.text
    assert "There is nothing at this address that you may see: /tickets/haisoft/4711" in page.text
    seen = room.client.get(
        "/tickets/haisoft/4711", headers=room.key("hvn", Role.VIEWER) | {"Accept-Language": "nl"}
    )
    assert "Op dit adres staat niets dat u mag zien: /tickets/haisoft/4711" in seen.text


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/no-such-page", "text/html,*/*;q=0.8", "text/html; charset=utf-8"),
        ("/no-such-page", "*/*", "application/problem+json"),
        ("/v1/no-such-call", "text/html,*/*;q=0.8", "application/problem+json"),
    ],
)
def test_an_address_without_a_page_is_a_page_for_a_browser(
    room: Room, path: str, accept: str, kind: str
) -> None:
    answer = room.client.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (404, kind)
    assert path in answer.text


@pytest.mark.parametrize(
    ("given", "language"),
    [
        ({}, "en"),
        ({"Accept-Language": "de, nl-BE;q=0.8, fr;q=0.9"}, "fr"),
        ({"Accept-Language": "fr;q=nonsense, *"}, "en"),
        ({"Accept-Language": "fr", "Cookie": "slatimer_language=vi"}, "vi"),
        ({"Cookie": "slatimer_language=xx"}, "en"),
    ],
)
def test_the_language_is_the_readers_choice_then_the_browsers_then_the_settings(
    shared_room: Room, given: dict[str, str], language: str
) -> None:
    page = shared_room.client.get("/", headers=shared_room.read | given)
    assert f'<html lang="{language}"' in page.text


def test_a_chosen_language_and_theme_are_kept(room: Room) -> None:
    page = room.get("/services", lang="it", theme="dark")
    assert '<html lang="it" data-theme="dark">' in page.text
    assert '<html lang="it" data-theme="dark">' in room.get("/services").text


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_the_address_of_the_wall_chooses_its_colours_and_the_list_its_own(
    shared_room: Room, theme: str
) -> None:
    answer = shared_room.get("/", view="wall", theme=theme)
    assert f'data-theme="{theme}" data-view="wall"' in answer.text
    assert f'theme={theme}" aria-current="true"' in answer.text
    assert THEME_COOKIE not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    ("zone", "is_shown"),
    [("Asia/Ho_Chi_Minh", True), ("Europe/Berlin", False), ("", False), ("../../etc/passwd", False)],
)
def test_the_readers_own_time_is_beside_the_desks_where_they_differ(
    shared_room: Room, zone: str, is_shown: bool
) -> None:
    shared_room.sent(shared_room.event(id="zone", source="webxtra", subject="zone"))
    cookie = {"Cookie": f"slatimer_zone={zone}"}
    asked = {"q": "zone", "desk": "webxtra"}
    page = shared_room.client.get("/now/list", headers=shared_room.read | cookie, params=asked).text
    assert 'data-key="webxtra/zone"' in page
    assert ("your time: " in page) is is_shown


def test_a_clock_that_was_breached_as_the_desk_closed_says_since_when_and_until_when_it_is_closed(
    room: Room,
) -> None:
    room.wall.now = micros(datetime.fromisoformat("2026-03-06T18:00:00+01:00"))
    room.sent(room.event(time="2026-03-06T15:00:00+01:00"))
    (row,) = re.findall(r'<div class="when">(.*?)</div>', room.get("/now/list").text, re.DOTALL)
    assert re.findall(r">([^<>]+)<", row.replace("\N{NO-BREAK SPACE}", " ").replace("\n", "")) == [
        "Overdue",
        "breached today 17:00 CET",
        "closed until tomorrow 10:00 CET",
    ]


def test_the_wall_shows_what_each_desk_has_kept_this_month(room: Room) -> None:
    room.sent(
        room.event(subject="kept"),
        room.event(subject="kept", type="agent.replied", data={"author": "agent"}),
        room.event(subject="missed", time="2026-03-04T10:00:00+01:00"),
    )
    assert "50% kept this month" in room.get("/", view="wall").text
    assert "kept this month" not in room.get("/").text


def test_the_first_page_is_small(room: Room) -> None:
    room.sent(*(room.event(subject=f"T{number}") for number in range(60)))
    page = room.get("/")
    files = re.findall(r'(?:src|href)="/static/[^/]+/([^"]+)"', page.text)
    assert page.text.count("data-key=") == 50
    assert len(page.content) + sum(len(FILES[name]) for name in set(files)) < FIRST_PAGE_MAX


def test_a_row_that_the_browser_keeps_is_not_rendered_again(room: Room) -> None:
    room.sent(room.event(subject="T1"), room.event(subject="T2"))
    rows = room.get("/now/list", keep="haisoft/T1").text
    assert '<li data-keep="haisoft/T1"></li>' in rows
    assert 'data-key="haisoft/T2"' in rows


def test_the_list_pages_by_urgency_and_each_ticket_comes_once(room: Room) -> None:
    room.sent(*(room.event(subject=f"T{number:02}") for number in range(70)))
    first = room.get("/").text
    following = re.search(r'cursor=([^"&]+)"', first)
    assert following
    second = room.get("/", cursor=following[1]).text
    found = [re.findall(r'data-key="haisoft/(T\d+)"', page) for page in (first, second)]
    assert [len(each) for each in found] == [50, 20]
    assert len({*found[0], *found[1]}) == 70


@pytest.mark.parametrize(
    ("shown", "tickets"),
    [("", ["late", "open"]), ("overdue", ["late"]), ("unassigned", ["open"]), ("paused", [])],
)
def test_a_tile_narrows_the_list_and_every_tile_keeps_its_count(
    shared_room: Room, shown: str, tickets: list[str]
) -> None:
    room = shared_room
    early = "2026-03-05T10:00:00+01:00"
    fields = {"title": "Late", "service": "dedicated", "assignee": "Ann"}
    room.sent(
        room.event(id="tile-1", subject="late", time=early, data=fields),
        room.event(id="tile-2", subject="open"),
    )
    page = room.get("/now/list", show=shown, desk="haisoft").text
    assert re.findall(r'data-key="haisoft/(\w+)"', page) == tickets
    assert ("time over in opening hours" in page) is ("late" in tickets)
    counts = dict(re.findall(r'class="tile (\w+)[^>]*data-count="(\d+)"', page))
    assert counts == {
        "overdue": "1",
        "at_risk": "0",
        "due_soon": "0",
        "awaiting": "0",
        "paused": "0",
        "unassigned": "1",
    }


@both_kinds
def test_the_tile_of_today_leads_to_the_clocks_that_it_counts(room: Room) -> None:
    room.sent(
        room.event(subject="kept", time="2026-03-06T15:00:00+01:00"),
        room.event(subject="kept", type="agent.replied", time="2026-03-06T15:20:00+01:00", data={}),
        room.event(subject="missed", time="2026-03-06T10:00:00+01:00"),
        room.event(subject="open", data={"customer": "Other"}),
    )
    page = room.get("/now/list", show="today").text
    shown = [
        (re.sub(r"<[^>]+>|\s+", " ", group), re.findall('data-ticket="([^"]+)"', rows))
        for group, rows in re.findall(r"<h2 id=.*?>(.*?)</h2>(.*?)</section>", page, re.DOTALL)
    ]
    assert [(" ".join(group.split()), tickets) for group, tickets in shown] == [
        ("Missed today 1 clock", ["missed"]),
        ("Kept today 1 clock", ["kept"]),
    ]
    assert "met today 15:20 CET" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert 'href="/?view=list" aria-current="true"><strong>1 <small>/ 2</small>' in page
    assert "<strong>0 <small>/ 0</small>" in room.get("/now/list", show="today", customer="Other").text
    since, every = {"haisoft": 0}, OpenFilters()
    first, following = room.database.read_now(lambda conn: decided(conn, since, every, None, 1))
    second, end = room.database.read_now(lambda conn: decided(conn, since, every, following, 1))
    assert [(each.ticket, each.is_met) for each in (*first, *second)] == [("missed", False), ("kept", True)]
    assert end is None


@both_kinds
def test_open_tickets_without_a_clock_are_counted_and_listed_with_the_reason(room: Room) -> None:
    answered, deleted = (
        room.event(subject="answered", data={"title": "Printer"}),
        room.event(subject="deleted"),
    )
    room.sent(
        answered,
        room.event(subject="answered", type="agent.replied", data={"author": "agent"}),
        deleted,
        room.event(subject="deleted", type="ticket.deleted", data={}),
        room.event(subject="solved", data={"status": "solved"}),
    )
    page = room.get("/").text
    assert "1 open ticket has no running commitment." in page
    assert 'href="/?show=unclocked"' in page
    assert (
        "<a"
        not in room.get("/", view="wall").text.partition("no running commitment.")[2].partition("</p>")[0]
    )
    listed = room.get("/", show="unclocked").text
    assert re.findall('data-key="([^"]+)"', listed) == ["haisoft/answered"]
    assert "<li>First response: Completed</li>" in listed
    french = room.client.get("/?show=unclocked", headers=room.read | {"Accept-Language": "fr"}).text
    assert "<li>Première réponse\N{NO-BREAK SPACE}: Terminé</li>" in french
    assert "No open tickets. Nothing can break." in room.get("/", desk="hvn").text


def test_filters_name_commitments_by_their_labels_in_the_readers_language(room: Room) -> None:
    room.sent(room.event())
    page = room.get("/", lang="fr", commitment="ticket-response").text
    assert '<option value="ticket-response" selected>Première réponse</option>' in page


def test_a_file_of_another_release_is_not_found(room: Room) -> None:
    assert room.client.get(f"{STATIC}/now.js").status_code == 200
    assert room.client.get("/static/0000000000000000/now.js").status_code == 404
    assert room.client.get(f"{STATIC}/routes.py").status_code == 404


def test_a_name_in_an_address_is_text_and_never_markup(room: Room) -> None:
    page = room.get('/tickets/haisoft/"><script src=x>')
    assert "<script src=x>" not in page.text
    assert "&#34;&gt;&lt;script src=x&gt;" in page.text


def test_a_tickets_events_are_listed_with_their_receipt_and_whether_they_still_count(
    room: Room,
) -> None:
    created = room.event()
    reply = room.event(type="agent.replied", time="2026-03-06T15:32:00+01:00", data={"author": "agent"})
    withdrawal = room.event(
        type="event.withdrawn", time="2026-03-06T15:33:00+01:00", data={"id": reply["id"], "author": "Ann"}
    )
    room.wall.move(600)
    room.sent(withdrawal, reply, created)
    response = room.get("/v1/tickets/haisoft/4711/events")
    record = conforms(TicketEvents, response.content)
    assert [(each["type"], each["stands"]) for each in record["events"]] == [
        ("ticket.created", True),
        ("agent.replied", False),
        ("event.withdrawn", True),
    ]
    assert {each["received_at"] for each in record["events"]} == {"2026-03-06T14:40:00Z"}
    assert room.get("/v1/tickets/haisoft/unheard-of/events").status_code == 404


@both_kinds
def test_the_latest_signals_come_in_order_with_the_cursor_of_the_stream(room: Room) -> None:
    room.sent(*(room.event(subject=f"T{number}") for number in range(5)))
    whole = room.get("/v1/signals", limit=100).json()
    latest = room.get("/v1/signals", latest=True, limit=3).json()
    assert latest == {"signals": whole["signals"][-3:], "next": whole["next"]}


@both_kinds
def test_signals_can_be_listed_for_one_ticket(room: Room) -> None:
    room.sent(room.event(subject="T1"), room.event(subject="T2"))
    recorded = room.get("/v1/signals", desk="haisoft", ticket="T2").json()["signals"]
    assert {each["ticket"] for each in recorded} == {"T2"}
    assert {each["kind"] for each in recorded} >= {"clock.started", "queue.joined"}
