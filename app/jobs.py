"""Wake-ups between web processes and workers through Redis (arq jobs).

A job carries its name only; the work is in the database, and a worker that is woken needlessly finds nothing to do. So
Redis may be unreachable, empty or slow: wake-ups are lost, data is not. At most one wake-up a second is enqueued for
each job, however many clocks are due. Instants are microseconds UTC.
"""

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final

import orjson
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.background import BackgroundLoop
from app.settings import Settings
from app.sla.span import SECOND, Micros, instant

UNREACHABLE: Final = (RedisError, OSError, TimeoutError)
"""Exceptions of a Redis that cannot be reached."""

_RETRIES: Final = 50
_BACKOFF_MAX: Final = 5.0
"""Maximum seconds between two tries of one command. Fifty tries take about four minutes."""


class Job(StrEnum):
    """Name of a job."""

    SWEEP = "sweep"
    WAKE = "wake"
    DELIVER = "deliver"


class Queue(StrEnum):
    """Queue of jobs. Deliveries have one of their own, so that slow endpoints do not delay the sweep."""

    CLOCKS = "slatimer:clocks"
    DELIVERIES = "slatimer:deliveries"


def redis_settings(settings: Settings) -> RedisSettings:
    """Connection settings of Redis. A command is retried for minutes: arq's default of two seconds ends the worker.

    Raises ValueError when the URL is missing or not a Redis URL.
    """
    if settings.redis_url is None:
        raise ValueError("SLATIMER_REDIS_URL is not set. Set it to redis://HOST:6379/0")
    try:
        found = RedisSettings.from_dsn(settings.redis_url)
    except (RuntimeError, ValueError) as error:
        raise ValueError("SLATIMER_REDIS_URL is not a Redis URL, such as redis://HOST:6379/0") from error
    found.conn_timeout = max(1, round(settings.redis_connect_timeout.total_seconds()))
    found.conn_retries = _RETRIES
    found.retry = Retry(ExponentialBackoff(cap=_BACKOFF_MAX, base=0.05), _RETRIES)
    found.retry_on_error = [RedisConnectionError, RedisTimeoutError, OSError]
    return found


def serialise(job: dict[str, Any]) -> bytes:
    """Serialize a job as JSON: unlike pickle it cannot execute code when it is read."""
    return orjson.dumps(job)


def deserialise(job: bytes) -> dict[str, Any]:
    """Deserialize a job."""
    return orjson.loads(job)


class WakeUp:
    """Schedules one arq job in Redis, at most one a second. `schedule` is thread-safe."""

    def __init__(self, settings: Settings, job: Job, queue: Queue) -> None:
        self._redis = redis_settings(settings)
        self._redis.conn_retries = 0
        self._redis.retry = None  # a late wake-up has no value
        self._job, self._queue = job, queue
        self._pool: ArqRedis | None = None
        self._background = BackgroundLoop(self._run)
        self._requested_at: Micros | None = None
        self._scheduled_at: Micros | None = None

    def start(self) -> None:
        """Start in the running event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Stop and close the connections."""
        await self._background.stop()
        if self._pool is not None:
            with suppress(*UNREACHABLE):
                await self._pool.aclose()
            self._pool = None

    def schedule(self, at: Micros, now: Micros) -> None:
        """Wake a worker at this instant, unless an earlier wake-up is scheduled."""
        scheduled_at = self._scheduled_at
        if scheduled_at is None or not now < scheduled_at <= at:
            # arq refuses an instant of more than a day ago.
            self._background.call_soon(lambda: self._request(max(at, now)))

    def _request(self, at: Micros) -> None:
        self._requested_at = at if self._requested_at is None else min(self._requested_at, at)
        self._background.wake()

    async def _run(self) -> None:
        while True:
            await self._background.sleep(None)
            self._background.clear_wake()
            at, self._requested_at = self._requested_at, None
            if at is not None:
                self._scheduled_at = at
                try:
                    await self._enqueue(at)
                except UNREACHABLE as error:
                    self._scheduled_at = None
                    await self._background.back_off("job could not be enqueued", error, job=self._job.value)
                else:
                    self._background.reset_backoff()
            await asyncio.sleep(1)

    async def _enqueue(self, at: Micros) -> None:
        if self._pool is None:
            self._pool = await create_pool(
                self._redis, job_serializer=serialise, job_deserializer=deserialise
            )
        # The second in the id makes the job unique per second: arq drops a duplicate.
        await self._pool.enqueue_job(
            self._job.value,
            _job_id=f"{self._job}:{at // SECOND}",
            _queue_name=self._queue.value,
            _defer_until=instant(at),
        )
