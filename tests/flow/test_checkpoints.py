"""Checkpoints of long tickets: the same answers and signals with and without, whatever arrives in which order."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from app.flow.judge.receive import Incoming
from app.flow.query import serialize
from app.settings import Settings
from app.sla.clock.evaluation import AppliesTo
from app.sla.event import Event
from app.sla.span import HOUR, MINUTE, Micros
from app.store.engine.database import Database
from tests.servers.databases import Databases
from tests.service import Service, WallClock, at, created, with_desks_in_force

DESK = "webxtra"
START = at("2026-03-02T09:00:00+01:00")
AGREEMENT = """
desk = "webxtra"
name = "Another"

[queue]
repeat_message = "moves"
duplicate = "moves"

[[commitments]]
id = "next-reply"
label = "Next reply"
kind = "guarantee"
measure = "next_reply"
cycle = "next_reply"
starts_on = ["customer.replied"]
stops_on = ["agent.replied"]
target = "{target}"
calendar = "always"
warn_at = ["50%"]
"""
KINDS: Sequence[tuple[str, dict[str, Any]]] = (
    ("customer.replied", {"author": "customer", "text": "Any news?"}),
    ("customer.replied", {"author": "customer", "text": "It is about shop.nl"}),
    ("agent.replied", {"author": "agent"}),
    ("agent.replied", {"author": "agent", "automatic": True}),
    ("status.changed", {"status": "pending"}),
    ("status.changed", {"status": "open"}),
    ("status.changed", {"status": "solved"}),
    ("ticket.updated", {"plan": "managed"}),
    ("ticket.updated", {"plan": "basic", "assignee": "An"}),
)
RARE: Sequence[tuple[str, dict[str, Any]]] = (
    ("ticket.updated", {"title": "Another matter"}),
    ("ticket.merged", {"into": "t0"}),
    ("exclusion.granted", {"from": "2026-03-02T10:00:00Z", "to": "2026-03-02T15:00:00Z"}),
)


class Pair:
    """A service with checkpoints after two events, in two processes, and one without; all hear the same."""

    def __init__(self, settings: Settings, other: Settings, stack: ExitStack) -> None:
        self.clock = WallClock()
        short = settings.model_copy(update={"checkpoint_min_events": 2, "answer_cycles": 2})
        plain = other.model_copy(update={"checkpoint_cache_size": 0})
        self.cached, self.beside, self.plain = (
            Service(each, stack.enter_context(Database(each, self.clock)), self.clock)
            for each in (short, short, plain)
        )

    def push(self, events: Sequence[Incoming], *, beside: bool) -> None:
        """Push to both; with checkpoints in one process or the other."""
        (self.beside if beside else self.cached).push(*events)
        self.plain.push(*events)

    def sweep(self) -> None:
        """Let both evaluate what is due."""
        self.cached.sweeper.sweep_now()
        self.plain.sweeper.sweep_now()

    def apply(self, target: str, to: AppliesTo) -> None:
        """Put another agreement into force in both."""
        for each in (self.cached, self.plain):
            each.apply_agreement(DESK, AGREEMENT.format(target=target), to=to)


@pytest.fixture
def pair(databases: Databases) -> Iterator[Pair]:
    with ExitStack() as stack:
        urls = [stack.enter_context(databases.copy_of(with_desks_in_force)) for _ in range(2)]
        settings, other = (Settings(database_url=url) for url in urls)
        yield Pair(settings, other, stack)


def _story(chance: random.Random) -> list[Incoming]:
    """Three tickets' events in the order of their instants."""
    names = ["t0", "t1", "t2"]
    events = [
        created(name, "2026-03-02T09:00:00+01:00", desk=DESK, title="Mail", plan="basic") for name in names
    ]
    times: list[Micros] = [START]
    for number in range(60):
        times.append(times[-1] + chance.choice([0, MINUTE, 20 * MINUTE, HOUR]))
        kind, data = chance.choice(RARE if chance.random() < 0.03 else KINDS)
        name = chance.choice(names[1:] if kind == "ticket.merged" else names)
        events.append(Incoming.of(DESK, Event(f"e{number}", kind, name, times[-1], data)))
        if chance.random() < 0.02:
            gone = {"id": f"e{chance.randrange(number + 1)}", "author": "An", "reason": "by mistake"}
            events.append(Incoming.of(DESK, Event(f"w{number}", "event.withdrawn", name, times[-1], gone)))
    return events


def _play(pair: Pair, seed: int) -> None:
    """Receive a story a few events at a time, some of them late; let time pass; apply an agreement once."""
    chance = random.Random(seed)
    events, late = _story(chance), list[Incoming]()
    changes_at = chance.randrange(len(events)) if seed % 2 else -1
    while events or late:
        batch = [events.pop(0) for _ in range(min(len(events), chance.randint(1, 3)))]
        late += [each for each in batch if chance.random() < 0.1]
        batch = [each for each in batch if each not in late]
        if late and (not events or chance.random() < 0.1):
            batch.append(late.pop())
        if batch:
            pair.clock.now = max(pair.clock.now, *(each.event.at for each in batch)) + MINUTE
            pair.push(batch, beside=chance.random() < 0.2)
        if len(events) == changes_at:
            pair.apply("45m", chance.choice(list(AppliesTo)))
            changes_at = -1
        if chance.random() < 0.1:
            pair.clock.forward(minutes=chance.choice([1, 90]))
            pair.sweep()


def _signals(service: Service) -> dict[str, dict[str, Any]]:
    """All signals by their ids, each as it was recorded."""
    return {signal["id"]: signal for signal in service.signals()}


@pytest.mark.parametrize("seed", range(6))
def test_the_same_is_answered_and_recorded_with_checkpoints_and_without(pair: Pair, seed: int) -> None:
    _play(pair, seed)
    assert _signals(pair.cached) == _signals(pair.plain)
    for table in ("ticket", "clock", "stint"):
        query = f"SELECT * FROM {table}"
        assert sorted(map(str, pair.cached.rows(query))) == sorted(map(str, pair.plain.rows(query)))


def test_an_event_of_a_long_ticket_reads_only_what_came_after_the_last(service: Service) -> None:
    count = service.settings.checkpoint_min_events
    talk = [
        Incoming.of(DESK, Event(f"e{n}", f"{who}.replied", "t", START + n * MINUTE, {"author": who}))
        for n in range(1, count + 1)
        for who in (("agent", "customer")[n % 2],)
    ]
    service.clock.now = START + (count + 10) * MINUTE
    service.push(created("t", "2026-03-02T09:00:00+01:00", desk=DESK, title="Mail"), *talk)
    before = service.rows("SELECT count(*) FROM clock")[0][0]
    # With the earlier events gone, only a checkpoint can know of them.
    service.database.write_now(
        lambda conn, now: conn.exec_driver_sql("DELETE FROM event WHERE seq < (SELECT max(seq) FROM event)")
    )
    late = Event("late", "customer.replied", "t", START + (count + 5) * MINUTE, {"author": "customer"})
    view = serialize.ticket(service.push(Incoming.of(DESK, late)).tickets[0])
    assert view["title"] == "Mail"
    assert view["queue"]["position"] == 1
    assert service.rows("SELECT count(*) FROM clock")[0][0] == before
