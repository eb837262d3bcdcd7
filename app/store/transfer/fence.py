"""What closes a desk on a server while it moves: policies that hide its rows, triggers that refuse its writes.

Both compare with the table `route` in the database, so that no process can write by an outdated copy of it. A policy
(`lives_here`, restrictive) makes the rows of hidden desks invisible to every statement of the service: sweep, lists,
deliveries and retention pass them over. A trigger on each table takes a shared advisory lock of the desk for the rest
of the writer's transaction, and refuses the row if the desk is hidden. Closing takes the same lock exclusively, so it
waits for the transactions that have written, and no other can commit a row afterwards. Rows that replication applies
fire no trigger. Triggers of other desks cost their `WHEN` condition.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from app.store.engine.dialect import STREAM_LOCK
from app.store.engine.postgres import MOVES
from app.store.engine.routes import CHANNEL, RouteState
from app.store.transfer.server import Server, named, quoted

POLICY: Final = "lives_here"
_FUNCTION: Final = "slatimer_lives_here"
_ACKNOWLEDGEMENT: Final = "acknowledgement"
_DELIVERY: Final = "delivery"

_CONFIGURATION: Final = frozenset({"connection", "desk_version", "source"})
"""Tables that stay readable on the source, so that a request that comes by an outdated routing table finds its desk and
is refused by the triggers, to be sent again (503). Without them the desk would be unknown, for good."""

_ARRIVING: Final = "desk <> ALL (ARRAY(SELECT r.desk FROM route r WHERE r.state = 'arriving'))"
_HIDDEN: Final = "desk <> ALL (ARRAY(SELECT r.desk FROM route r WHERE r.is_hidden))"
_LEAVING: Final = "desk = ANY (ARRAY(SELECT r.desk FROM route r WHERE r.state = 'leaving'))"
_BODY: Final = f"""
BEGIN
    {{mine}}
    PERFORM pg_advisory_xact_lock_shared(hashtextextended({quoted(_FUNCTION)} || TG_ARGV[0], 0));
    IF EXISTS (SELECT FROM route r WHERE r.desk = TG_ARGV[0] AND r.is_hidden AND NOT
            (r.state = '{RouteState.LEAVING.value}' AND TG_TABLE_NAME = '{_DELIVERY}' AND TG_OP = 'UPDATE')) THEN
        RAISE EXCEPTION 'desk % moves to another server, or lives there', TG_ARGV[0] USING ERRCODE = '{MOVES}';
    END IF;
    RETURN COALESCE(NEW, OLD);
END
"""
_OF_BREACH: Final = """
    IF NOT EXISTS (SELECT FROM signal s WHERE s.id = COALESCE(NEW.breach, OLD.breach) AND s.desk = TG_ARGV[0]) THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
"""


def _function(name: str, mine: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path FROM CURRENT AS $body${_BODY.format(mine=mine)}$body$"
    )


def trigger_name(desk: str) -> str:
    """The name of the triggers of a desk."""
    return f"{_FUNCTION}_{sha256(desk.encode()).hexdigest()[:16]}"


async def hide(server: Server, tables: Iterable[str]) -> None:
    """Let the service see no rows of hidden desks. Idempotent; one table a transaction, so that nothing deadlocks."""
    there = {
        row["name"]
        for row in await server.rows(
            "SELECT c.relname AS name FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid "
            "WHERE p.polname = $1 AND c.relnamespace = current_schema()::regnamespace",
            POLICY,
        )
    }
    for table in tables:
        if table not in there:
            await server.together(*_policies(table))


def _policies(table: str) -> Iterator[str]:
    condition = _HIDDEN
    if table in _CONFIGURATION:
        condition = _ARRIVING
    elif table == _DELIVERY:
        condition = f"{_HIDDEN} OR {_LEAVING}"
        # Claims read FOR UPDATE, and so find none while the desk leaves. Results of attempts in flight find theirs.
        yield (
            f"CREATE POLICY {POLICY}_claims ON {_DELIVERY} AS RESTRICTIVE FOR UPDATE "
            f"USING (claim IS NOT NULL OR NOT ({_LEAVING})) WITH CHECK (true)"
        )
    yield (
        f"CREATE POLICY {POLICY} ON {named(table)} AS RESTRICTIVE USING ({condition}) WITH CHECK ({condition})"
    )


async def guard(server: Server, desk: str, tables: Iterable[str]) -> None:
    """Put the triggers of a desk on the tables with its rows. Idempotent."""
    await server.together(_function(_FUNCTION, ""), _function(f"{_FUNCTION}_breach", _OF_BREACH))
    for table in (*tables, _ACKNOWLEDGEMENT):
        await server.together(*_triggers(desk, table))


def _triggers(desk: str, table: str) -> Iterator[str]:
    if table == _ACKNOWLEDGEMENT:
        parts = (("", "INSERT OR UPDATE OR DELETE", ""),)
    else:
        parts = (("", "INSERT OR UPDATE", "NEW"), ("_d", "DELETE", "OLD"))
    function = f"{_FUNCTION}_breach" if table == _ACKNOWLEDGEMENT else _FUNCTION
    for end, events, row in parts:
        condition = f"WHEN ({row}.desk = {quoted(desk)})" if row else ""
        yield (
            f"CREATE OR REPLACE TRIGGER {trigger_name(desk)}{end} BEFORE {events} ON {named(table)} "
            f"FOR EACH ROW {condition} EXECUTE FUNCTION {function}({quoted(desk)})"
        )


async def unguard(server: Server, desk: str, tables: Iterable[str]) -> None:
    """Remove the triggers of a desk."""
    for table in (*tables, _ACKNOWLEDGEMENT):
        drops = (f"DROP TRIGGER IF EXISTS {trigger_name(desk)}{end} ON {named(table)}" for end in ("", "_d"))
        await server.together(*drops)


async def state_of(server: Server, desk: str) -> RouteState | None:
    """How far the move of a desk is; None if it has no route."""
    found = await server.value("SELECT state FROM route WHERE desk = $1", desk)
    return None if found is None else RouteState(found)


async def put_state(server: Server, desk: str, state: RouteState, base_url: str) -> None:
    """Set how far the move of a desk is, once no transaction that has written a row of it is open."""
    hidden = state not in (RouteState.COPYING, RouteState.ABORTING)
    # The next place in the stream must lie above those of signals that are no longer seen.
    above_hidden = (
        f"SELECT pg_advisory_xact_lock({STREAM_LOCK})",
        "INSERT INTO places (start) SELECT max(seq) FROM signal HAVING max(seq) > 0 ON CONFLICT DO NOTHING",
    )
    await server.together(
        f"SELECT pg_advisory_xact_lock(hashtextextended({quoted(_FUNCTION + desk)}, 0))",
        *(above_hidden if hidden else ()),
        "INSERT INTO route (desk, state, is_hidden, base_url, changed_at) "  # noqa: S608 - quoted
        f"VALUES ({quoted(desk)}, '{state.value}', {hidden}, {quoted(base_url)}, "
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint) ON CONFLICT (desk) DO UPDATE SET "
        "state = excluded.state, is_hidden = excluded.is_hidden, base_url = excluded.base_url, "
        "changed_at = excluded.changed_at",
        f"SELECT pg_notify('{CHANNEL}', '')",
    )


async def drop_route(server: Server, desk: str) -> None:
    """Remove the route of a desk: it lives here."""
    await server.together(
        f"DELETE FROM route WHERE desk = {quoted(desk)}",  # noqa: S608 - quoted
        f"SELECT pg_notify('{CHANNEL}', '')",
    )
