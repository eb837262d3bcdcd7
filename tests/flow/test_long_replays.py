"""Long replays: while other desks write, a late event of a long ticket waits to be evaluated, and nothing else does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from app.flow.judge.receive import Incoming
from app.flow.process.invariants import Verdict, run_checks
from app.settings import Settings
from app.sla.event import Event
from app.sla.span import MINUTE
from app.store.engine.database import Database
from app.store.tickets import schedule
from tests.servers.databases import Databases
from tests.service import Service, WallClock, at, created, event, with_desks_in_force

DESK = "webxtra"
EVENTS = 40
LIMITS = {
    "checkpoint_min_events": 5,
    "long_replay_min_events": 20,
    # However short a replay was, the next one waits for the whole maximum.
    "long_replay_duty_cycle": 1e-9,
    "long_replay_max_wait": timedelta(minutes=10),
}

Started = Callable[[], Service]


@pytest.fixture
def started(databases: Databases) -> Iterator[Started]:
    """Starts a service over a database of its own, which has a long ticket and has replayed it once as a whole."""
    with ExitStack() as stack:

        def start() -> Service:
            url = stack.enter_context(databases.copy_of(with_desks_in_force))
            settings, clock = Settings(database_url=url).model_copy(update=LIMITS), WallClock()
            service = Service(settings, stack.enter_context(Database(settings, clock)), clock)
            service.clock.set("2026-03-02T12:00:00+01:00")
            service.push(created("long", "2026-03-02T09:00:00+01:00", desk=DESK))
            service.push(*(reply(f"e{n}", f"2026-03-02T10:{n:02}:00+01:00") for n in range(EVENTS)))
            service.push(reply("late", "2026-03-02T09:30:00+01:00"))
            return service

        yield start


def reply(event_id: str, when: str, ticket: str = "long") -> Incoming:
    return event(event_id, "agent.replied", ticket, when, desk=DESK, author="agent")


def parked(service: Service) -> dict[str, tuple[int, float]]:
    """The parked tickets: how often each failed, and for how many minutes it waits."""
    rows = service.database.read_now(schedule.all_parked)
    return {row.subject.text: (row.times, (row.retry_at - row.last_at) / MINUTE) for row in rows}


def test_a_late_event_is_stored_and_answered_by_queries_and_evaluated_when_its_wait_ends(
    started: Started,
) -> None:
    service, other = started(), started()
    service.assessor.long_replays.postpone_while(lambda _: True)
    late = reply("later", "2026-03-02T09:20:00+01:00")
    before = service.signals()
    receipt = service.push(late)
    other.push(late)
    assert (receipt.refused, receipt.tickets, service.signals()) == ([], [], before)
    assert receipt.postponed == [(DESK, "long")]
    failures, wait = parked(service)["long"]
    assert (failures, round(wait)) == (0, 10)
    assert service.database.read_now(schedule.count_parked) == 0
    found = service.database.read_now(
        lambda conn: list(run_checks(conn, service.catalogue, service.clock.now))
    )
    assert {check.verdict for check in found if "parked" in check.name or "fresh" in check.name} == {
        Verdict.OK
    }
    assert service.view(DESK, "long") == other.view(DESK, "long")

    service.assessor.long_replays.postpone_while(lambda _: False)
    service.clock.forward(minutes=9)
    assert service.sweeper.sweep_now() == 0
    service.clock.forward(minutes=2)
    assert service.sweeper.sweep_now() == 1
    other.clock.now = service.clock.now
    other.sweeper.sweep_now()
    assert parked(service) == {}
    recorded = [{signal["id"]: signal["kind"] for signal in each.signals()} for each in (service, other)]
    assert recorded[0] == recorded[1]
    assert len(recorded[0]) > len(before)


@pytest.mark.parametrize("kind", ["exclusion.granted", "event.withdrawn"])
def test_an_event_that_rewrites_the_past_waits_as_well(started: Started, kind: str) -> None:
    service = started()
    service.assessor.long_replays.postpone_while(lambda _: True)
    data: dict[str, dict[str, Any]] = {
        "exclusion.granted": {"from": "2026-03-02T10:00:00Z", "to": "2026-03-02T10:30:00Z"},
        "event.withdrawn": {"id": "e3", "author": "An", "reason": "by mistake"},
    }
    service.push(Incoming.of(DESK, Event("past", kind, "long", at("2026-03-02T11:00:00+01:00"), data[kind])))
    assert parked(service).keys() == {"long"}


def test_an_event_after_the_last_one_and_other_tickets_do_not_wait(started: Started) -> None:
    service = started()
    service.assessor.long_replays.postpone_while(lambda _: True)
    receipt = service.push(
        reply("next", "2026-03-02T11:30:00+01:00"), created("short", "2026-03-02T11:30:00+01:00", desk=DESK)
    )
    assert {answer.ticket for answer in receipt.tickets} == {"long", "short"}
    assert receipt.postponed == []
    assert parked(service) == {}


def test_a_long_ticket_without_a_checkpoint_waits_as_well(started: Started) -> None:
    service = started()
    service.assessor.long_replays.postpone_while(lambda _: True)
    # Another process has evaluated it since: the checkpoint is out of date.
    service.database.write_now(
        lambda conn, _: conn.exec_driver_sql(
            "UPDATE ticket SET revision = revision + 1 WHERE ticket = 'long'"
        )
    )
    service.push(reply("next", "2026-03-02T11:30:00+01:00"))
    assert parked(service).keys() == {"long"}


def test_the_target_of_a_merge_is_evaluated_with_the_long_ticket_that_was_merged_into_it(
    started: Started,
) -> None:
    service, other = started(), started()
    for each in (service, other):
        each.push(
            created("target", "2026-03-02T11:00:00+01:00", desk=DESK),
            event("merge", "ticket.merged", "long", "2026-03-02T11:10:00+01:00", desk=DESK, into="target"),
        )
    service.assessor.long_replays.postpone_while(lambda _: True)
    for each in (service, other):
        each.push(
            reply("late-1", "2026-03-02T11:20:00+01:00"),
            reply("late-2", "2026-03-02T11:05:00+01:00", "target"),
        )
    assert service.view(DESK, "target") == other.view(DESK, "target")
    stored = [
        each.rows(
            "SELECT commitment, state, due_at, breached_at FROM clock WHERE ticket = 'target' ORDER BY 1, 2"
        )
        for each in (service, other)
    ]
    assert stored[0] == stored[1] != []


def test_nothing_waits_while_no_other_desk_writes(started: Started) -> None:
    service = started()
    service.push(reply("later", "2026-03-02T09:20:00+01:00"))
    assert parked(service) == {}
