"""What came from ticket systems, byte by byte, and what became of each delivery?

A delivery is kept as it came before anything is made of it. Two rules it guards: one that comes again is there once; and
one that was not understood is kept whole, until a mended mapping understands it. Instants are microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, bindparam, func, or_, select, text

from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import EVERY_DESK, Connection
from app.store.tables import hook as _hook


class HookState(StrEnum):
    """What became of a delivery. A `done` one may have warnings: words in it that nobody has mapped."""

    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class NewHook:
    """A delivery at the door. `once` is the same for its repetitions only; `headers` are those that its reader needs."""

    id: str
    desk: str
    system: str
    once: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredHook:
    """A delivery as it came. `interpreted_at` is none while it is read for the first time."""

    seq: int
    id: str
    desk: str
    system: str
    received_at: Micros
    headers: Mapping[str, str]
    body: bytes
    state: HookState
    reason: str | None
    warnings: tuple[str, ...]
    interpreted_at: Micros | None
    tries: int

    @property
    def length(self) -> int:
        """Bytes of its body."""
        return len(self.body)


@dataclass(frozen=True, slots=True)
class ListedHook:
    """A delivery as a list shows it: `length` in bytes in place of its body, of which a page would hold too many."""

    seq: int
    id: str
    desk: str
    system: str
    received_at: Micros
    state: HookState
    reason: str | None
    warnings: tuple[str, ...]
    interpreted_at: Micros | None
    length: int


@dataclass(frozen=True, slots=True)
class HookResult:
    """What became of a delivery now. `reason`: why it is kept or means nothing."""

    seq: int
    state: HookState
    reason: str | None = None
    warnings: tuple[str, ...] = ()


# Written out, since SQLite takes a partial index only where the query says the same without a parameter.
_IS_PENDING: Final = text("state = 'pending'")
_IN_INBOX: Final = text("(state = 'kept' OR warnings IS NOT NULL)")
_DESK: Final = bindparam("_desk", type_=_hook.c.desk.type)
_OF_DESK: Final = or_(_hook.c.desk == _DESK, _DESK == EVERY_DESK)
_ONCE: Final = select(_hook.c.once, _hook.c.id).where(_hook.c.once.in_(bindparam("onces", expanding=True)))
_PENDING: Final = select(_hook).where(_IS_PENDING).order_by(_hook.c.seq).limit(bindparam("most"))
_FIND: Final = select(_hook).where(_hook.c.id == bindparam("id"))
_INBOX: Final = (
    select(
        _hook.c.seq,
        _hook.c.id,
        _hook.c.desk,
        _hook.c.system,
        _hook.c.received_at,
        _hook.c.state,
        _hook.c.reason,
        _hook.c.warnings,
        _hook.c.interpreted_at,
        func.length(_hook.c.body).label("length"),
    )
    .where(_IN_INBOX, _OF_DESK, _hook.c.seq < bindparam("before"))
    .order_by(_hook.c.seq.desc())
    .limit(bindparam("most"))
)
_COUNTS: Final = (
    select(_hook.c.desk, _hook.c.system, _hook.c.state, func.count())
    .where(_IN_INBOX, _OF_DESK)
    .group_by(_hook.c.desk, _hook.c.system, _hook.c.state)
    .order_by(_hook.c.desk, _hook.c.system, _hook.c.state)
)
_WAITING: Final = select(func.count(), func.min(_hook.c.received_at)).where(_IS_PENDING)
_STUCK: Final = (
    select(_hook.c.desk, _hook.c.system, _hook.c.id)
    .where(_IS_PENDING, _hook.c.received_at < bindparam("before"))
    .order_by(_hook.c.seq)
)
_OLD: Final = (
    select(_hook.c.seq, _hook.c.id)
    .where(
        _hook.c.received_at < bindparam("before"),
        _hook.c.state.in_(["done", "ignored"]),
        _hook.c.warnings.is_(None),
    )
    .order_by(_hook.c.received_at)
    .limit(bindparam("most"))
)
_INSERT: Final = _hook.insert()
_FINISH: Final = (
    _hook.update()
    .where(_hook.c.seq == bindparam("_seq"))
    .values({name: bindparam(name) for name in ("state", "reason", "warnings", "interpreted_at")})
)
_TRIED: Final = _hook.update().where(_hook.c.seq == bindparam("_seq")).values(tries=_hook.c.tries + 1)
_AGAIN: Final = _hook.update().where(_IN_INBOX, _OF_DESK).values(state="pending", tries=0)
_DELETE: Final = _hook.delete().where(_hook.c.seq.in_(bindparam("seqs", expanding=True)))


def add(conn: Connection, coming: Sequence[NewHook], now: Micros) -> list[tuple[str, bool]]:
    """Keep deliveries. Returns for each the id that it is kept under and whether it came before."""
    known = {
        once: hook_id
        for part in parts(one.once for one in coming)
        for once, hook_id in conn.execute(_ONCE, {"onces": part}).all()
    }
    new: list[NewHook] = []
    found: list[tuple[str, bool]] = []
    for one in coming:
        before = known.get(one.once)
        if before is None:
            known[one.once] = one.id
            new.append(one)
        found.append((before or one.id, before is not None))
    if new:
        conn.execute(_INSERT, [_row(one, now) for one in new])
    return found


def _row(new: NewHook, now: Micros) -> dict[str, Any]:
    return {
        "id": new.id,
        "desk": new.desk,
        "system": new.system,
        "once": new.once,
        "received_at": now,
        "headers": orjson.dumps(dict(new.headers)).decode(),
        "body": new.body,
        "state": HookState.PENDING.value,
        "tries": 0,
    }


def claim(conn: Connection, most: int) -> list[StoredHook]:
    """Deliveries that are to be read, in the order in which they came.

    Where several processes read, those found are this one's until the transaction ends.
    """
    return [
        _stored(row) for row in conn.execute(dialect.claimed(conn, _PENDING), {"most": most}).mappings().all()
    ]


def finish(conn: Connection, outcomes: Sequence[HookResult], now: Micros) -> None:
    """Write down what became of deliveries."""
    if outcomes:
        conn.execute(
            _FINISH,
            [
                {
                    "_seq": one.seq,
                    "state": one.state.value,
                    "reason": one.reason,
                    "warnings": orjson.dumps(one.warnings).decode() if one.warnings else None,
                    "interpreted_at": now,
                }
                for one in outcomes
            ],
        )


def tried(conn: Connection, seq: int) -> None:
    """Reading it failed for a reason that may pass."""
    conn.execute(_TRIED, {"_seq": seq})


def again(conn: Connection, desk: str = EVERY_DESK) -> int:
    """Have everything in the inbox read again. Returns how many deliveries that concerns."""
    held = inbox_size(conn, desk)
    if held:
        conn.execute(_AGAIN, {"_desk": desk})
    return held


def inbox(conn: Connection, most: int, before: int, desk: str = EVERY_DESK) -> list[ListedHook]:
    """The latest deliveries before a place that are kept unread, or in which a word is not mapped."""
    asked = {"most": most, "before": before, "_desk": desk}
    return [_listed(row) for row in conn.execute(_INBOX, asked).mappings().all()]


def inbox_counts(conn: Connection, desk: str = EVERY_DESK) -> dict[tuple[str, str, str], int]:
    """How many there are of all of those, by desk, system and state."""
    return {(row[0], row[1], row[2]): row[3] for row in conn.execute(_COUNTS, {"_desk": desk}).all()}


def inbox_size(conn: Connection, desk: str = EVERY_DESK) -> int:
    """How many there are of all of those."""
    return sum(inbox_counts(conn, desk).values())


def find(conn: Connection, hook_id: str) -> StoredHook | None:
    """A delivery by its id, if it is still kept."""
    row = conn.execute(_FIND, {"id": hook_id}).mappings().first()
    return None if row is None else _stored(row)


def waiting(conn: Connection) -> tuple[int, Micros | None]:
    """How many deliveries are to be read, and when the one that has waited longest came."""
    count, since = conn.execute(_WAITING).one()
    return count, since


def stuck(conn: Connection, before: Micros) -> list[tuple[str, str, str]]:
    """(desk, system, id) of the deliveries that came before this instant and are still to be read."""
    return [(row[0], row[1], row[2]) for row in conn.execute(_STUCK, {"before": before}).all()]


def prune(conn: Connection, before: Micros, most: int) -> list[str]:
    """Remove deliveries that came before this instant and were understood. Returns their ids."""
    old = conn.execute(_OLD, {"before": before, "most": most}).all()
    for part in parts(row[0] for row in old):
        conn.execute(_DELETE, {"seqs": part})
    return [row[1] for row in old]


def _stored(row: RowMapping) -> StoredHook:
    return StoredHook(
        seq=row["seq"],
        id=row["id"],
        desk=row["desk"],
        system=row["system"],
        received_at=row["received_at"],
        headers=orjson.loads(row["headers"]),
        body=bytes(row["body"]),
        state=HookState(row["state"]),
        reason=row["reason"],
        warnings=tuple(orjson.loads(row["warnings"] or "[]")),
        interpreted_at=row["interpreted_at"],
        tries=row["tries"],
    )


def _listed(row: RowMapping) -> ListedHook:
    read: dict[str, Any] = {
        "state": HookState(row["state"]),
        "warnings": tuple(orjson.loads(row["warnings"] or "[]")),
    }
    return ListedHook(**{**row, **read})
