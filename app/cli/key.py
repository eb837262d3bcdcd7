"""`slatimer key`: who may call the API, on which desk and for what?"""

from typing import Annotated

import typer

from app.cli.opened import opened
from app.cli.terminal import misused, remark, result
from app.sla.span import instant
from app.store.people.keys import EVERY_DESK, Scope, create, listed, revoke

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


@command.command("list")
def list_keys() -> None:
    """Show every key that works: its id, desk, scopes and end. A signed-in page is a key that ends."""
    with opened() as parts:
        found = parts.database.read_now(listed)
    for access in found:
        ends = "no end" if access.expires_at is None else f"until {instant(access.expires_at).isoformat()}"
        result(f"{access.id}  {access.desk}  {','.join(sorted(access.scopes))}  {ends}")


@command.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `key list` shows it.")],
) -> None:
    """Let a key, and every page that was signed in with it, be worth nothing."""
    with opened() as parts:
        done = parts.database.write_now(lambda conn, now: revoke(conn, key_id, now))
    if not done:
        misused(f"No key {key_id!r} works. See: slatimer key list")
    remark(f"Key {key_id} is revoked; a running service refuses it within seconds.")


def scopes_of(text: str) -> frozenset[Scope]:
    """The scopes of a list with commas."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    known = [scope.value for scope in Scope]
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        misused(f"--scope: {', '.join(unknown) or 'nothing'} is no scope. Write {', '.join(known)}.")
    return frozenset(map(Scope, words))
