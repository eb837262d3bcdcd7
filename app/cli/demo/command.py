"""`slatimer demo`: run the service on a fresh database with five desks and a realistic day, and print what to open."""

import json
import signal
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from types import FrameType
from typing import Annotated

import typer

from app.cli.configured import read_settings
from app.cli.demo.clamehost import BREACHES_NEXT
from app.cli.demo.fill import ADMINISTRATOR, LEAD, embed_link, fill_database, sign_in_link
from app.cli.demo.haisoft import BREACHES_SOON, PARIS, SKIPS_LUNCH, before_lunch
from app.cli.demo.live import Feed
from app.cli.demo.months import OWED_TO
from app.cli.demo.phpnet import AWAITS_ITS_CALL
from app.cli.demo.webxtra import FELL_TO_THE_BOTTOM
from app.cli.terminal import log_warnings_only, misused, remark, result
from app.main import serve
from app.settings import Settings
from app.sla.calendar.zone import zone
from app.sla.period import Months
from app.sla.span import SECOND, Micros, instant
from app.store.engine.database import wall_clock

command = typer.Typer(add_completion=False)


@command.command()
def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    database: Annotated[
        Path | None, typer.Option(help="A new SQLite file that stays; else a temporary one.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Push no further events after the start.")] = False,
) -> None:
    """Start the service with the five shipped desks and a realistic day of tickets around the current time."""
    if database is not None and database.exists():
        misused(f"--database: {database} exists already; name a new file")
    if database is not None and not database.parent.is_dir():
        misused(f"--database: there is no folder {database.parent}; name a new file in one that is there")
    # SIGTERM, from make or a service manager, ends it as Ctrl-C does, so that the folder is removed.
    signal.signal(signal.SIGTERM, _end)
    folder: AbstractContextManager[str] = (
        nullcontext("") if database else TemporaryDirectory(prefix="slatimer-")
    )
    with folder as name:
        path = (database or Path(name) / "demo.db").resolve()
        _run(
            read_settings(
                logged=True,
                database_url=f"sqlite:///{path}",
                host=host,
                port=port,
                guest_sign_in=True,
                log_level="WARNING",
            ),
            quiet,
        )


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _run(settings: Settings, quiet: bool) -> None:
    now = wall_clock() // SECOND * SECOND
    log_warnings_only()
    remark("Replaying the past days of five desks ...")
    key = fill_database(settings, now)
    base = f"http://{settings.host}:{settings.port}"
    links = {name: sign_in_link(settings, now, base, name) for name in (LEAD, ADMINISTRATOR)}
    embedded = embed_link(settings, now, base, "haisoft", SKIPS_LUNCH)
    feed = Feed(base, key, lambda: result(where_to_look(base, key, now, links, embedded)), quiet=quiet)
    thread = Thread(target=feed.run, name="feed", daemon=True)
    thread.start()
    try:
        serve(settings)
    except KeyboardInterrupt:
        remark("Stopped.")
    finally:
        feed.stopped.set()
        thread.join()


def where_to_look(base: str, key: str, now: Micros, links: Mapping[str, str], embedded: str) -> str:
    """The text that names what to open and what to try. `links`: what signs each person in."""
    event = {
        "specversion": "1.0",
        "id": "mine-1",
        "source": "haisoft",
        "type": "ticket.created",
        "subject": "MINE-1",
        "time": instant(before_lunch(now)).astimezone(PARIS).isoformat(),
        "data": {"title": "My server is slow", "customer": "Me", "service": "dedicated"},
    }
    months = Months(zone("Asia/Ho_Chi_Minh"))
    month = months.before(months.at(now)).name
    return f"""
The page                     {base}/
Sign in as a lead, once      {links[LEAD]}
Or as an administrator, once {links[ADMINISTRATOR]}
A HaiSoft clock skips lunch  {base}/tickets/haisoft/{SKIPS_LUNCH}
The same clock as a ticket system embeds it
                             {embedded}
A Web://Xtra ticket moved to the end of the queue, and why
                             {base}/tickets/webxtra/{FELL_TO_THE_BOTTOM}
A PHPNET ticket waits for its telephone call; register it there
                             {base}/tickets/phpnet/{AWAITS_ITS_CALL}
Breached a minute or so after the start, and another seconds later
                             {base}/tickets/haisoft/{BREACHES_SOON}
                             {base}/tickets/clamehost/{BREACHES_NEXT}
What a customer of HVN is owed for last month, and why
                             {base}/credits/statements/hvn/{OWED_TO}/{month}

Push an event; its clock skips lunch as well:
  curl -s {base}/v1/events -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/cloudevents+json' \\
    -d '{json.dumps(event)}'

Follow the live stream of signals:
  curl -sN {base}/v1/stream -H 'Authorization: Bearer {key}'

Ctrl-C stops it.
"""
