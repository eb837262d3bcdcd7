"""What a probe sees, and the heartbeat that stops when breaches are not told on time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from app.flow import metrics
from app.flow.process.heartbeat import Watch
from app.flow.process.invariants import Verdict
from app.settings import Settings
from tests.service import Service, created


class Watcher:
    """Somebody outside who counts the calls that come."""

    def __init__(self) -> None:
        self.calls = 0
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.calls += 1
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.fixture
async def watcher() -> AsyncIterator[Watcher]:
    made = Watcher()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alive"
    async with server:
        yield made


def watch_of(service: Service, *, url: str | None = None) -> Watch:
    given = {"heartbeat_url": url, "heartbeat_interval": timedelta(milliseconds=20)}
    settings: Settings = service.settings.model_copy(update=given)
    return Watch(service.database, service.catalogue, service.sweeper, settings, sweeps=False)


def count(outcome: str) -> float:
    return metrics.HEARTBEATS.labels(outcome)._value.get()


async def until(condition: Callable[[], bool], *, within: float = 5) -> None:
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - the numbers of metrics set no event
            await asyncio.sleep(0.005)


async def test_the_heartbeat_goes_on_as_long_as_breaches_are_told_in_time(
    service: Service, watcher: Watcher
) -> None:
    watch = watch_of(service, url=watcher.url)
    watch.start()
    await until(lambda: watcher.calls >= 3)
    await watch.stop()
    calls = watcher.calls
    assert calls >= 3
    await asyncio.sleep(0.1)
    assert watcher.calls == calls  # stopped is stopped


async def test_the_heartbeat_stops_when_the_sweep_is_behind(service: Service, watcher: Watcher) -> None:
    await asyncio.to_thread(service.push, created("1", "2026-03-02T08:00:00+01:00"))
    service.clock.set("2026-03-02T18:00:00+01:00")
    withheld = count("withheld")
    watch = watch_of(service, url=watcher.url)
    watch.start()
    await until(lambda: count("withheld") >= withheld + 3)
    assert watcher.calls == 0
    await asyncio.to_thread(service.sweeper.sweep_now)
    await until(lambda: watcher.calls >= 1)
    await watch.stop()


async def test_a_watcher_that_is_away_is_noted_and_tried_again(service: Service) -> None:
    failed = count("failed")
    watch = watch_of(service, url="http://127.0.0.1:9/nobody")
    watch.start()
    await until(lambda: count("failed") >= failed + 2)
    await watch.stop()
    assert count("failed") >= failed + 2


async def test_a_glance_is_kept_for_a_while_and_then_renewed(service: Service) -> None:
    watch = watch_of(service)
    first = await watch.glance()
    assert first.faults == 0
    assert await watch.glance() is first
    await asyncio.to_thread(service.push, created("1", "2026-03-02T08:00:00+01:00"))
    service.clock.set("2026-03-02T18:00:00+01:00")
    second = await watch.glance()
    broken = [check.name for check in second.checks if check.verdict is Verdict.FAULT]
    assert "the sweep keeps up" in broken
    assert metrics.FAULTS._value.get() == second.faults == len(broken)
