"""Workers on PostgreSQL and Valkey: woken by jobs, at most once a second, and unaffected by an outage of Redis."""

import asyncio
import gc
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, time

import pytest
from arq.connections import ArqRedis, create_pool

from app.jobs import Job, Queue, WakeUp, deserialise, redis_settings, serialise
from app.settings import Settings
from app.sla.span import SECOND
from app.store.engine.database import Database
from app.worker import JOBS, keep_running
from tests.servers import valkey
from tests.servers.databases import postgresql_only
from tests.servers.process import HOST
from tests.service import Service, WallClock, at, created
from tests.waiting import HANG, POLL_INTERVAL, until, until_true

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = round(time()) * SECOND
"""A whole second: what is due within it has one wake-up."""


cut_off = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""The client leaks connections to a killed server: the fixture `cleared_away` collects them within the test."""


@pytest.fixture
async def cleared_away() -> AsyncIterator[None]:
    yield
    await asyncio.sleep(0)
    gc.collect()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    """A connection to inspect the queues."""
    pool = await create_pool(redis_settings(Settings(redis_url=redis_url)))
    yield pool
    await pool.aclose()


async def waiting(redis: ArqRedis, queue: Queue) -> list[bytes]:
    return await redis.zrange(queue.value, 0, -1)


async def until_enqueued(redis: ArqRedis, count: int, queue: Queue = Queue.CLOCKS) -> list[bytes]:
    async with asyncio.timeout(HANG):
        while len(found := await waiting(redis, queue)) < count:  # noqa: ASYNC110 - Redis sets no event of ours
            await asyncio.sleep(POLL_INTERVAL)
    return found


async def test_a_wake_up_is_enqueued_once_a_second_however_often_it_is_scheduled(
    redis: ArqRedis, redis_url: str
) -> None:
    wake_up = WakeUp(Settings(redis_url=redis_url), Job.WAKE, Queue.CLOCKS)
    wake_up.start()
    due = NOW + 3600 * SECOND
    for number in range(1000):
        wake_up.schedule(due + number, NOW)
    assert await until_enqueued(redis, 1) == [f"wake:{due // SECOND}".encode()]
    await asyncio.sleep(0.3)
    assert len(await waiting(redis, Queue.CLOCKS)) == 1
    wake_up.schedule(due - 60 * SECOND, NOW)  # earlier than the scheduled one
    assert len(await until_enqueued(redis, 2)) == 2
    await wake_up.stop()


async def test_an_instant_long_past_is_scheduled_for_now(redis: ArqRedis, redis_url: str) -> None:
    """arq refuses one of more than a day ago."""
    wake_up = WakeUp(Settings(redis_url=redis_url), Job.WAKE, Queue.CLOCKS)
    wake_up.start()
    wake_up.schedule(NOW - 90 * 24 * 3600 * SECOND, NOW)
    assert await until_enqueued(redis, 1) == [f"wake:{NOW // SECOND}".encode()]
    await wake_up.stop()


@cut_off
async def test_a_wake_up_without_redis_is_logged_and_enqueued_when_redis_is_back(cleared_away: None) -> None:
    with valkey.start() as server:
        settings = Settings(redis_url=server.url())
        wake_up = WakeUp(settings, Job.WAKE, Queue.CLOCKS)
        wake_up.start()
        server.kill()
        wake_up.schedule(NOW + SECOND, NOW)
        await asyncio.sleep(1.5)
        await asyncio.to_thread(server.start)
        wake_up.schedule(NOW + 5 * SECOND, NOW)
        redis = await create_pool(redis_settings(settings))
        assert await until_enqueued(redis, 1)
        await redis.aclose()
        await wake_up.stop()


@asynccontextmanager
async def sweeping(server: valkey.Valkey) -> AsyncGenerator[tuple[list[float], asyncio.Task[None]]]:
    """A worker that sweeps each second and has swept once. Yields when it swept, and its task."""
    ran: list[float] = []

    async def noted(context: object) -> None:
        ran.append(monotonic())

    settings = Settings(redis_url=server.url(), worker_sweep_interval=timedelta(seconds=1))
    running = asyncio.create_task(keep_running(settings, Queue.CLOCKS, {}, {Job.SWEEP: noted}))
    try:
        await until_true(lambda: ran)
        yield ran, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@cut_off
async def test_a_worker_survives_an_outage_of_redis(cleared_away: None) -> None:
    """Two seconds end a worker with arq's defaults."""
    with valkey.start() as server:
        async with sweeping(server) as (ran, running):
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(3)
            before = len(ran)
            assert not running.done()
            await asyncio.to_thread(server.start)
            await until_true(lambda: len(ran) > before)


REFUSED = 5
LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"


@asynccontextmanager
async def reading(port: int) -> AsyncGenerator[list[bytes]]:
    """What a Redis does that reads its file: it refuses every command. Yields what it has refused."""
    refused: list[bytes] = []
    connections: set[asyncio.StreamWriter] = set()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        with suppress(ConnectionError):
            while received := await reader.read(65536):
                commands = re.findall(rb"^\*\d+\r\n", received, re.MULTILINE)
                refused.extend(commands)
                writer.write(LOADING * len(commands))
                await writer.drain()

    async with await asyncio.start_server(refuse, HOST, port):
        yield refused
    for writer in connections:
        writer.transport.abort()


@cut_off
async def test_a_worker_survives_a_redis_that_reads_its_file(cleared_away: None) -> None:
    """As after its restart: it refuses every command until it has read it."""
    with valkey.start() as server:
        async with sweeping(server) as (ran, running):
            await asyncio.to_thread(server.kill)
            async with reading(server.port) as refused:
                await until_true(lambda: len(refused) >= REFUSED)
            before = len(ran)
            assert not running.done()
            await asyncio.to_thread(server.start)
            await until_true(lambda: len(ran) > before)


def test_deliveries_wait_in_a_queue_of_their_own() -> None:
    assert {queue: [job.value for job in jobs] for queue, jobs in JOBS.items()} == {
        Queue.CLOCKS: ["sweep", "wake"],
        Queue.DELIVERIES: ["deliver"],
    }


def test_a_job_in_redis_is_json() -> None:
    assert deserialise(serialise({"f": "wake", "a": []})) == {"f": "wake", "a": []}


@pytest.mark.parametrize("url", [None, "http://localhost", "redis://host:port/0"])
def test_a_worker_without_a_valid_redis_url_names_the_setting(url: str | None) -> None:
    with pytest.raises(ValueError, match=r"(?i)redis_url"):
        redis_settings(Settings(redis_url=url))


@contextmanager
def command(settings: Settings, *words: str) -> Generator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "SLATIMER_DATABASE_URL": settings.database_url,
        "SLATIMER_REDIS_URL": settings.redis_url or "",
        "SLATIMER_LOG_LEVEL": "INFO",
        # Neither its polling finds a breach, nor does its end wait for anything.
        "SLATIMER_SWEEP_POLL_INTERVAL": "PT1H",
        "SLATIMER_WORKER_SWEEP_INTERVAL": "PT1M",
        "SLATIMER_GRACEFUL_TIMEOUT": "PT1H",
    }
    made = subprocess.Popen(
        [sys.executable, "-m", "app", *words], env=environment, cwd=ROOT, text=True, stderr=subprocess.PIPE
    )
    try:
        yield made
    finally:
        made.kill()
        made.communicate()


AGREEMENT = """
desk = "quick"
name = "Quick"

[[commitments]]
id = "response"
label = "First response"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2s"
calendar = "always"
"""


@postgresql_only
def test_a_worker_records_a_due_breach_and_stops_on_sigterm(
    database_settings: Settings, redis_url: str
) -> None:
    settings = database_settings.model_copy(update={"redis_url": redis_url})
    with command(settings, "worker") as worker:
        assert worker.stderr is not None
        assert any('"worker started"' in line for line in worker.stderr)
        with Database(settings) as database:
            service = Service(settings, database, WallClock())
            service.apply_agreement("quick", AGREEMENT)
            now = database.now()
            written = datetime.fromtimestamp(now / SECOND, UTC).isoformat()
            service.push(created("1", written, desk="quick"))
            until(lambda: service.signals("clock.breached"))
            (breach,) = service.signals("clock.breached")
        assert at(breach["detected_at"]) >= at(breach["at"])
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(HANG) == 0
