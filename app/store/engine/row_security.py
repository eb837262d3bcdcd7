"""Row-level security on PostgreSQL: a transaction sees and writes the rows of its desks, whatever a statement says.

Every table with a desk has the policy `visible_desks`, which compares the row's desk with the transaction setting
`slatimer.desk`. A write transaction sets the desks of the requests that it holds; `desks.EveryDesk` lists what is not
confined, and why. `guard` creates the policy after every migration, over all tables there are, so that a new table
cannot be forgotten. The server lets a superuser bypass it; the doctor reports that.

The end of the stream is of all desks, and every write needs it: a function of the database returns it, which sees every
desk and returns nothing else. Without it a write would change its setting and back, a round trip each.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, func, literal_column, select, text

from app.principal import EVERY_DESK
from app.store.engine.desks import SEPARATOR, WRITING, EveryDesk
from app.store.engine.dialect import STREAM_LOCK, lock_migrations
from app.store.engine.postgres import DESK_SETTING
from app.store.engine.prepared import Prepared

POLICY: Final = "visible_desks"
"""The policy's name. A policy with another condition takes another name, and this one joins those superseded: that is
how a database of the release before is recognised."""
_SUPERSEDED: Final = ("own_desk",)
_SHARED: Final = "subscriptions_of_every_desk"
"""The policy by which a write reads the subscriptions of `*`, and cannot change them."""
_SHARED_TABLE: Final = "subscription"

_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
      AND (c.relname = 'acknowledgement' OR EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'desk' AND NOT a.attisdropped
      ))
"""
_UNGUARDED: Final = text(
    f"{_TABLES} AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS ("  # noqa: S608 - constants
    "SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = ANY(:policies))) ORDER BY c.relname"
)
_SUPERSEDED_ON: Final = text(
    f"{_TABLES} AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid "  # noqa: S608 - constants
    "AND p.polname = ANY(:policies)) ORDER BY c.relname"
)
_BYPASSED: Final = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")

# In a sub-select each, so that the setting is read once a statement and not once a row. The release before sets one
# desk or `*`: a list of one, so its processes may run beside this one's.
_SETTING: Final = f"(SELECT current_setting('{DESK_SETTING}', true))"
_DESKS: Final = (
    f"(SELECT string_to_array(current_setting('{DESK_SETTING}', true), chr({ord(SEPARATOR)})))::text[]"
)
_EVERY_DESK: Final = f"{_SETTING} = '{EVERY_DESK}'"
_BY_DESK: Final = f"{_EVERY_DESK} OR desk = ANY ({_DESKS})"
# An acknowledgement has no desk of its own: it belongs to the desk of its breach.
_BY_BREACH: Final = (
    f"{_EVERY_DESK} OR EXISTS (SELECT 1 FROM signal s "  # noqa: S608 - constants
    f"WHERE s.id = breach AND s.desk = ANY ({_DESKS}))"
)


_SHARED_LACKS: Final = text(
    f"SELECT to_regclass('{_SHARED_TABLE}') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_policy p "  # noqa: S608 - constants
    f"WHERE p.polrelid = to_regclass('{_SHARED_TABLE}') AND p.polname = '{_SHARED}')"
)
_MAKE_SHARED: Final = text(
    f"CREATE POLICY {_SHARED} ON {_SHARED_TABLE} FOR SELECT "
    f"USING (desk = '{EVERY_DESK}' AND chr({ord(WRITING)}) = ANY ({_DESKS}))"
)

# In a function each statement sees what was committed before it, so also before the lock was granted.
_STREAM_END_LACKS: Final = text("SELECT to_regprocedure('slatimer_stream_end(boolean)') IS NULL")
_MAKE_STREAM_END: Final = text(
    f"""
    CREATE FUNCTION slatimer_stream_end(locked boolean) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
      desks CONSTANT text := current_setting('{DESK_SETTING}', true);
      found bigint;
    BEGIN
      IF locked THEN PERFORM pg_advisory_xact_lock({STREAM_LOCK}); END IF;
      PERFORM set_config('{DESK_SETTING}', '{EVERY_DESK}', true);
      SELECT greatest(max(seq), (SELECT max(start) FROM places)) INTO found FROM signal;
      PERFORM set_config('{DESK_SETTING}', desks, true);
      RETURN coalesce(found, 0);
    END $$
    """  # noqa: S608 - constants
)
_STREAM_END: Final = Prepared(text("SELECT slatimer_stream_end(:locked)"))

STREAM_END: Final = select(func.slatimer_stream_end(literal_column("false"))).scalar_subquery()
"""`stream_end` without a lock, as a column of another query."""
STREAM_END_READ: Final = "end of the stream"
"""Under which key a write transaction remembers it (`database.memoized`)."""


def unguarded(conn: Connection) -> list[str]:
    """The tables that should be under row-level security and are not."""
    return list(conn.execute(_UNGUARDED, {"policies": [POLICY, *_SUPERSEDED]}).scalars())


def guard(conn: Connection) -> None:
    """Put row-level security on every table that lacks it."""
    for table in unguarded(conn):
        _put_policy(conn, table)
    share(conn)


def share(conn: Connection) -> None:
    """Let writes read the subscriptions of every desk, and where the stream ends. Idempotent."""
    for lacks, make in ((_SHARED_LACKS, _MAKE_SHARED), (_STREAM_END_LACKS, _MAKE_STREAM_END)):
        if conn.execute(lacks).scalar():
            lock_migrations(conn)  # of several processes that start at once, one creates it
            if conn.execute(lacks).scalar():
                conn.execute(make)


def stream_end(conn: Connection, _: EveryDesk, *, lock: bool) -> int:
    """The last place in the stream of all desks, or the one before the first that this server may give; 0 for none.

    `lock`: with the lock that serializes the places.
    """
    return _STREAM_END.rows(conn, {"locked": lock})[0][0]


def replace_old_policies(in_transaction: Callable[[Callable[[Connection], None]], None]) -> None:
    """Replace the policies of earlier releases. Idempotent.

    One table a transaction: replacing a policy locks its table (ACCESS EXCLUSIVE). Two such locks in one transaction
    would deadlock with a process of the release before that writes to both tables in another order.
    """
    found: list[str] = []
    in_transaction(lambda conn: found.extend(outdated(conn)))
    for table in found:
        in_transaction(lambda conn, table=table: _put_policy(conn, table))
    in_transaction(share)


def outdated(conn: Connection) -> list[str]:
    """The tables that have a policy of an earlier release."""
    return list(conn.execute(_SUPERSEDED_ON, {"policies": list(_SUPERSEDED)}).scalars())


def _put_policy(conn: Connection, table: str) -> None:
    condition = _BY_BREACH if table == "acknowledgement" else _BY_DESK
    conn.execute(text(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'))
    for policy in (POLICY, *_SUPERSEDED):
        conn.execute(text(f'DROP POLICY IF EXISTS {policy} ON "{table}"'))
    conn.execute(text(f'CREATE POLICY {POLICY} ON "{table}" USING ({condition}) WITH CHECK ({condition})'))


def is_bypassed(conn: Connection) -> bool:
    """Whether the server lets the service's role see every row all the same."""
    return bool(conn.execute(_BYPASSED).scalar())
