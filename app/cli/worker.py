"""`slatimer worker`: run a worker process that sweeps and delivers. Any number may run."""

import asyncio
from contextlib import suppress

import typer

from app.cli.configured import read_settings
from app.cli.lean import service_imports
from app.cli.terminal import misused

command = typer.Typer(add_completion=False)


@command.command()
def worker() -> None:
    """Run a worker that sweeps and delivers, beside other workers. Needs SLATIMER_REDIS_URL."""
    with service_imports():
        from app.jobs import redis_settings
        from app.log import log_as_json
        from app.store.engine.dialect import UnusableDatabase, check_settings
        from app.worker import work

    settings = read_settings(logged=True)
    try:
        redis_settings(settings)
        check_settings(settings)
    except (ValueError, UnusableDatabase) as error:
        misused(error)
    log_as_json(settings.log_level)
    with suppress(KeyboardInterrupt):  # Ctrl-C is the normal way to stop it
        asyncio.run(work(settings))
