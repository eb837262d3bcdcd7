"""Health checks are cached for a while; the heartbeat is withheld while breaches are detected late."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.flow import metrics
from app.flow.process.health import HealthMonitor
from app.flow.process.invariants import Verdict
from app.settings import Settings
from tests.service import Service, created
from tests.waiting import until_true


class Monitor:
    """An external monitor that counts the heartbeats."""

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
async def external() -> AsyncIterator[Monitor]:
    made = Monitor()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alive"
    async with server:
        yield made


def monitor_of(service: Service, *, url: str | None = None) -> HealthMonitor:
    given = {"heartbeat_url": url, "heartbeat_interval": timedelta(milliseconds=20)}
    settings: Settings = service.settings.model_copy(update=given)
    return HealthMonitor(service.database, service.catalogue, service.sweeper, settings, sweeps=False)


def count(outcome: str) -> float:
    return metrics.HEARTBEATS.labels(outcome)._value.get()


async def test_the_heartbeat_is_sent_while_breaches_are_detected_on_time(
    service: Service, external: Monitor
) -> None:
    monitor = monitor_of(service, url=external.url)
    monitor.start()
    await until_true(lambda: external.calls >= 3)
    await monitor.stop()
    calls = external.calls
    assert calls >= 3
    await asyncio.sleep(0.1)
    # Stopped is stopped; the one that was on its way arrives.
    assert external.calls <= calls + 1


async def test_the_heartbeat_is_withheld_while_the_sweep_is_behind(
    service: Service, external: Monitor
) -> None:
    await asyncio.to_thread(service.push, created("1", "2026-03-02T08:00:00+01:00"))
    service.clock.set("2026-03-02T18:00:00+01:00")
    withheld = count("withheld")
    monitor = monitor_of(service, url=external.url)
    monitor.start()
    await until_true(lambda: count("withheld") >= withheld + 3)
    assert external.calls == 0
    await asyncio.to_thread(service.sweeper.sweep_now)
    await until_true(lambda: external.calls >= 1)
    await monitor.stop()


async def test_a_heartbeat_that_fails_is_counted_and_sent_again(service: Service) -> None:
    failed = count("failed")
    monitor = monitor_of(service, url="http://127.0.0.1:9/unreachable")
    monitor.start()
    await until_true(lambda: count("failed") >= failed + 2)
    await monitor.stop()
    assert count("failed") >= failed + 2


async def test_a_health_report_is_cached_and_then_renewed(service: Service) -> None:
    monitor = monitor_of(service)
    first = await monitor.report()
    assert first.faults == 0
    assert await monitor.report() is first
    await asyncio.to_thread(service.push, created("1", "2026-03-02T08:00:00+01:00"))
    service.clock.set("2026-03-02T18:00:00+01:00")
    second = await monitor.report()
    broken = [check.name for check in second.checks if check.verdict is Verdict.FAULT]
    assert "the sweep keeps up" in broken
    assert metrics.FAULTS._value.get() == second.faults == len(broken)
