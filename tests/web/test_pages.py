"""The pages: their security headers and static files, and the API that they need."""

import re

from app.flow.outbound.subscribe import KINDS
from app.sla.clock.signals import LATE_KINDS, RETRACTION
from app.web.api.tickets.ticket_events import TicketEvents
from app.web.pages.routes import FILES, STATIC
from tests.servers.databases import both_kinds
from tests.web.room import Room, conforms

PAGES = ("/", "/tickets/haisoft/4711", "/queues/haisoft/default", "/services", "/credits")


def test_a_page_has_scripts_of_its_own_host_only_and_none_inline(room: Room) -> None:
    for path in PAGES:
        page = room.client.get(path)
        assert page.status_code == 200
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-cache"
        assert re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", page.text) is None
        assert re.findall(r"https?://", page.text) == []


def test_every_file_that_a_page_names_exists_and_is_cached_for_ever(room: Room) -> None:
    for path in PAGES:
        named = re.findall(r'(?:src|href)="(/static/[^"]+)"', room.client.get(path).text)
        assert len(named) > 8
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


def quoted(after: str, until: str) -> set[str]:
    """The names in double quotes with a dot in a declaration of words.js."""
    declaration = FILES["words.js"].decode().partition(after)[2].partition(until)[0]
    return set(re.findall(r'"([a-z_]+\.[a-z_]+)"', declaration))


def test_every_signal_kind_has_a_text_and_every_late_one_is_announced() -> None:
    retractions = {f"clock.{kind}" for kind in RETRACTION.values()}
    assert quoted("const SIGNALS = {", "};") == set(KINDS)
    assert quoted("const RETRACTIONS = new Set([", "]);") == retractions
    assert quoted("const ALARMS = new Set([", "]);") == retractions | {f"clock.{kind}" for kind in LATE_KINDS}


def test_a_file_of_another_release_is_not_found(room: Room) -> None:
    assert room.client.get(f"{STATIC}/board.js").status_code == 200
    assert room.client.get("/static/0000000000000000/board.js").status_code == 404
    assert room.client.get(f"{STATIC}/routes.py").status_code == 404


def test_a_name_in_an_address_is_text_and_never_markup(room: Room) -> None:
    page = room.client.get('/tickets/haisoft/"><script src=x>')
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
