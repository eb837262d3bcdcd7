"""Shared reads: as few as possible, and none older than what its reader knows."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from app.web.http.shared_reads import SharedReads

LONG = timedelta(hours=1)
AT_ONCE = timedelta(0)


@dataclass
class _Reading:
    stream_at: int


@dataclass
class _Source:
    """A list whose place in the stream is set by the test. Readings wait until they are let go."""

    stream_at: int = 1
    reads: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> _Reading:
        self.reads += 1
        self.begun.set()
        found = _Reading(self.stream_at)
        await self.free.wait()
        return found


def test_those_who_ask_before_a_reading_begins_share_it() -> None:
    async def run() -> None:
        shared, source = SharedReads(AT_ONCE), _Source()
        source.free.set()
        found = await asyncio.gather(*(shared.get("list", source.read) for _ in range(50)))
        assert source.reads == 1
        assert {id(each) for each in found} == {id(found[0])}

    asyncio.run(run())


def test_who_asks_while_a_reading_goes_on_gets_a_later_one() -> None:
    async def run() -> None:
        shared, source = SharedReads(AT_ONCE), _Source()
        first = asyncio.create_task(shared.get("list", source.read))
        await source.begun.wait()
        source.stream_at = 2
        second = asyncio.create_task(shared.get("list", source.read))
        await asyncio.sleep(0)
        source.free.set()
        assert ((await first).stream_at, (await second).stream_at) == (1, 2)

    asyncio.run(run())


def test_a_fresh_reading_serves_who_has_seen_no_more_than_it_has() -> None:
    async def run() -> None:
        shared, source = SharedReads(LONG), _Source()
        source.free.set()
        await shared.get("list", source.read)
        await shared.get("list", source.read, seen=1)
        assert source.reads == 1
        for seen in (2, None):
            later = asyncio.create_task(shared.get("list", source.read, seen=seen))
            await asyncio.sleep(0)
            assert not later.done()  # it waits for the next reading, an hour from now
            later.cancel()

    asyncio.run(run())


def test_lists_of_different_keys_share_nothing() -> None:
    async def run() -> None:
        shared, source = SharedReads(LONG), _Source()
        source.free.set()
        await asyncio.gather(*(shared.get(key, source.read) for key in range(300)))
        assert source.reads == 300

    asyncio.run(run())


def test_a_failed_reading_fails_those_who_waited_and_nobody_else() -> None:
    async def run() -> None:
        shared, source = SharedReads(AT_ONCE), _Source()
        source.free.set()

        async def fail() -> _Reading:
            raise TimeoutError

        failed = await asyncio.gather(*(shared.get("list", fail) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in failed] == [TimeoutError] * 3
        assert (await shared.get("list", source.read)).stream_at == 1

    asyncio.run(run())


def test_who_goes_away_takes_no_reading_along() -> None:
    async def run() -> None:
        shared, source = SharedReads(AT_ONCE), _Source()
        first = asyncio.create_task(shared.get("list", source.read))
        second = asyncio.create_task(shared.get("list", source.read))
        await source.begun.wait()
        first.cancel()
        source.free.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await second).stream_at == 1
        assert source.reads == 1

    asyncio.run(run())
