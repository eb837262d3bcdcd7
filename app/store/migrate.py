"""Are the tables those that the code expects? If not, make them so.

Alembic keeps the order of the changes; it is run on a connection that is already in a transaction, so that a change
that fails leaves nothing half done.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_MIGRATIONS = Path(__file__).parent / "migrations"


def config() -> Config:
    """Alembic's configuration: where the migrations are, and nothing else."""
    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return made


def upgrade(conn: Connection) -> None:
    """Bring the tables up to date, inside the connection's transaction."""
    made = config()
    heads = set(ScriptDirectory.from_config(made).get_heads())
    if set(MigrationContext.configure(conn).get_current_heads()) == heads:
        return
    made.attributes["connection"] = conn
    command.upgrade(made, "head")
