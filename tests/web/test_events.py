"""What happened comes in once, whole, and is answered by how the tickets stand; what is faulty is told and placed."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from app.principal import Scope
from app.web.api.tickets.events import Pushed
from app.web.http.problems import MEDIA_TYPE
from tests.servers.databases import Databases
from tests.web.room import Room, conforms, room_on, with_desks

Event = dict[str, Any]


def test_a_pushed_event_is_answered_by_its_tickets_clocks(room: Room) -> None:
    answer = conforms(Pushed, room.send(room.event()).content)
    assert (answer["accepted"], answer["repeated"], answer["refused"]) == (1, 0, [])
    (ticket,) = answer["tickets"]
    (clock,) = ticket["clocks"]
    assert clock["state"] == "running"
    # 15:30 to 17:00 is an hour and a half; the rest is due on Saturday at 10:30.
    assert clock["due_at"] == "2026-03-07T09:30:00Z"


def test_the_same_event_again_is_repeated_and_changes_nothing(room: Room) -> None:
    event = room.event()
    first = room.sent(event)
    room.wall.move(0)
    again = room.sent(event)
    assert (again["accepted"], again["repeated"]) == (0, 1)
    assert again["tickets"] == first["tickets"]


def test_the_same_content_in_another_order_and_zone_is_the_same_event(room: Room) -> None:
    event = room.event()
    room.sent(event)
    data = dict(reversed(event["data"].items()))
    again = dict(reversed((event | {"data": data, "time": "2026-03-06T14:30:00.000Z"}).items()))
    assert room.sent(again)["repeated"] == 1


@pytest.mark.parametrize(
    "other",
    [
        {"type": "ticket.updated"},
        {"subject": "4712"},
        {"time": "2026-03-06T15:30:01+01:00"},
        {"data": {"title": "Something else"}},
    ],
)
def test_the_same_id_with_another_content_is_a_conflict(room: Room, other: Event) -> None:
    event = room.event()
    room.sent(event)
    response = room.send(event | other)
    assert response.status_code == 409
    problem = response.json()
    assert problem["type"] == "urn:slatimer:problem:conflict"
    assert [each["id"] for each in problem["refused"]] == [event["id"]]
    assert room.sent(event)["repeated"] == 1


def test_of_two_contents_under_one_id_in_one_push_the_first_stands(room: Room) -> None:
    event = room.event()
    answer = room.send([event, event | {"subject": "4712"}, event]).json()
    assert (answer["accepted"], answer["repeated"]) == (1, 1)
    assert [each["index"] for each in answer["refused"]] == [1]


def test_the_faulty_are_refused_and_the_good_are_stored(room: Room) -> None:
    good = [room.event(subject=str(n)) for n in range(3)]
    body = [good[0], room.event(time="yesterday"), good[1], 5, good[2]]
    answer = room.send(body).json()
    assert (answer["accepted"], [each["index"] for each in answer["refused"]]) == (3, [1, 3])
    assert [ticket["ticket"] for ticket in answer["tickets"]] == ["0", "1", "2"]


def test_an_event_of_an_unknown_type_is_kept_and_counted(room: Room) -> None:
    room.sent(room.event())
    odd = room.event(type="coffee.spilled", data={"cups": 2})
    answer = room.sent(odd)
    assert (answer["accepted"], answer["tickets"][0]["ticket"]) == (1, "4711")
    assert room.sent(odd)["repeated"] == 1
    metrics = room.client.get("/metrics").text
    assert 'slatimer_events_of_unknown_type_total{desk="haisoft"}' in metrics


def test_unknown_fields_and_attributes_do_no_harm(room: Room) -> None:
    event = room.event(datacontenttype="application/json", traceparent="00-1-2-03")
    event["data"] |= {"mood": {"of": ["customer"]}, "weight": 1.5}
    assert room.sent(event)["accepted"] == 1


def test_a_call_without_a_ticket_is_stored_and_answers_no_ticket(room: Room) -> None:
    answer = room.sent(room.event(type="call.offered", subject="call:81", data={"line": "normal"}))
    assert (answer["accepted"], answer["tickets"]) == (1, [])


def test_the_sequence_may_be_a_text_as_cloudevents_writes_it(room: Room) -> None:
    event = room.event(sequence="7")
    room.sent(event)
    assert room.sent(event | {"sequence": 7})["repeated"] == 1


def test_an_empty_array_is_taken_and_does_nothing(shared_room: Room) -> None:
    assert shared_room.sent() == {"accepted": 0, "repeated": 0, "refused": [], "tickets": []}


def test_a_late_event_of_a_long_ticket_is_answered_with_the_name_of_the_postponed_ticket(
    databases: Databases,
) -> None:
    """Without a view: the whole log is what must not be replayed now. A key that may not read gets no other's name."""
    limits = {"long_replay_min_events": 3, "long_replay_duty_cycle": 1e-9, "checkpoint_min_events": 2}
    with databases.copy_of(with_desks) as url, room_on(url, **limits) as room:
        room.app.state.running.assessor.long_replays.postpone_while(lambda _: True)
        hours = [f"2026-03-06T{hour:02}:00:00+01:00" for hour in (10, 12, 13, 14, 11)]
        whole = [room.sent(room.event(type="note.added", time=when, data={})) for when in hours]
        assert [("postponed" in answer, len(answer["tickets"])) for answer in whole] == [(False, 1)] * 5
        late = room.event(type="note.added", time="2026-03-06T10:30:00+01:00", data={})
        other = room.event(subject="other")
        answer = conforms(Pushed, room.send([late, other], room.key("haisoft", Scope.PUSH)).content)
        assert (answer["accepted"], [each["ticket"] for each in answer["tickets"]]) == (2, ["other"])
        assert answer["postponed"] == [{"desk": "haisoft", "ticket": "4711"}]
        unknown = room.event(type="note.unknown", time="2026-03-06T10:40:00+01:00")
        assert "postponed" not in room.send(unknown, room.key("haisoft", Scope.PUSH)).json()
        assert room.send(unknown).json().get("repeated") == 1


@pytest.mark.parametrize(
    ("media_type", "many", "status"),
    [
        ("application/json", False, 200),
        ("application/json; charset=utf-8", True, 200),
        ("Application/JSON", True, 200),
        ("application/cloudevents+json", False, 200),
        ("application/cloudevents+json", True, 422),
        ("application/cloudevents-batch+json", True, 200),
        ("application/cloudevents-batch+json", False, 422),
        ("application/json; charset=latin-1", False, 415),
        ("text/plain", False, 415),
        ("application/xml", False, 415),
        ("", False, 415),
    ],
)
def test_the_content_type_says_one_or_many(
    shared_room: Room, media_type: str, many: bool, status: int
) -> None:
    event = shared_room.event()
    body = json.dumps([event] if many else event)
    headers = shared_room.push | ({"Content-Type": media_type} if media_type else {})
    assert shared_room.client.post("/v1/events", content=body, headers=headers).status_code == status


UNREADABLE: list[tuple[str, bytes, int, str]] = [
    ("nothing", b"", 400, "not valid JSON"),
    ("no JSON", b"hello", 400, "line 1, column 1"),
    ("half of it", b'[\n{"specversion":\n', 400, "line 3, column 1"),
    ("two values", b"{}{}", 400, "column 3"),
    ("a byte order mark", b"\xef\xbb\xbf{}", 400, "BOM"),
    ("a single quote", b"{'id':1}", 400, "column 2"),
    ("nesting without end", b"[" * 100_000, 400, "depth"),
    ("nesting without end in an array", b"[{}," + b"[" * 100_000, 400, "depth"),
    ("half a surrogate and a missing bracket", b'["\\ud800"', 400, "surrogate"),
    ("a text", b'"hello"', 422, "neither"),
    ("a number", b"5", 422, "neither"),
    ("null", b"null", 422, "neither"),
    ("1,001 events", b"[" + b"{}," * 1_000 + b"{}]", 413, "1001"),
    ("ten megabytes", b"[" + b" " * 10_000_000 + b"]", 413, "larger than"),
]


@pytest.mark.parametrize(
    ("body", "status", "place"), [case[1:] for case in UNREADABLE], ids=[c[0] for c in UNREADABLE]
)
def test_a_body_that_cannot_be_read_stores_nothing_and_says_where(
    shared_room: Room, body: bytes, status: int, place: str
) -> None:
    headers = shared_room.push | {"Content-Type": "application/json"}
    response = shared_room.client.post("/v1/events", content=body, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, MEDIA_TYPE)
    assert place in response.json()["detail"]
    assert "tickets" not in response.json()


def _without(name: str) -> Callable[[Event], object]:
    return lambda event: {key: value for key, value in event.items() if key != name}


def _with(**given: Any) -> Callable[[Event], object]:
    return lambda event: event | given


_HOUR = {"from": "2026-03-06T15:30:00Z", "to": "2026-03-06T16:30:00Z"}


def _of(kind: str, **data: Any) -> Callable[[Event], object]:
    return lambda event: event | {"type": kind, "data": data}


def _nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = {"in": value}
    return value


SPOILT: list[tuple[str, bytes, str]] = [
    ("half of an emoji", b'"Down \\ud83d"', "/data/title: holds half of a surrogate pair"),
    ("bad UTF-8", b'"\xff"', "/data/title: is not UTF-8"),
    ("NaN", b"NaN", "/data/title: is NaN"),
    ("infinity", b"Infinity", "/data/title: is a number beyond 64 bits"),
    ("a number beyond a double", b"1e999", "/data/title: is a number beyond 64 bits"),
    ("nesting beyond the parser", b"[" * 2_000 + b"]" * 2_000, "the event: is nested deeper"),
]


@pytest.mark.parametrize(("value", "reason"), [case[1:] for case in SPOILT], ids=[c[0] for c in SPOILT])
def test_of_a_thousand_events_one_that_cannot_be_stored_is_refused_alone(
    shared_room: Room, value: bytes, reason: str
) -> None:
    events = [shared_room.event(subject="many", data={"title": "T"}) for _ in range(1_000)]
    raw = [json.dumps(event).encode() for event in events]
    raw[617] = raw[617].replace(b'"T"', value)
    headers = shared_room.push | {"Content-Type": "application/json"}
    answer = shared_room.client.post(
        "/v1/events", content=b"[" + b",".join(raw) + b"]", headers=headers
    ).json()
    assert answer["accepted"] == 999
    (refused,) = answer["refused"]
    assert refused["index"] == 617
    assert refused["reason"].startswith(reason)
    alone = shared_room.client.post("/v1/events", content=raw[617], headers=headers)
    assert (alone.status_code, alone.json()["refused"][0]["reason"]) == (422, refused["reason"])


def test_an_event_in_binary_mode_is_the_one_in_structured_mode(room: Room) -> None:
    event = room.event(sequence="A1", traceparent="00-1", subject="Störung 1")
    room.sent(event)
    data = event.pop("data")
    headers = {f"ce-{name}": quote(str(value)) for name, value in event.items()}
    sent = room.client.post("/v1/events", json=data, headers=room.push | headers)
    assert (sent.status_code, sent.json()["repeated"]) == (200, 1)
    (stored,) = room.get("/v1/tickets/haisoft/Störung 1/events").json()["events"]
    assert (stored["sequence"], stored["attributes"]) == ("A1", {"traceparent": "00-1"})


@pytest.mark.parametrize(
    ("headers", "body", "status", "reason"),
    [
        ({"ce-id": "b1"}, b"{}", 422, "/specversion: is missing"),
        ({"ce-specversion": "1.0", "ce-id": "b1"}, b"{}", 422, "/source: is missing"),
        ({"ce-specversion": "1.0"}, b"{", 400, "the event's data"),
        ({"ce-specversion": "1.0", "Content-Type": "text/xml"}, b"<a/>", 422, "its Content-Type is text/xml"),
        (
            {"ce-specversion": "1.0", "Content-Type": "application/cloudevents+json"},
            b"{}",
            422,
            "/id: is missing",
        ),
        ({"ce-specversion": "1.0", "Content-Type": "application/cloudevents+avro"}, b"{}", 415, "avro"),
    ],
)
def test_a_mix_of_modes_is_named(
    shared_room: Room, headers: dict[str, str], body: bytes, status: int, reason: str
) -> None:
    given = shared_room.push | {"Content-Type": "application/json"} | headers
    answer = shared_room.client.post("/v1/events", content=body, headers=given)
    assert answer.status_code == status
    assert reason in answer.text


def test_a_header_that_is_sent_twice_is_named(shared_room: Room) -> None:
    twice = [*shared_room.push.items(), ("ce-specversion", "1.0"), ("ce-id", "a"), ("ce-id", "b")]
    answer = shared_room.client.post("/v1/events", content=b"{}", headers=twice)
    assert answer.json()["refused"][0]["reason"] == "/id: is sent twice (header ce-id)"


def test_texts_of_one_instant_are_ordered_by_their_characters_after_numbers(room: Room) -> None:
    room.sent(room.event())
    status = {"type": "status.changed", "time": "2026-03-06T15:30:00+01:00"}
    for sequence, word in [
        ("B1", "solved"),
        ("A9", "open"),
        ("9" * 30, "pending"),
        (8, "closed"),
        ("A10", "new"),
    ]:
        room.sent(room.event(**status, sequence=sequence, data={"status": word}))
    events = room.get("/v1/tickets/haisoft/4711/events").json()["events"]
    assert [event["data"]["status"] for event in events[1:]] == ["closed", "pending", "new", "open", "solved"]
    assert room.get("/v1/tickets/haisoft/4711").json()["status"] == "solved"


FAULTY: list[tuple[str, Callable[[Event], object], str]] = [
    ("no object", lambda _: "event", "the event"),
    ("an array in the array", lambda event: [event], "the event"),
    ("no specversion", _without("specversion"), "/specversion"),
    ("another specversion", _with(specversion="0.3"), "/specversion"),
    ("no id", _without("id"), "/id"),
    ("an empty id", _with(id=""), "/id"),
    ("a number for an id", _with(id=5), "/id"),
    ("an endless id", _with(id="x" * 256), "/id"),
    ("a line break in the id", _with(id="a\nb"), "/id"),
    ("no source", _without("source"), "/source"),
    ("an unknown desk", _with(source="nowhere"), "/source"),
    ("no type", _without("type"), "/type"),
    ("a list for a type", _with(type=["ticket.created"]), "/type"),
    ("no subject", _without("subject"), "/subject"),
    ("an empty subject", _with(subject=""), "/subject"),
    ("no time", _without("time"), "/time"),
    ("no offset", _with(time="2026-03-06T15:30:00"), "/time"),
    ("a date only", _with(time="2026-03-06"), "/time"),
    ("epoch seconds", _with(time=1_772_807_400), "/time"),
    ("epoch seconds as a text", _with(time="1772807400"), "/time"),
    ("a day that does not exist", _with(time="2026-02-30T10:00:00Z"), "/time"),
    ("an offset beyond a day", _with(time="2026-03-06T15:30:00+25:00"), "/time"),
    ("before 1970", _with(time="0026-03-06T15:30:00Z"), "/time"),
    ("a year ahead", _with(time="2027-03-06T15:30:00+01:00"), "/time"),
    ("an hour and a second ahead", _with(time="2026-03-06T16:30:01+01:00"), "/time"),
    ("a true sequence", _with(sequence=True), "/sequence"),
    ("an empty sequence", _with(sequence=""), "/sequence"),
    ("a sequence beyond 64 bits", _with(sequence=2**63), "/sequence"),
    ("a list for data", _with(data=[]), "/data"),
    ("a text for data", _with(data="title"), "/data"),
    ("encoded data", _with(data_base64="e30="), "/data_base64"),
    ("a number for a title", _of("ticket.created", title=5), "/data/title"),
    ("an unknown status", _of("ticket.updated", status="opened"), "/data/status"),
    ("no status", _of("status.changed"), "/data/status"),
    ("a text for tags", _of("ticket.updated", tags="vip"), "/data/tags"),
    ("a number among the tags", _of("ticket.updated", tags=["vip", 5]), "/data/tags/1"),
    ("an unknown author", _of("agent.replied", author="robot"), "/data/author"),
    ("a text for automatic", _of("agent.replied", automatic="yes"), "/data/automatic"),
    ("a merge into nothing", _of("ticket.merged"), "/data/into"),
    ("a withdrawal of nothing", _of("event.withdrawn", reason="a mistake"), "/data/id"),
    ("an exclusion of no one", _of("exclusion.granted", reason="x", **_HOUR), "/data/author"),
    ("an exclusion without a reason", _of("exclusion.granted", author="ann", **_HOUR), "/data/reason"),
    (
        "an exclusion with an empty reason",
        _of("exclusion.granted", author="a", reason=" ", **_HOUR),
        "/data/reason",
    ),
    ("an exclusion without an end", _of("exclusion.granted", **{"from": "2026-03-06T15:30:00Z"}), "/data/to"),
    (
        "an exclusion without an offset",
        _of("exclusion.granted", **{"from": "2026-03-06T15:30:00", "to": "2026-03-06T16:30:00Z"}),
        "/data/from",
    ),
    (
        "an exclusion that ends first",
        _of("exclusion.granted", **{"from": "2026-03-06T15:30:00Z", "to": "2026-03-06T15:30:00Z"}),
        "/data/to",
    ),
    ("a negative wait", _of("call.answered", waited_seconds=-1), "/data/waited_seconds"),
    ("a text for accepted", _of("claim.answered", accepted="yes"), "/data/accepted"),
    ("an endless text", _of("agent.replied", text="x" * 64_001), "/data/text"),
    ("a NUL in a text", _of("ticket.created", title="a\0b"), "/data/title"),
    ("a NUL in a name", _of("ticket.created", **{"a\0b": 1}), "/data"),
    ("deep nesting", _of("ticket.created", custom=_nested(40)), "/data/custom"),
]


@pytest.mark.parametrize(("spoil", "place"), [case[1:] for case in FAULTY], ids=[case[0] for case in FAULTY])
def test_a_faulty_event_is_refused_with_its_place_and_harms_no_other(
    shared_room: Room, spoil: Callable[[Event], object], place: str
) -> None:
    good, faulty = shared_room.event(subject="good"), spoil(shared_room.event(subject="bad"))
    answer = shared_room.send([good, faulty]).json()
    assert answer["accepted"] == 1
    (refused,) = answer["refused"]
    assert refused["index"] == 1
    assert refused["reason"].startswith(place)
    assert len(refused["reason"]) > len(place) + 10
    assert [ticket["ticket"] for ticket in answer["tickets"]] == ["good"]
    assert shared_room.get("/v1/tickets/haisoft/bad").status_code == 404


@pytest.mark.parametrize("spoil", [case[1] for case in FAULTY[2:]], ids=[case[0] for case in FAULTY[2:]])
def test_a_push_of_which_nothing_can_be_taken_is_a_problem_with_the_same_list(
    shared_room: Room, spoil: Callable[[Event], object]
) -> None:
    response = shared_room.send(spoil(shared_room.event(subject="worse")))
    assert (response.status_code, response.headers["content-type"]) == (422, MEDIA_TYPE)
    (refused,) = response.json()["refused"]
    assert refused["index"] == 0
    assert shared_room.get("/v1/tickets/haisoft/worse").status_code == 404


def test_at_least_forty_kinds_of_broken_input_are_tried() -> None:
    assert len(FAULTY) + len(UNREADABLE) >= 40


def test_a_conflict_among_other_faults_is_no_conflict_of_the_whole(room: Room) -> None:
    event = room.event()
    room.sent(event)
    assert room.send([event | {"subject": "4712"}, {}]).status_code == 422


def test_another_desk_is_refused_in_the_words_for_an_unknown_one(shared_room: Room) -> None:
    own = shared_room.key("webxtra", Scope.PUSH)
    reasons = [
        shared_room.send([shared_room.event(source=desk)], own)
        .json()["refused"][0]["reason"]
        .replace(desk, "…")
        for desk in ("haisoft", "nowhere")
    ]
    unknown = (
        shared_room.send([shared_room.event(source="nowhere")])
        .json()["refused"][0]["reason"]
        .replace("nowhere", "…")
    )
    assert reasons == [unknown, unknown]


def test_the_places_of_refused_events_are_those_of_the_push(room: Room) -> None:
    body = [{}, room.event(), room.event(source="nowhere"), 5, room.event(time="2027-01-01T00:00:00Z")]
    refused = room.send(body).json()["refused"]
    assert [each["index"] for each in refused] == [0, 2, 3, 4]


def test_a_body_is_counted_while_it_arrives_whatever_its_length_says(shared_room: Room) -> None:
    def pieces() -> Any:
        for _ in range(11):
            yield b" " * 1_000_000

    headers = shared_room.push | {"Content-Type": "application/json"}
    response = shared_room.client.post("/v1/events", content=pieces(), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (413, MEDIA_TYPE)
