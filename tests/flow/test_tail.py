"""Everyone who listens hears every signal once and in order, whichever process told it."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from app.flow.process.tail import Tail
from app.settings import Settings
from app.store.engine.database import Database
from app.store.tickets.signals import Published
from tests.service import Service, WallClock, created, event


class Heard:
    """What a listener of the stream got."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def __call__(self, recorded: Iterable[Published]) -> None:
        self.seqs += [one.seq for one in recorded]


def everything_told(service: Service) -> list[int]:
    return [row[0] for row in service.rows("select seq from signal order by seq")]


def tail_of(service: Service, heard: Heard, *, period: float = 60) -> Tail:
    tail = Tail(service.database, heard, timedelta(seconds=period))
    service.assessor.on_commit(tail.on_commit)
    return tail


def test_what_this_process_tells_is_heard_at_once(service: Service) -> None:
    heard = Heard()
    tail_of(service, heard)
    service.push(created("1", "2026-03-02T08:00:00+01:00"))
    assert heard.seqs == everything_told(service) != []


def test_what_another_process_told_comes_before_the_next_of_this_one(
    service: Service, database_settings: Settings, wall_clock: WallClock
) -> None:
    heard = Heard()
    tail_of(service, heard)
    with Database(database_settings, wall_clock) as second:
        Service(database_settings, second, wall_clock).push(created("1", "2026-03-02T08:00:00+01:00"))
    assert heard.seqs == []
    service.push(created("2", "2026-03-02T08:00:00+01:00"))
    assert heard.seqs == everything_told(service)


async def test_what_another_process_told_is_found_by_looking(
    service: Service, database_settings: Settings, wall_clock: WallClock
) -> None:
    heard = Heard()
    tail = tail_of(service, heard, period=0.01)
    tail.start()
    with Database(database_settings, wall_clock) as second:
        other = Service(database_settings, second, wall_clock)
        await asyncio.to_thread(
            other.push,
            created("1", "2026-03-02T08:00:00+01:00"),
            event("r", "agent.replied", "1", "2026-03-02T08:30:00+01:00", author="agent"),
        )
    async with asyncio.timeout(5):
        while heard.seqs != everything_told(service):  # noqa: ASYNC110 - another process sets no event here
            await asyncio.sleep(0.01)
    await tail.stop()
    assert heard.seqs == sorted(set(heard.seqs))
