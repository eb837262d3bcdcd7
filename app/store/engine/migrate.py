"""Schema migrations (Alembic), run when the database is opened.

All pending migrations run in one transaction, so that a failure leaves the schema unchanged. An advisory lock
serializes processes that start at the same time. Migrations expand first and contract a release later, so a release
works on the schema of the next one: a schema that is newer than the code is left unchanged.
"""

from functools import cache
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.store.engine import dialect, row_security

_log = structlog.stdlib.get_logger()

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def config() -> Config:
    """The Alembic configuration: the folder of the migrations."""
    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return settings


@cache
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """The ids of all migrations, and those of the last ones. Importing every migration takes longer than opening."""
    scripts = ScriptDirectory.from_config(config())
    return frozenset(script.revision for script in scripts.walk_revisions()), frozenset(scripts.get_heads())


def upgrade(conn: Connection) -> None:
    """Migrate to the newest schema, in the transaction of the connection."""
    dialect.lock_migrations(conn)
    known, heads = _revisions()
    current = frozenset(MigrationContext.configure(conn).get_current_heads())
    if current - known:
        _log.warning("schema is newer than the code", revision=sorted(current - known))
        return
    if current != heads:
        settings = config()
        settings.attributes["connection"] = conn
        command.upgrade(settings, "head")
    if dialect.has_row_security(conn):
        row_security.guard(conn)
