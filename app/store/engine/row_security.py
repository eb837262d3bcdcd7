"""How does PostgreSQL itself keep one desk's rows from another, whatever a query asks for?

Row-level security on every table that has a desk: a transaction sees the rows of the desk that it was begun for, or all
of them when it was begun for every desk. It is laid on after every migration, over all tables there are, so that a new
table cannot be forgotten. The server lets a superuser pass by it: the doctor says so.
"""

from typing import Final

from sqlalchemy import Connection, text

from app.store.engine.postgres import DESK_SETTING, EVERY_DESK

_BARE: Final = text(
    """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
      AND (c.relname = 'acknowledgement' OR EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'desk' AND NOT a.attisdropped
      ))
    ORDER BY c.relname
    """
)
_PASSES: Final = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
# In a sub-select each, so that a setting is read once a statement and not once a row.
_SEEN: Final = f"(SELECT current_setting('{DESK_SETTING}', true))"
_OWN: Final = f"desk = {_SEEN} OR {_SEEN} = '{EVERY_DESK}'"
# A note on a breach belongs to the desk of the breach.
_OF_SEEN_DESK: Final = f"SELECT 1 FROM signal s WHERE s.id = breach AND s.desk = {_SEEN}"  # noqa: S608 - constants
_OWN_BREACH: Final = f"{_SEEN} = '{EVERY_DESK}' OR EXISTS ({_OF_SEEN_DESK})"


def unguarded(conn: Connection) -> list[str]:
    """The tables that should be under row-level security and are not."""
    return [row[0] for row in conn.execute(_BARE).all()]


def guard(conn: Connection) -> None:
    """Lay row-level security on every table that lacks it."""
    for table in unguarded(conn):
        rule = _OWN_BREACH if table == "acknowledgement" else _OWN
        conn.execute(text(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'))
        conn.execute(text(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'))
        conn.execute(text(f'CREATE POLICY own_desk ON "{table}" USING ({rule}) WITH CHECK ({rule})'))


def passes_by(conn: Connection) -> bool:
    """Whether the server lets the service's role see every row all the same."""
    return bool(conn.execute(_PASSES).scalar())
