"""The page of breaches: what was broken, by filters in the address, who has taken it on, and what it costs."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.principal import Role
from tests.servers.databases import both_kinds
from tests.web.room import Room
from tests.web.test_people import by_link, create

EARLY = "2026-03-05T10:00:00+01:00"


@pytest.fixture
def broken(room: Room) -> Room:
    """Two tickets of HaiSoft that missed their guarantee, one of which was answered since; and one that has not."""
    late = {"title": "Mail queue", "customer": "Durand", "service": "dedicated", "assignee": "Ann"}
    other = {"title": "Disk full", "customer": "ACME", "service": "dedicated", "group": "night"}
    room.sent(
        room.event(subject="L1", time=EARLY, data=late),
        room.event(subject="L2", time="2026-03-05T11:00:00+01:00", data=other),
        room.event(
            subject="L2", time="2026-03-05T16:00:00+01:00", type="agent.replied", data={"author": "agent"}
        ),
        room.event(subject="fine"),
    )
    return room


def listed(room: Room, **given: str) -> list[str]:
    page = room.get("/breaches/list", **given)
    assert page.status_code == 200, page.text
    return re.findall(r'href="/tickets/haisoft/(\w+)"', page.text)


@pytest.mark.parametrize(
    ("given", "tickets"),
    [
        ({}, ["L2", "L1"]),
        ({"show": "open"}, ["L1"]),
        ({"show": "ended"}, ["L2"]),
        ({"taken": "no"}, ["L2", "L1"]),
        ({"taken": "yes"}, []),
        ({"assignee": "Ann"}, ["L1"]),
        ({"group": "night", "kind": "guarantee"}, ["L2"]),
        ({"customer": "Durand", "commitment": "ticket-response", "desk": "haisoft"}, ["L1"]),
        ({"q": "DISK"}, ["L2"]),
        ({"kind": "objective"}, []),
        ({"from": "2026-03-05", "to": "2026-03-05", "desk": "haisoft"}, ["L2", "L1"]),
        ({"to": "2026-03-04", "desk": "haisoft"}, []),
        ({"from": "2026-03-06", "desk": "haisoft"}, []),
    ],
)
def test_the_address_filters_the_list(broken: Room, given: dict[str, str], tickets: list[str]) -> None:
    assert listed(broken, **given) == tickets


def test_breaches_and_reports_say_by_which_day_they_count_and_lead_to_each_other(broken: Room) -> None:
    dates = {"from": "2026-03-02", "to": "2026-03-05", "desk": "haisoft"}
    filters = {"kind": "guarantee", "customer": "Durand", "assignee": "Ann"}
    page = broken.get("/breaches", **dates, **filters, show="open", q="mail").text
    assert "counts on the day its due date passed" in page
    assert "How long a breach lasts is real time" in page
    (there,) = re.findall(r'href="(/reports\?[^"]+)">Reports of these dates', page)
    reports = broken.client.get(unescape(there), headers=broken.read).text
    assert "count clocks on the day they ended" in reports
    (back,) = re.findall(r'href="(/breaches\?[^"]+)">Breaches of these dates', reports)
    assert dict(parse_qsl(urlsplit(unescape(back)).query)) == dates | filters
    of_all = broken.get("/breaches", **filters, **{"from": "2026-03-02", "to": "2026-03-05"}).text
    assert 'href="/reports?from=2026-03-02&amp;to=2026-03-05"' in of_all


@both_kinds
def test_a_row_says_since_when_why_who_and_what_became_of_it(broken: Room) -> None:
    breach = broken.get("/v1/breaches", customer="Durand").json()["breaches"]
    assert len(breach) == 1
    seen = {"author": "Eva", "note": "calling them"}
    agent = broken.key("haisoft", Role.AGENT)
    answer = broken.client.post(f"/v1/breaches/{breach[0]['id']}/acknowledgement", json=seen, headers=agent)
    assert answer.status_code == 200, answer.text
    page = broken.get("/breaches", agent).text
    first, second = re.findall(r'<tr role="row" class="breach.*?</tr>', page, re.DOTALL)
    for text in (
        "Thu 5 Mar 15:00",
        "Guarantee breached",
        "Ended after 1 h",
        "The time ran out.",
        "Target: 2 h.",
    ):
        assert text in first
    assert "data-take-on" in first
    assert "Open for 27 h" in second
    assert "Eva" in second
    assert "calling them" in second
    assert "data-take-on" not in second
    assert listed(broken, taken="yes") == ["L1"]
    assert "data-take-on" not in broken.get("/breaches", broken.key("haisoft", Role.VIEWER)).text


@pytest.mark.parametrize("page", ["/", "/breaches"])
def test_only_a_key_is_asked_for_the_name_of_who_takes_a_breach_on(room: Room, page: str) -> None:
    assert "Your name" in room.get(page, room.key("*", Role.LEAD)).text
    assert by_link(room, create(room, "lea", None, haisoft="lead")).status_code == 200
    shown = room.client.get(page).text
    assert "Your name" not in shown
    assert '<input type="hidden" name="author" value="lea">' in shown


def test_a_breach_is_taken_on_by_a_form_that_keeps_what_was_typed(broken: Room) -> None:
    room, key = broken, broken.key("haisoft", Role.AGENT)
    breach = room.get("/v1/breaches", q="disk").json()["breaches"][0]["id"]
    at, came = "/breaches/take-on", {"Referer": "http://testserver/?show=overdue"}
    page = room.client.get(at, params={"breach": breach}, headers=key | came).text
    assert 'name="back" value="/?show=overdue"' in page
    fields = {"breach": breach, "back": "/?show=overdue", "author": " ", "note": "on it"}
    refused = room.client.post(at, data=fields, headers=key)
    assert (refused.status_code, "Write your name." in refused.text) == (422, True)
    for kept in ('value="on it"', 'name="back" value="/?show=overdue"', 'id="author-fault"'):
        assert kept in refused.text
    sent = room.client.post(at, data=fields | {"author": "Ann"}, headers=key, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/?show=overdue")
    assert "taken on by Ann" in room.client.get(at, params={"breach": breach}, headers=key).text
    other = room.key("webxtra", Role.AGENT)
    assert room.client.post(at, data=fields | {"author": "Ann"}, headers=other).status_code == 404
    for back in ("//elsewhere.example", "https://elsewhere.example"):
        away = room.client.post(
            at, data=fields | {"author": "Eva", "back": back}, headers=key, follow_redirects=False
        )
        assert away.headers["location"] == "/"


def test_a_retracted_breach_leaves_the_list_and_stays_marked_among_all(broken: Room) -> None:
    reply = broken.event(
        subject="L1", time="2026-03-05T10:30:00+01:00", type="agent.replied", data={"author": "agent"}
    )
    broken.sent(reply)
    assert listed(broken) == ["L2"]
    page = broken.get("/breaches/list", show="all").text
    assert listed(broken, show="all") == ["L2", "L1"]
    assert re.search(r'data-state="retracted" data-kind="guarantee"', page)
    assert re.findall(r'data-count="(\d+)"', page) == ["0", "0", "1", "1"]


def test_the_list_is_a_file_with_all_that_match(broken: Room) -> None:
    page = broken.get("/breaches", assignee="Ann").text
    (address,) = re.findall(r'href="(/v1/breaches\?[^"]+csv)"', page)
    file = broken.client.get(address.replace("&amp;", "&"), headers=broken.read)
    assert file.headers["content-type"].startswith("text/csv")
    header, row = file.text.lstrip("\ufeff").splitlines()
    found: dict[str, Any] = dict(zip(header.split(","), row.split(","), strict=True))
    assert (found["subject"], found["assignee"], found["cause"], found["open"]) == (
        "L1",
        "Ann",
        "deadline",
        "yes",
    )


def test_a_breach_shows_the_credit_that_its_contract_gives_on_the_page_and_in_the_file(room: Room) -> None:
    term = {
        "customer": "Acme",
        "level": "example-1",
        "fee": {"amount": "49.90", "per": "month"},
        "currency": "EUR",
        "valid_from": "2026-01-01",
    }
    admin = room.key("*", Role.ADMIN)
    assert room.client.put("/v1/contracts/phpnet/C-1", json=term, headers=admin).status_code == 200
    fields = {"customer": "ACME", "category": "software"}
    created = room.event(source="phpnet", subject="1", time="2026-03-02T10:00:00+01:00", data=fields)
    call = created | {"id": "call", "type": "call.registered", "data": {}}
    room.sent(created, call)
    page = room.get("/breaches", desk="phpnet", commitment="gti").text
    cost = r'<a href="/credits\?desk=phpnet&amp;period=2026-03">€24.95</a><small>can be claimed</small>'
    assert re.search(cost, page), page
    file = room.get("/v1/breaches", desk="phpnet", commitment="gti", format="csv").text
    header, row = file.lstrip("\ufeff").splitlines()
    assert header.endswith(",credit_amount,credit_currency,credit_state")
    assert row.endswith(",24.95,EUR,claimable")
