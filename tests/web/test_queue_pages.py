"""The pages of queues: which there are, who is next in one, and when a reply is expected or why that is not known."""

import re

from app.principal import Role
from tests.web.room import Room


def waiting(room: Room, *tickets: str, **data: str) -> None:
    fields = {"title": "No mail", "customer": "ACME", "domain": "acme.example", "queue": "support"}
    room.sent(*(room.event(source="webxtra", subject=each, data=fields | data) for each in tickets))


def test_the_overview_lists_each_queue_with_its_length_and_its_next_ticket(room: Room) -> None:
    waiting(room, "W-1", "W-2")
    waiting(room, "W-3", queue="billing")
    page = room.get("/queues").text
    assert re.findall(r'data-queue="([^"]+)"', page) == ["webxtra/billing", "webxtra/support"]
    support = page.partition('data-queue="webxtra/support"')[2]
    assert '<div class="big">2</div>' in support
    assert '<a href="/tickets/webxtra/W-1">W-1</a>' in support


def test_the_overview_has_only_the_readers_own_desks(room: Room) -> None:
    waiting(room, "W-1")
    assert "data-queue" not in room.get("/queues/list", room.key("hvn", Role.VIEWER)).text
    assert room.get("/queues", room.key("hvn", Role.VIEWER), desk="webxtra").status_code == 404


def test_a_queue_shows_its_tickets_in_order_with_title_due_date_and_latest_move(room: Room) -> None:
    waiting(room, "W-1", "W-2")
    page = room.get("/queues/webxtra/support").text
    assert re.findall(r'<tr role="row" data-ticket="([^"]+)"', page) == ["W-1", "W-2"]
    assert "W-1 No mail</a><small>ACME</small>" in page
    assert "2 tickets are waiting. No reply can be forecast: no reply in the last" in page
    assert re.search(r"Ticket created, today 15:30", page)


def test_a_ticket_that_is_due_already_says_since_when_it_is_overdue(room: Room) -> None:
    data = {"title": "Move", "customer": "mulder", "domain": "mulder.example", "queue": "support"}
    room.sent(room.event(source="webxtra", subject="W-9", time="2026-02-27T11:05:00+01:00", data=data))
    page = room.get("/queues/webxtra/support").text
    assert '<strong class="late-reply">overdue since Wed 4 Mar 17:30\N{NO-BREAK SPACE}CET</strong>' in page
    assert "<small>7 d 4 h</small>" in page


def test_a_queue_is_read_in_the_readers_language(room: Room) -> None:
    waiting(room, "W-1")
    page = room.get("/queues/webxtra/support/list", lang="nl").text
    assert "1 ticket wacht. Antwoord niet te voorspellen: geen antwoord in de laatste" in page


def test_a_long_queue_is_paged_and_each_ticket_comes_once(room: Room) -> None:
    waiting(room, *(f"W-{number:02}" for number in range(53)))
    first = room.get("/queues/webxtra/support").text
    following = re.search(r'cursor=([^"&]+)" rel="next"', first)
    assert following
    second = room.get("/queues/webxtra/support", cursor=following[1]).text
    found = [re.findall(r'<tr role="row" data-ticket="(W-\d+)"', page) for page in (first, second)]
    assert [len(each) for each in found] == [50, 3]
    assert len({*found[0], *found[1]}) == 53
