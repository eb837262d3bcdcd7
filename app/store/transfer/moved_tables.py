"""What a move of a desk does with each table.

Tables with a desk are found in the database's own catalogue, so that a new one cannot be forgotten: it is replicated,
unless it is listed here. A new table without a desk must be listed, or the move refuses to start.
"""

from collections.abc import Iterable
from typing import Final

MOVED_BY_STATEMENT: Final = {
    "acknowledgement": "copied at the cut-over with the breaches of the desk, since it has no desk of its own",
    "api_key": "keys with a role on the desk are copied, with that role only; they stay on the source",
    "audit": "what was done to the desk is numbered anew, since each server has entries of its own from the first day",
    "person": "people with a role on the desk are copied, unless their name exists on the target; they stay",
    "principal_role": "roles on the desk, or on all desks, become roles on the desk",
    "recovery_code": "copied with their person",
}
"""Tables that are copied by statements at the cut-over, and why."""

LEFT: Final = {
    "alembic_version": "each database has its own schema version",
    "failed_sign_in": "counts of minutes, of names and addresses",
    "one_time": "links that end within minutes; a new one is made on the target",
    "person_view": "views of a person over all desks",
    "places": "where a server's own numbers begin",
    "route": "the routing table, which each server has of its own",
    "session": "people sign in to the other server",
}
"""Tables that stay, and why."""

NUMBERED: Final = {"event": "seq", "hook": "seq", "signal": "seq"}
"""Tables whose rows keep the number that the server gave them, with its column."""


class UndecidedTable(RuntimeError):
    """A table without a desk is not listed in `store.transfer.moved_tables`: what a move does with it is not decided."""


def replicated(tables: Iterable[tuple[str, bool]]) -> list[str]:
    """The tables to replicate, of all tables of a database as (name, whether it has a desk). Raises UndecidedTable."""
    found: list[str] = []
    for name, has_desk in sorted(tables):
        if name in MOVED_BY_STATEMENT or name in LEFT:
            continue
        if not has_desk:
            raise UndecidedTable(f"table {name!r} has no column desk and is not listed")
        found.append(name)
    return found
