"""The components of the service for a command: the same as in a process, without the web, on the same database.

While a server runs on a SQLite file, a command waits for its turn to write as the server does, and the server's sweep
finds what was written at its next poll.
"""

import getpass
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.cli.configured import read_settings
from app.cli.terminal import failed, log_warnings_only, misused
from app.settings import Settings

if TYPE_CHECKING:
    from app.flow.process.runtime import Runtime


@contextmanager
def opened(settings: Settings | None = None) -> "Generator[Runtime]":
    """Open the database of the settings, which migrates it, and close it at the end."""
    from app.flow.process.runtime import Runtime
    from app.store import audit
    from app.store.engine.database import Database
    from app.store.engine.dialect import UnusableDatabase, without_password
    from app.store.engine.vault import UnreadableSecret, UnusableKey

    log_warnings_only()
    settings = settings or read_settings()
    try:
        database = Database(settings)
    except (UnusableKey, UnreadableSecret, OSError) as error:
        misused(f"SLATIMER_SECRET_KEYS: {error}")
    except UnusableDatabase as error:
        misused(f"SLATIMER_DATABASE_URL: {error}")
    except Database.failures as error:
        failed(f"{without_password(settings.database_url)} cannot be opened: {error}")
    actor = audit.acting.set(audit.Actor(f"command {_user()}"))
    with database:
        try:
            yield Runtime(settings, database)
        except Database.failures as error:
            failed(f"{without_password(settings.database_url)}: {error}")
        finally:
            audit.acting.reset(actor)


def _user() -> str:
    """The user of the machine, for the audit log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        return str(os.getuid())


def must_know(runtime: "Runtime", desk: str) -> None:
    """Exit with a usage error if no agreement of this desk is in force."""
    desks = runtime.database.read_now(runtime.catalogue.desks)
    if desk not in desks:
        known = ", ".join(sorted(desks)) or "none; put one into force with: slatimer apply"
        misused(f"there is no desk {desk!r}. Known: {known}")
