"""A ticket's clocks, now and at another instant, why they stand so, and lists of tickets."""

from typing import Any
from urllib.parse import quote

import pytest

from app.web.api.tickets.explanation import TicketExplanation
from app.web.api.tickets.ticket_list import TicketPage
from app.web.api.tickets.ticket_view import TicketView
from tests.servers.databases import both_kinds
from tests.web.room import FRIDAY, Room, conforms

TICKET = "/v1/tickets/haisoft/4711"


def clock_of(view: Any, commitment: str = "ticket-response") -> Any:
    return next(clock for clock in view["clocks"] if clock["commitment"] == commitment)


def reply(room: Room, time: str, **given: Any) -> dict[str, Any]:
    return room.event(type="agent.replied", time=time, data={"author": "agent"}, **given)


def test_a_ticket_is_shown_with_every_field_of_the_contract(room: Room) -> None:
    room.sent(room.event())
    view = conforms(TicketView, room.get(TICKET).content)
    assert (view["desk"], view["ticket"], view["customer"]) == ("haisoft", "4711", "ACME")
    assert clock_of(view)["calendar_local_due"] == "2026-03-07T10:30:00+01:00"
    assert clock_of(view)["remaining_seconds"] == 7200


def test_at_asks_how_it_stands_then_ahead_of_now_too(room: Room) -> None:
    room.sent(room.event())
    assert clock_of(room.get(TICKET, at="2026-03-06T16:00:00+01:00").json())["counted_seconds"] == 1800
    late = clock_of(room.get(TICKET, at="2026-03-07T09:30:01Z").json())
    assert (late["state"], late["breached_at"], late["detected_at"]) == (
        "running",
        "2026-03-07T09:30:00Z",
        None,
    )
    assert room.get(TICKET, at="2026-03-06T15:29:59+01:00").status_code == 404


def test_as_of_asks_what_was_known_then(room: Room) -> None:
    room.sent(room.event(time="2026-03-02T10:00:00+01:00"))
    before = room.get(TICKET, as_of="2026-03-06T14:29:59Z")
    assert (before.status_code, before.json()["type"]) == (404, "urn:slatimer:problem:nothing-known")
    assert clock_of(room.get(TICKET, at="2026-03-02T10:30:00+01:00").json())["counted_seconds"] == 1800


def test_a_late_reply_retracts_a_breach_and_as_of_before_still_shows_it(room: Room) -> None:
    room.sent(room.event(time="2026-03-02T10:00:00+01:00"))
    assert clock_of(room.get(TICKET).json())["breached_at"] == "2026-03-02T11:00:00Z"
    known_then = "2026-03-06T14:30:00Z"
    room.wall.move(60)
    room.sent(reply(room, "2026-03-02T10:30:00+01:00"))
    assert clock_of(room.get(TICKET).json())["breached_at"] is None
    assert clock_of(room.get(TICKET, as_of=known_then).json())["breached_at"] == "2026-03-02T11:00:00Z"


@pytest.mark.parametrize(
    ("query", "place", "reason"),
    [
        ("at=2026-03-06T15:30:00", "at", "no offset"),
        ("at=tomorrow", "at", "not an instant"),
        ("at=2026-03-06", "at", "not an instant"),
        ("at=1772807400", "at", "not an instant"),
        (
            "at=2026-02-30T15:30:00Z",
            "at",
            "has a date, a time or an offset that does not exist. Write it as 2",
        ),
        ("at=2026-03-06T15:30:00%2B99:00", "at", "or an offset that does not exist. Write it as 2026-"),
        ("at=2066-03-06T15:30:00Z", "at", "days ahead"),
        ("as_of=2026-03-06T14:30:01Z", "as_of", "after now"),
        ("as_of=", "as_of", "not an instant"),
        ("when=2026-03-06T14:30:01Z", "when", "not known"),
    ],
)
def test_a_faulty_parameter_is_named_with_what_would_be_right(
    shared_room: Room, query: str, place: str, reason: str
) -> None:
    shared_room.sent(shared_room.event(id="one"))
    response = shared_room.client.get(f"{TICKET}?{query}", headers=shared_room.read)
    assert response.status_code == 422
    (fault,) = response.json()["errors"]
    assert (fault["in"], fault["place"]) == ("query", place)
    assert reason in fault["reason"]


def test_a_plus_that_arrived_as_a_space_is_taken_for_what_it_was(room: Room) -> None:
    room.sent(room.event())
    response = room.client.get(f"{TICKET}?at=2026-03-06T16:00:00+01:00", headers=room.read)
    assert response.json()["at"] == "2026-03-06T15:00:00Z"


def test_an_explanation_adds_up_to_the_target(room: Room) -> None:
    room.sent(room.event())
    content = room.get(f"{TICKET}/explanation", commitment="ticket-response").content
    recorded = conforms(TicketExplanation, content)
    assert recorded["spans"][-1]["total_seconds"] == recorded["target_seconds"] == 7200
    assert [span["kind"] for span in recorded["spans"]].count("counted") >= 2
    assert recorded["spans"][0]["start_local"] == "2026-03-06T15:30:00+01:00"


def test_without_a_commitment_the_clock_that_is_due_next_is_explained(room: Room) -> None:
    room.sent(room.event())
    recorded = room.get(f"{TICKET}/explanation").json()
    assert (recorded["clock"]["commitment"], recorded["clock"]["due_at"]) == (
        "ticket-response",
        recorded["due_at"],
    )


def test_an_unknown_commitment_or_cycle_has_no_explanation(room: Room) -> None:
    room.sent(room.event())
    path = f"{TICKET}/explanation"
    assert room.get(path, commitment="gtr").status_code == 404
    assert room.get(path, commitment="ticket-response", cycle=2).status_code == 404
    assert room.get(path, commitment="ticket-response", cycle=0).status_code == 422


def test_pages_hold_every_ticket_once_next_due_first(room: Room) -> None:
    times = [f"2026-03-06T15:{minute:02}:00+01:00" for minute in (5, 1, 3, 2, 4)]
    room.sent(*(room.event(subject=f"t{n}", time=time) for n, time in enumerate(times)))
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = conforms(TicketPage, room.get("/v1/tickets", **params).content)
        seen += [ticket["ticket"] for ticket in page["tickets"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert seen == ["t1", "t3", "t2", "t4", "t0"]


@both_kinds
def test_a_list_is_filtered_by_fields_and_by_clocks(room: Room) -> None:
    room.sent(
        room.event(subject="a", data={"customer": "ACME", "assignee": "ann"}),
        room.event(subject="b", data={"customer": "BOLT"}),
        room.event(subject="c", time="2026-03-02T10:00:00+01:00", data={"customer": "ACME"}),
    )

    def found(**params: Any) -> list[str]:
        return sorted(each["ticket"] for each in room.get("/v1/tickets", **params).json()["tickets"])

    assert found(customer="ACME") == ["a", "c"]
    assert found(customer="ACME", assignee="ann") == ["a"]
    assert found(breached=True) == ["c"]
    assert found(breached=False) == ["a", "b"]
    assert found(state="running", desk="haisoft") == ["a", "b", "c"]
    assert found(state="stopped") == []
    assert found(commitment="ticket-response", kind="guarantee") == ["a", "b", "c"]
    assert found(due_before="2026-03-06T00:00:00+01:00") == ["c"]


@pytest.mark.parametrize(
    "params",
    [
        {"cursor": "x"},
        {"limit": 0},
        {"limit": "many"},
        {"state": "late"},
        {"breached": "perhaps"},
        {"desks": "a"},
    ],
)
def test_a_faulty_filter_is_refused(shared_room: Room, params: dict[str, Any]) -> None:
    assert shared_room.get("/v1/tickets", **params).status_code == 422


def test_an_unknown_ticket_of_a_known_desk_is_not_found(shared_room: Room) -> None:
    response = shared_room.get("/v1/tickets/haisoft/never")
    assert (response.status_code, response.json()["instance"]) == (404, "/v1/tickets/haisoft/never")


def test_a_ticket_id_with_odd_characters_is_found_again(room: Room) -> None:
    room.sent(room.event(subject="Äpfel & Söhne #7?"))
    assert room.get("/v1/tickets/haisoft/%C3%84pfel%20%26%20S%C3%B6hne%20%237%3F").status_code == 200
    assert room.wall.now == FRIDAY


@pytest.mark.parametrize("ticket", ["R/1", "2026/03/4711", "a b", "ä?#"])
def test_a_ticket_is_found_under_its_id_whatever_characters_it_holds(room: Room, ticket: str) -> None:
    room.sent(room.event(subject=ticket))
    at = f"/v1/tickets/haisoft/{quote(ticket, safe='')}"
    assert room.get(at).json()["ticket"] == ticket
    assert room.get(f"{at}/explanation").json()["clock"]["commitment"] == "ticket-response"
    assert room.get(f"{at}/events").json()["events"][0]["type"] == "ticket.created"


def test_of_many_cycles_the_latest_are_shown_and_the_others_paged(room: Room) -> None:
    alerts = [
        room.event(
            type=kind, time=f"2026-03-06T{8 + n // 30:02}:{2 * (n % 30) + late:02}:00+01:00", data=data
        )
        for n in range(60)
        for late, kind, data in ((0, "anomaly.detected", {}), (1, "intervention.started", {}))
    ]
    room.sent(room.event(time="2026-03-06T07:00:00+01:00"), *alerts)

    def cycles(**params: Any) -> tuple[list[int], int | None]:
        view = conforms(TicketView, room.get(TICKET, **params).content)
        shown = [
            clock["cycle"] for clock in view["clocks"] if clock["commitment"] == "monitoring-intervention"
        ]
        return shown, view["earlier_cycles"].get("monitoring-intervention")

    assert cycles() == (list(range(11, 61)), 10)
    assert cycles(cycles_before=11) == (list(range(1, 11)), None)


@pytest.mark.parametrize("ticket", ["a/events", "a/explanation", "a/b/events"])
def test_a_ticket_whose_id_ends_like_a_route_is_not_taken_for_another(room: Room, ticket: str) -> None:
    room.sent(room.event(subject=ticket), room.event(id="other", subject="a"))
    here = f"/v1/tickets/haisoft/{quote(ticket, safe='')}"
    assert room.get(here).json()["ticket"] == ticket
    assert room.get(f"{here}/events").json()["ticket"] == ticket
    assert room.get(f"{here}/explanation").status_code == 200
    assert room.get("/v1/tickets/haisoft/a/events").json()["ticket"] == "a"
