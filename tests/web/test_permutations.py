"""Whatever the order in which a ticket's events arrive, and however often: over HTTP the views are the same."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.room import Room

AT = "2026-03-06T15:30:00+01:00"
_names = itertools.count()

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("customer.replied", {"author": "customer"}),
    ("customer.replied", {"author": "customer", "automatic": True}),
    ("agent.replied", {"author": "agent"}),
    ("note.added", {"author": "agent"}),
    ("call.registered", {"author": "agent"}),
    ("intervention.started", {"author": "agent"}),
    ("progress.reported", {"author": "agent"}),
    ("service.restored", {}),
    ("ticket.updated", {"priority": "urgent", "level": "example-2"}),
    ("ticket.updated", {"category": "hardware"}),
    ("event.withdrawn", {"id": "2", "author": "Ann", "reason": "a mistake"}),
    (
        "exclusion.granted",
        {
            "from": "2026-03-05T10:00:00+01:00",
            "to": "2026-03-05T12:00:00+01:00",
            "author": "Ann",
            "reason": "flood",
        },
    ),
    *[
        ("status.changed", {"status": status})
        for status in ("open", "pending", "on_hold", "solved", "closed")
    ],
]


@st.composite
def stories(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """A desk and a ticket's events, several of them at the same instant."""
    desk = draw(st.sampled_from(["haisoft", "webxtra", "phpnet", "clamehost", "hvn"]))
    created = {
        "customer": "ACME",
        "title": "Server",
        "kind": "intervention",
        "category": "software",
        "level": "example-1",
    }
    chosen = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=7))
    events = [("ticket.created", created), *chosen]
    return desk, [
        {
            "specversion": "1.0",
            "id": str(number),
            "source": desk,
            "type": kind,
            "time": f"2026-03-0{draw(st.integers(4, 6))}T{draw(st.sampled_from(['09:59', '10:00', '14:30']))}:00+01:00",
            "sequence": draw(st.integers(0, 2)),
            "data": data,
        }
        for number, (kind, data) in enumerate(events)
    ]


@given(story=stories(), data=st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_any_order_and_any_repetition_of_the_events_gives_the_same_view(
    shared_room: Room, story: tuple[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    desk, events = story
    shuffled = data.draw(
        st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=4))])
    )
    parts = data.draw(st.integers(1, len(shuffled)))
    views = [pushed_and_read(shared_room, desk, [events], "first")]
    views.append(pushed_and_read(shared_room, desk, list(split(shuffled, parts)), "second"))
    assert views[0] == views[1]


def split(events: list[dict[str, Any]], parts: int) -> Iterator[list[dict[str, Any]]]:
    size = -(-len(events) // parts)
    for start in range(0, len(events), size):
        yield events[start : start + size]


def pushed_and_read(room: Room, desk: str, pushes: list[list[dict[str, Any]]], which: str) -> Any:
    """The ticket's view at one instant, without its name and without when things became known."""
    name = f"{which}-{next(_names)}"
    for push in pushes:
        # Ids belong to a desk, so each ticket's are its own; a withdrawal names one of them.
        named = [
            event
            | {"id": f"{name}.{event['id']}", "subject": name}
            | {"data": renamed(event["data"], name) | {"customer": name}}
            for event in push
        ]
        room.sent(*named)
    view = json.loads(room.get(f"/v1/tickets/{desk}/{name}", at=AT).text.replace(name, "…"))
    queue = view["queue"] and {key: view["queue"][key] for key in ("name", "joined_at", "moves")}
    clocks = [clock | {"detected_at": None} for clock in view["clocks"]]
    return view | {"as_of": "…", "queue": queue, "clocks": clocks}


def renamed(data: dict[str, Any], name: str) -> dict[str, Any]:
    return data | {"id": f"{name}.{data['id']}"} if "id" in data else data


@pytest.mark.parametrize("late", [False, True])
def test_a_reply_that_arrives_before_its_ticket_finds_it_all_the_same(room: Room, late: bool) -> None:
    reply = room.event(type="agent.replied", data={"author": "agent"})
    created = room.event(time="2026-03-06T15:00:00+01:00")
    for event in (created, reply) if late else (reply, created):
        room.sent(event)
    (clock,) = room.get("/v1/tickets/haisoft/4711").json()["clocks"]
    assert (clock["state"], clock["met"]) == ("stopped", True)
