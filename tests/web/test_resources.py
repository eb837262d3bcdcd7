"""Desks, calendars, agreements, queues, deadlines, signals, breaches, health: each as its model says."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest

from app.flow.outbound.subscribe import KINDS
from app.principal import Scope
from app.sla.span import SECOND, micros
from app.web.api.desks.agreements import AgreementDetail, AgreementList
from app.web.api.desks.calendar_list import CalendarList
from app.web.api.desks.calendar_spans import CalendarSpans
from app.web.api.desks.calendars import CalendarDetail
from app.web.api.desks.deadlines import Deadline
from app.web.api.desks.desks import DeskList
from app.web.api.health import Alive, Ready
from app.web.api.tickets.breaches import BreachPage, BreachView
from app.web.api.tickets.queues import Forecast, QueueView
from app.web.api.tickets.signals import SignalPage
from tests.servers.databases import both_kinds
from tests.web.room import Room, conforms

START = "2026-03-06T15:30:00+01:00"


def test_a_desk_says_whether_it_is_open_what_comes_next_and_why(room: Room) -> None:
    room.sent(
        room.event(),
        room.event(subject="late", time="2026-03-02T10:00:00+01:00"),
        room.event(subject="tomorrow", time="2026-03-06T15:00:00+01:00"),
    )
    (desk,) = conforms(DeskList, room.get("/v1/desks", desk="haisoft").content)["desks"]
    assert (desk["open_now"], desk["next_closing_at"]) == (True, "2026-03-06T16:00:00Z")
    assert desk["counts"]["overdue"] == 1
    assert desk["counts"]["running"] == 3
    assert desk["counts"]["due_before_closing"] == 1
    assert room.get("/v1/desks", desk="nowhere").status_code == 404


def test_tomorrows_holiday_is_shown_with_its_source(room: Room) -> None:
    room.wall.now += 51 * 86_400 * 1_000_000  # Sunday, 26 April 2026
    (desk,) = room.get("/v1/desks", desk="webxtra").json()["desks"]
    assert desk["open_now"] is False
    assert "King" in desk["holiday_tomorrow"]["name"]
    assert desk["holiday_tomorrow"]["source"].startswith("NL")


def test_calendars_are_listed_and_shown_in_the_desks_own_words(room: Room) -> None:
    listed = conforms(CalendarList, room.get("/v1/calendars").content)["calendars"]
    assert {"haisoft/tickets", "haisoft/phone", "webxtra/desk"} <= {each["reference"] for each in listed}
    shown = conforms(CalendarDetail, room.get("/v1/calendars/webxtra/desk").content)
    assert shown["rules"]["time_zone"] == shown["time_zone"] == "Europe/Amsterdam"
    assert shown["open_now"] is True
    assert any(day["date"] == "2026-04-27" for day in shown["closed_days"])
    assert room.get("/v1/calendars/webxtra/night").status_code == 404


def test_spans_cover_the_stretch_and_say_why(room: Room) -> None:
    params = {"from": "2026-03-06T08:00:00+01:00", "to": "2026-03-07T08:00:00+01:00"}
    recorded = conforms(CalendarSpans, room.get("/v1/calendars/haisoft/tickets/spans", **params).content)
    spans = recorded["spans"]
    assert recorded["open_seconds"] == 5 * 3600
    assert [span["start"] for span in spans[1:]] == [span["end"] for span in spans[:-1]]
    assert [span["reason"] for span in spans if not span["open"]][1] == "lunch gap"


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"from": "2026-03-06T08:00:00Z"}, "to"),
        ({"from": "2026-03-06T08:00:00", "to": "2026-03-07T08:00:00Z"}, "from"),
        ({"from": "2026-03-07T08:00:00Z", "to": "2026-03-06T08:00:00Z"}, "to"),
        ({"from": "2026-03-07T08:00:00Z", "to": "2036-03-06T08:00:00Z"}, "to"),
    ],
)
def test_a_faulty_stretch_is_refused(shared_room: Room, params: dict[str, str], place: str) -> None:
    response = shared_room.get("/v1/calendars/haisoft/tickets/spans", **params)
    assert response.status_code == 422
    assert [fault["place"] for fault in response.json()["errors"]] == [place]


def test_a_calendar_is_a_diary_that_a_phone_can_read(room: Room) -> None:
    params = {"from": "2026-04-24T00:00:00Z", "to": "2026-04-29T00:00:00Z"}
    response = room.get("/v1/calendars/webxtra/desk.ics", **params)
    assert response.headers["content-type"].startswith("text/calendar")
    entries = icalendar.Calendar.from_ical(response.content).walk("VEVENT")
    starts = {entry.decoded("dtstart") for entry in entries}
    assert datetime(2026, 4, 24, 7, 0, tzinfo=UTC) in starts
    assert any("King" in str(entry["summary"]) for entry in entries)
    assert room.get("/v1/calendars/webxtra/desk.ics", **params).content == response.content
    assert room.get("/v1/calendars/webxtra/desk.ics").status_code == 200


def events(content: bytes) -> dict[str, tuple[Any, Any]]:
    """The start and the end of every event, by its id."""
    entries = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return {str(each["uid"]): (each.decoded("dtstart"), each.decoded("dtend")) for each in entries}


def test_an_event_is_whole_and_keeps_its_id_whatever_period_is_requested(shared_room: Room) -> None:
    def get(start: str, end: str, name: str = "haisoft/tickets") -> dict[str, tuple[Any, Any]]:
        response = shared_room.get(f"/v1/calendars/{name}.ics", **{"from": start, "to": end})
        assert response.status_code == 200, response.text
        return events(response.content)

    day = get("2026-03-06", "2026-03-06")
    assert [end - start for start, end in day.values()] == [timedelta(hours=2), timedelta(hours=3)]
    inside = get("2026-03-06T10:20:00Z", "2026-03-06T13:10:00Z")
    assert inside == day
    assert get("2026-03-06T11:00:00Z", "2026-03-06T13:00:00Z") == {}
    # Round the clock there is no opening: a day is an event, one of 23 hours among them.
    clock = get("2026-03-28T15:00:00Z", "2026-03-30T09:00:00Z", "clamehost/desk")
    assert [(end - start) / timedelta(hours=1) for start, end in clock.values()] == [24, 23, 24]
    assert clock.items() <= get("2026-03-20", "2026-04-05", "clamehost/desk").items()


def test_a_plain_date_is_a_whole_day_of_the_calendar(shared_room: Room) -> None:
    path = "/v1/calendars/haisoft/tickets/spans"
    found = conforms(
        CalendarSpans, shared_room.get(path, **{"from": "2026-03-28", "to": "2026-03-29"}).content
    )
    assert (found["start"], found["end"]) == ("2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z")
    for wrong in ("2026-02-30", "1969-12-31", "28.03.2026"):
        response = shared_room.get(path, **{"from": wrong, "to": "2026-03-29"})
        assert (response.status_code, response.json()["errors"][0]["place"]) == (422, "from")


def test_agreements_are_listed_and_shown_whole(room: Room) -> None:
    listed = conforms(AgreementList, room.get("/v1/agreements").content)["agreements"]
    assert [each["desk"] for each in listed] == ["clamehost", "haisoft", "hvn", "phpnet", "webxtra"]
    shown = conforms(AgreementDetail, room.get("/v1/agreements/phpnet").content)
    assert {"gti", "gtr"} <= {each["id"] for each in shown["commitments"]}
    assert shown["text"].startswith("#") or "desk =" in shown["text"]
    assert [version["number"] for version in shown["versions"]] == [1]


def waiting(room: Room, ticket: str, minute: int) -> dict[str, Any]:
    return room.event(
        source="webxtra",
        subject=ticket,
        time=f"2026-03-06T15:{minute:02}:00+01:00",
        data={"title": f"Question {ticket} about example.nl", "customer": f"c{ticket}", "queue": "support"},
    )


def test_a_queue_is_shown_in_its_order_and_by_pages(room: Room) -> None:
    room.sent(*(waiting(room, str(n), n) for n in range(1, 4)))
    first = conforms(QueueView, room.get("/v1/queues/webxtra/support", limit=2).content)
    assert [(each["ticket"], each["position"]) for each in first["tickets"]] == [("1", 1), ("2", 2)]
    rest = conforms(QueueView, room.get("/v1/queues/webxtra/support", cursor=first["next"]).content)
    assert ([each["position"] for each in rest["tickets"]], rest["next"], rest["length"]) == ([3], None, 3)
    assert room.get("/v1/queues/webxtra/none").status_code == 404
    assert room.get("/v1/queues/webxtra/support", cursor="x").status_code == 422


def test_a_forecast_says_what_a_further_message_costs(room: Room) -> None:
    room.sent(*(waiting(room, str(n), n) for n in range(1, 4)))
    path = "/v1/queues/webxtra/support/forecast"
    recorded = conforms(Forecast, room.get(path, ticket="1", effect="repeat_message").content)
    assert (recorded["position_now"], recorded["position_then"]) == (1, 3)
    assert "repl" in recorded["expected_reply_reason"]
    assert room.get(path, ticket="9").status_code == 404
    assert room.get(path, ticket="1", effect="prayer").status_code == 422
    assert room.get("/v1/queues/webxtra/other/forecast", ticket="1").status_code == 404


def ask(room: Room, question: object) -> Any:
    return room.client.post("/v1/deadlines", json=question, headers=room.read)


def test_a_deadline_is_computed_and_explained(room: Room) -> None:
    response = ask(room, {"calendar": "haisoft/tickets", "start": START, "within": "2h"})
    recorded = conforms(Deadline, response.content)
    assert recorded["due_at"] == "2026-03-07T09:30:00Z"
    assert recorded["explanation"]["spans"][-1]["total_seconds"] == 7200


def test_an_array_of_questions_is_answered_in_its_order(room: Room) -> None:
    inline = {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-10:00"]}}
    questions = [
        {"calendar": inline, "start": START, "within": "1h"},
        {"calendar": "always", "start": START, "within": "4h"},
        {"calendar": "webxtra/desk", "start": "2026-04-02T10:00:00+02:00", "within": "3 working days"},
        {"agreement": "phpnet", "commitment": "gti", "level": "example-1", "start": START},
    ]
    assert [each["due_at"] for each in ask(room, questions).json()] == [
        "2026-03-09T09:00:00Z",
        "2026-03-06T18:30:00Z",
        "2026-04-09T15:30:00Z",
        "2026-03-07T08:30:00Z",
    ]
    assert ask(room, []).json() == []


@pytest.mark.parametrize(
    ("question", "status", "place"),
    [
        ({"calendar": "haisoft/tickets", "within": "2h"}, 422, "/start"),
        ({"calendar": "haisoft/tickets", "start": "2026-03-06T15:30:00", "within": "2h"}, 422, "/start"),
        ({"calendar": "haisoft/tickets", "start": START, "within": "soon"}, 422, "/within"),
        ({"calendar": "haisoft/tickets", "start": START, "within": 2}, 422, "/within"),
        ({"calendar": "always", "start": START, "within": "3 working days"}, 422, "/within"),
        ({"calendar": "haisoft/night", "start": START, "within": "2h"}, 404, "/calendar"),
        ({"calendar": "nowhere/desk", "start": START, "within": "2h"}, 404, "/calendar"),
        ({"calendar": {"hours": {}}, "start": START, "within": "2h"}, 422, "/calendar/time_zone"),
        (
            {
                "calendar": {"time_zone": "UTC", "hours": {}, "years": [1, 9999]},
                "start": START,
                "within": "2h",
            },
            422,
            "/calendar/years",
        ),
        ({"calendar": {"time_zone": "UTC", "hours": {}}, "start": START, "within": "2h"}, 422, "/start"),
        ({"agreement": "nowhere", "commitment": "gti", "start": START}, 404, "/agreement"),
        ({"agreement": "phpnet", "commitment": "gtx", "start": START}, 404, "/commitment"),
        ({"agreement": "phpnet", "commitment": "gti", "start": START, "level": "gold"}, 422, "/commitment"),
        ({"start": START}, 422, ""),
        ({"calendar": "always", "within": "2h", "agreement": "phpnet", "start": START}, 422, ""),
        ({"calendar": "always", "within": "2h", "start": START, "until": START}, 422, "/until"),
        (5, 422, ""),
    ],
)
def test_a_question_that_cannot_be_answered_is_placed(
    shared_room: Room, question: Any, status: int, place: str
) -> None:
    response = ask(shared_room, question)
    assert (response.status_code, response.json()["errors"][0]["place"]) == (status, place)
    good = {"calendar": "always", "start": START, "within": "2h"}
    among = ask(shared_room, [good, question])
    assert (among.status_code, among.json()["errors"][0]["place"]) == (status, f"/1{place}")


@both_kinds
def test_signals_are_paged_in_order_and_filtered(room: Room) -> None:
    room.sent(room.event(time="2026-03-02T10:00:00+01:00"), waiting(room, "1", 1))
    first = conforms(SignalPage, room.get("/v1/signals", limit=1).content)
    rest = conforms(SignalPage, room.get("/v1/signals", after=first["next"]).content)
    kinds = [each["kind"] for each in first["signals"] + rest["signals"]]
    assert {"clock.started", "clock.breached", "queue.joined"} <= set(kinds)
    assert room.get("/v1/signals", after=rest["next"]).json() == {"signals": [], "next": rest["next"]}
    only = room.get("/v1/signals", kind="clock.breached", desk="haisoft").json()["signals"]
    assert [(each["kind"], each["at"]) for each in only] == [("clock.breached", "2026-03-02T11:00:00Z")]
    assert only[0]["clock"]["breached_at"] == "2026-03-02T11:00:00Z"
    both = room.get("/v1/signals", kind=["clock.breached", "queue.joined"]).json()["signals"]
    assert {each["kind"] for each in both} == {"clock.breached", "queue.joined"}
    assert room.get("/v1/signals", kind=KINDS).json() == room.get("/v1/signals").json()
    assert room.get("/v1/signals", after="soon").status_code == 422


def test_signals_are_found_by_period_commitment_and_subject(room: Room) -> None:
    room.sent(room.event(time="2026-03-02T10:00:00+01:00"), waiting(room, "1", 1))
    everything = room.get("/v1/signals", limit=500).json()["signals"]

    def found(**wanted: Any) -> list[str]:
        page = room.get("/v1/signals", limit=500, **wanted)
        assert page.status_code == 200, page.text
        return [each["id"] for each in page.json()["signals"]]

    def among(condition: Callable[[Any], bool]) -> list[str]:
        ids = [each["id"] for each in everything if condition(each)]
        assert 0 < len(ids) < len(everything)
        return ids

    noon = "2026-03-02T11:00:00Z"
    assert found(**{"from": noon}) == among(lambda each: each["at"] >= noon)
    assert found(to=noon) == among(lambda each: each["at"] < noon)
    which = everything[0]["commitment"]
    assert found(commitment=which) == among(lambda each: each["commitment"] == which)
    assert found(subject="1") == found(ticket="1") == among(lambda each: each["subject"] == "1")
    assert found(subject="1", ticket="2") == []
    assert found(commitment=which, subject="1", desk="haisoft", kind="clock.breached", to=noon) == []
    assert room.get("/v1/signals", to="noon").status_code == 422


@pytest.mark.parametrize("kind", ["clock.breach", "clock.*", "clock", "CLOCK.BREACHED", ""])
@pytest.mark.parametrize("path", ["/v1/signals", "/v1/stream"])
def test_an_unknown_kind_of_signal_is_refused_with_the_known_ones(
    shared_room: Room, path: str, kind: str
) -> None:
    response = shared_room.get(path, kind=["clock.warned", kind])
    (fault,) = response.json()["errors"]
    assert (response.status_code, fault["in"], fault["place"]) == (422, "query", "kind.1")
    assert fault["reason"] == f"is no kind of signal. There are: {', '.join(KINDS)}"


@both_kinds
def test_a_breach_is_listed_and_acknowledged_once(room: Room) -> None:
    room.sent(room.event(time="2026-03-02T10:00:00+01:00"))
    (breach,) = conforms(BreachPage, room.get("/v1/breaches", open=True).content)["breaches"]
    assert (breach["at"], breach["open"], breach["acknowledgement"]) == ("2026-03-02T11:00:00Z", True, None)
    path = f"/v1/breaches/{breach['id']}/acknowledgement"
    response = room.client.post(path, json={"author": "Ann", "note": "Calling"}, headers=room.push)
    seen = conforms(BreachView, response.content)
    assert seen["acknowledgement"] == {"author": "Ann", "note": "Calling", "at": "2026-03-06T14:30:00Z"}
    again = room.client.post(path, json={"author": "Bob"}, headers=room.push).json()
    assert again["acknowledgement"]["author"] == "Ann"
    assert room.client.post(path, json={"author": " "}, headers=room.push).status_code == 422
    assert (
        room.client.post(path, json={"author": "Ann"}, headers=room.key("hvn", Scope.PUSH)).status_code == 404
    )
    assert (
        room.client.post(
            path, content=b"{", headers=room.push | {"Content-Type": "application/json"}
        ).status_code
        == 400
    )


def test_a_retracted_breach_is_listed_only_when_asked_for(room: Room) -> None:
    room.sent(room.event(time="2026-03-02T10:00:00+01:00"))
    (breach,) = room.get("/v1/breaches").json()["breaches"]
    room.sent(room.event(id="late", type="agent.replied", time="2026-03-02T10:30:00+01:00", data={}))
    assert room.get("/v1/breaches").json()["breaches"] == []
    (found,) = conforms(BreachPage, room.get("/v1/breaches", retracted=True).content)["breaches"]
    assert (found["id"], found["retracted_at"] is not None) == (breach["id"], True)


@both_kinds
def test_breaches_are_filtered_by_their_instant(room: Room) -> None:
    room.sent(room.event(time="2026-03-02T10:00:00+01:00"))
    inside = {"from": "2026-03-02T11:00:00Z", "to": "2026-03-02T11:00:01Z"}
    assert len(room.get("/v1/breaches", **inside).json()["breaches"]) == 1
    assert room.get("/v1/breaches", to="2026-03-02T11:00:00Z").json()["breaches"] == []
    assert room.get("/v1/breaches", open=False).json()["breaches"] == []


def test_the_process_says_that_it_lives_and_that_it_is_ready(room: Room) -> None:
    room.sent(room.event())
    conforms(Alive, room.client.get("/healthz").content)
    ready = conforms(Ready, room.client.get("/readyz").content)
    assert ready["sweep"]["next_at"] is not None
    metrics = room.client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert re.search(r'slatimer_request_seconds_count{.*route="/v1/events".*} ', metrics.text)
    labels = 'method="POST",route="/v1/events",status="2xx"'
    assert f"slatimer_http_request_duration_seconds_count{{{labels}}}" in metrics.text
    assert "slatimer_sweep_lag_seconds 0.0" in metrics.text


def test_a_sweep_that_has_ended_is_not_ready(room: Room) -> None:
    assert room.client.portal is not None
    room.client.portal.call(room.app.state.running.sweeper.stop)
    response = room.client.get("/readyz")
    assert (response.status_code, response.json()["sweep"]["running"]) == (503, False)


@pytest.mark.parametrize("path", ["/v1/signals", "/v1/stream"])
def test_a_place_beyond_the_end_of_the_stream_is_gone_and_says_how_to_go_on(room: Room, path: str) -> None:
    room.sent(room.event())
    end = room.get("/v1/signals", latest=True).json()["next"]
    response = room.get(path, after=int(end) + 1)
    problem = response.json()
    assert (response.status_code, problem["type"]) == (410, "urn:slatimer:problem:beyond-the-end")
    assert (problem["last"], problem["errors"][0]["place"]) == (end, "after")
    assert f"after={end}" in problem["detail"]
    assert room.get("/v1/signals", after=end).json() == {"signals": [], "next": end}


def test_a_client_of_a_lost_stream_is_refused_by_its_last_event(shared_room: Room) -> None:
    headers = shared_room.read | {"Last-Event-ID": "999999"}
    response = shared_room.client.get("/v1/stream", headers=headers)
    (fault,) = response.json()["errors"]
    assert (response.status_code, fault["in"], fault["place"]) == (410, "header", "Last-Event-ID")


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/", "/metrics", "/openapi.json", "/v1/tickets", "/v1/stream", "/v1/desks"],
)
def test_head_is_answered_as_get_without_a_body(shared_room: Room, path: str) -> None:
    response = shared_room.client.head(path, headers=shared_room.read)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"]


def test_head_needs_the_same_key_and_finds_the_same_nothing_as_get(shared_room: Room) -> None:
    assert shared_room.client.head("/v1/tickets").status_code == 401
    missing = shared_room.client.head("/v1/tickets/haisoft/none", headers=shared_room.read)
    assert (missing.status_code, missing.content) == (404, b"")
    assert shared_room.client.head("/v1/events").status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/healthz", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/events", "OPTIONS, POST"),
        ("PUT", "/v1/subscriptions", "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/v1/subscriptions/sub_1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("PUT", "/session", "DELETE, GET, HEAD, OPTIONS, POST"),
        ("BREW", "/v1/hooks/haisoft/zammad", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_a_wrong_method_is_answered_with_all_that_the_path_has(
    shared_room: Room, method: str, path: str, allowed: str
) -> None:
    response = shared_room.client.request(method, path, headers=shared_room.push)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    asked = shared_room.client.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allowed, b"")


def test_options_of_an_unknown_path_is_not_found(shared_room: Room) -> None:
    assert shared_room.client.options("/v2/events").status_code == 404


def test_metrics_count_open_clocks_by_desk_and_commitment(room: Room) -> None:
    room.sent(room.event(id="late", subject="1", time="2026-03-02T10:00:00+01:00"), room.event(subject="2"))
    text = room.client.get("/metrics").text
    labels = '{commitment="ticket-response",desk="haisoft"}'
    assert f"slatimer_clocks_open{labels} 2.0" in text
    assert f"slatimer_clocks_overdue{labels} 1.0" in text
    assert f"slatimer_clocks_at_risk{labels} 0.0" in text


def test_a_clock_that_is_due_within_the_window_is_at_risk_once_the_cache_has_expired(room: Room) -> None:
    (ticket,) = room.sent(room.event())["tickets"]
    (due_at,) = (each["due_at"] for each in ticket["clocks"] if each["commitment"] == "ticket-response")
    gauge = 'slatimer_clocks_at_risk{commitment="ticket-response",desk="haisoft"}'
    room.wall.now = micros(datetime.fromisoformat(due_at)) - 3600 * SECOND
    assert f"{gauge} 0.0" in room.client.get("/metrics").text
    room.wall.move(14)
    assert f"{gauge} 0.0" in room.client.get("/metrics").text
    room.wall.move(1)
    assert f"{gauge} 1.0" in room.client.get("/metrics").text


def test_counters_exist_before_anything_is_counted_and_have_no_created_series(shared_room: Room) -> None:
    text = shared_room.client.get("/metrics").text
    assert 'slatimer_heartbeats_total{outcome="withheld"}' in text
    assert 'slatimer_deliveries_total{outcome="timeout"}' in text
    assert 'slatimer_events_total{desk="phpnet",outcome="conflict"}' in text
    assert 'slatimer_signals_total{desk="phpnet",kind="clock.lapsed"}' in text
    assert "_created" not in text
    assert re.search(r'^slatimer_build_info{.*version="[\d.]+".*} 1.0$', text, re.MULTILINE)
    assert "process_start_time_seconds" in text


def test_a_method_of_a_callers_own_makes_no_series_of_metrics(shared_room: Room) -> None:
    shared_room.client.request("BREW", "/healthz")
    text = shared_room.client.get("/metrics").text
    assert "BREW" not in text
    assert 'method="other"' in text


def test_a_filter_takes_one_value_or_a_list(shared_room: Room) -> None:
    admin = shared_room.key("haisoft", Scope.ADMIN)
    body = {"desk": "haisoft", "kinds": ["clock.breached"], "url": "https://hooks.example.com/x"}
    for given in ("AAA", ["AAA"]):
        made = shared_room.client.post(
            "/v1/subscriptions", json=body | {"filter": {"assignee": given}}, headers=admin
        )
        assert (made.status_code, made.json()["filter"]) == (201, {"assignee": ["AAA"]}), made.text


@pytest.mark.parametrize("within", ["2h", "3 days", "3 months"])
def test_a_deadline_beyond_the_years_that_exist_is_refused(shared_room: Room, within: str) -> None:
    body = {"calendar": "always", "start": "9999-12-31T23:00:00Z", "within": within}
    response = shared_room.client.post("/v1/deadlines", json=body, headers=shared_room.read)
    assert response.status_code == 422, response.text
    assert "9998" in response.json()["detail"]
