"""Snapshots of a ticket in any order, however often, on the real store: the same clocks, the same ticket."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flow.query.tickets import NothingKnownYet
from app.intake.adapter import Adapter
from app.intake.mapping.events import happened
from app.intake.mapping.reading import Reading
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source
from app.intake.request import InboundRequest
from app.sla.event import Event, EventType
from app.sla.span import MINUTE, Micros
from tests.intake.desk import Desk, desk_of
from tests.intake.desk import after as received

BORN = 1_772_442_000_000_000
AT = BORN + 300 * MINUTE
TICKET = "4711"
RULES = [
    {"when": {"tag": "started"}, "then": "intervention.started"},
    {"when": {"tag": "vip"}, "then": ["progress.reported", "part.replaced"]},
    {"when": {"status": "In Work"}, "then": "call.registered"},
    {"when": {"field": "step", "value": "restored"}, "then": "service.restored"},
]

_ALWAYS = {"kind": "guarantee", "calendar": "always", "pauses_while": ["pending", "on_hold"]}
AGREEMENT: dict[str, Any] = {
    "desk": "d",
    "levels": {"a": {"gti": "20m"}, "b": {"gti": "2h"}},
    "commitments": [
        _ALWAYS
        | {
            "id": "response",
            "label": "Response",
            "measure": "response",
            "starts_on": ["ticket.created"],
            "stops_on": ["agent.replied"],
            "target": {"by": "priority", "high": "15m", "else": "1h"},
            "warn_at": ["75%"],
            "on_change": "reset",
        },
        _ALWAYS
        | {
            "id": "next",
            "label": "Next reply",
            "measure": "next_reply",
            "starts_on": ["customer.replied"],
            "stops_on": ["agent.replied"],
            "cycle": "next_reply",
            "target": "30m",
        },
        _ALWAYS
        | {
            "id": "gti",
            "label": "Intervention",
            "measure": "gti",
            "applies_to": {"kind": ["incident"]},
            "starts_on": ["ticket.created", "call.registered"],
            "stops_on": ["intervention.started"],
            "target": "level:gti",
            "on_change": "from_start",
        },
        _ALWAYS
        | {
            "id": "gtr",
            "label": "Restored",
            "measure": "gtr",
            "starts_on": ["ticket.created"],
            "stops_on": ["service.restored", "status:solved", "status:closed"],
            "on_reopen": "resume",
            "target": "40m",
            "warn_at": ["50%"],
        },
        _ALWAYS
        | {
            "id": "progress",
            "label": "Progress",
            "measure": "progress",
            "starts_on": ["intervention.started"],
            "stops_on": ["progress.reported"],
            "ends_on": ["service.restored", "status:solved"],
            "cycle": "progress",
            "target": "25m",
        },
    ],
}


def snapshot(minute: int, *, created: bool = True, **state: Any) -> Snapshot:
    """The ticket as it was at this minute of its life."""
    word, held = state.pop("status_word", None), state.pop("step", None)
    looked_at = None if held is None else {"step": [held]}
    at = BORN + minute * MINUTE
    born = BORN if created else None
    return Snapshot.of("zammad", TICKET, at, born, state, status_word=word, looked_at=looked_at)


_SENT: list[Snapshot | Event] = []
"""What requests hold: the body of each is a place in this list."""


def _read(request: InboundRequest, _: Source) -> Reading:
    one = _SENT[int(request.body)]
    return Reading((one,)) if isinstance(one, Event) else Reading(snapshots=(one,))


ADAPTER = Adapter("zammad", "Snapshots as they are", ("hub-sha1",), _read)


def request(one: Snapshot | Event) -> InboundRequest:
    """A request that holds a snapshot or an event."""
    _SENT.append(one)
    return InboundRequest({}, str(len(_SENT) - 1).encode(), AT)


def facts(desk: Desk) -> list[tuple[str, Micros, dict[str, Any]]]:
    """What stands: type, microseconds since the creation, data."""
    return [(kind, at - BORN, data) for kind, _, at, data in desk.facts]


class View(NamedTuple):
    """All that can be seen of a ticket."""

    fields: dict[str, Any]
    status: str
    created_at: Micros | None
    clocks: tuple[Any, ...]
    flags: tuple[str, ...]
    not_applicable: tuple[Any, ...]


def view(desk: Desk, at: Micros = AT) -> View:
    """The ticket at an instant, but for the ids of its events."""
    seen = desk.evaluation(TICKET, at)
    clocks = tuple(clock._replace(cause=None) for clock in seen.clocks)
    ticket = seen.ticket
    return View(
        dict(ticket.fields),
        ticket.status,
        ticket.created_at,
        clocks,
        tuple(seen.flags),
        tuple(seen.not_applicable),
    )


def after(*taken: Snapshot | Event, batch: int = 1) -> Desk:
    """The desk after these came, in this order, interpreted in transactions of so many."""
    desk = desk_of(ADAPTER, rules=RULES)
    desk.agreement = AGREEMENT
    return received(desk, map(request, taken), batch)


FIRST = snapshot(0, status="open", priority="normal", title="Down", tags=["web"], assignee=None)
SECOND = snapshot(5, status="open", priority="high", title="Down", tags=["web"], assignee="marco")
THIRD = snapshot(
    9, status="pending", priority="high", title="Down", tags=["started", "web"], assignee="marco"
)


def test_the_first_snapshot_is_the_creation_with_all_that_it_says() -> None:
    assert facts(after(FIRST)) == [
        (
            "ticket.created",
            0,
            {"title": "Down", "priority": "normal", "status": "open", "tags": ["web"]},
        )
    ]


def test_the_next_snapshot_tells_only_what_differs() -> None:
    recorded = after(FIRST, SECOND, THIRD)
    assert facts(recorded)[1:] == [
        ("ticket.updated", 5 * MINUTE, {"priority": "high", "assignee": "marco"}),
        ("intervention.started", 9 * MINUTE, {"reference": "tag started"}),
        ("status.changed", 9 * MINUTE, {"status": "pending"}),
        ("ticket.updated", 9 * MINUTE, {"tags": ["started", "web"]}),
    ]


def test_a_ticket_first_seen_in_the_middle_of_its_life_was_not_created_pending() -> None:
    assert facts(after(THIRD)) == [
        (
            "ticket.created",
            0,
            {"title": "Down", "priority": "high", "tags": ["started", "web"], "assignee": "marco"},
        ),
        ("intervention.started", 9 * MINUTE, {"reference": "tag started"}),
        ("status.changed", 9 * MINUTE, {"status": "pending"}),
    ]


def test_a_snapshot_that_names_no_creation_is_it_itself() -> None:
    recorded = after(snapshot(7, created=False, status="open", title="Down"))
    assert facts(recorded) == [("ticket.created", 7 * MINUTE, {"title": "Down", "status": "open"})]


def test_a_repeated_snapshot_tells_nothing() -> None:
    recorded = after(FIRST, SECOND, THIRD)
    before = dict(recorded.log)
    for one in (FIRST, SECOND, THIRD):
        recorded.receive(request(one))
    assert recorded.log == before


def test_an_earlier_snapshot_that_comes_late_takes_the_creation_back() -> None:
    recorded = after(THIRD, FIRST)
    assert [kind for kind, _, _ in facts(recorded)].count("ticket.created") == 1
    assert view(recorded) == view(after(FIRST, THIRD))
    assert view(recorded).flags == ()


def test_a_ticket_is_unknown_before_its_creation_though_a_withdrawn_one_was_earlier() -> None:
    first = snapshot(2, created=False, status="open")
    late = after(snapshot(5, status="open"), first)
    assert facts(late)[0][:2] == ("ticket.created", 2 * MINUTE)
    assert known_by(late, BORN) is None
    assert known_by(late, BORN) == known_by(after(first, snapshot(5, status="open")), BORN)


def test_what_a_rule_saw_too_late_is_taken_back() -> None:
    earlier = snapshot(7, status="open", priority="high", tags=["started", "web"])
    recorded = after(FIRST, THIRD, earlier)
    started = [at for kind, at, _ in facts(recorded) if kind == "intervention.started"]
    assert started == [7 * MINUTE]


def test_a_tag_taken_away_and_given_again_between_two_snapshots_counts_twice() -> None:
    gone = snapshot(11, status="open", tags=["web"])
    again = snapshot(13, status="open", tags=["started", "web"])
    recorded = after(FIRST, THIRD, again)
    assert [at for kind, at, _ in facts(recorded) if kind == "intervention.started"] == [9 * MINUTE]
    recorded.receive(request(gone))
    assert [at for kind, at, _ in facts(recorded) if kind == "intervention.started"] == [
        9 * MINUTE,
        13 * MINUTE,
    ]


def test_a_snapshot_that_says_pending_holds_against_a_message_that_would_end_it() -> None:
    reply = happened("zammad", TICKET, EventType.CUSTOMER_REPLIED, BORN + 10 * MINUTE, "article:1")
    still = snapshot(11, status="pending", priority="high", title="Down", tags=["started", "web"])
    assert view(after(FIRST, THIRD, reply)).status == "open"
    assert view(after(FIRST, THIRD, reply, still)).status == "pending"


def test_an_unknown_status_leaves_the_clocks_as_they_are() -> None:
    unknown = snapshot(11, priority="high", title="Down", tags=["started", "web"], assignee="marco")
    assert view(after(FIRST, SECOND, THIRD, unknown)) == view(after(FIRST, SECOND, THIRD))


def test_a_mended_mapping_gives_what_an_immediate_success_would_have_given() -> None:
    unknown = replace(
        THIRD, state={k: v for k, v in THIRD.state.items() if k != "status"}, digest="0000000000-0123456789"
    )
    later = snapshot(
        30, status="open", priority="high", title="Down", tags=["started", "web"], assignee="marco"
    )
    at_once = view(after(FIRST, SECOND, THIRD, later))
    assert view(after(FIRST, SECOND, unknown, later, THIRD)) == at_once
    assert view(after(FIRST, SECOND, unknown, THIRD, later)) == at_once


def test_snapshots_of_one_instant_stand_in_the_order_that_the_system_counts() -> None:
    counted = [
        Snapshot.of("zammad", TICKET, BORN, BORN, {"status": status}, rank=rank)
        for rank, status in enumerate(["open", "pending", "open", "solved"])
    ]
    assert view(after(*reversed(counted))).status == "solved"


def test_no_two_snapshots_of_other_content_have_one_place() -> None:
    places = {
        snapshot(5, priority=priority, tags=tags).place for priority in "ab" for tags in (["x"], ["y"], [])
    }
    assert len(places) == 6


@pytest.mark.parametrize("field", ["title", "assignee", "tags", "priority", "queue", "customer", "group"])
def test_a_field_that_is_emptied_is_told_as_empty(field: str) -> None:
    before, now = (
        Snapshot.of("zammad", TICKET, BORN + minute * MINUTE, BORN, {"status": "open", field: value})
        for minute, value in ((0, "x"), (5, None))
    )
    assert facts(after(before, now))[1:] == [("ticket.updated", 5 * MINUTE, {field: None})]


STATES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["open", "pending", "on_hold", "solved", "closed", "open", "pending"]),
        "priority": st.sampled_from(["normal", "high", None]),
        "kind": st.sampled_from(["incident", "question"]),
        "level": st.sampled_from(["a", "b"]),
        "assignee": st.sampled_from(["marco", None]),
        "tags": st.lists(st.sampled_from(["started", "vip", "web"]), unique=True).map(sorted),
        "status_word": st.sampled_from(["In Work", "Waiting"]),
        "step": st.sampled_from(["restored", "begun"]),
    },
)
SNAPSHOTS = st.builds(
    lambda minute, created, state: snapshot(minute, created=created, **state),
    st.integers(0, 60),
    st.booleans(),
    STATES,
)
MESSAGES = st.builds(
    lambda minute, kind, number: happened(
        "zammad", TICKET, kind, BORN + minute * MINUTE, f"article:{number}:{minute}"
    ),
    st.integers(0, 60),
    st.sampled_from([EventType.CUSTOMER_REPLIED, EventType.AGENT_REPLIED]),
    st.integers(0, 1),
)


@st.composite
def two_orders(draw: st.DrawFn) -> tuple[list[Snapshot | Event], list[Snapshot | Event]]:
    """The same snapshots and messages in two orders, the second with repetitions."""
    taken: list[Snapshot | Event] = [
        *draw(st.lists(SNAPSHOTS, min_size=1, max_size=7)),
        *draw(st.lists(MESSAGES, max_size=4)),
    ]
    taken = list({(one.id if isinstance(one, Event) else one.place): one for one in taken}.values())
    again = draw(st.lists(st.sampled_from(taken), max_size=4))
    return draw(st.permutations(taken)), draw(st.permutations([*taken, *again]))


@settings(max_examples=40)
@given(two_orders(), st.integers(0, 120), st.integers(1, 4))
def test_any_order_and_any_repetition_of_snapshots_gives_the_same_ticket(
    orders: tuple[list[Snapshot | Event], list[Snapshot | Event]], minute: int, batch: int
) -> None:
    one, other = after(*orders[0]), after(*orders[1], batch=batch)
    at = BORN + minute * MINUTE
    assert one.facts == other.facts
    assert view(one) == view(other)
    assert known_by(one, at) == known_by(other, at)


def known_by(desk: Desk, at: Micros) -> View | None:
    """The ticket at an instant; None when nothing had happened by then."""
    try:
        return view(desk, at)
    except NothingKnownYet:
        return None
