"""`slatimer secrets`: make a key that encrypts stored secrets, and encrypt all by the newest one."""

import typer

from app.cli.opened import opened
from app.cli.terminal import counted, failed, misused, remark, result

command = typer.Typer(no_args_is_help=True, add_completion=False)


@command.callback()
def secrets() -> None:
    """Encryption of the secrets in the database."""


@command.command("new-key")
def new_key() -> None:
    """Print a new key for SLATIMER_SECRET_KEYS, alone on standard output. It is stored nowhere."""
    from cryptography.fernet import Fernet

    remark("Keep it apart from the database and its backups. Without it the secrets are lost.")
    result(Fernet.generate_key().decode())


@command.command("rotate")
def rotate_secrets() -> None:
    """Encrypt every stored secret by the first of SLATIMER_SECRET_KEYS.

    Run it after the first key was set, and after a new one was put before it. Processes must know the new key first;
    afterwards the old one can be removed.
    """
    from app.principal import EVERY_DESK
    from app.store import audit
    from app.store.audit import Action
    from app.store.engine.database import Connection
    from app.store.engine.encrypted import rotate
    from app.store.engine.vault import UnreadableSecret, vault

    def rotated(conn: Connection, _: int) -> int:
        changed = rotate(conn)
        audit.record(conn, Action.SECRETS_ROTATED, [EVERY_DESK], counted(changed, "secret"))
        return changed

    with opened() as runtime:
        if not runtime.database.read_now(lambda conn: vault(conn).encrypts):
            misused("SLATIMER_SECRET_KEYS has no key. Make one with: slatimer secrets new-key")
        try:
            changed = runtime.database.write_now(rotated)
        except UnreadableSecret as error:
            failed(error)
    remark(f"{counted(changed, 'secret')} encrypted by the newest key.")
