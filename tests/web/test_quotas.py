"""Quotas: what one desk, one key and one answer may take, each refused or paged with the way to go on."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.principal import EVERY, Scope
from app.store.tickets import signals
from app.web.api.desks.calendar_spans import CalendarSpans
from app.web.api.desks.deadlines import Deadline
from app.web.api.tickets.stream_frames import Backlog, StreamForm
from app.web.api.tickets.ticket_events import TicketEvents
from app.web.http.problems import Problem
from app.web.http.quotas import RequestRate
from tests.servers.databases import Databases
from tests.web.room import ALL, Room, conforms, room_on, with_desks

START = "2026-03-06T15:30:00+01:00"
PERIOD = {"from": "2026-03-02", "to": "2026-03-15"}


@pytest.fixture(scope="module")
def small(databases: Databases) -> Iterator[Room]:
    """A room with small quotas."""
    quotas: dict[str, Any] = {
        "answer_spans": 10,
        "answer_events": 3,
        "desk_subscriptions_max": 2,
        "agreement_commitments_max": 2,
        "commitment_warnings_max": 2,
        "calendar_windows_max": 3,
        "key_streams_max": 2,
        "max_streams": 3,
    }
    with databases.copy_of(with_desks) as url, room_on(url, **quotas) as made:
        yield made


def ask(room: Room, *questions: dict[str, Any]) -> Any:
    return room.client.post("/v1/deadlines", json=list(questions), headers=room.read)


def windows(count: int) -> list[str]:
    return [f"{hour:02}:00-{hour:02}:30" for hour in range(count)]


def inline(count: int, within: str = "100h") -> dict[str, Any]:
    calendar = {"time_zone": "Europe/Paris", "hours": {"mon-sun": windows(count)}}
    return {"calendar": calendar, "within": within, "start": START}


def test_spans_are_paged_by_the_instant_at_which_they_go_on(small: Room) -> None:
    path, spans, since = "/v1/calendars/haisoft/tickets/spans", list[Any](), PERIOD["from"]
    while since is not None:
        page = conforms(CalendarSpans, small.get(path, **PERIOD | {"from": since}).content)
        assert len(page["spans"]) <= 10
        spans += page["spans"]
        since = page["next"]
    assert spans[0]["start"] == "2026-03-01T23:00:00Z"
    assert spans[-1]["end"] == "2026-03-15T23:00:00Z"
    assert [span["end"] for span in spans[:-1]] == [span["start"] for span in spans[1:]]
    assert len(spans) > 30


def test_an_icalendar_file_of_too_many_spans_is_refused_with_a_shorter_period(small: Room) -> None:
    refused = small.get("/v1/calendars/haisoft/tickets.ics", **PERIOD)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["place"] == "to"
    assert "SLATIMER_ANSWER_SPANS" in refused.json()["detail"]
    assert small.get("/v1/calendars/haisoft/tickets.ics", **PERIOD | {"to": "2026-03-03"}).status_code == 200


def test_the_spans_of_a_deadline_are_paged(small: Room) -> None:
    question = {"calendar": "haisoft/tickets", "within": "30h", "start": START}
    whole, after = list[Any](), 0
    while after is not None:
        (answer,) = ask(small, question | {"after": after}).json()
        explained = answer["explanation"]
        assert answer["due_at"] == explained["due_at"]
        assert whole == [] or whole[-1]["end"] == explained["spans"][0]["start"]
        whole += explained["spans"]
        after = explained["next"]
    due = ask(small, question).json()[0]["due_at"]
    assert whole[-1]["end"] == due
    assert whole[-1]["total_seconds"] == 30 * 3600


def test_an_array_of_questions_shares_the_spans_of_an_answer(small: Room) -> None:
    question = {"calendar": "haisoft/tickets", "within": "12h", "start": START}
    answers = ask(small, *[question] * 5).json()
    assert sum(len(answer["explanation"]["spans"]) for answer in answers) == 10
    assert len({answer["due_at"] for answer in answers}) == 1
    assert answers[-1]["explanation"]["next"] == 0


def test_the_explanation_of_a_clock_is_paged(small: Room) -> None:
    small.sent(small.event(subject="old", time="2026-02-02T10:00:00+01:00"))
    whole, after = list[Any](), 0
    while after is not None:
        answer = small.get("/v1/tickets/haisoft/old/explanation", after=after).json()
        whole += answer["spans"]
        after = answer["next"]
    assert len(whole) > 10
    assert [span["end"] for span in whole[:-1]] == [span["start"] for span in whole[1:]]


def test_an_inline_calendar_of_too_many_windows_is_refused(small: Room) -> None:
    refused = small.client.post("/v1/deadlines", json=inline(4), headers=small.read)
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["place"] == "/calendar/hours/mon-sun"
    assert "SLATIMER_CALENDAR_WINDOWS_MAX" in fault["reason"]
    assert conforms(Deadline, small.client.post("/v1/deadlines", json=inline(3), headers=small.read).content)


def test_a_question_beyond_its_time_budget_is_refused_with_the_remedy(databases: Databases) -> None:
    with (
        databases.copy_of(with_desks) as url,
        room_on(url, read_time_budget="PT0.000001S", calendar_windows_max=24) as room,
    ):
        calls = [
            room.event(type="call.offered", subject=f"call:{n}", data={"line": "emergency"})
            for n in range(32)
        ]
        room.sent(*calls)
        for refused in (
            room.client.post("/v1/deadlines", json=inline(24), headers=room.read),
            room.get("/v1/charges", desk="haisoft", period="2026-03"),
            room.get("/v1/calendars/haisoft/tickets/spans", **PERIOD),
            room.get("/v1/calendars/haisoft/tickets.ics", **PERIOD),
        ):
            assert refused.status_code == 422
            assert refused.json()["type"] == "urn:slatimer:problem:too-expensive"
            assert "SLATIMER_READ_TIME_BUDGET" in refused.json()["detail"]


def agreement(commitments: int, warnings: int = 0) -> dict[str, Any]:
    written = {
        "kind": "objective",
        "target": "2h",
        "calendar": "always",
        "starts_on": ["ticket.created"],
        "stops_on": ["agent.replied"],
    }
    warn_at = [f"{n + 1}%" for n in range(warnings)]
    return {
        "desk": "hvn",
        "commitments": [{"id": f"c{n}", "warn_at": warn_at} | written for n in range(commitments)],
    }


@pytest.mark.parametrize(
    ("document", "place", "setting"),
    [
        (agreement(3), "/commitments", "SLATIMER_AGREEMENT_COMMITMENTS_MAX"),
        (agreement(1, 3), "/commitments/0/warn_at", "SLATIMER_COMMITMENT_WARNINGS_MAX"),
    ],
)
def test_an_agreement_beyond_a_limit_is_refused_by_put_and_by_its_preview(
    small: Room, document: dict[str, Any], place: str, setting: str
) -> None:
    admin = small.key(ALL, Scope.ADMIN)
    for params in ({}, {"preview": "true"}):
        refused = small.client.put("/v1/agreements/hvn", json=document, headers=admin, params=params)
        assert refused.status_code == 422, refused.text
        (fault,) = refused.json()["errors"]
        assert (fault["place"], setting in fault["reason"]) == (place, True)


def test_a_calendar_beyond_a_limit_is_refused(small: Room) -> None:
    admin = small.key(ALL, Scope.ADMIN)
    calendars = {"night": {"time_zone": "UTC", "hours": {"sat": windows(4)}}}
    refused = small.client.put("/v1/calendars/hvn", json={"calendars": calendars}, headers=admin)
    assert refused.status_code == 422, refused.text
    assert "SLATIMER_CALENDAR_WINDOWS_MAX" in refused.text


def test_a_stored_version_beyond_a_lowered_limit_stays_in_force(databases: Databases) -> None:
    with databases.copy_of(with_desks) as url:
        document = agreement(5, 5)
        with room_on(url) as room:
            admin = room.key(ALL, Scope.ADMIN)
            assert room.client.put("/v1/agreements/hvn", json=document, headers=admin).status_code == 200
        with room_on(url, agreement_commitments_max=2, commitment_warnings_max=2) as room:
            assert len(room.get("/v1/agreements/hvn").json()["commitments"]) == 5
            answer = room.sent(room.event(source="hvn"))
            assert len(answer["tickets"][0]["clocks"]) == 5
            again = room.client.put("/v1/agreements/hvn", json=document, headers=admin)
            assert again.status_code == 200


def test_more_streams_than_a_key_may_have_are_refused_and_a_closed_one_gives_its_place_back(
    small: Room,
) -> None:
    quota = small.app.state.running.streams
    for key in ("a", "a"):
        quota.take(key)
    with pytest.raises(Problem, match="SLATIMER_KEY_STREAMS_MAX") as of_key:
        quota.take("a")
    quota.take("b")
    with pytest.raises(Problem, match="SLATIMER_MAX_STREAMS") as of_all:
        quota.take("c")
    assert (of_key.value.kind.status, of_all.value.kind.status) == (429, 503)
    for key in ("a", "a", "b"):
        quota.release(key)
    quota.take("a")
    quota.release("a")


def test_a_stream_whose_client_leaves_gives_its_place_back(small: Room) -> None:
    for _ in range(5):  # more than the key may have open
        small.app.state.running.hub.close()  # so that the stream ends, as for a client that leaves
        assert small.get("/v1/stream", after=0).status_code == 200


def test_a_backlog_is_read_in_pages_within_the_size_of_a_chunk(databases: Databases) -> None:
    with (
        databases.copy_of(with_desks) as url,
        room_on(url, stream_page_size=3, stream_chunk_size=2048) as room,
    ):
        room.sent(*[room.event(subject=f"t{n}") for n in range(20)])
        parts = room.app.state.running
        last = parts.database.read_now(signals.last)
        backlog = Backlog(parts, 0, StreamForm(EVERY, [], named=True))

        async def pages() -> list[bytes]:
            return [page async for page in backlog.frames()]

        assert room.client.portal is not None
        read = room.client.portal.call(pages)
        longest = max(len(page) for page in read)
        places = [int(place) for place in re.findall(rb"^id: ([0-9]+)$", b"".join(read), re.MULTILINE)]
        assert backlog.after == last
        assert places == sorted(set(places))
        assert len(places) == len(room.get("/v1/signals", limit=500).json()["signals"])
        assert longest < 2048 + 4096  # a chunk, and the signal that fills it


def test_a_key_that_sends_too_much_is_refused_until_its_bucket_fills() -> None:
    now = [0.0]
    rate = RequestRate(2, 4, clock=lambda: now[0])
    for _ in range(4):
        rate.take("a")
    with pytest.raises(Problem, match="SLATIMER_KEY_REQUEST_RATE") as refused:
        rate.take("a")
    assert (refused.value.kind.status, refused.value.headers) == (429, {"Retry-After": "1"})
    rate.take("b")
    now[0] = 0.5
    rate.take("a")
    with pytest.raises(Problem):
        rate.take("a")


def test_the_rates_of_keys_take_bounded_memory() -> None:
    rate = RequestRate(1, 1, clock=lambda: 0.0, size=10)
    for n in range(1000):
        rate.take(f"key {n}")
    assert len(rate) == 10


def test_health_and_metrics_are_answered_to_a_key_that_sends_too_much(databases: Databases) -> None:
    with (
        databases.copy_of(with_desks) as url,
        room_on(url, key_request_rate=0.001, key_request_burst=1) as room,
    ):
        assert room.get("/v1/desks").status_code == 200
        refused = room.get("/v1/desks")
        assert refused.status_code == 429
        assert refused.json()["type"] == "urn:slatimer:problem:too-many-requests"
        assert int(refused.headers["retry-after"]) > 1
        assert [room.get(path).status_code for path in ("/healthz", "/metrics")] == [200, 200]
        assert room.get("/v1/desks", room.push).status_code == 200


def test_subscriptions_beyond_the_quota_of_a_desk_are_refused_and_others_desks_have_their_own(
    small: Room,
) -> None:
    admin = small.key(ALL, Scope.ADMIN)

    def subscribe(desk: str) -> Any:
        wanted = {
            "desk": desk,
            "channel": "webhook",
            "url": "https://example.org/",
            "kinds": ["clock.breached"],
        }
        return small.client.post("/v1/subscriptions", json=wanted, headers=admin)

    first, _ = subscribe("haisoft"), subscribe("haisoft")
    refused = subscribe("haisoft")
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:slatimer:problem:limit-reached"
    assert "SLATIMER_DESK_SUBSCRIPTIONS_MAX" in refused.json()["detail"]
    assert subscribe("hvn").status_code == 201
    small.client.delete(f"/v1/subscriptions/{first.json()['id']}", headers=admin)
    assert subscribe("haisoft").status_code == 201


def test_the_events_of_a_ticket_are_paged_in_the_order_of_its_clocks(small: Room) -> None:
    message = {"type": "customer.message", "data": {}}
    small.sent(
        small.event(subject="long", id="m0"),
        *[small.event(subject="long", id=f"m{n}", **message) for n in range(1, 8)],
    )
    path, pages, after = "/v1/tickets/haisoft/long/events", list[list[str]](), None
    while not pages or after is not None:
        page = conforms(TicketEvents, small.get(path, **({} if after is None else {"after": after})).content)
        pages.append([event["id"] for event in page["events"]])
        after = page["next"]
    assert [len(page) for page in pages] == [3, 3, 2]
    assert sorted(each for page in pages for each in page) == sorted(f"m{n}" for n in range(8))
    unknown = small.get(path, after="m99")
    assert (unknown.status_code, unknown.json()["errors"][0]["place"]) == (422, "after")
