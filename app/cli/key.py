"""`slatimer key`: who may call the API, on which desk and for what?"""

from typing import Annotated

import typer

from app.cli.opened import opened
from app.cli.terminal import misused, remark, result
from app.store.keys import EVERY_DESK, Scope, create

command = typer.Typer(no_args_is_help=True)


@command.callback()
def key() -> None:
    """Keys to the API."""


@command.command("create")
def create_key(
    desk: Annotated[str, typer.Option(help="The desk that the key is bound to; * for all.")],
    scope: Annotated[str, typer.Option(help="push, read, admin; several with commas.")],
) -> None:
    """Make a key. It is printed once, alone on standard output, and kept nowhere."""
    scopes = scopes_of(scope)
    with opened() as parts:
        if desk != EVERY_DESK and desk not in parts.database.read_now(parts.catalogue.desks):
            remark(f"No agreement of a desk {desk!r} is in force yet.")
        secret, access = parts.database.write_now(lambda conn, now: create(conn, desk, scopes, now))
    remark(f"Key {access.id} for desk {desk}: {', '.join(sorted(scopes))}. It is shown this once.")
    result(secret)


def scopes_of(text: str) -> frozenset[Scope]:
    """The scopes of a list with commas."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    known = [scope.value for scope in Scope]
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        misused(f"--scope: {', '.join(unknown) or 'nothing'} is no scope. Write {', '.join(known)}.")
    return frozenset(map(Scope, words))
