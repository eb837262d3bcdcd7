"""Schema migrations (Alembic), run when the database is opened.

All pending migrations run in one transaction, so that a failure leaves the schema unchanged. An advisory lock
serializes processes that start at the same time. Migrations expand first and contract a release later, so a release
works on the schema of the next one: a schema that is newer than the code is left unchanged.

Alembic and the migrations are imported only when there is something to migrate: that takes a tenth of a second and 8 MB.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import Connection, inspect, text

from app.store.engine import dialect, row_security

if TYPE_CHECKING:
    from alembic.config import Config

_log = structlog.stdlib.get_logger()

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_IDS: Final = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)
_TABLE: Final = "alembic_version"
_CURRENT: Final = text(f"SELECT version_num FROM {_TABLE}")  # noqa: S608 - a constant


def config() -> "Config":
    """The Alembic configuration: the folder of the migrations."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return settings


@cache
def revisions() -> tuple[frozenset[str], frozenset[str]]:
    """The ids of all migrations, and those of the last ones, as their files state them."""
    found: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for path in (_MIGRATIONS / "versions").glob("*.py"):
        for name, revision in _IDS.findall(path.read_text(encoding="utf-8")):
            found[name].add(revision)
    known = frozenset(found["revision"])
    return known, known - found["down_revision"]


def _current(conn: Connection) -> frozenset[str]:
    """The ids that the database has; none before the first migration."""
    return frozenset(conn.execute(_CURRENT).scalars()) if inspect(conn).has_table(_TABLE) else frozenset()


def upgrade(conn: Connection) -> None:
    """Migrate to the newest schema, in the transaction of the connection."""
    dialect.lock_migrations(conn)
    known, heads = revisions()
    current = _current(conn)
    if current - known:
        _log.warning("schema is newer than the code", revision=sorted(current - known))
        return
    if current != heads:
        from alembic import command

        settings = config()
        settings.attributes["connection"] = conn
        command.upgrade(settings, "head")
    if dialect.has_row_security(conn):
        row_security.guard(conn)
