"""`slatimer worker`: evaluates due tickets and delivers signals, in any number of processes.

The database is the timer: each worker sleeps until the least `next_at`, and workers that wake together share the due
tickets. arq adds two fallbacks: jobs that web processes enqueue, for where a connection pooler does not pass NOTIFY
on, and a periodic sweep. When Redis is unreachable the worker continues, and arq reconnects later.
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

from app.flow.process.collector import spare_collections
from app.flow.process.runtime import Runtime
from app.jobs import UNREACHABLE, Job, Queue, deserialise, redis_settings, serialise
from app.settings import Settings, environment_warnings
from app.store.engine.database import Database
from app.store.tickets import schedule

_log = structlog.stdlib.get_logger()

_RESTART_DELAY: Final = 1.0
"""Seconds before arq is restarted after it lost Redis."""
_MINUTE: Final = 60

Context = dict[str, Any]
"""What arq passes to a job. It holds the `Runtime` of the process."""


async def sweep(context: Context) -> None:
    """Evaluate all due tickets: the periodic fallback."""
    await runtime_of(context).sweeper.sweep()


async def wake(context: Context) -> None:
    """Evaluate all due tickets, and enqueue the wake-up for the next one."""
    await runtime_of(context).sweeper.sweep()
    await _schedule_next(context)


async def deliver(context: Context) -> None:
    """Deliver all pending signals."""
    runtime_of(context).deliverer.wake()


def runtime_of(context: Context) -> Runtime:
    """The components of the process that the job runs in."""
    return context["runtime"]


async def _schedule_next(context: Context) -> None:
    runtime = runtime_of(context)
    next_at = await runtime.database.read(schedule.next_at)
    if next_at is not None and runtime.wake_up is not None:
        runtime.wake_up.schedule(next_at, runtime.database.now())


JOBS: Final[dict[Queue, dict[Job, Callable[..., Awaitable[None]]]]] = {
    Queue.CLOCKS: {Job.SWEEP: sweep, Job.WAKE: wake},
    Queue.DELIVERIES: {Job.DELIVER: deliver},
}
"""The jobs of each queue. The first of each also runs periodically."""


def worker_of(
    settings: Settings, queue: Queue, context: Context, jobs: dict[Job, Callable[..., Awaitable[None]]]
) -> Worker:
    """The arq worker of one queue. Jobs are short and idempotent: a lost one runs again."""
    return Worker(
        functions=[func(job, name=name.value, keep_result=0) for name, job in jobs.items()],  # pyright: ignore[reportArgumentType]
        cron_jobs=[
            cron(
                next(iter(jobs.values())),  # pyright: ignore[reportArgumentType]
                name=f"periodic:{queue}",
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
    """Run until SIGINT or SIGTERM. Raises ValueError when `redis_url` is missing or faulty."""
    redis_settings(settings)
    for warning in environment_warnings(os.environ, Settings.model_fields):
        _log.warning(warning)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stopped.set)
    with Database(settings) as database:
        runtime = Runtime(settings, database, worker=True)
        runtime.start()
        context: Context = {"runtime": runtime}
        queues = [
            asyncio.create_task(keep_running(settings, queue, context, jobs)) for queue, jobs in JOBS.items()
        ]
        spare_collections()
        _log.info("worker started")
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
    """Run the arq worker of a queue until cancelled, restarting it when it loses Redis.

    arq retries for minutes, but a connection that is lost during its handshake ends it at once.
    """
    while True:
        await _wait_for_redis(settings, queue)
        worker = worker_of(settings, queue, context, jobs)
        try:
            await worker.async_run()
        except UNREACHABLE as error:
            _log.warning("arq worker lost Redis", queue=queue.value, error=f"{type(error).__name__}: {error}")
        finally:
            if worker.main_task is not None:
                worker.main_task.cancel()
            await _close(worker)
        await asyncio.sleep(_RESTART_DELAY)


async def _wait_for_redis(settings: Settings, queue: Queue) -> None:
    """Wait until Redis is reachable. Logs when it is not: arq retries for minutes without a log line."""
    connection = redis_settings(settings)
    connection.conn_retries, connection.retry = 0, None
    unreachable = False
    while True:
        try:
            pool = await create_pool(connection)
        except UNREACHABLE as error:
            if not unreachable:
                unreachable = True
                _log.warning(
                    "Redis is unreachable", queue=queue.value, error=f"{type(error).__name__}: {error}"
                )
            await asyncio.sleep(_RESTART_DELAY)
            continue
        await pool.aclose()
        if unreachable:
            _log.info("Redis is reachable again", queue=queue.value)
        return


async def _close(worker: Worker) -> None:
    with suppress(asyncio.CancelledError, *UNREACHABLE):  # its jobs were cancelled, its connection is lost
        await worker.close()
