"""Are the tables those that the code expects? If not, make them so.

Alembic keeps the order of the changes; it is run on a connection that is already in a transaction, so that a change
that fails leaves nothing half done. Where several processes start at once, one of them does it and the others wait.
Changes expand first and contract a release later, so a release works on the tables of the next: tables that are ahead
of the code are taken as they are.
"""

from functools import cache
from pathlib import Path
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.store.engine import row_security

_log = structlog.stdlib.get_logger()

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_LOCK: Final = 0x5_1A_71_3D
"""Any number that no other application on the same database takes."""


def config() -> Config:
    """Alembic's configuration: where the migrations are, and nothing else."""
    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return made


@cache
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """The ids of all migrations, and those of the last ones. Importing every migration takes longer than opening."""
    scripts = ScriptDirectory.from_config(config())
    return frozenset(script.revision for script in scripts.walk_revisions()), frozenset(scripts.get_heads())


def upgrade(conn: Connection) -> None:
    """Bring the tables up to date, inside the connection's transaction."""
    shared = conn.dialect.name == "postgresql"
    if shared:
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    known, heads = _revisions()
    current = frozenset(MigrationContext.configure(conn).get_current_heads())
    if current - known:
        _log.warning("the tables are of a newer release", revision=sorted(current - known))
        return
    if current != heads:
        made = config()
        made.attributes["connection"] = conn
        command.upgrade(made, "head")
    if shared:
        row_security.guard(conn)
