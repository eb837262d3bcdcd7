"""How do web processes and workers wake each other through Redis?

A job carries nothing but its name: what is to be done stands in the database, and a worker that is woken for nothing
finds nothing. So Redis may be away, empty or late, and all that is lost is a reminder. The rule it guards: a bell rings
at most once a second, however many clocks there are. Instants are microseconds UTC.
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

from app.background import Background
from app.settings import Settings
from app.sla.span import SECOND, Micros, instant

UNREACHABLE: Final = (RedisError, OSError, TimeoutError)
"""What a Redis that is away raises."""

_TRIES: Final = 50
_LONGEST: Final = 5.0
"""Seconds between two tries of one command. Fifty tries are about four minutes; whoever gives up then begins anew."""


class Job(StrEnum):
    """What a worker can be woken for."""

    SWEEP = "sweep"
    WAKE = "wake"
    DELIVER = "deliver"


class Queue(StrEnum):
    """Where jobs wait. Deliveries have their own: slow endpoints must not keep a clock waiting."""

    CLOCKS = "slatimer:clocks"
    DELIVERIES = "slatimer:deliveries"


def redis_settings(settings: Settings) -> RedisSettings:
    """How Redis is reached. A command is tried for minutes before it fails: arq's own two seconds would end a worker.

    Raises ValueError when the URL is missing or none of Redis.
    """
    if settings.redis_url is None:
        raise ValueError("SLATIMER_REDIS_URL is not set. Give Redis' address: redis://HOST:6379/0")
    try:
        found = RedisSettings.from_dsn(settings.redis_url)
    except (RuntimeError, ValueError) as error:
        raise ValueError("SLATIMER_REDIS_URL is no address of Redis, as in redis://HOST:6379/0") from error
    found.conn_timeout = max(1, round(settings.redis_connect_timeout.total_seconds()))
    found.conn_retries = _TRIES
    found.retry = Retry(ExponentialBackoff(cap=_LONGEST, base=0.05), _TRIES)
    found.retry_on_error = [RedisConnectionError, RedisTimeoutError, OSError]
    return found


def serialise(job: dict[str, Any]) -> bytes:
    """A job as Redis keeps it: JSON, so that nobody who writes to Redis can have code run here."""
    return orjson.dumps(job)


def deserialise(job: bytes) -> dict[str, Any]:
    """A job as it was put in."""
    return orjson.loads(job)


class Bell:
    """Rings for one job. `start` and `stop` it; `ring` from any thread."""

    def __init__(self, settings: Settings, job: Job, queue: Queue) -> None:
        self._redis = redis_settings(settings)
        self._redis.conn_retries = 0
        self._redis.retry = None  # a reminder that is late is worth nothing
        self._job, self._queue = job, queue
        self._pool: ArqRedis | None = None
        self._background = Background(self._run)
        self._at: Micros | None = None
        self._rung_for: Micros | None = None

    def start(self) -> None:
        """Begin to ring, in this event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Ring no more."""
        await self._background.stop()
        if self._pool is not None:
            with suppress(*UNREACHABLE):
                await self._pool.aclose()
            self._pool = None

    def ring(self, at: Micros, now: Micros) -> None:
        """Have a worker woken at this instant, unless one will be before."""
        rung = self._rung_for
        if rung is None or not now < rung <= at:
            # An instant long past is none that Redis takes.
            self._background.call(lambda: self._want(max(at, now)))

    def _want(self, at: Micros) -> None:
        self._at = at if self._at is None else min(self._at, at)
        self._background.wake()

    async def _run(self) -> None:
        while True:
            await self._background.sleep(None)
            self._background.awake()
            at, self._at = self._at, None
            if at is not None:
                self._rung_for = at
                try:
                    await self._put(at)
                except UNREACHABLE as error:
                    self._rung_for = None
                    await self._background.in_the_way(f"no bell for the job {self._job}", error)
                else:
                    self._background.all_is_well()
            await asyncio.sleep(1)

    async def _put(self, at: Micros) -> None:
        if self._pool is None:
            self._pool = await create_pool(
                self._redis, job_serializer=serialise, job_deserializer=deserialise
            )
        await self._pool.enqueue_job(
            self._job.value,
            _job_id=f"{self._job}:{at // SECOND}",
            _queue_name=self._queue.value,
            _defer_until=instant(at),
        )
