"""`slatimer worker`: a process that tells what is due, beside as many others as are wanted.

The database stays the timer: each worker sleeps until the least instant in it, as the web process does when it is alone,
and those that wake together share what is due. arq adds two nets below: a wake-up put into Redis by whoever plans
something earlier, for where the database cannot announce it (a pooler between), and a sweep every few seconds. Redis
may be away for as long as it likes: the worker goes on, and so does arq when Redis is back.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC
from typing import Any, Final

import structlog
from arq import cron
from arq.connections import create_pool
from arq.worker import Worker, func

from app.flow.process.runtime import Runtime
from app.jobs import UNREACHABLE, Job, Queue, deserialise, redis_settings, serialise
from app.settings import Settings, environment_warnings
from app.store.engine.database import Database
from app.store.tickets import schedule

_log = structlog.stdlib.get_logger()

_AGAIN: Final = 1.0
"""Seconds until arq is started anew after it gave up on Redis."""
_MINUTE: Final = 60

Context = dict[str, Any]
"""What arq hands to a job: the works of the process."""


async def sweep(context: Context) -> None:
    """The net: tell whatever is due."""
    await runtime_of(context).sweeper.sweep()


async def wake(context: Context) -> None:
    """A clock's instant has come: tell whatever is due, and have somebody woken for the next."""
    await runtime_of(context).sweeper.sweep()
    await _ring_for_next(context)


async def deliver(context: Context) -> None:
    """Something was told that somebody subscribed to: deliver whatever is due."""
    runtime_of(context).deliverer.wake()


def runtime_of(context: Context) -> Runtime:
    """The works of the process that a job runs in."""
    return context["works"]


async def _ring_for_next(context: Context) -> None:
    runtime = runtime_of(context)
    next_at = await runtime.database.read(schedule.next_at)
    if next_at is not None and runtime.bell is not None:
        runtime.bell.ring(next_at, runtime.database.now())


JOBS: Final[dict[Queue, dict[Job, Callable[..., Awaitable[None]]]]] = {
    Queue.CLOCKS: {Job.SWEEP: sweep, Job.WAKE: wake},
    Queue.DELIVERIES: {Job.DELIVER: deliver},
}
"""What waits in which queue. The first of each is what arq's own schedule runs besides."""


def worker_of(
    settings: Settings, queue: Queue, context: Context, jobs: dict[Job, Callable[..., Awaitable[None]]]
) -> Worker:
    """An arq worker of one queue. Jobs are short and repeatable: one that was lost with its worker runs again soon."""
    return Worker(
        functions=[func(job, name=name.value, keep_result=0) for name, job in jobs.items()],  # pyright: ignore[reportArgumentType]
        cron_jobs=[
            cron(
                next(iter(jobs.values())),  # pyright: ignore[reportArgumentType]
                name=f"net:{queue}",
                second=set(range(0, _MINUTE, round(settings.worker_sweep_interval.total_seconds()))),
                keep_result=0,
                timeout=settings.job_timeout.total_seconds(),
            )
        ],
        queue_name=queue.value,
        redis_settings=redis_settings(settings),
        ctx=dict(context),
        handle_signals=False,
        poll_delay=settings.worker_poll_interval.total_seconds(),
        job_timeout=settings.job_timeout.total_seconds(),
        keep_result=0,
        max_jobs=settings.worker_concurrency,
        health_check_interval=_MINUTE,
        job_serializer=serialise,
        job_deserializer=deserialise,
        timezone=UTC,
        log_results=False,
    )


async def work(settings: Settings) -> None:
    """Be a worker until told to stop. Raises ValueError without a Redis to work with."""
    redis_settings(settings)
    for warning in environment_warnings(os.environ, Settings.model_fields):
        _log.warning(warning)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stopped.set)
    with Database(settings) as database:
        runtime = Runtime(settings, database, worker=True)
        runtime.start()
        context: Context = {"works": runtime}
        queues = [
            asyncio.create_task(keep_running(settings, queue, context, jobs)) for queue, jobs in JOBS.items()
        ]
        _log.info("working")
        try:
            await stopped.wait()
        finally:
            for queue in queues:
                queue.cancel()
            await asyncio.gather(*queues, return_exceptions=True)
            await runtime.stop()


async def keep_running(
    settings: Settings, queue: Queue, context: Context, jobs: dict[Job, Callable[..., Awaitable[None]]]
) -> None:
    """Work off a queue until cancelled, whatever becomes of Redis.

    arq tries again for minutes, but a connection that is lost at the very moment at which it is greeted ends it at once.
    """
    while True:
        await _reached(settings, queue)
        worker = worker_of(settings, queue, context, jobs)
        try:
            await worker.async_run()
        except UNREACHABLE as error:
            _log.warning("arq gave up on Redis", queue=queue.value, error=f"{type(error).__name__}: {error}")
        finally:
            if worker.main_task is not None:
                worker.main_task.cancel()
            await _closed(worker)
        await asyncio.sleep(_AGAIN)


async def _reached(settings: Settings, queue: Queue) -> None:
    """Wait until Redis answers, and say so when it does not: arq tries for minutes without a word of ours."""
    asked = redis_settings(settings)
    asked.conn_retries, asked.retry = 0, None
    silent = False
    while True:
        try:
            pool = await create_pool(asked)
        except UNREACHABLE as error:
            if not silent:
                silent = True
                _log.warning(
                    "Redis does not answer", queue=queue.value, error=f"{type(error).__name__}: {error}"
                )
            await asyncio.sleep(_AGAIN)
            continue
        await pool.aclose()
        if silent:
            _log.info("Redis answers", queue=queue.value)
        return


async def _closed(worker: Worker) -> None:
    with suppress(asyncio.CancelledError, *UNREACHABLE):  # its jobs were cancelled, its connection is lost
        await worker.close()
