"""The sweep: breaches are recorded at their instant, once, whatever fails or stops meanwhile."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.flow import metrics
from app.flow.judge.receive import Incoming
from app.flow.process.sweep import Sweeper
from app.flow.query.tickets import answers
from app.settings import Settings
from app.sla.event import Event
from app.sla.span import HOUR, Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection, Database, wall_clock
from app.store.engine.notify import Announcement
from app.store.tickets import schedule
from tests.servers.databases import Databases, sqlite_only
from tests.service import Service, WallClock, created, event, with_desks_in_force
from tests.waiting import until_true

BEFORE_THE_FIRST_YEAR = -(10**17)
"""An instant of which no calendar knows the date: evaluating it fails."""


def poison(ticket: str) -> Incoming:
    return Incoming.of(
        "haisoft", Event(f"{ticket}-poison", "ticket.created", ticket, BEFORE_THE_FIRST_YEAR, {})
    )


def test_a_breach_is_recorded_when_its_instant_has_passed_and_not_at_it(service: Service) -> None:
    service.clock.set("2026-03-02T10:00:00+01:00")
    service.push(created("4711", "2026-03-02T10:00:00+01:00"))
    service.clock.set("2026-03-02T12:00:00+01:00")
    service.sweeper.sweep_now()
    assert "clock.breached" not in service.recorded()
    service.clock.set("2026-03-02T12:00:00.000001+01:00")
    assert service.sweeper.sweep_now() == 1
    (breach,) = service.signals("clock.breached")
    assert (breach["at"], breach["detected_at"]) == ("2026-03-02T11:00:00Z", "2026-03-02T11:00:00.000001Z")


def test_sweeping_again_records_nothing_again(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    service.clock.set("2026-03-03T09:00:00+01:00")
    service.sweeper.sweep_now()
    recorded = service.recorded()
    assert service.sweeper.sweep_now() == 0
    service.database.write_now(
        lambda conn, now: service.assessor.assess(conn, now, {"haisoft": [Subject.parse("4711")]})
    )
    assert service.recorded() == recorded


def test_after_a_downtime_the_overdue_are_recorded_with_their_true_instant(service: Service) -> None:
    service.clock.set("2026-03-02T10:00:00+01:00")
    service.push(*(created(f"T{n}", "2026-03-02T10:00:00+01:00", customer=str(n)) for n in range(3)))
    service.clock.set("2026-03-02T18:00:00+01:00")
    restarted = Service(service.settings, service.database, service.clock)
    assert restarted.sweeper.sweep_now() == 3
    breaches = restarted.signals("clock.breached")
    assert {breach["at"] for breach in breaches} == {"2026-03-02T11:00:00Z"}
    assert {breach["clock"]["breached_at"] for breach in breaches} == {"2026-03-02T11:00:00Z"}
    assert restarted.view("haisoft", "T0")["clocks"][0]["detected_at"] == "2026-03-02T17:00:00Z"


def test_a_ticket_that_cannot_be_judged_is_parked_and_stalls_no_other(service: Service) -> None:
    receipt = service.push(poison("bad"), created("good", "2026-03-02T09:00:00+01:00"))
    assert receipt.accepted == 2
    assert [answer.ticket for answer in receipt.tickets] == ["good"]
    (parked,) = service.database.read_now(schedule.all_parked)
    assert (parked.subject.text, parked.times, parked.first_at) == ("bad", 1, service.clock.now)
    service.clock.set("2026-03-02T14:00:00.000001+01:00")
    service.sweeper.sweep_now()
    assert [breach["ticket"] for breach in service.signals("clock.breached")] == ["good"]


def test_a_list_leaves_out_what_cannot_be_judged_and_counts_it(service: Service) -> None:
    service.push(*(created(name, "2026-03-02T09:00:00+01:00", customer=name) for name in ("bad", "good")))
    spoil = "UPDATE event SET data = '[]' WHERE ticket = 'bad'"
    service.database.write_now(lambda conn, now: conn.exec_driver_sql(spoil))
    failed = metrics.FAILURES.labels("haisoft")._value  # pyright: ignore[reportPrivateUsage]
    before = failed.get()
    found = service.database.read_now(
        lambda conn: answers(conn, service.catalogue, "haisoft", ["bad", "good"], now=service.clock.now)
    )
    assert (list(found), failed.get()) == (["good"], before + 1)


def test_a_parked_ticket_is_tried_after_growing_times_and_unparked_by_success(service: Service) -> None:
    service.push(poison("bad"))
    waits = []
    for _ in range(9):
        (parked,) = service.database.read_now(schedule.all_parked)
        waits.append((parked.retry_at - parked.last_at) // 1_000_000)
        service.clock.now = parked.retry_at
        assert service.sweeper.sweep_now() == 1
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    withdrawal = Event("w", "event.withdrawn", "bad", service.clock.now, {"id": "bad-poison", "author": "me"})
    service.push(Incoming.of("haisoft", withdrawal))
    assert service.database.read_now(schedule.all_parked) == []


def test_a_ticket_that_fails_later_keeps_its_row_and_is_no_longer_due(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    service.push(poison("4711"))
    assert service.rows("SELECT revision, next_at FROM ticket") == [(1, None)]
    assert len(service.database.read_now(schedule.all_parked)) == 1


def test_a_late_reply_retracts_a_recorded_breach(service: Service) -> None:
    service.clock.set("2026-03-02T10:00:00+01:00")
    service.push(created("4711", "2026-03-02T10:00:00+01:00"))
    service.clock.set("2026-03-02T14:30:00+01:00")
    service.sweeper.sweep_now()
    service.clock.set("2026-03-02T15:00:00+01:00")
    service.push(event("r", "agent.replied", "4711", "2026-03-02T11:00:00+01:00", author="agent"))
    assert service.recorded()[-2:] == ["clock.breach_retracted", "clock.stopped"]
    retraction, stop = service.signals("clock.breach_retracted", "clock.stopped")
    (breach,) = service.signals("clock.breached")
    assert retraction["replaces"] == breach["id"]
    assert retraction["cause"] == "agent.replied r"
    assert stop["late"] is True
    assert stop["at"] == "2026-03-02T10:00:00Z"
    clock = service.clock_of("haisoft", "4711", "ticket-response")
    assert (clock["met"], clock["breached_at"], clock["detected_at"]) == (True, None, None)


def test_as_of_before_the_late_reply_still_shows_the_breach(service: Service) -> None:
    test_a_late_reply_retracts_a_recorded_breach(service)
    clock = service.clock_of("haisoft", "4711", "ticket-response", as_of="2026-03-02T14:59:59+01:00")
    assert (clock["breached_at"], clock["detected_at"]) == ("2026-03-02T11:00:00Z", "2026-03-02T13:30:00Z")


def test_a_breach_can_come_back_and_is_recorded_again(service: Service) -> None:
    test_a_late_reply_retracts_a_recorded_breach(service)
    service.clock.set("2026-03-02T16:00:00+01:00")
    service.push(
        event("w", "event.withdrawn", "4711", "2026-03-02T16:00:00+01:00", id="r", author="me", reason="x")
    )
    first, second = service.signals("clock.breached")
    assert (first["at"], first["generation"]) == (second["at"], 0)
    assert (second["generation"], second["replaces"]) == (1, first["id"])
    assert first["id"] != second["id"]


def test_what_happened_long_ago_is_recorded_and_not_delivered(service: Service) -> None:
    service.push(created("old", "2026-02-02T09:00:00+01:00"), created("new", "2026-03-02T09:00:00+01:00"))
    delivered = service.rows("SELECT DISTINCT ticket, deliver FROM signal ORDER BY ticket")
    assert delivered == [("new", 1), ("old", 0)]


def test_signals_of_a_push_that_is_not_to_be_delivered_are_recorded_only(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"), deliver=False)
    assert service.rows("SELECT DISTINCT deliver FROM signal") == [(0,)]


def test_a_clock_that_goes_back_retracts_nothing(service: Service) -> None:
    service.clock.set("2026-03-02T10:00:00+01:00")
    service.push(created("4711", "2026-03-02T10:00:00+01:00"))
    service.clock.set("2026-03-02T14:30:00+01:00")
    service.sweeper.sweep_now()
    recorded = service.recorded()
    service.clock.set("2026-03-02T11:00:00+01:00")
    service.database.write_now(
        lambda conn, now: service.assessor.assess(conn, now, {"haisoft": [Subject.parse("4711")]})
    )
    restarted = Database(service.settings, WallClock())
    again = Service(service.settings, restarted, service.clock)
    restarted.write_now(
        lambda conn, now: again.assessor.assess(conn, now, {"haisoft": [Subject.parse("4711")]})
    )
    restarted.close()
    assert service.recorded() == recorded


async def test_the_running_sweep_wakes_for_the_instant_and_not_for_the_safety_period(
    service: Service,
) -> None:
    # The one test on the machine's own clock: it is about waking.
    settings = service.settings.model_copy(update={"sweep_poll_interval": timedelta(hours=1)})
    database = Database(settings, wall_clock)
    real = Service(settings, database, service.clock)
    real.sweeper.start()
    try:
        due_at = database.now() + 300_000
        soon = Event("e", "ticket.created", "4711", due_at, {"title": "x", "customer": "y"})
        await real.receiver.receive([Incoming.of("haisoft", soon)])
        await until_true(real.recorded)
        state = await real.sweeper.state()
        assert (state.running, state.lag, state.parked) == (True, 0, 0)
    finally:
        await real.sweeper.stop()
        database.close()


async def test_a_later_instant_that_is_announced_causes_no_pass(service: Service) -> None:
    """Each commit of a push caused one, beside which the next push committed."""
    settings = service.settings.model_copy(update={"sweep_poll_interval": timedelta(hours=1)})
    sweeper = Sweeper(service.database, service.assessor, settings)
    began = service.database.now()
    sweeper.start()
    try:
        while (await sweeper.state()).last_pass_at is None:
            pass
        sweeper.on_announcement(Announcement(7, service.clock.forward(hours=1) + HOUR))
        assert (await sweeper.state()).last_pass_at == began
        sweeper.on_announcement(Announcement(8, service.database.now()))
        while (await sweeper.state()).last_pass_at == began:
            pass
    finally:
        await sweeper.stop()


@pytest.mark.parametrize("into", ["nobody", "M1"])
def test_a_faulty_merge_as_the_only_event_is_shown_and_stalls_no_other(service: Service, into: str) -> None:
    service.push(event("m", "ticket.merged", "M1", "2026-03-02T08:00:00+01:00", into=into))
    view = service.view("haisoft", "M1")
    assert view["created_at"] is None
    assert {"creation_unknown"} < set(view["flags"])
    assert service.sweeper.sweep_now() == 0


def test_a_ticket_of_which_nothing_stands_is_not_evaluated_again(service: Service) -> None:
    service.push(
        event("w", "event.withdrawn", "W1", "2026-03-02T08:00:00+01:00", id="w", author="a", reason="b")
    )
    service.clock.forward(hours=1)
    assert service.sweeper.sweep_now() == 0


POISON = {
    "sqlite": "CREATE TRIGGER poison BEFORE UPDATE ON ticket WHEN new.ticket = '2' AND new.revision > 1 "
    "BEGIN SELECT RAISE(ABORT, 'no such thing'); END",
    "postgresql": "ALTER TABLE ticket ADD CONSTRAINT poison CHECK (ticket <> '2' OR revision < 2)",
}


def beside_pushes(settings: Settings, **sizes: int) -> Settings:
    """The sweep evaluates two tickets at a time after a push."""
    return settings.model_copy(update={"sweep_busy_batch_size": 2, **sizes})


async def test_a_ticket_that_cannot_be_stored_is_parked_and_stalls_no_other(
    service: Service, databases: Databases
) -> None:
    names = ["0", "1", "2", "3", "4"]
    small = Service(beside_pushes(service.settings), service.database, service.clock)
    await small.receiver.receive([created(name, "2026-03-02T08:00:00+01:00") for name in names])
    await small.database.write(lambda conn, now: conn.exec_driver_sql(POISON[databases.kind]))
    small.clock.set("2026-03-02T18:00:00+01:00")
    assert await small.sweeper.sweep() >= len(names)
    assert sorted(signal["ticket"] for signal in small.signals("clock.breached")) == ["0", "1", "3", "4"]
    parked = small.rows("SELECT ticket, error, times FROM parked")
    assert [(row[0], row[2]) for row in parked] == [("2", 1)]
    assert "Error" in parked[0][1]
    assert await small.sweeper.sweep() == 0


class TickingClock(WallClock):
    """Goes on by a microsecond each time, so that no two transactions have the same instant."""

    def __call__(self) -> Micros:
        self.now += 1
        return self.now


@dataclass
class Swept:
    """What a sweep has left."""

    signals: list[dict[str, Any]]
    rows: list[tuple[Any, ...]]
    transactions: int


def swept_after_pushes(settings: Settings) -> Swept:
    """Five overdue tickets, two of them merged, swept in these batches."""
    clock = TickingClock()
    with Database(settings, clock) as database:
        service = Service(settings, database, clock)
        clock.set("2026-03-02T10:30:00+01:00")
        names = [f"T{n}" for n in range(5)]
        service.push(*(created(n, "2026-03-02T10:00:00+01:00", customer=n) for n in names))
        service.push(event("m", "ticket.merged", "T1", "2026-03-02T10:01:00+01:00", into="T3"))
        clock.set("2026-03-02T18:00:00+01:00")
        assert service.sweeper.sweep_now() == 4
        found = service.signals("clock.breached")
        detected = [signal.pop("detected_at") for signal in found]
        for signal in found:
            del signal["clock"]["detected_at"]
        query = "SELECT ticket, revision, next_at, due_at, status FROM ticket ORDER BY ticket"
        return Swept(found, [tuple(row) for row in service.rows(query)], len(set(detected)))


@sqlite_only
def test_batches_of_one_transaction_record_what_those_of_several_do(
    databases: Databases, database_settings: Settings
) -> None:
    found: list[Swept] = []
    for size in (2, 200):
        with databases.copy_of(with_desks_in_force) as url:
            settings = database_settings.model_copy(update={"database_url": url})
            found.append(swept_after_pushes(beside_pushes(settings, sweep_batch_size=size)))
    several, one = found
    assert (several.transactions, one.transactions) == (2, 1)
    assert (several.signals, several.rows) == (one.signals, one.rows)


async def recorded_while_it_waits(service: Service) -> int:
    """The breaches that a write finds which came after the sweep of five overdue tickets began to wait."""
    service.push(*(created(f"T{n}", "2026-03-02T08:00:00+01:00", customer=str(n)) for n in range(5)))
    service.clock.set("2026-03-02T18:00:00+01:00")
    begins = threading.Event()

    def breaches(conn: Connection, now: Micros) -> int:
        query = "SELECT count(*) FROM signal WHERE kind = 'clock.breached'"
        return conn.exec_driver_sql(query).scalar_one()

    before = asyncio.create_task(service.database.write(lambda conn, now: begins.wait()))
    sweep = asyncio.create_task(service.sweeper.sweep())
    after = asyncio.create_task(service.database.write(breaches))
    await asyncio.sleep(0)
    begins.set()
    assert (await before, await sweep) == (True, 5)
    assert await service.database.write(breaches) == 5
    return await after


async def test_a_write_that_waits_ends_the_transaction_of_the_sweep(service: Service) -> None:
    settings = beside_pushes(service.settings)
    assert await recorded_while_it_waits(Service(settings, service.database, service.clock)) == 2


def queue_position(service: Service, ticket: str) -> tuple[int, int]:
    place = service.view("haisoft", ticket)["queue"]
    return place["position"], place["length"]


def test_queue_positions_are_followed_over_the_batches_of_a_transaction(service: Service) -> None:
    small = Service(beside_pushes(service.settings), service.database, service.clock)
    small.push(*(created(f"T{n}", "2026-03-02T08:00:00+01:00", customer=str(n)) for n in range(5)))
    small.clock.set("2026-03-02T18:00:00+01:00")
    small.sweeper.sweep_now()
    receipt = small.push(created("last", "2026-03-02T18:00:00+01:00", customer="last"))
    (answer,) = receipt.tickets
    assert answer.queue is not None
    assert (answer.queue.position, answer.queue.length) == queue_position(small, "last") == (6, 6)
