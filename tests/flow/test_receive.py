"""What becomes of a push: stored once, repeated, refused, together with others or alone."""

import asyncio
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from app.flow.judge.incoming import Refusal, parts
from app.flow.judge.receive import Incoming, Receipt
from app.store.engine.database import Database
from tests.service import Service, created, event


def test_an_accepted_event_is_answered_with_its_ticket(service: Service) -> None:
    receipt = service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    assert (receipt.accepted, receipt.repeated, receipt.refused) == (1, 0, [])
    assert [answer.ticket for answer in receipt.tickets] == ["4711"]
    assert service.clock_of("haisoft", "4711", "ticket-response")["due_at"] == "2026-03-02T11:00:00Z"


def test_the_same_event_again_changes_nothing(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    before, recorded = service.rows("SELECT * FROM ticket"), service.recorded()
    service.clock.forward(hours=1)
    receipt = service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    assert (receipt.accepted, receipt.repeated) == (0, 1)
    assert [answer.ticket for answer in receipt.tickets] == ["4711"]
    assert (service.rows("SELECT * FROM ticket"), service.recorded()) == (before, recorded)


def test_a_repetition_keeps_the_first_received_at(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    first = service.rows("SELECT received_at FROM event")
    service.clock.forward(hours=1)
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    assert service.rows("SELECT received_at FROM event") == first


@pytest.mark.parametrize(
    "other",
    [
        event(
            "4711-created",
            "ticket.updated",
            "4711",
            "2026-03-02T09:00:00+01:00",
            title="Server down",
            customer="ACME",
        ),
        created("4711", "2026-03-02T09:00:01+01:00"),
        created("4711", "2026-03-02T09:00:00+01:00", title="Server slow"),
        event(
            "4711-created",
            "ticket.created",
            "4712",
            "2026-03-02T09:00:00+01:00",
            title="Server down",
            customer="ACME",
        ),
    ],
    ids=["type", "instant", "data", "subject"],
)
def test_one_id_with_another_content_is_a_conflict(service: Service, other: Incoming) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    receipt = service.push(other)
    assert (receipt.accepted, receipt.repeated) == (0, 0)
    assert [(refusal.index, refusal.id, refusal.conflict) for refusal in receipt.refused] == [
        (0, "4711-created", True)
    ]
    assert service.rows("SELECT count(*) FROM event") == [(1,)]


def test_the_same_instant_with_another_offset_is_a_repetition(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    assert service.push(created("4711", "2026-03-02T08:00:00Z")).repeated == 1


def test_one_id_is_one_event_per_desk(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    assert service.push(created("4711", "2026-03-02T09:00:00+01:00", desk="phpnet")).accepted == 1


def test_repetitions_and_conflicts_within_one_push_are_distinguished(service: Service) -> None:
    receipt = service.push(
        created("4711", "2026-03-02T09:00:00+01:00"),
        created("4711", "2026-03-02T09:00:00+01:00"),
        created("4711", "2026-03-02T09:00:00+01:00", title="Other"),
    )
    assert (receipt.accepted, receipt.repeated, receipt.known) == (1, 1, [1])
    assert [(refusal.index, refusal.conflict) for refusal in receipt.refused] == [(2, True)]


def test_a_large_push_has_parts_and_each_ticket_is_in_one_of_them() -> None:
    at = "2026-03-02T09:00:00+01:00"
    push = [event(str(place), "agent.replied", ticket, at) for place, ticket in enumerate("abacbddddd")]
    assert list(parts(push, lambda: 10)) == [list(range(10))]
    assert list(parts(push, lambda: 3)) == [[0, 2], [1, 4, 3], [5, 6, 7, 8, 9]]


def test_the_size_of_each_part_is_that_of_its_time() -> None:
    at = "2026-03-02T09:00:00+01:00"
    push = [event(str(place), "agent.replied", ticket, at) for place, ticket in enumerate("abcdefgh")]
    sizes = iter([3, 1, 2, 9])
    assert list(parts(push, lambda: next(sizes))) == [[0, 1, 2], [3], [4, 5], [6, 7]]


def test_the_receipt_of_a_large_push_has_the_places_of_the_push() -> None:
    whole = Receipt()
    whole.add(Receipt(accepted=1, known=[1], refused=[Refusal(0, "x", "why")], repeated=1), [0, 2, 4])
    whole.add(Receipt(accepted=2, refused=[Refusal(1, "y", "why", conflict=True)]), [1, 3, 5])
    assert (whole.accepted, whole.repeated, whole.known) == (3, 1, [2])
    assert whole.refused == [Refusal(0, "x", "why"), Refusal(3, "y", "why", conflict=True)]


def test_an_unknown_desk_is_refused_by_the_name_that_was_given_and_no_other(service: Service) -> None:
    receipt = service.push(created("4711", "2026-03-02T09:00:00+01:00", desk="nowhere"))
    assert [refusal.reason for refusal in receipt.refused] == ["/source: no desk 'nowhere' is known"]
    assert service.rows("SELECT count(*) FROM event") == [(0,)]


def test_an_event_far_ahead_is_refused_and_a_little_ahead_waits(service: Service) -> None:
    receipt = service.push(
        created("far", "2026-03-02T10:00:01+01:00"), created("near", "2026-03-02T09:30:00+01:00")
    )
    assert [refusal.index for refusal in receipt.refused] == [0]
    assert receipt.accepted == 1
    assert receipt.tickets == []
    service.clock.set("2026-03-02T09:30:00.000001+01:00")
    assert service.sweeper.sweep_now() == 1
    assert service.clock_of("haisoft", "near", "ticket-response")["state"] == "running"


def test_an_unknown_type_is_kept_and_counted(service: Service) -> None:
    receipt = service.push(
        created("4711", "2026-03-02T09:00:00+01:00"),
        event("x", "printer.exploded", "4711", "2026-03-02T09:00:00+01:00"),
    )
    assert receipt.accepted == 2
    assert service.rows("SELECT type FROM event WHERE NOT known") == [("printer.exploded",)]


def test_an_event_without_a_ticket_is_kept_and_one_that_names_its_ticket_belongs_to_it(
    service: Service,
) -> None:
    service.push(
        created("4711", "2026-03-02T08:00:00+01:00", category="hardware"),
        event("o1", "outage.started", "service:web", "2026-03-02T08:00:00+01:00"),
        event("a1", "anomaly.detected", "4711", "2026-03-02T08:00:00+01:00"),
        event("o2", "outage.ended", "service:web", "2026-03-02T08:30:00+01:00", ticket="4711"),
    )
    assert service.rows("SELECT event_id, ticket FROM event WHERE subject = 'service:web' ORDER BY seq") == [
        ("o1", None),
        ("o2", "4711"),
    ]


def test_any_order_of_arrival_gives_the_same_view(service: Service) -> None:
    facts = [
        created("4711", "2026-03-02T10:00:00+01:00"),
        event("r1", "agent.replied", "4711", "2026-03-02T10:30:00+01:00", author="agent"),
        event("c1", "customer.replied", "4711", "2026-03-02T10:40:00+01:00", author="customer"),
        event("s1", "status.changed", "4711", "2026-03-02T11:00:00+01:00", status="pending"),
    ]
    service.clock.set("2026-03-02T12:00:00+01:00")
    views: list[dict[str, Any]] = []
    for number, order in enumerate(permutations(facts)):
        name = f"T{number}"
        for one in order:
            moved = Incoming.of("haisoft", replace(one.event, id=f"{name}-{one.event.id}", subject=name))
            service.push(moved, moved)
        views.append(service.view("haisoft", name) | {"ticket": "", "queue": None})
    for view in views:
        for clock in view["clocks"]:
            clock["cause"] = clock["cause_detail"] = None  # the id of an event, which this test renames
    assert [view for view in views if view != views[0]] == []


async def test_pushes_that_wait_together_share_a_transaction(service: Service) -> None:
    pushes = [[created(f"T{number}", "2026-03-02T09:00:00+01:00")] for number in range(40)]
    receipts = await asyncio.gather(*map(service.receiver.receive, pushes))
    assert [receipt.accepted for receipt in receipts] == [1] * 40
    assert [receipt.tickets[0].ticket for receipt in receipts] == [f"T{number}" for number in range(40)]
    evaluations = service.rows("SELECT count(*), max(revision) FROM ticket")
    assert evaluations == [(40, 1)]


async def test_a_poisoned_push_fails_alone(service: Service) -> None:
    unwritable = Incoming("haisoft", created("bad", "2026-03-02T09:00:00+01:00").event, "\ud800")
    good = [created(f"T{number}", "2026-03-02T09:00:00+01:00") for number in range(8)]
    pushes = [[one] for one in [*good[:4], unwritable, *good[4:]]]
    outcomes = await asyncio.gather(*map(service.receiver.receive, pushes), return_exceptions=True)
    failed = [isinstance(outcome, BaseException) for outcome in outcomes]
    assert failed == [False] * 4 + [True] + [False] * 4
    assert service.rows("SELECT count(*) FROM event") == [(8,)]
    assert service.rows("SELECT count(*) FROM signal WHERE kind = 'clock.started'") == [(8,)]
    assert service.rows("SELECT count(*) FROM stint WHERE to_at IS NULL") == [(8,)]


async def test_the_line_forgets_what_was_rolled_back(service: Service) -> None:
    unwritable = Incoming("haisoft", created("bad", "2026-03-02T08:00:00+01:00").event, "\ud800")
    service.push(created("first", "2026-03-02T09:00:00+01:00", customer="B"))
    with pytest.raises((UnicodeEncodeError, *Database.failures)):  # as the driver words it
        await service.receiver.receive([unwritable])
    receipt = service.push(created("second", "2026-03-02T09:00:00+01:00", customer="C"))
    place = receipt.tickets[0].queue
    assert place is not None
    assert (place.position, place.length) == (2, 2)


def test_received_at_never_goes_back_with_the_machine_s_clock(service: Service) -> None:
    service.push(created("first", "2026-03-02T09:00:00+01:00"))
    service.clock.set("2026-03-02T08:59:00+01:00")
    service.push(created("second", "2026-03-02T08:30:00+01:00"))
    (first,), (second,) = service.rows("SELECT received_at FROM event ORDER BY seq")
    assert second >= first


def test_a_message_of_a_merged_ticket_concerns_its_target(service: Service) -> None:
    service.push(
        created("source", "2026-03-02T08:00:00+01:00"),
        created("target", "2026-03-02T08:30:00+01:00", customer="Other"),
        event("m", "ticket.merged", "source", "2026-03-02T08:45:00+01:00", into="target"),
    )
    (before,) = service.rows("SELECT revision FROM ticket WHERE ticket = 'target'")
    receipt = service.push(
        event("late", "agent.replied", "source", "2026-03-02T08:40:00+01:00", author="agent")
    )
    (after,) = service.rows("SELECT revision FROM ticket WHERE ticket = 'target'")
    assert receipt.accepted == 1
    assert after[0] == before[0] + 1


def test_a_merge_into_an_unknown_ticket_is_flagged_until_that_one_appears(service: Service) -> None:
    service.push(
        created("source", "2026-03-02T08:00:00+01:00"),
        event("m", "ticket.merged", "source", "2026-03-02T08:45:00+01:00", into="target"),
    )
    assert service.view("haisoft", "source")["flags"] == ["merge_target_unknown:target"]
    service.push(created("target", "2026-03-02T08:30:00+01:00"))
    assert service.view("haisoft", "source")["flags"] == []
    assert service.clock_of("haisoft", "source", "ticket-response")["state"] == "cancelled"
    assert service.rows("SELECT state FROM clock WHERE ticket = 'source'") == [("cancelled",)]


def test_a_ring_of_merges_is_kept_and_flagged(service: Service) -> None:
    service.push(
        created("a", "2026-03-02T08:00:00+01:00"),
        created("b", "2026-03-02T08:00:00+01:00", customer="Other"),
        event("m1", "ticket.merged", "a", "2026-03-02T08:45:00+01:00", into="b"),
        event("m2", "ticket.merged", "b", "2026-03-02T08:46:00+01:00", into="a"),
    )
    assert [service.view("haisoft", ticket)["flags"] for ticket in "ab"] == [["merge_ring"], ["merge_ring"]]


def test_what_says_the_same_is_the_same_event(service: Service) -> None:
    reply = event("r", "agent.replied", "1", "2026-03-02T08:30:00+01:00", author="agent")
    spelled = event(
        "r", "agent.replied", "1", "2026-03-02T07:30:00Z", sequence=4, author="agent", automatic=False
    )
    service.push(created("1", "2026-03-02T08:00:00+01:00"), reply)
    again = service.push(spelled, created("1", "2026-03-02T08:00:00+01:00", priority=None))
    assert (again.repeated, again.refused) == (2, [])
