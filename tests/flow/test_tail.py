"""The tail of the stream: every signal arrives once and in order, whichever process recorded it."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from app.flow.process.tail import Tail
from app.settings import Settings
from app.store.engine.database import Database
from app.store.engine.notify import Announcement
from app.store.tables import signal
from app.store.tickets.signals import Published
from tests.service import Service, WallClock, created, event
from tests.waiting import until_true


class Collector:
    """What a listener of the stream got."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def __call__(self, recorded: Iterable[Published]) -> None:
        self.seqs += [one.seq for one in recorded]


def all_recorded(service: Service) -> list[int]:
    return [row[0] for row in service.rows("select seq from signal order by seq")]


def tail_of(service: Service, collected: Collector, *, period: float = 60) -> Tail:
    tail = Tail(service.database, collected, timedelta(seconds=period), reset=lambda _: None)
    service.assessor.on_commit(tail.on_commit)
    return tail


def test_signals_of_this_process_arrive_at_once(service: Service) -> None:
    collected = Collector()
    tail_of(service, collected)
    service.push(created("1", "2026-03-02T08:00:00+01:00"))
    assert collected.seqs == all_recorded(service) != []


def test_signals_of_another_process_come_before_the_next_of_this_one(
    service: Service, database_settings: Settings, wall_clock: WallClock
) -> None:
    collected = Collector()
    tail_of(service, collected)
    with Database(database_settings, wall_clock) as second:
        Service(database_settings, second, wall_clock).push(created("1", "2026-03-02T08:00:00+01:00"))
    assert collected.seqs == []
    service.push(created("2", "2026-03-02T08:00:00+01:00"))
    assert collected.seqs == all_recorded(service)


def test_signals_of_another_process_are_not_read_while_nothing_listens(
    service: Service, database_settings: Settings, wall_clock: WallClock
) -> None:
    collected, listeners = Collector(), list[str]()
    tail = Tail(
        service.database,
        collected,
        timedelta(seconds=60),
        reset=lambda _: None,
        has_listeners=lambda: bool(listeners),
    )
    service.assessor.on_commit(tail.on_commit)
    with Database(database_settings, wall_clock) as second:
        other = Service(database_settings, second, wall_clock)
        other.push(created("1", "2026-03-02T08:00:00+01:00"))
        tail.on_announcement(Announcement(all_recorded(service)[-1], None))
        other.push(created("2", "2026-03-02T08:00:00+01:00"))
        service.push(created("3", "2026-03-02T08:00:00+01:00"))  # without an announcement of the one before
        assert collected.seqs == []
        listeners.append("a page")
        after = all_recorded(service)[-1]
        other.push(created("4", "2026-03-02T08:00:00+01:00"))
        service.push(created("5", "2026-03-02T08:00:00+01:00"))
    assert collected.seqs == [seq for seq in all_recorded(service) if seq > after] != []


async def test_signals_of_another_process_are_found_by_polling(
    service: Service, database_settings: Settings, wall_clock: WallClock
) -> None:
    collected = Collector()
    tail = tail_of(service, collected, period=0.01)
    tail.start()
    with Database(database_settings, wall_clock) as second:
        other = Service(database_settings, second, wall_clock)
        await asyncio.to_thread(
            other.push,
            created("1", "2026-03-02T08:00:00+01:00"),
            event("r", "agent.replied", "1", "2026-03-02T08:30:00+01:00", author="agent"),
        )
    await until_true(lambda: collected.seqs == all_recorded(service))
    await tail.stop()
    assert collected.seqs == sorted(set(collected.seqs))


async def test_a_stream_that_became_shorter_is_reported_with_its_end(service: Service) -> None:
    ends: list[int] = []
    service.push(created("1", "2026-03-02T08:00:00+01:00"))
    tail = Tail(service.database, Collector(), timedelta(milliseconds=10), reset=ends.append)
    last = all_recorded(service)[-1]
    service.database.write_now(lambda conn, now: conn.execute(signal.delete().where(signal.c.seq == last)))
    tail.start()
    await until_true(lambda: ends)
    await tail.stop()
    assert ends == [last - 1]
