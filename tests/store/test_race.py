"""Several processes on one database: no write is lost, nothing is recorded twice, and a poisoned member fails alone.

A process is a `Service` with its own connections; threads stand for machines.
"""

import asyncio
import random
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Barrier, Event

import pytest

from app.flow.judge.locking import lock_merge_graph
from app.flow.judge.receive import Incoming
from app.flow.query.checkpoints import CheckpointLimits, Checkpoints
from app.settings import Settings
from app.sla.agreement.version import AppliesTo
from app.sla.span import SECOND, Micros
from app.sla.subject import Subject, SubjectKey
from app.store.engine.database import Connection, Database
from app.store.engine.group_commit import GroupCommit
from app.store.tickets import clocks, schedule
from tests.servers.databases import postgresql_only
from tests.service import ROOT, Service, WallClock, at, created, event
from tests.waiting import HANG

PROCESSES = 3
TICKETS = 12
NOON = "2026-03-02T12:00:00+01:00"
AFTERWARDS = "2026-03-02T18:00:00+01:00"


@contextmanager
def processes(settings: Settings, count: int = PROCESSES) -> Generator[list[Service]]:
    """Services that share a database; their clocks stand still together."""
    clock = WallClock()
    clock.set(NOON)
    with ExitStack() as stack:
        opened = [stack.enter_context(Database(settings, clock)) for _ in range(count)]
        made = [Service(settings, database, clock) for database in opened]
        made[0].apply_shipped("haisoft", "webxtra")
        yield made


def life_of(ticket: str, desk: str) -> list[Incoming]:
    """A ticket's facts: answered, asked again, paused, answered again."""
    return [
        created(ticket, "2026-03-02T08:00:00+01:00", desk=desk, title="Mail down", customer="ACME"),
        event(f"{ticket}-1", "agent.replied", ticket, "2026-03-02T10:10:00+01:00", desk=desk, author="agent"),
        event(
            f"{ticket}-2",
            "customer.replied",
            ticket,
            "2026-03-02T10:20:00+01:00",
            desk=desk,
            author="customer",
        ),
        event(
            f"{ticket}-3", "status.changed", ticket, "2026-03-02T10:30:00+01:00", desk=desk, status="pending"
        ),
        event(
            f"{ticket}-4",
            "customer.replied",
            ticket,
            "2026-03-02T10:40:00+01:00",
            desk=desk,
            author="customer",
        ),
    ]


def at_once(runtime: Sequence[Callable[[], object]]) -> None:
    """Run these in threads that begin together."""
    barrier = Barrier(len(runtime))

    def run(work: Callable[[], object]) -> None:
        barrier.wait()
        work()

    with ThreadPoolExecutor(len(runtime)) as pool:
        for future in [pool.submit(run, work) for work in runtime]:
            future.result()


def settled(service: Service, desk: str, ticket: str) -> object:
    view = service.view(desk, ticket, at=AFTERWARDS)
    return {name: value for name, value in view.items() if name not in ("as_of", "queue")}


@pytest.mark.parametrize("desk", ["haisoft", "webxtra"])
def test_processes_that_push_to_the_same_tickets_at_once_undo_nothing(
    database_settings: Settings, desk: str
) -> None:
    """At webxtra all these tickets are duplicates of each other besides, so each moves all."""
    names = [f"T{number}" for number in range(TICKETS)]
    facts = [fact for name in names for fact in life_of(name, desk)]
    with processes(database_settings) as services:

        def push_all(service: Service, seed: int) -> None:
            mine = facts.copy()
            random.Random(seed).shuffle(mine)
            for start in range(0, len(mine), 7):  # every process brings every fact, in an order of its own
                service.push(*mine[start : start + 7])

        at_once(
            [
                lambda service=service, seed=seed: push_all(service, seed)
                for seed, service in enumerate(services)
            ]
        )
        alone = services[0]
        stored = {name: settled(alone, desk, name) for name in names}
        signals = alone.signals()
        wait_intervals = alone.rows(
            "SELECT ticket, number, queue, from_at, to_at, rank FROM stint ORDER BY 1, 2"
        )
        revisions = dict(tuple(row) for row in alone.rows("SELECT ticket, revision FROM ticket"))
        seqs = [row[0] for row in alone.rows("SELECT seq FROM signal ORDER BY seq")]
        assert len(alone.rows("SELECT seq FROM event")) == len(facts)
    assert seqs == list(range(1, len(seqs) + 1))  # the stream has no gap, whichever process wrote to it
    assert len({signal["id"] for signal in signals}) == len(signals)
    assert all(revisions[name] >= 1 for name in names)
    with processes(database_settings, 1) as (again,):
        again.database.write_now(
            lambda conn, now: again.assessor.assess(
                conn, now, {desk: [Subject.parse(name) for name in names]}
            )
        )
        assert {name: settled(again, desk, name) for name in names} == stored
        assert (
            again.rows("SELECT ticket, number, queue, from_at, to_at, rank FROM stint ORDER BY 1, 2")
            == wait_intervals
        )
        assert len(again.signals()) == len(signals)  # nothing was left unrecorded


def test_processes_that_sweep_at_once_record_each_breach_once(database_settings: Settings) -> None:
    names = [f"T{number}" for number in range(40)]
    with processes(database_settings) as services:
        services[0].push(*(created(name, "2026-03-02T08:00:00+01:00") for name in names))
        services[0].clock.set(AFTERWARDS)
        at_once([service.sweeper.sweep_now for service in services])
        recorded = [signal["ticket"] for signal in services[0].signals("clock.breached")]
    assert sorted(recorded) == sorted(names)


@postgresql_only
def test_what_one_sweep_has_locked_another_skips(database_settings: Settings) -> None:
    with processes(database_settings, 2) as (first, second):
        first.push(*(created(name, "2026-03-02T08:00:00+01:00") for name in ("1", "2", "3")))
        first.clock.set(AFTERWARDS)
        taken, go_on = Event(), Event()

        def lock_one(conn: Connection, now: Micros) -> list[SubjectKey]:
            found = schedule.due(conn, now, 1)
            taken.set()
            assert go_on.wait(HANG)
            return found

        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(first.database.write_now, lock_one)
            assert taken.wait(HANG)
            left = second.database.write_now(lambda conn, now: schedule.due(conn, now, 10))
            go_on.set()
            assert len(held.result()) == 1
        assert len(left) == 2
        assert not set(left) & set(held.result())


@postgresql_only
def test_a_ticket_that_is_held_waits_and_then_shows_what_was_left(database_settings: Settings) -> None:
    with processes(database_settings, 2) as (first, second):
        first.push(created("1", "2026-03-02T08:00:00+01:00"))
        taken, go_on = Event(), Event()

        def lock(conn: Connection, now: Micros) -> None:
            clocks.lock(conn, [("haisoft", "1")])
            taken.set()
            assert go_on.wait(HANG)

        reply = event("r", "agent.replied", "1", "2026-03-02T10:30:00+01:00", author="agent")
        with ThreadPoolExecutor(2) as pool:
            holding = pool.submit(first.database.write_now, lock)
            assert taken.wait(HANG)
            pushed = pool.submit(second.push, reply)
            assert not pushed.done()
            go_on.set()
            holding.result()
            assert pushed.result().accepted == 1
        assert first.clock_of("haisoft", "1", "ticket-response", at=AFTERWARDS)["met"] is True


@postgresql_only
def test_a_ticket_that_appears_after_it_was_to_be_locked_is_locked_before_it_is_evaluated(
    database_settings: Settings,
) -> None:
    with processes(database_settings, 2) as (slow, quick):
        limits = CheckpointLimits(events=1000, entries=1, kept=1)
        checkpoints = Checkpoints(limits, slow.assessor.long_replays)

        def evaluate(conn: Connection, now: Micros) -> list[SubjectKey]:
            clocks.lock(conn, [("haisoft", "1")])
            quick.push(created("1", "2026-03-02T08:00:00+01:00"))
            graph = lock_merge_graph(conn, slow.catalogue, "haisoft", ["1"], now, checkpoints)
            assert graph.is_known("1")
            quick.clock.set(AFTERWARDS)
            return quick.database.write_now(lambda conn, now: schedule.due(conn, now, 10))

        assert slow.database.write_now(evaluate) == []


@postgresql_only
def test_who_began_earlier_and_comes_second_finds_what_it_brought(database_settings: Settings) -> None:
    """Its facts were received before those that made the ticket known."""
    with processes(database_settings, 2) as (slow, quick):
        begun, go_on = Event(), Event()

        def wait_and_take(conn: Connection, now: Micros) -> None:
            begun.set()
            assert go_on.wait(HANG)
            slow.receiver.receive_within(conn, now, [created("1", "2026-03-02T08:00:00+01:00")])

        with ThreadPoolExecutor(1) as pool:
            taking = pool.submit(slow.database.write_now, wait_and_take)
            assert begun.wait(HANG)
            quick.clock.forward(seconds=2)
            quick.push(event("s", "status.changed", "1", "2026-03-02T08:00:02+01:00", status="open"))
            go_on.set()
            taking.result()
        row = "SELECT version, created_at IS NULL, known_since FROM ticket"
        assert [tuple(found) for found in slow.rows(row)] == [(1, False, at(NOON))]
        slow.clock.set(AFTERWARDS)
        slow.sweeper.sweep_now()
        assert slow.signals("clock.breached")


@postgresql_only
def test_a_version_waits_for_evaluations_by_the_last_and_makes_them_due_again(
    database_settings: Settings,
) -> None:
    agreement = (ROOT / "agreements" / "haisoft.toml").read_text().replace('name = "', 'name = "Renewed ', 1)
    with processes(database_settings, 2) as (first, second):
        first.clock.set("2026-03-02T08:00:01+01:00")
        taken, go_on = Event(), Event()
        pushed = created("1", "2026-03-02T08:00:00+01:00")

        def judge_and_wait(conn: Connection, now: Micros) -> None:
            first.receiver.receive_within(conn, now, [pushed])
            taken.set()
            assert go_on.wait(HANG)

        with ThreadPoolExecutor(2) as pool:
            judging = pool.submit(first.database.write_now, judge_and_wait)
            assert taken.wait(HANG)
            applying = pool.submit(second.apply_agreement, "haisoft", agreement, to=AppliesTo.OPEN)
            with pytest.raises(TimeoutError):
                applying.result(0.3)
            go_on.set()
            judging.result()
            applying.result()
        asked = "SELECT next_at, version FROM ticket"
        assert [tuple(row) for row in first.rows(asked)] == [(first.database.now(), 1)]


async def test_a_poisoned_member_of_a_shared_transaction_fails_alone(database: Database) -> None:
    def process(conn: Connection, now: Micros, members: Sequence[int]) -> Sequence[int]:
        for member in members:
            if member == 3:
                conn.exec_driver_sql("SELECT no_such_column FROM ticket")
        return [member * 10 for member in members]

    group: GroupCommit[int, int] = GroupCommit(
        database, process, 100, desks_of=lambda member: frozenset({str(member)})
    )

    async def outcome(member: int) -> int | str:
        try:
            return await group.submit(member)
        except Exception as error:  # noqa: BLE001 - whatever it is
            return type(error).__name__

    found = await asyncio.gather(*(outcome(member) for member in range(6)))
    assert [one for one in found if isinstance(one, int)] == [0, 10, 20, 40, 50]
    assert sum(isinstance(one, str) for one in found) == 1


def test_the_time_of_a_transaction_is_the_servers(database_settings: Settings) -> None:
    """Or the machine's, on a file; either way it is now, and does not go back from one to the next."""
    with Database(database_settings) as database:
        first = database.write_now(lambda conn, now: now)
        second = database.write_now(lambda conn, now: now)
        assert at("2026-01-01T00:00:00Z") < first <= second
        assert abs(database.now() - second) < HANG * SECOND
