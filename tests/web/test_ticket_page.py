"""The page of a ticket: how each clock stands in a sentence, what a miss would cost, and what the reader may do."""

import re
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from app.delivery.wording.language import Language
from app.principal import Role
from app.sla.span import micros
from app.web.pages.ticket.scale import HOUR, LABEL, WIDE, Scale
from tests.servers.databases import both_kinds
from tests.web.room import Room


def text_of(page: str, pattern: str) -> list[str]:
    """The texts of the elements that match, without their markup."""
    found = re.findall(pattern, page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", "", each).split()) for each in found]


def sentences(room: Room, ticket: str, desk: str = "haisoft") -> list[str]:
    page = room.get(f"/tickets/{desk}/{ticket}")
    assert page.status_code == 200, page.text
    return text_of(page.text, r'<p class="sentence">(.*?)</p>')


@pytest.mark.parametrize(
    ("created", "now", "sentence"),
    [
        ("06T15:30:00", "06T15:30:00", "Due Sat 7 Mar 10:30 CET, in 2 h of working time."),
        (
            "06T15:30:00",
            "06T18:00:00",
            "Due Sat 7 Mar 10:30 CET: 30 min of working time are left, closed until Sat 7 Mar 10:00 CET.",
        ),
        ("05T15:30:00", "06T16:30:00", "Was due Fri 6 Mar 10:30 CET, 4 h over in working time."),
        (
            "06T15:00:00",
            "06T18:00:00",
            "Was due Fri 6 Mar 17:00 CET, closed until Sat 7 Mar 10:00 CET.",
        ),
    ],
)
def test_a_sentence_says_when_a_clock_is_due(room: Room, created: str, now: str, sentence: str) -> None:
    room.wall.now = micros(datetime.fromisoformat(f"2026-03-{now}+01:00"))
    room.sent(room.event(time=f"2026-03-{created}+01:00"))
    assert sentences(room, "4711") == [sentence]


def test_a_late_clock_of_every_hour_is_over_by_real_time(shared_room: Room) -> None:
    early = "2026-03-06T12:30:00+01:00"
    shared_room.sent(
        shared_room.event(subject="always", time=early),
        shared_room.event(subject="always", time=early, type="anomaly.detected", data={}),
    )
    assert "Was due Fri 6 Mar 13:30 CET, 2 h over." in sentences(shared_room, "always")


@pytest.mark.parametrize("ticket", [".", "..", "a/../4711", "../4711", "a/b", "...", "a b?c#d"])
def test_every_name_of_a_ticket_has_a_page_that_a_browser_comes_to(shared_room: Room, ticket: str) -> None:
    room = shared_room
    room.sent(room.event(subject=ticket))
    (address,) = re.findall(
        r'<a href="([^"]+)" data-panel', room.get("/now/list", desk="haisoft", q=ticket).text
    )
    # As a browser does: it removes the parts `.` and `..`, encoded ones too.
    path = urlsplit(unescape(address)).path
    assert urljoin("/", re.sub("%2[Ee]", ".", path)) == re.sub("%2[Ee]", ".", path)
    page = room.client.get(unescape(address), headers=room.read)
    assert page.status_code == 200
    assert f'data-ticket="{ticket}"' in page.text
    form = {"desk": "haisoft", "ticket": ticket, "fact": "agent.replied"}
    sent = room.client.post(
        "/ticket/record", data=form, headers=room.key("haisoft", Role.AGENT), follow_redirects=False
    )
    assert sent.headers["location"].startswith(unescape(address))
    assert "Recorded." in room.client.get(sent.headers["location"], headers=room.read).text


def test_the_calendar_of_a_clock_is_a_link_to_its_page(room: Room) -> None:
    room.sent(room.event())
    page = room.get("/tickets/haisoft/4711").text
    ((path, text),) = re.findall(r'<dd><a href="(/calendars/[^"]+)">([^<]+)</a></dd>', page)
    assert (path, text) == ("/calendars/haisoft?calendar=tickets", "haisoft/tickets")
    assert re.search(r'aria-current="page">tickets</a>', room.get(path).text)


def test_a_clock_that_waits_or_has_ended_says_so(room: Room) -> None:
    fields = {"title": "Cron", "category": "software", "level": "example-1"}
    room.sent(room.event(source="phpnet", subject="P-1", data=fields))
    waits = sentences(room, "P-1", "phpnet")
    assert "Not started: waits for registration of the call." in waits
    reply = room.event(time="2026-03-06T15:30:00+01:00", type="agent.replied", data={"author": "agent"})
    room.sent(room.event(time="2026-03-06T15:00:00+01:00"), reply)
    assert sentences(room, "4711") == ["Met. It was due Fri 6 Mar 17:00 CET."]


def test_links_of_the_page_keep_what_is_encoded_in_the_tickets_id(room: Room) -> None:
    room.sent(room.event(subject="100%"))
    assert 'href="/tickets/haisoft/100%25?lang=fr"' in room.get("/tickets/haisoft/100%25").text


def test_an_event_names_its_author_where_its_type_does_not(room: Room) -> None:
    room.sent(
        room.event(),
        room.event(type="agent.replied", data={"author": "agent"}),
        room.event(type="note.added", data={"author": "agent"}),
    )
    events = text_of(room.get("/tickets/haisoft/4711").text, r'<p><strong class="what">(.*?)</p>')
    assert sorted(events) == ["Internal note the desk", "Reply by the desk", "Ticket created"]


def test_a_late_clock_offers_its_breach_and_says_who_has_taken_it_on(room: Room) -> None:
    room.sent(room.event(time="2026-03-05T10:00:00+01:00"))
    (breach,) = room.get("/v1/breaches").json()["breaches"]
    seen = {"author": "Eva", "note": "calling them"}
    agent, link = room.key("haisoft", Role.AGENT), f"/breaches/take-on?breach={breach['id']}"
    viewer = room.key("haisoft", Role.VIEWER)
    assert [link in room.get("/tickets/haisoft/4711", key).text for key in (agent, viewer)] == [True, False]
    room.client.post(f"/v1/breaches/{breach['id']}/acknowledgement", json=seen, headers=agent)
    assert link not in room.get("/tickets/haisoft/4711", agent).text
    (late,) = text_of(room.get("/tickets/haisoft/4711").text, r'<p class="was-late.*?</p>')
    assert late == "Guarantee breached Thu 5 Mar 12:00 CET Taken on by Eva, Fri 6 Mar 15:30 CET: calling them"


def test_only_who_may_record_and_correct_has_the_buttons(room: Room) -> None:
    room.sent(room.event())
    page: dict[Role, Any] = {
        role: room.get("/tickets/haisoft/4711", room.key("haisoft", role)).text
        for role in (Role.VIEWER, Role.AGENT, Role.LEAD)
    }
    assert ["data-fact" in page[role] for role in page] == [False, True, True]
    assert ['id="corrections"' in page[role] for role in page] == [False, False, True]


def test_a_fact_is_recorded_by_a_form(room: Room) -> None:
    room.sent(room.event())
    agent, fields = room.key("haisoft", Role.AGENT), {"desk": "haisoft", "ticket": "4711"}
    sent = room.client.post(
        "/ticket/record", data=fields | {"fact": "agent.replied"}, headers=agent, follow_redirects=False
    )
    assert (sent.status_code, sent.headers["location"]) == (303, "/tickets/haisoft/4711?done=recorded")
    assert ">Recorded.</p>" in room.get("/tickets/haisoft/4711", agent, done="recorded").text
    (reply,) = room.get("/v1/tickets/haisoft/4711/events").json()["events"][1:]
    assert (reply["type"], reply["data"]["author"]) == ("agent.replied", "agent")
    for wrong, status in (
        ({"fact": "event.withdrawn"}, 422),
        ({"fact": "nonsense"}, 422),
        ({"fact": "agent.replied", "ticket": "unknown"}, 404),
        ({"fact": "agent.replied", "desk": "webxtra"}, 404),
    ):
        assert room.client.post("/ticket/record", data=fields | wrong, headers=agent).status_code == status
    assert len(room.get("/v1/tickets/haisoft/4711/events").json()["events"]) == 2


def test_a_refused_correction_is_shown_again_with_its_faults_and_what_was_typed(room: Room) -> None:
    room.sent(room.event(id="first"))
    lead, of = room.key("haisoft", Role.LEAD), {"desk": "haisoft", "ticket": "4711"}
    page = room.get("/ticket/correct", lead, **of).text
    assert re.findall('action="(/ticket/[a-z]+)"', page) == ["/ticket/exclude", "/ticket/withdraw"]
    fields = of | {"from": "2026-03-06T11:00", "to": "2026-03-06T10:00", "author": "Eva", "reason": " "}
    fields |= {"commitments": "ticket-response"}
    refused = room.client.post("/ticket/exclude", data=fields, headers=lead)
    assert refused.status_code == 422
    for text in (
        'value="2026-03-06T11:00"',
        'value="Eva"',
        'value="ticket-response" checked',
        "The end must lie after the start.",
        "Write a reason.",
    ):
        assert text in refused.text, text
    refused = room.client.post("/ticket/withdraw", data=of | {"id": "x", "reason": "slip"}, headers=lead)
    assert (refused.status_code, "Select an event of this ticket." in refused.text) == (422, True)
    assert 'value="slip"' in refused.text
    done = [
        room.client.post(path, data=of | given, headers=lead, follow_redirects=False).headers["location"]
        for path, given in (
            ("/ticket/exclude", fields | {"to": "2026-03-06T12:00", "reason": "power cut"}),
            ("/ticket/withdraw", {"id": "first", "author": "Eva", "reason": "slip"}),
        )
    ]
    assert done == ["/tickets/haisoft/4711?done=recorded"] * 2
    found = room.get("/v1/tickets/haisoft/4711/events").json()["events"]
    exclusion = next(each["data"] for each in found if each["type"] == "exclusion.granted")
    assert exclusion["from"] == "2026-03-06T10:00:00Z"
    assert (exclusion["author"], exclusion["commitments"]) == ("Eva", ["ticket-response"])
    agent = room.key("haisoft", Role.AGENT)
    assert room.client.post("/ticket/exclude", data=fields, headers=agent).status_code == 403
    assert room.get("/ticket/correct", agent, **of).status_code == 403


@both_kinds
def test_the_contract_says_what_a_miss_would_cost_and_the_customers_other_tickets_are_links(
    room: Room,
) -> None:
    term = {
        "customer": "Acme",
        "level": "example-1",
        "fee": {"amount": "49.90", "per": "month"},
        "currency": "EUR",
        "valid_from": "2026-01-01",
    }
    admin = room.key("*", Role.ADMIN)
    assert room.client.put("/v1/contracts/phpnet/C-1", json=term, headers=admin).status_code == 200
    fields = {"customer": "ACME", "category": "software", "title": "Cron"}
    created = room.event(source="phpnet", subject="1", data=fields)
    other = room.event(source="phpnet", subject="2", data=fields | {"title": "Also broken"})
    room.sent(created, room.event(source="phpnet", subject="1", type="call.registered", data={}), other)
    page = room.get("/tickets/phpnet/1").text
    (contract,) = text_of(page, r'<section id="contract".*?</section>')
    assert "a miss would cost €24.95" in contract
    (others,) = re.findall(r'<section id="others".*?</section>', page, re.DOTALL)
    assert re.findall(r'href="(/tickets/[^"]+)"', others) == ["/tickets/phpnet/2"]


def test_the_queue_says_what_another_message_of_the_customer_would_change(room: Room) -> None:
    first = room.event(source="webxtra", subject="W-1", data={"queue": "support", "customer": "a"})
    second = room.event(source="webxtra", subject="W-2", data={"queue": "support", "customer": "b"})
    room.sent(first | {"time": "2026-03-05T10:00:00+01:00"}, second | {"time": "2026-03-05T11:00:00+01:00"})
    (then,) = text_of(room.get("/tickets/webxtra/W-1").text, r'<p id="then">(.*?)</p>')
    assert then == "The ticket would go from position 1 to 2."


@pytest.mark.parametrize(
    ("times", "begin", "hours"),
    [
        ([10 * HOUR, 9 * HOUR + 1], 8, ["09", "12", "15", "18", "21", "24"]),
        ([4 * HOUR], 3, ["03", "06", "09", "12", "15", "18", "21", "24"]),
        ([3 * HOUR + 1], 0, ["00", "03", "06", "09", "12", "15", "18", "21", "24"]),
        ([], 0, ["00", "03", "06", "09", "12", "15", "18", "21", "24"]),
        ([24 * HOUR], 23, ["24"]),
    ],
)
def test_a_picture_of_days_begins_an_hour_before_the_first_that_happens_on_any_day(
    times: list[int], begin: int, hours: list[str]
) -> None:
    scale = Scale.of(times)
    assert (scale.begin, [name for _, name in scale.hours]) == (begin * HOUR, hours)
    assert scale.across(0) == scale.across(scale.begin) == LABEL
    assert scale.across(24 * HOUR) == LABEL + WIDE


def test_the_hours_before_the_desk_opens_are_not_in_the_picture(room: Room) -> None:
    room.sent(room.event(time="2026-03-05T16:30:00+01:00"))
    (svg,) = re.findall(r'<svg class="days".*?</svg>', room.get("/tickets/haisoft/4711").text, re.DOTALL)
    assert re.findall(r'text-anchor="middle">(\d\d)<', svg) == ["09", "12", "15", "18", "21", "24"]
    opens = LABEL + round(WIDE / 15, 2)
    assert f'<rect class="ground" x="{opens}"' in svg
    assert min(float(x) for x in re.findall(r'<rect class="fill" x="([^"]+)"', svg)) == LABEL


@pytest.mark.parametrize("language", list(Language))
def test_the_page_and_its_part_are_written_in_every_language(shared_room: Room, language: Language) -> None:
    shared_room.sent(shared_room.event(id="lang", subject="lang", time="2026-03-05T10:00:00+01:00"))
    asked = {"lang": language.value, "desk": "haisoft", "ticket": "lang"}
    page = shared_room.get("/ticket/live", **asked)
    assert page.status_code == 200
    assert '<svg class="days"' in page.text
    assert ("Was due" in page.text) is (language is Language.EN)


def test_a_ticket_that_is_not_known_is_a_page_that_says_so(room: Room) -> None:
    page = room.get("/tickets/haisoft/unheard-of")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
