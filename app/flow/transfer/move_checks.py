"""What must be so on both servers before a desk is moved. Each fault says what to do about it."""

from typing import Final

from app.store.transfer import replication
from app.store.transfer.server import Server

LEAST_VERSION: Final = 150_000
"""PostgreSQL 15: the first with row filters."""

_ROLE: Final = (
    "SELECT rolsuper OR (rolreplication AND rolbypassrls) FROM pg_roles WHERE rolname = current_user"
)
_OWNER_BYPASSES: Final = """
    SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid = to_regclass('event') AND (r.rolsuper OR r.rolbypassrls)
"""
_COLUMNS: Final = """
    SELECT table_name || '.' || column_name || ' ' || data_type AS name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = ANY ($1)
"""


class CannotMove(RuntimeError):
    """The desk cannot be moved as asked. Nothing was changed."""


async def check(server: Server) -> None:
    """One server alone. Raises CannotMove."""
    if int(await server.value("SHOW server_version_num")) < LEAST_VERSION:
        raise CannotMove(f"{server} is older than PostgreSQL 15, which has no row filters")
    if not await server.value("SELECT to_regclass('route') IS NOT NULL"):
        raise CannotMove(
            f"{server} has not this release's tables. Start its service once, or run slatimer doctor there"
        )
    if not await server.value(_ROLE):
        raise CannotMove(
            f"{server}: the role of the URL may not replicate. Name one that is a superuser, or has REPLICATION and "
            "BYPASSRLS; it is used by this command only (--to, --from)"
        )
    if owner := await server.value(_OWNER_BYPASSES):
        raise CannotMove(
            f"{server}: row-level security does not hold for {owner}, the service's role, so rows of a moved desk "
            f"could not be hidden from it. ALTER ROLE {owner} NOSUPERUSER NOBYPASSRLS"
        )


async def check_pair(source: Server, target: Server, desk: str) -> list[str]:
    """Both servers. Returns the tables to replicate. Raises CannotMove."""
    await check(source)
    await check(target)
    if await source.value("SHOW wal_level") != "logical":
        raise CannotMove(f"{source} logs too little: set wal_level = logical and restart it")
    identity = "SELECT system_identifier::text || current_database() FROM pg_control_system()"
    if await source.value(identity) == await target.value(identity):
        raise CannotMove("source and target are the same database")
    tables = await replication.tables(source)
    here, there = [
        {row["name"] for row in await server.rows(_COLUMNS, tables)} for server in (source, target)
    ]
    if missing := sorted(here - there):
        raise CannotMove(f"{target} lacks {', '.join(missing[:3])}: run the same release on both servers")
    if not await source.value("SELECT EXISTS (SELECT FROM desk_version WHERE desk = $1)", desk):
        raise CannotMove(f"{source} has no desk {desk!r}")
    return tables
