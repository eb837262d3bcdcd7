"""Laws of queues, on small domains where everything meets everything."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sla.agreement.agreement import MessageEffect, QueueRules
from app.sla.event import Event, in_order
from app.sla.queue.duplicate import group_of
from app.sla.queue.position import Key, QueueOrder
from app.sla.queue.signals import RecordedQueueSignal, queue_signals, queue_transitions
from app.sla.queue.waiting import WaitInterval, moves, wait_intervals
from app.sla.ticket import Ticket
from tests.sla.waiting_room import WEBXTRA

END = 1_000
LOGS = Mapping[str, Sequence[Event]]

effects = st.sampled_from(MessageEffect)
rule_sets = st.builds(
    replace,
    st.just(WEBXTRA),
    repeat_message=effects,
    duplicate=effects,
    domain_reply=effects,
    domain_required=st.booleans(),
    duplicates_max=st.sampled_from([1, 2, 10]),
)

fields = st.fixed_dictionaries(
    {"customer": st.sampled_from(["x", "y", ""]), "title": st.sampled_from(["one", "Re: ONE", "two", ""])},
    optional={
        "plan": st.sampled_from(["managed", "basic"]),
        "domain": st.sampled_from(["a.nl", "b.nl", None]),
        "queue": st.sampled_from(["q1", "q2"]),
    },
)
statuses = st.sampled_from(["new", "open", "pending", "on_hold", "solved", "closed"])
messages = st.fixed_dictionaries(
    {}, optional={"automatic": st.booleans(), "text": st.sampled_from(["a.nl", "hello"])}
)
facts = st.one_of(
    st.tuples(st.just("customer.replied"), messages),
    st.tuples(st.just("agent.replied"), messages),
    st.tuples(st.just("status.changed"), st.fixed_dictionaries({"status": statuses})),
    st.tuples(st.just("ticket.updated"), fields),
    st.tuples(st.just("note.added"), st.just({})),
    st.tuples(st.just("ticket.merged"), st.just({"into": "t0"})),
    st.tuples(st.just("event.withdrawn"), st.builds(dict, id=st.integers(0, 30).map("e{}".format))),
)
creations = st.tuples(
    st.just("ticket.created"),
    st.builds(
        lambda f, author: {**f, "author": author}, fields, st.sampled_from(["customer", "customer", "agent"])
    ),
)


@st.composite
def days(draw: st.DrawFn) -> list[Event]:
    """Up to five tickets with a few facts each, on few enough instants that many meet."""
    recorded: list[tuple[str, int, str, Mapping[str, object]]] = []
    for number in range(draw(st.integers(1, 5))):
        ticket = f"t{number}"
        instants = st.integers(0, 20)
        if draw(st.integers(0, 9)):
            recorded.append((ticket, draw(instants), *draw(creations)))
        recorded += [(ticket, draw(instants), *draw(facts)) for _ in range(draw(st.integers(0, 6)))]
    return [Event(f"e{i}", kind, ticket, at, data) for i, (ticket, at, kind, data) in enumerate(recorded)]


def by_ticket(events: Sequence[Event]) -> dict[str, list[Event]]:
    logs: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        logs[event.subject].append(event)
    return logs


def groups(logs: LOGS, rules: QueueRules) -> dict[str, object]:
    """The duplicate group of each ticket by its last fields; a ticket alone is its own group."""
    found: dict[str, object] = {}
    for name, log in logs.items():
        ticket = Ticket()
        for event in in_order(log):
            ticket.apply(event)
        found[name] = (ticket.created_at is not None and group_of(ticket.fields, rules)) or name
    return found


def waiting_at(of: Mapping[str, Sequence[WaitInterval]], at: int) -> list[WaitInterval]:
    return [
        wait_interval
        for of_ticket in of.values()
        for wait_interval in of_ticket
        if wait_interval.holds_at(at)
    ]


@given(days(), rule_sets, st.data())
def test_any_order_of_arrival_and_any_repetition_gives_the_same_stints(
    day: list[Event], rules: QueueRules, data: st.DataObject
) -> None:
    repeated = [*day, *data.draw(st.lists(st.sampled_from(day), max_size=5))] if day else day
    arrived = data.draw(st.permutations(repeated))
    assert wait_intervals(by_ticket(arrived), rules, END) == wait_intervals(by_ticket(day), rules, END)


@given(days(), rule_sets, st.data())
def test_deriving_only_the_groups_that_an_event_concerns_ends_equal_to_deriving_everything(
    day: list[Event], rules: QueueRules, data: st.DataObject
) -> None:
    logs: dict[str, list[Event]] = defaultdict(list)
    kept: dict[str, tuple[WaitInterval, ...]] = {}
    for event in data.draw(st.permutations(day)):
        before = groups(logs, rules).get(event.subject)
        logs[event.subject].append(event)
        now = groups(logs, rules)
        # The event's group; and the one that its ticket has left by it, if it has.
        for concerned in {before, now[event.subject]}:
            kept |= wait_intervals({t: log for t, log in logs.items() if now[t] == concerned}, rules, END)
    assert kept == wait_intervals(by_ticket(day), rules, END)


@given(days(), rule_sets)
def test_no_ticket_waits_twice_at_once_and_no_stint_is_empty(day: list[Event], rules: QueueRules) -> None:
    for of_ticket in wait_intervals(by_ticket(day), rules, END).values():
        for earlier, later in pairwise(of_ticket):
            assert earlier.to_at is not None
            assert earlier.from_at < earlier.to_at <= later.from_at
            assert (earlier.key, earlier.queue) != (later.key, later.queue) or earlier.to_at < later.from_at


@given(days(), rule_sets, st.integers(0, 20))
def test_the_bottom_is_the_bottom_of_the_customers_rank(day: list[Event], rules: QueueRules, at: int) -> None:
    derived = wait_intervals(by_ticket(day), rules, at)
    waiting = waiting_at(derived, at)
    for wait_interval in waiting:
        if wait_interval.joined_at != at or wait_interval.from_at != at:
            continue
        ahead_of = [w for w in waiting if w.queue == wait_interval.queue and w.key > wait_interval.key]
        assert all(w.rank > wait_interval.rank or w.joined_at == at for w in ahead_of)


@given(days(), rule_sets, st.integers(0, 20))
def test_who_waits_is_who_the_definition_says(day: list[Event], rules: QueueRules, at: int) -> None:
    logs = by_ticket(day)
    waiting = {
        wait_interval.ticket
        for wait_interval in waiting_at(wait_intervals(logs, rules, at, reply_ends_pending=False), at)
    }
    for name, log in logs.items():
        past = [e for e in in_order(log) if e.at <= at]
        ticket, last = Ticket(), None
        for event in past:
            ticket.apply(event, reply_reopens_pending=False)
            written_by = {"customer.replied": "customer", "agent.replied": "agent"}.get(event.type)
            if event.type == "ticket.created" and last is None:
                written_by = str(event.data["author"])
            last = written_by if written_by and event.human else last
        by_definition = last == "customer" and ticket.status in ("new", "open") and ticket.ended_by is None
        assert (name in waiting) == by_definition


@given(days(), rule_sets)
def test_moves_tell_the_whole_line(day: list[Event], rules: QueueRules) -> None:
    derived = wait_intervals(by_ticket(day), rules, END)
    lines: dict[str, QueueOrder] = defaultdict(QueueOrder)
    for move in moves(wait_interval for of_ticket in derived.values() for wait_interval in of_ticket):
        if move.from_key is not None:
            assert move.from_key in lines[move.queue]
            lines[move.queue].discard(move.from_key)
        if move.to_key is not None:
            lines[move.queue].add(move.to_key)
    assert sorted(key for line in lines.values() for key in line) == sorted(
        s.key for s in waiting_at(derived, END)
    )


@given(days(), rule_sets, st.data())
def test_what_stands_in_the_record_is_what_happened_whatever_the_arrival(
    day: list[Event], rules: QueueRules, data: st.DataObject
) -> None:
    recorded: list[RecordedQueueSignal] = []
    known: list[Event] = []
    for event in data.draw(st.permutations(day)):
        known.append(event)
        transitions = queue_transitions(
            s for of in wait_intervals(by_ticket(known), rules, END).values() for s in of
        )
        recorded += [signal.recorded for signal in queue_signals(recorded, transitions)]
        assert queue_signals(recorded, transitions) == []
    keys = [(t.ticket, t.queue, t.kind, t.occurrence, t.generation) for t in recorded]
    assert len(set(keys)) == len(keys)
    standing = {
        key[:4]: row for key, row in sorted(zip(keys, recorded, strict=True), key=lambda pair: pair[0])
    }
    transitions = queue_transitions(
        s for of in wait_intervals(by_ticket(day), rules, END).values() for s in of
    )
    assert {k: (t.rank, t.joined_at) for k, t in standing.items() if t.stands} == {
        (m.ticket, m.queue, m.kind, m.occurrence): (m.rank, m.joined_at) for m in transitions
    }


keys = st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 5), st.sampled_from("abcdef"))


@given(st.lists(keys), st.lists(st.tuples(st.booleans(), keys)), keys)
def test_a_line_is_a_sorted_set(start: list[Key], changes: list[tuple[bool, Key]], asked: Key) -> None:
    line, waiting = QueueOrder(start), set(start)
    for joins, key in changes:
        if joins:
            line.add(key)
            waiting.add(key)
        else:
            line.discard(key)
            waiting.discard(key)
    ordered = sorted(waiting)
    assert list(line) == ordered
    assert len(line) == line.length == len(ordered)
    assert [line.position(key) for key in ordered] == list(range(1, len(ordered) + 1))
    assert [line.at(i) for i in range(1, len(ordered) + 1)] == ordered
    assert line.position(asked) == 1 + sum(key < asked for key in ordered)
    assert (asked in line) == (asked in waiting)
    assert line.slice(3, 4) == ordered[2:6]


def test_a_long_line_keeps_its_order_through_many_changes() -> None:
    chance = random.Random(7)
    line, waiting = QueueOrder(), set[Key]()
    for i in range(6_000):
        key = (chance.randrange(2), chance.randrange(10**6), 0, str(i))
        line.add(key)
        waiting.add(key)
    for key in chance.sample(sorted(waiting), 4_000):
        line.discard(key)
        waiting.discard(key)
    ordered = sorted(waiting)
    assert list(line) == ordered
    assert [line.position(key) for key in ordered] == list(range(1, 2_001))
    assert line.slice(700, 900) == ordered[699:1599]


def test_nobody_waits_before_the_first_or_after_the_last_position() -> None:
    line = QueueOrder([(0, 1, 1, "a")])
    for position in (0, 2, -1):
        with pytest.raises(IndexError, match="no ticket waits"):
            line.at(position)
    assert line.slice(2, 5) == line.slice(1, 0) == []


class CountedKey(tuple[int, int, int, str]):
    """A key that counts how often a key is compared."""

    compared = 0

    def __lt__(self, other: object) -> bool:
        CountedKey.compared += 1
        return tuple.__lt__(self, other)  # pyright: ignore[reportArgumentType]

    def __gt__(self, other: object) -> bool:
        CountedKey.compared += 1
        return tuple.__gt__(self, other)  # pyright: ignore[reportArgumentType]


def test_with_a_hundred_thousand_waiting_a_change_and_a_position_stay_cheap() -> None:
    """Counted, not timed: comparisons, and the blocks that a position adds up. A change moves one block's keys."""
    chance = random.Random(5)
    ordered = sorted(
        (int(chance.random() < 0.95), chance.randrange(10**9), 0, f"{i:06}") for i in range(100_000)
    )
    line = QueueOrder(ordered)
    CountedKey.compared, asked = 0, chance.sample(ordered, 1_000)
    for key in map(CountedKey, asked):
        line.position(key)
        line.discard(key)
        line.add(key)
    assert (
        CountedKey.compared < 3 * 1_000 * 20
    )  # of a hundred thousand: seventeen steps of a bisection, or eighteen
    assert len(line._blocks) < 250
    assert max(map(len, line._blocks)) <= 1_024
