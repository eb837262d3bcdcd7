"""`slatimer key`: create, list and revoke API keys."""

from typing import Annotated, TypeVar

import typer

from app.cli.opened import opened
from app.cli.terminal import misused, remark, result
from app.principal import EVERY_DESK, Principal, Role, Scope, roles_on
from app.sla.span import Micros, instant
from app.store.people import keys, sessions

command = typer.Typer(no_args_is_help=True, add_completion=False)

Word = TypeVar("Word", Scope, Role)


@command.callback()
def key() -> None:
    """API keys."""


@command.command("create")
def create_key(
    desk: Annotated[str, typer.Option(help="The key's desk; several with commas, * for all.")],
    scope: Annotated[str | None, typer.Option(help="push, read, admin; several with commas.")] = None,
    role: Annotated[
        str | None, typer.Option(help="viewer, agent, lead, admin, push; several with commas.")
    ] = None,
) -> None:
    """Create a key. Its secret is printed once, alone on standard output, and cannot be shown again.

    Give --scope or --role. The scope read is the role viewer; push and admin are the roles of those names.
    """
    granted = [*_words("--scope", scope, Scope), *_words("--role", role, Role)]
    if not granted:
        misused("Give --scope or --role.")
    desks = _split(desk)
    if not desks or not all(each.isprintable() for each in desks):
        misused("--desk: name a desk, several with commas, or * for all.")
    with opened() as runtime:
        known = runtime.database.read_now(runtime.catalogue.desks)
        for each in desks:
            if each != EVERY_DESK and each not in known:
                remark(f"No agreement of desk {each!r} is in force yet.")
        secret, made = runtime.database.write_now(
            lambda conn, now: keys.create(conn, roles_on(desks, granted), now)
        )
    remark(f"Key {made.id} for {_shown(made)}. It is shown this once.")
    result(secret)


@command.command("list")
def list_keys() -> None:
    """List every key that is not revoked, then every signed-in session: id, desks, scopes, roles, end."""
    with opened() as runtime:
        now = runtime.database.now()
        found = runtime.database.read_now(keys.listed)
        live = runtime.database.read_now(lambda conn: sessions.listed(conn, now))
    for principal in found:
        result(f"{principal.session_id or principal.id}  {_shown(principal)}  {_end(principal.expires_at)}")
    for session in live:
        result(f"{session.id}  {_shown(session.principal)}  {_end(session.expires_at)}")


@command.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `key list` shows.")],
) -> None:
    """Revoke a key and every session that it signed in, or end one session."""
    with opened() as runtime:
        done = runtime.database.write_now(lambda conn, now: sessions.end(conn, key_id, now))
    if not done:
        misused(f"There is no key {key_id!r}. See: slatimer key list")
    remark(f"Key {key_id} is revoked. A running service refuses it within seconds.")


def _split(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _words(option: str, text: str | None, kind: type[Word]) -> list[Word]:
    """The scopes or roles of a list with commas. Ends the command for a word that is none."""
    known = [each.value for each in kind]
    words = [] if text is None else _split(text)
    wrong = [word for word in words if word not in known]
    if wrong or (text is not None and not words):
        misused(f"{option}: {', '.join(wrong) or 'nothing'} is no {option[2:]}. Write {', '.join(known)}.")
    return [kind(word) for word in words]


def _shown(principal: Principal) -> str:
    """A principal's desks, scopes and roles, in columns; roles desk by desk where they differ."""
    by_desk = {desk: ",".join(sorted(roles)) for desk, roles in sorted(principal.roles.items())}
    same = len(set(by_desk.values())) == 1
    roles = next(iter(by_desk.values())) if same else " ".join(f"{d}:{r}" for d, r in by_desk.items())
    return f"{','.join(by_desk)}  {','.join(sorted(principal.scopes)) or '-'}  {roles}"


def _end(expires_at: Micros | None) -> str:
    return "no end" if expires_at is None else f"until {instant(expires_at).isoformat()}"
