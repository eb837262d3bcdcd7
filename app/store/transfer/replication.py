"""Logical replication of one desk: the publication with row filters on the source, the subscription on the target.

Rows keep their keys. For a table whose key has no desk the source logs whole old rows meanwhile (REPLICA IDENTITY FULL),
since a row filter on UPDATE and DELETE may read only what is logged of the old row. The target finds rows by its own
primary key all the same.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from app.store.transfer.moved_tables import NUMBERED, replicated
from app.store.transfer.server import Server, conninfo, named, quoted

_TABLES: Final = """
    SELECT c.relname AS name, EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'desk' AND NOT a.attisdropped
    ) AS has_desk
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
# The tables, and the partitions of those that have some, whose primary key lacks the desk.
_KEY_LACKS_DESK: Final = """
    SELECT c.relname AS name, c.relreplident = 'f' AS whole FROM pg_class c
    LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
      AND (c.relname = ANY ($1) OR h.inhparent::regclass::text = ANY ($1))
      AND NOT EXISTS (
        SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname = 'desk'
      )
    ORDER BY c.relname
"""
_UNFINISHED: Final = """
    SELECT r.srrelid::regclass::text AS name FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid
    WHERE s.subname = $1 AND r.srsubstate <> 'r' ORDER BY 1
"""
_BEHIND: Final = """
    SELECT pg_wal_lsn_diff($2::text::pg_lsn, replay_lsn)::bigint FROM pg_stat_replication WHERE application_name = $1
"""
_ERRORS: Final = """
    SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats WHERE subname = $1
"""
_OWNER_SWITCH: Final = 160_000
"""From this version on the rows are applied as the owner of each table, for whom row-level security holds, if not
asked otherwise."""


def name_of(desk: str) -> str:
    """The name of publication, subscription and replication slot of a desk."""
    return f"slatimer_{sha256(desk.encode()).hexdigest()[:24]}"


async def tables(server: Server) -> list[str]:
    """The tables to replicate. Raises UndecidedTable."""
    return replicated([(row["name"], row["has_desk"]) for row in await server.rows(_TABLES)])


def publication(desk: str, names: Sequence[str]) -> str:
    """The statement that publishes the rows of a desk."""
    rows = f"WHERE (desk = {quoted(desk)})"
    listed = ", ".join(f"{named(table)} {rows}" for table in names)
    return f"CREATE PUBLICATION {name_of(desk)} FOR TABLE {listed} WITH (publish_via_partition_root = true)"


def subscription(desk: str, source_url: str, version: int) -> str:
    """The statement that subscribes to it, on a target of this version. The target connects to the source's URL."""
    more = ", run_as_owner = true" if version >= _OWNER_SWITCH else ""
    name, place = name_of(desk), quoted(conninfo(source_url))
    return f"CREATE SUBSCRIPTION {name} CONNECTION {place} PUBLICATION {name} WITH (copy_data = true{more})"


async def publish(source: Server, desk: str, names: Sequence[str]) -> None:
    """Publish the rows of a desk. Idempotent."""
    for row in await source.rows(_KEY_LACKS_DESK, list(names)):
        if not row["whole"]:
            await source.together(f"ALTER TABLE {named(row['name'])} REPLICA IDENTITY FULL")
    if not await source.rows("SELECT 1 FROM pg_publication WHERE pubname = $1", name_of(desk)):
        await source.run(publication(desk, names))


async def subscribe(target: Server, source: Server, desk: str) -> None:
    """Subscribe the target, which begins with a copy. Idempotent."""
    if not await target.rows("SELECT 1 FROM pg_subscription WHERE subname = $1", name_of(desk)):
        version = int(await target.value("SHOW server_version_num"))
        await target.run(subscription(desk, source.url, version))


async def unfinished(target: Server, desk: str) -> list[str]:
    """The tables of which the copy is not complete."""
    return [row["name"] for row in await target.rows(_UNFINISHED, name_of(desk))]


async def errors(target: Server, desk: str) -> int:
    """How often the target could not apply what it received."""
    return await target.value(_ERRORS, name_of(desk)) or 0


async def position(source: Server) -> str:
    """The end of the source's log of writes."""
    return await source.value("SELECT pg_current_wal_lsn()::text")


async def behind(source: Server, desk: str, lsn: str) -> int | None:
    """How many bytes of the log up to this position the target has not applied; None while it is not connected."""
    return await source.value(_BEHIND, name_of(desk), lsn)


async def unsubscribe(target: Server, source: Server, desk: str) -> None:
    """End the replication on the target, with its slot on the source. Idempotent."""
    name = name_of(desk)
    if await target.rows("SELECT 1 FROM pg_subscription WHERE subname = $1", name):
        await target.run(f"DROP SUBSCRIPTION {name}")
    # Of a subscription that could not be created the slot may be left.
    await source.rows(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active",
        name,
    )


async def unpublish(source: Server, desk: str, names: Sequence[str]) -> None:
    """End the publication. The last one of a desk also ends the logging of whole rows. Idempotent."""
    await source.run(f"DROP PUBLICATION IF EXISTS {name_of(desk)}")
    if await source.value("SELECT count(*) FROM pg_publication WHERE pubname ~ '^slatimer_[0-9a-f]{24}$'"):
        return
    for row in await source.rows(_KEY_LACKS_DESK, list(names)):
        if row["whole"]:
            await source.together(f"ALTER TABLE {named(row['name'])} REPLICA IDENTITY DEFAULT")


async def last_numbers(server: Server) -> dict[str, int]:
    """The highest number of each numbered table."""
    return {
        table: await server.value(f"SELECT COALESCE(max({column}), 0) FROM {named(table)}")  # noqa: S608 - constants
        for table, column in NUMBERED.items()
    }
