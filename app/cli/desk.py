"""`slatimer desk`: move a desk to another server, forget one that has moved, list where desks live."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, Final, TypeVar

import typer

from app.cli.configured import read_settings
from app.cli.terminal import failed, misused, remark, result
from app.settings import Settings
from app.sla.span import instant

command = typer.Typer(no_args_is_help=True, add_completion=False)

T = TypeVar("T")

CUT_OVER_LIMIT: Final = 5.0
"""Seconds that a desk may be closed before the cut-over is undone: senders repeat for longer, people notice."""

Desk = Annotated[str, typer.Argument(help="The desk.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from", help="The source's database, as a role that may replicate. Otherwise that of the settings."
    ),
]


@command.callback()
def desk() -> None:
    """Desks and the servers on which they live."""


@command.command("move")
def move_desk(
    desk: Desk,
    to: Annotated[str, typer.Option(help="The target's database, as a role that may replicate.")],
    url: Annotated[
        str, typer.Option(help="Where the target's service is reached: https://sla2.example.")
    ] = "",
    own_url: Annotated[
        str, typer.Option(help="Where this server's service is reached. Otherwise SLATIMER_PUBLIC_URL.")
    ] = "",
    source: From = None,
    within: Annotated[
        float, typer.Option(help="Seconds that the cut-over may take; after them it is undone.", min=0.1)
    ] = CUT_OVER_LIMIT,
    forget: Annotated[bool, typer.Option(help="Delete the rows on the source afterwards.")] = False,
    abort: Annotated[bool, typer.Option(help="Undo a move that was not cut over.")] = False,
) -> None:
    """Move a desk to another PostgreSQL server while it is in use. An interrupted move is continued by the same command.

    Both servers run a service of their own, of the same release and with the same SLATIMER_SECRET_KEYS. The source needs
    wal_level = logical. The desk is closed for the cut-over, a second or so: writes get 503 with Retry-After.
    """
    settings = read_settings()
    own_url = own_url or settings.public_url or ""
    if not own_url:
        misused("--own-url: name where this server's service is reached, or set SLATIMER_PUBLIC_URL")
    if not url and not abort:
        misused("--url: name where the target's service is reached, as in https://sla2.example")
    _must_be_server("--to", to)
    urls = (own_url.rstrip("/"), url.rstrip("/"))
    _run(_move(settings, desk, to, urls, source, within, forget=forget, abort=abort))


@command.command("forget")
def forget_desk(desk: Desk, source: From = None) -> None:
    """Delete the rows of a desk that has moved away. Requests for it are still answered with its new address."""
    settings = read_settings()
    _run(_forget(settings, desk, source))
    remark(f"The rows of {desk} are deleted here")


@command.command("join")
def join(source: From = None) -> None:
    """Prepare a new server before its first desk: it numbers events and signals from where no other server does.

    Otherwise it numbers them from 1, as the first server does, and no desk can be moved between the two.
    """
    settings = read_settings()
    start = _run(_join(settings, source))
    remark(f"This server numbers from {start}")


@command.command("routes")
def list_routes(source: From = None) -> None:
    """List the desks that have moved away or are moving: desk, state, the other server's address, since when."""
    settings = read_settings()
    for line in _run(_routes(settings, source)):
        result(line)


async def _move(
    settings: Settings,
    desk: str,
    to: str,
    urls: tuple[str, str],
    source: str | None,
    within: float,
    *,
    forget: bool,
    abort: bool,
) -> None:
    from app.flow.transfer import move
    from app.store.engine.vault import vault_of_settings
    from app.store.transfer.server import Server

    timeout = settings.database_connect_timeout
    async with (
        Server.open("source", _source(settings, source), timeout) as old,
        Server.open("target", to, timeout) as new,
    ):
        vault = vault_of_settings(settings)
        moving = move.Move(old, new, desk, *urls, within, vault.unseal, remark)
        if abort:
            await moving.abort()
            return
        await moving.run()
        if forget:
            await move.forget(old, desk)
            remark("the rows on the source are deleted")
        remark(f"{desk} lives on {urls[1]}")


async def _forget(settings: Settings, desk: str, source: str | None) -> None:
    from app.flow.transfer import move
    from app.store.transfer.server import Server

    async with Server.open("source", _source(settings, source), settings.database_connect_timeout) as old:
        await move.forget(old, desk)


async def _join(settings: Settings, source: str | None) -> int:
    from app.flow.transfer import move
    from app.store.transfer.server import Server

    async with Server.open("server", _source(settings, source), settings.database_connect_timeout) as here:
        return await move.join(here)


async def _routes(settings: Settings, source: str | None) -> list[str]:
    from app.store.transfer.server import Server

    async with Server.open("source", _source(settings, source), settings.database_connect_timeout) as here:
        found = await here.rows("SELECT * FROM route ORDER BY desk")
    return [
        f"{row['desk']}  {row['state']}  {row['base_url']}  {instant(row['changed_at']).isoformat()}"
        for row in found
    ]


def _must_be_server(option: str, url: str) -> None:
    from app.store.engine.dialect import UnusableDatabase, check, is_shared

    try:
        check(url)
    except UnusableDatabase as error:
        misused(f"{option}: {error}")
    if not is_shared(url):
        misused(f"{option} is a file; a desk moves between PostgreSQL servers")


def _source(settings: Settings, given: str | None) -> str:
    """The database that `--from` names, else that of the settings."""
    found = given or settings.database_direct_url or settings.database_url
    _must_be_server("SLATIMER_DATABASE_URL" if given is None else "--from", found)
    return found


def _run(work: Coroutine[Any, Any, T]) -> T:
    from app.flow.transfer.move import MoveFailed
    from app.flow.transfer.move_checks import CannotMove
    from app.store.engine.address import UnusableDatabase
    from app.store.transfer.arrival import NumbersCollide
    from app.store.transfer.moved_tables import UndecidedTable
    from app.store.transfer.server import FAILURES

    try:
        return asyncio.run(work)
    except (CannotMove, UnusableDatabase) as error:
        misused(error)
    except (MoveFailed, NumbersCollide, UndecidedTable) as error:
        failed(error)
    except FAILURES as error:
        failed(f"{error}. Continue with the same command, or undo with --abort")
