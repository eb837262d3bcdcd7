"""Duplicates in a large group: only those next to a ticket are read, and the places are those of the whole group."""

import random

import pytest

from app.flow.judge.receive import Incoming
from app.flow.query import serialize
from app.flow.query.duplicates import AdjacentTickets, adjacent_tickets
from app.sla.event import Event
from app.sla.queue.waiting import wait_intervals
from app.sla.span import MINUTE
from app.store.tickets import ledger, queues
from tests.service import Service, at, created

DESK = "webxtra"
START = at("2026-03-02T09:00:00+01:00")
AGREEMENT = """
desk = "webxtra"
name = "Few duplicates"

[queue]
repeat_message = "moves"
duplicate = "moves"
duplicates_max = 2

[[commitments]]
id = "response"
label = "First response"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "always"
"""


def _opened(number: int) -> Incoming:
    data = {"title": "Mail is down", "customer": "ACME", "author": "customer"}
    return Incoming.of(
        DESK, Event(f"c{number}", "ticket.created", f"t{number:02}", START + number * MINUTE, data)
    )


def _story(chance: random.Random) -> list[Incoming]:
    """Fourteen tickets about one matter; some are answered, renamed or written in again. In any order."""
    events = [_opened(number) for number in range(14)]
    for number in range(20):
        ticket = f"t{chance.randrange(14):02}"
        kind, data = chance.choice(
            [
                ("agent.replied", {"author": "agent"}),
                ("customer.replied", {"author": "customer"}),
                ("ticket.updated", {"title": "Another matter"}),
                ("ticket.updated", {"title": "Mail is down"}),
            ]
        )
        time = START + chance.randrange(30) * MINUTE + 1
        events.append(Incoming.of(DESK, Event(f"e{number}", kind, ticket, time, data)))
    chance.shuffle(events)
    return events


@pytest.mark.parametrize("seed", range(5))
def test_the_stored_waits_are_those_of_the_whole_group_in_any_order_of_arrival(
    service: Service, seed: int
) -> None:
    service.apply_agreement(DESK, AGREEMENT)
    service.clock.forward(hours=2)
    events = _story(random.Random(seed))
    while events:
        service.push(events.pop(), *(events.pop() for _ in range(min(len(events), seed % 3))))
    names = [f"t{number:02}" for number in range(14)]
    read = service.database.read_now
    now = service.clock.now
    rules = read(lambda conn: service.catalogue.in_force(conn, DESK, at=now)).agreement.queue
    logs = read(lambda conn: ledger.logs(conn, DESK, names))
    stored = read(lambda conn: queues.wait_intervals(conn, DESK, names))
    derived = wait_intervals(logs, rules, service.clock.now)
    assert stored == {name: own for name, own in derived.items() if own}


@pytest.mark.parametrize("number", [0, 1, 7, 20, 38, 39])
def test_the_tickets_read_from_a_large_group_are_those_of_the_whole(service: Service, number: int) -> None:
    service.clock.forward(hours=2)
    service.push(*map(_opened, range(40)))
    group = service.rows(f"SELECT group_key FROM ticket WHERE desk = '{DESK}' LIMIT 1")[0][0]
    place = (group, START + number * MINUTE, f"t{number:02}")

    def near(few: int) -> AdjacentTickets:
        (found,) = service.database.read_now(
            lambda conn: adjacent_tickets(conn, DESK, {place: True}, [place[2]], 3, few=few)
        )
        return found

    assert near(few=0) == near(few=100)
    assert near(few=0).within == {f"t{n:02}" for n in range(max(0, number - 3), min(40, number + 4))}


def test_a_further_ticket_moves_only_so_many_before_it(service: Service) -> None:
    service.apply_agreement(DESK, AGREEMENT)
    for number in range(6):
        service.clock.now = START + (number + 1) * MINUTE
        service.push(_opened(number))
    moved = sorted(s["ticket"] for s in service.signals("queue.moved"))
    assert moved == ["t00", "t00", "t01", "t01", "t02", "t02", "t03", "t03", "t04"]


def test_a_ticket_whose_creation_is_unknown_is_no_duplicate(service: Service) -> None:
    service.push(created("a", "2026-03-02T08:00:00+01:00", desk=DESK, title="Mail is down"))
    update = {"title": "Mail is down", "customer": "ACME"}
    asked = Event("m", "customer.replied", "b", START - MINUTE + 1, {"author": "customer"})
    service.push(
        Incoming.of(DESK, Event("u", "ticket.updated", "b", START - MINUTE, update)),
        Incoming.of(DESK, asked),
    )
    assert service.signals("queue.moved") == []
    service.push(created("b", "2026-03-02T08:30:00+01:00", desk=DESK, title="Mail is down"))
    assert "a" in {s["ticket"] for s in service.signals("queue.moved")}


def test_a_ticket_with_more_duplicates_before_it_than_it_moves_is_flagged(service: Service) -> None:
    service.apply_agreement(DESK, AGREEMENT)
    service.clock.forward(hours=2)
    answers = service.push(*map(_opened, range(4))).tickets
    flags = {view["ticket"]: view["flags"] for view in map(serialize.ticket, answers)}
    assert flags == {"t00": [], "t01": [], "t02": [], "t03": ["duplicates_capped"]}
    assert service.view(DESK, "t03")["flags"] == ["duplicates_capped"]
    assert service.view(DESK, "t02")["flags"] == []
