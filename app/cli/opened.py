"""What does a command need to read and write the service's facts without a web process?

The same parts that the web process is made of, on the same database. While a server runs on a SQLite file, a command
waits for its turn to write as the server does, and the server's sweep finds what was written within its safety period.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager

from app.cli.terminal import failed, log_warnings_only, misused, remark
from app.flow.process.runtime import Runtime
from app.settings import Settings, environment_warnings
from app.store.engine.database import Database
from app.store.engine.dialect import UnusableDatabase, without_password


@contextmanager
def opened(settings: Settings | None = None) -> Generator[Runtime]:
    """Open the database of the settings, bring its tables up to date, and let go of it at the end."""
    log_warnings_only()
    for warning in environment_warnings(os.environ, Settings.model_fields):
        remark(warning)
    settings = settings or Settings()
    try:
        database = Database(settings)
    except UnusableDatabase as error:
        misused(f"SLATIMER_DATABASE_URL: {error}")
    except Database.failures as error:
        failed(f"{without_password(settings.database_url)} cannot be opened: {error}")
    with database:
        try:
            yield Runtime(settings, database)
        except Database.failures as error:
            failed(f"{without_password(settings.database_url)}: {error}")


def must_know(parts: Runtime, desk: str) -> None:
    """End as a wrong question when no agreement of that desk is in force."""
    desks = parts.database.read_now(parts.catalogue.desks)
    if desk not in desks:
        known = ", ".join(sorted(desks)) or "none; put one into force with: slatimer apply"
        misused(f"no desk {desk!r} is known. Known: {known}")
