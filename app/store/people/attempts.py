"""Failed sign-ins in a row, by a digest of what they are counted by, for all processes together.

A stranger adds rows, so they are bounded: `prune` removes those that are forgotten, and the least recent beyond a
number. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, select, text

from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.database import Connection
from app.store.tables import failed_sign_in as _failed

_READ: Final = (
    select(_failed.c.key, _failed.c.failures, _failed.c.last_at)
    .where(_failed.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(_failed.c.key)
)
_COUNT: Final = text(
    "INSERT INTO failed_sign_in (key, failures, last_at) VALUES (:key, 1, :now) ON CONFLICT (key) DO UPDATE SET "
    "failures = CASE WHEN failed_sign_in.last_at < :forgotten THEN 1 ELSE failed_sign_in.failures + 1 END, "
    "last_at = :now"
)
_TAKE_BACK: Final = (
    _failed.update()
    .where(_failed.c.key == bindparam("_key"), _failed.c.failures > 0)
    .values(failures=_failed.c.failures - 1)
)
_FORGET: Final = _failed.delete().where(_failed.c.key == bindparam("_key"))
_PRUNE: Final = _failed.delete().where(_failed.c.last_at < bindparam("before"))
_LEAST_KEPT: Final = select(_failed.c.last_at).order_by(_failed.c.last_at.desc()).offset(bindparam("most"))
_SIZE: Final = select(func.count()).select_from(_failed)


@dataclass(frozen=True, slots=True)
class Failures:
    """How many failures in a row, and when the last one was."""

    count: int
    last_at: Micros


def read(conn: Connection, keys: Collection[bytes]) -> Mapping[bytes, Failures]:
    """The failures of these keys, of those that have any."""
    rows = conn.execute(_READ, {"keys": _names(keys)}).all()
    return {bytes.fromhex(row.key): Failures(row.failures, row.last_at) for row in rows}


def lock(conn: Connection, keys: Collection[bytes]) -> Mapping[bytes, Failures]:
    """`read`, with the keys locked until the transaction ends: attempts at one time are counted one after the other."""
    dialect.advisory_lock(conn, (f"failed sign-in {name}" for name in _names(keys)))
    return read(conn, keys)


def count(conn: Connection, keys: Iterable[bytes], now: Micros, *, forgotten: Micros) -> None:
    """Count a failure of each key. Earlier ones count no more when the last was before `forgotten`."""
    conn.execute(_COUNT, [{"key": name, "now": now, "forgotten": forgotten} for name in _names(keys)])


def take_back(conn: Connection, keys: Iterable[bytes]) -> None:
    """Count one failure less of each key."""
    conn.execute(_TAKE_BACK, [{"_key": name} for name in _names(keys)])


def forget(conn: Connection, key: bytes) -> None:
    """Forget the failures of a key."""
    conn.execute(_FORGET, {"_key": key.hex()})


def prune(conn: Connection, before: Micros, most: int) -> None:
    """Remove those whose last failure was before this instant, and of the others all but the latest so many."""
    least = conn.execute(_LEAST_KEPT.limit(1), {"most": most}).scalar()
    conn.execute(_PRUNE, {"before": before if least is None else max(before, least + 1)})


def size(conn: Connection) -> int:
    """The number of keys that are remembered."""
    return conn.execute(_SIZE).scalar_one()


def _names(keys: Iterable[bytes]) -> list[str]:
    return sorted(key.hex() for key in keys)
