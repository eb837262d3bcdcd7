"""What a move does on the target besides replication: numbers that cannot collide, and the rows without a desk."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from app.store.engine.dialect import STREAM_LOCK
from app.store.engine.notify import CHANNEL
from app.store.transfer import replication
from app.store.transfer.moved_tables import NUMBERED
from app.store.transfer.server import Server, named, quoted

Row = Mapping[str, Any]
Unseal = Callable[[str], str]

_EPOCH: Final = 1_767_225_600
"""2026-01-01 UTC, in seconds since 1970."""
_A_SECOND: Final = 1 << 20
"""Numbers for each second since then. No server records as many in a second, so what it numbers after one move never
reaches the numbers of a later one, on whichever server; and 272 years of them are exact in JSON readers' doubles."""
_BATCH: Final = 50_000

_ROLES: Final = "SELECT principal, role FROM principal_role WHERE desk IN ($1, '*')"
_ACKNOWLEDGED: Final = (
    "SELECT a.* FROM acknowledgement a JOIN signal s ON s.id = a.breach WHERE s.desk = $1 ORDER BY a.breach"
)
_AGAIN: Final = """
    UPDATE delivery SET claim = NULL, next_at = $2 WHERE desk = $1 AND state = 'pending' AND claim IS NOT NULL
"""
_FIRST: Final = """
    UPDATE delivery d SET next_at = $2 FROM (
        SELECT subscription, ticket, min(signal) AS signal, count(next_at) AS scheduled FROM delivery
        WHERE desk = $1 AND state = 'pending' GROUP BY subscription, ticket
    ) f
    WHERE d.desk = $1 AND d.subscription = f.subscription AND d.signal = f.signal
      AND d.state = 'pending' AND d.next_at IS NULL AND f.scheduled = 0
"""
_ORPHANS: Final = """
    DELETE FROM delivery d WHERE d.desk = $1
      AND NOT EXISTS (SELECT FROM subscription s WHERE s.id = d.subscription)
"""
_AUDIT: Final = "SELECT * FROM audit WHERE desk = $1 ORDER BY id"
_REPOINT: Final = """
    UPDATE delivery d SET subscription = $3 WHERE d.desk = $1 AND d.subscription = $2
      AND NOT EXISTS (SELECT FROM delivery o WHERE o.subscription = $3 AND o.signal = d.signal)
"""
_NOW: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_SEVERAL: Final = "UPDATE api_key SET desk = '' WHERE id = ANY ($1) AND desk NOT IN ('', '*') AND desk <> $2"


class NumbersCollide(RuntimeError):
    """Rows of the desk have numbers that rows of the target have: both servers had desks before either joined the
    other (`slatimer desk join`). Move the desk by `slatimer export` and `slatimer import`, which number anew."""


def start_of_numbers(seconds: int, highest: int) -> int:
    """From where on a target numbers: above all numbers that are there, and that the source gives until the cut-over."""
    return max((seconds - _EPOCH) * _A_SECOND, highest + _A_SECOND)


async def check_numbers(source: Server, target: Server, desk: str) -> None:
    """Raises NumbersCollide."""
    for table, column in NUMBERED.items():
        name = named(table)
        if not await target.value(f"SELECT EXISTS (SELECT FROM {name})"):  # noqa: S608 - constants
            continue
        numbers = await source.rows(f"SELECT {column} AS n FROM {name} WHERE desk = $1", desk)  # noqa: S608
        for first in range(0, len(numbers), _BATCH):
            given = [row["n"] for row in numbers[first : first + _BATCH]]
            if await target.value(f"SELECT EXISTS (SELECT FROM {name} WHERE {column} = ANY ($1))", given):  # noqa: S608
                raise NumbersCollide(
                    f"rows of {table} have numbers that rows of the target have, since both servers had desks before "
                    "one joined the other. Use slatimer export and import, which number anew"
                )


async def _highest(server: Server) -> int:
    start = await server.value("SELECT COALESCE(max(start), 0) FROM places")
    return max(start, *(await replication.last_numbers(server)).values())


async def number_onwards(target: Server, source: Server | None = None) -> int:
    """Let the target number what it records from above the source's numbers. Returns from where."""
    highest = max([await _highest(server) for server in (target, source) if server is not None])
    seconds = int(await target.value("SELECT extract(epoch FROM clock_timestamp())::bigint"))
    start = start_of_numbers(seconds, highest)
    sequences = (
        f"SELECT setval(pg_get_serial_sequence({quoted(table)}, {quoted(column)}), {start})"
        for table, column in NUMBERED.items()
    )
    await target.together(
        f"SELECT pg_advisory_xact_lock({STREAM_LOCK})",
        f"INSERT INTO places (start) VALUES ({start}) ON CONFLICT DO NOTHING",  # noqa: S608 - numbers
        *sequences,
    )
    return start


async def copy_rest(source: Server, target: Server, desk: str, unseal: Unseal) -> None:
    """Copy what has no desk of its own, and complete deliveries. Call it in a transaction of the target."""
    await target.insert("acknowledgement", await source.rows(_ACKNOWLEDGED, desk))
    entries = await source.rows(_AUDIT, desk)
    await target.insert("audit", [{name: row[name] for name in row.keys() - {"id"}} for row in entries])
    await _copy_principals(source, target, desk)
    await _copy_subscriptions(source, target, desk, unseal)
    now = await target.value(_NOW)
    await target.run(_ORPHANS, desk)
    await target.run(_AGAIN, desk, now)
    await target.run(_FIRST, desk, now)


async def _copy_principals(source: Server, target: Server, desk: str) -> None:
    roles = await source.rows(_ROLES, desk)
    principals = sorted({row["principal"] for row in roles})
    people = await source.rows("SELECT * FROM person WHERE id = ANY ($1)", principals)
    await target.insert("person", [{**row, "default_view": None} for row in people])
    same = {
        row["name"]: row["id"]
        for row in await target.rows(
            "SELECT name, id FROM person WHERE name = ANY ($1)", [row["name"] for row in people]
        )
    }
    there = {row["id"]: same.get(row["name"], row["id"]) for row in people}
    codes = await source.rows("SELECT * FROM recovery_code WHERE person = ANY ($1)", principals)
    await target.insert("recovery_code", [row for row in codes if there[row["person"]] == row["person"]])
    # Keys of the release before may be sessions of another key, which end.
    keys = await source.rows(
        "SELECT * FROM api_key WHERE id = ANY ($1) AND parent IS NULL AND revoked_at IS NULL", principals
    )
    await target.insert("api_key", [{**row, "desk": desk} for row in keys])
    await target.run(_SEVERAL, [row["id"] for row in keys], desk)
    granted = [
        {"principal": there.get(row["principal"], row["principal"]), "desk": desk, "role": row["role"]}
        for row in roles
    ]
    await target.insert("principal_role", granted)


async def _copy_subscriptions(source: Server, target: Server, desk: str, unseal: Unseal) -> None:
    """Subscriptions of all desks: to an endpoint that the target has for all desks too, what is pending is handed over;
    else the subscription is copied for this desk."""
    here = await target.rows("SELECT * FROM subscription WHERE desk = '*'")
    endpoints = {(row["channel"], unseal(row["url"])): row["id"] for row in here}
    taken = {row["id"] for row in await target.rows("SELECT id FROM subscription")}
    for row in await source.rows("SELECT * FROM subscription WHERE desk = '*' ORDER BY id"):
        same = endpoints.get((row["channel"], unseal(row["url"])))
        to = same or (f"{row['id']}-{desk}" if row["id"] in taken else row["id"])
        if same is None:
            await target.insert("subscription", [{**row, "id": to, "desk": desk}])
        if to != row["id"]:
            await target.run(_REPOINT, desk, row["id"], to)


async def reschedule(server: Server, desk: str) -> None:
    """Make the first pending delivery of each ordering key due, where none is: what was done while it was invisible
    has scheduled none."""
    await server.run(_FIRST, desk, await server.value(_NOW))


async def announce(target: Server, last: int) -> None:
    """Wake the sweep, the deliveries and the stream of the target's processes."""
    now = await target.value(_NOW)
    await target.run("SELECT pg_notify($1, $2)", CHANNEL, f"{last} {now}")


async def delete_rows(server: Server, desk: str, tables: Sequence[str]) -> None:
    """Delete what replication copied of a desk, the acknowledgements of its breaches, and its audit log."""
    await server.run(
        "DELETE FROM acknowledgement a USING signal s WHERE s.id = a.breach AND s.desk = $1", desk
    )
    for table in (*tables, "audit"):
        await server.run(f"DELETE FROM {named(table)} WHERE desk = $1", desk)  # noqa: S608 - of the catalogue


async def has_rows(server: Server, desk: str, tables: Sequence[str]) -> str | None:
    """A table with rows of a desk; None if there is none."""
    for table in tables:
        if await server.value(f"SELECT EXISTS (SELECT FROM {named(table)} WHERE desk = $1)", desk):  # noqa: S608
            return table
    return None
