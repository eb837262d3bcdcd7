"""Snapshots of a ticket in any order, however often: the same clocks, the same ticket."""

from bisect import insort
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.mapping.events import happened
from app.intake.mapping.rule import Marker, Rule
from app.intake.mapping.snapshot import Snapshot, changes
from app.intake.mapping.source import Source
from app.sla.agreement.file import parse_agreement
from app.sla.clock.evaluation import NothingKnown, Version, evaluate
from app.sla.event import Event, EventType
from app.sla.span import MINUTE, Micros

BORN = 1_772_442_000_000_000
AT = BORN + 300 * MINUTE
RULES = (
    Rule(Marker.TAG, "started", ("intervention.started",)),
    Rule(Marker.TAG, "vip", ("progress.reported", "part.replaced")),
    Rule(Marker.STATUS, "In Work", ("call.registered",)),
    Rule(Marker.FIELD, "step", ("service.restored",), "restored"),
)
SOURCE = Source("d", "zammad", rules=RULES)

_ALWAYS = {"kind": "guarantee", "calendar": "always", "pauses_while": ["pending", "on_hold"]}
AGREEMENT = parse_agreement(
    {
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
    },
    calendars={},
)
VERSIONS = [Version(1, AGREEMENT, 0)]


def snapshot(minute: int, *, created: bool = True, **state: Any) -> Snapshot:
    """The ticket as it was at this minute of its life."""
    word, held = state.pop("status_word", None), state.pop("step", None)
    looked_at = None if held is None else {"step": [held]}
    at = BORN + minute * MINUTE
    born = BORN if created else None
    return Snapshot.of("zammad", "4711", at, born, state, status_word=word, looked_at=looked_at)


class RecordedSignal:
    """What snapshots and messages have told so far."""

    def __init__(self) -> None:
        self.known: list[Snapshot] = []
        self.log: dict[str, Event] = {}

    def take(self, one: Snapshot | Event) -> None:
        """Take a snapshot or a fact, the first time that it comes."""
        if isinstance(one, Event):
            self._add(one)
            return
        places = [known.place for known in self.known]
        if one.place in places:
            index = places.index(one.place)
            assert changes(self.known[index], one, None, SOURCE) == ()
            return
        insort(self.known, one, key=lambda known: known.place)
        index = self.known.index(one)
        before = self.known[index - 1] if index else None
        after = self.known[index + 1] if index + 1 < len(self.known) else None
        for event in changes(before, one, after, SOURCE):
            self._add(event)

    def _add(self, event: Event) -> None:
        assert self.log.setdefault(event.id, event) == event

    @property
    def facts(self) -> list[tuple[str, Micros, dict[str, Any]]]:
        """What stands, withdrawn events and withdrawals left out."""
        gone = {event.data["id"] for event in self.log.values() if event.type == "event.withdrawn"}
        return sorted(
            (
                (e.type, e.at - BORN, dict(e.data))
                for e in self.log.values()
                if e.type != "event.withdrawn" and e.id not in gone
            ),
            key=lambda fact: (fact[1], fact[0], str(fact[2])),
        )


class View(NamedTuple):
    """All that can be seen of a ticket."""

    fields: dict[str, Any]
    status: str
    created_at: Micros | None
    clocks: tuple[Any, ...]
    flags: tuple[str, ...]
    not_applicable: tuple[Any, ...]


def view(recorded: RecordedSignal, at: Micros = AT) -> View:
    """The ticket at an instant, but for the ids of its events."""
    seen = evaluate(list(recorded.log.values()), VERSIONS, at)
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


def after(*taken: Snapshot | Event) -> RecordedSignal:
    """What is told after these came, in this order."""
    recorded = RecordedSignal()
    for one in taken:
        recorded.take(one)
    return recorded


FIRST = snapshot(0, status="open", priority="normal", title="Down", tags=["web"], assignee=None)
SECOND = snapshot(5, status="open", priority="high", title="Down", tags=["web"], assignee="marco")
THIRD = snapshot(
    9, status="pending", priority="high", title="Down", tags=["started", "web"], assignee="marco"
)


def test_the_first_snapshot_is_the_creation_with_all_that_it_says() -> None:
    assert after(FIRST).facts == [
        (
            "ticket.created",
            0,
            {"title": "Down", "priority": "normal", "status": "open", "tags": ["web"]},
        )
    ]


def test_the_next_snapshot_tells_only_what_differs() -> None:
    recorded = after(FIRST, SECOND, THIRD)
    assert recorded.facts[1:] == [
        ("ticket.updated", 5 * MINUTE, {"priority": "high", "assignee": "marco"}),
        ("intervention.started", 9 * MINUTE, {"reference": "tag started"}),
        ("status.changed", 9 * MINUTE, {"status": "pending"}),
        ("ticket.updated", 9 * MINUTE, {"tags": ["started", "web"]}),
    ]


def test_a_ticket_first_seen_in_the_middle_of_its_life_was_not_created_pending() -> None:
    assert after(THIRD).facts == [
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
    assert recorded.facts == [("ticket.created", 7 * MINUTE, {"title": "Down", "status": "open"})]


def test_a_repeated_snapshot_tells_nothing() -> None:
    recorded = after(FIRST, SECOND, THIRD)
    before = dict(recorded.log)
    for one in (FIRST, SECOND, THIRD):
        recorded.take(one)
    assert recorded.log == before


def test_an_earlier_snapshot_that_comes_late_takes_the_creation_back() -> None:
    recorded = after(THIRD, FIRST)
    assert [kind for kind, _, _ in recorded.facts].count("ticket.created") == 1
    assert view(recorded) == view(after(FIRST, THIRD))
    assert view(recorded).flags == ()


def test_what_a_rule_saw_too_late_is_taken_back() -> None:
    earlier = snapshot(7, status="open", priority="high", tags=["started", "web"])
    recorded = after(FIRST, THIRD, earlier)
    started = [at for kind, at, _ in recorded.facts if kind == "intervention.started"]
    assert started == [7 * MINUTE]


def test_a_tag_taken_away_and_given_again_between_two_snapshots_counts_twice() -> None:
    gone = snapshot(11, status="open", tags=["web"])
    again = snapshot(13, status="open", tags=["started", "web"])
    recorded = after(FIRST, THIRD, again)
    assert [at for kind, at, _ in recorded.facts if kind == "intervention.started"] == [9 * MINUTE]
    recorded.take(gone)
    assert [at for kind, at, _ in recorded.facts if kind == "intervention.started"] == [
        9 * MINUTE,
        13 * MINUTE,
    ]


def test_a_snapshot_that_says_pending_holds_against_a_message_that_would_end_it() -> None:
    reply = happened("zammad", "4711", EventType.CUSTOMER_REPLIED, BORN + 10 * MINUTE, "article:1")
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
        Snapshot.of("zammad", "4711", BORN, BORN, {"status": status}, rank=rank)
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
        Snapshot.of("zammad", "4711", BORN + minute * MINUTE, BORN, {"status": "open", field: value})
        for minute, value in ((0, "x"), (5, None))
    )
    assert after(before, now).facts[1:] == [("ticket.updated", 5 * MINUTE, {field: None})]


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
        "zammad", "4711", kind, BORN + minute * MINUTE, f"article:{number}:{minute}"
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


@given(two_orders(), st.integers(0, 120))
def test_any_order_and_any_repetition_of_snapshots_gives_the_same_ticket(
    orders: tuple[list[Snapshot | Event], list[Snapshot | Event]], minute: int
) -> None:
    one, other = (after(*order) for order in orders)
    at = BORN + minute * MINUTE
    assert one.facts == other.facts
    assert view(one) == view(other)
    assert known_by(one, at) == known_by(other, at)


def known_by(recorded: RecordedSignal, at: Micros) -> View | None:
    """The ticket at an instant; None when nothing had happened by then."""
    try:
        return view(recorded, at)
    except NothingKnown:
        return None
