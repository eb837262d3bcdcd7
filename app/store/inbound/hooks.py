"""Inbound webhooks as they came, byte by byte, and their state.

A request is stored before anything is made of it. A repetition is stored once, by its idempotency key `once`; one that
could not be read is kept whole until a corrected mapping reads it. Instants are microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    RowMapping,
    Select,
    bindparam,
    case,
    cast,
    func,
    select,
    text,
)

from app.principal import EVERY, Desks
from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import hook as _hook


class HookState(StrEnum):
    """The state of a webhook. `done` ones may have warnings: words that are not mapped. `kept`: could not be read."""

    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class NewHook:
    """A verified request to store. `once` is its idempotency key; `headers` are those that its adapter reads."""

    id: str
    desk: str
    system: str
    once: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredHook:
    """A webhook as it came. `interpreted_at` is none until it has been read once."""

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
    """A webhook as a list shows it: `length` in bytes in place of its body, to keep a page small."""

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
    """The result of reading a webhook. `reason`: why it is kept, or concerns no clock."""

    seq: int
    state: HookState
    reason: str | None = None
    warnings: tuple[str, ...] = ()


# Literal, since SQLite uses a partial index only when the query states its condition without a parameter.
_IS_PENDING: Final = text("state = 'pending'")
_IN_INBOX: Final = text("(state = 'kept' OR warnings IS NOT NULL)")
_ONCE: Final = select(_hook.c.once, _hook.c.id).where(_hook.c.once.in_(bindparam("onces", expanding=True)))
_PENDING: Final = (
    select(_hook)
    .where(_IS_PENDING, _hook.c.desk == bindparam("desk"))
    .order_by(_hook.c.seq)
    .limit(bindparam("most"))
)
# One step in the index `hook_turns` for each desk: DISTINCT would read every pending row.
_WAITING_DESKS: Final = text(
    "WITH RECURSIVE waiting(desk) AS (SELECT min(desk) FROM hook WHERE state = 'pending' UNION ALL "
    "SELECT (SELECT min(hook.desk) FROM hook WHERE state = 'pending' AND hook.desk > waiting.desk) "
    "FROM waiting WHERE waiting.desk IS NOT NULL) SELECT desk FROM waiting WHERE desk IS NOT NULL"
)
_FIND: Final = select(_hook).where(_hook.c.id == bindparam("id"))
_LISTED: Final = (
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
_INBOX: Final = (
    select(*_LISTED)
    .where(_IN_INBOX, _hook.c.seq < bindparam("before"))
    .order_by(_hook.c.seq.desc())
    .limit(bindparam("most"))
)
_LATEST: Final = (
    select(*_LISTED)
    .where(_hook.c.desk == bindparam("desk"), _hook.c.system == bindparam("system"))
    .order_by(_hook.c.seq.desc())
    .limit(bindparam("most"))
)
_COUNTS: Final = (
    select(_hook.c.desk, _hook.c.system, _hook.c.state, func.count())
    .where(_IN_INBOX)
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
# SQLite writes a row again as a whole, a body of a megabyte included, unless its length stays as it was: then it writes
# only the pages that differ. So a row with a long body comes with padding, which gives way to the result.
_LONG_BODY: Final = 4096
"""Bytes from which a body has pages of its own: the size of a page."""
_PADDING: Final = 120
"""Bytes of padding: for a reason or warnings of up to 115. SQLite describes a value of 58 bytes or more with one byte
more than a shorter one; with this size either a text or what is left of the padding is that long, never both."""
_INSTANT: Final = 8


def _length(column: ColumnElement[Any]) -> ColumnElement[int]:
    return func.coalesce(func.length(cast(column, LargeBinary)), 0)


_RESULT_LENGTH: Final = (
    _length(_hook.c.state)
    + _length(_hook.c.reason)
    + _length(_hook.c.warnings)
    + case((_hook.c.interpreted_at.is_(None), 0), else_=_INSTANT)
)
_FINISH_IN_PLACE: Final = _FINISH.values(
    padding=case(
        (_hook.c.padding.is_(None), None),
        else_=func.zeroblob(func.length(_hook.c.padding) + _RESULT_LENGTH - bindparam("_length")),
    )
)
_COUNT_ATTEMPT: Final = _hook.update().where(_hook.c.seq == bindparam("_seq")).values(tries=_hook.c.tries + 1)
_REQUEUE: Final = _hook.update().where(_IN_INBOX).values(state="pending", tries=0)
_DELETE: Final = _hook.delete().where(_hook.c.seq.in_(bindparam("seqs", expanding=True)))


def add(conn: Connection, requests: Sequence[NewHook], now: Micros) -> list[tuple[str, bool]]:
    """Store requests. Returns for each its id in the table and whether it was stored before."""
    known = {
        once: hook_id
        for part in parts(one.once for one in requests)
        for once, hook_id in conn.execute(_ONCE, {"onces": part}).all()
    }
    new: list[NewHook] = []
    found: list[tuple[str, bool]] = []
    for one in requests:
        before = known.get(one.once)
        if before is None:
            known[one.once] = one.id
            new.append(one)
        found.append((before or one.id, before is not None))
    if new:
        padded = dialect.rewrites_rows(conn)
        conn.execute(_INSERT, [_row(one, now, padded=padded) for one in new])
    return found


def _row(new: NewHook, now: Micros, *, padded: bool) -> dict[str, Any]:
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
        "padding": bytes(_PADDING) if padded and len(new.body) >= _LONG_BODY else None,
    }


def claim(conn: Connection, most: int, after: str = "") -> list[StoredHook]:
    """Pending webhooks: an equal share of each desk that has any, in order of arrival.

    Desks take turns, beginning with the one that follows the desk `after` by name. On PostgreSQL the rows are locked
    until the transaction ends, and rows locked by another process are skipped.
    """
    return _next(conn, dialect.for_update_skip_locked(conn, _PENDING), most, after)


def pending(conn: Connection, most: int, after: str = "") -> list[StoredHook]:
    """The webhooks that `claim` would give; nothing is locked."""
    return _next(conn, _PENDING, most, after)


def _next(conn: Connection, query: Select[Any], most: int, after: str) -> list[StoredHook]:
    desks = conn.execute(_WAITING_DESKS).scalars().all()
    turns = sorted(desks, key=lambda desk: (desk <= after, desk))
    claimed: list[StoredHook] = []
    for number, desk in enumerate(turns):
        if len(claimed) >= most:
            break
        share = -((len(claimed) - most) // (len(turns) - number))  # rounded up
        rows = conn.execute(query, {"desk": desk, "most": share}).mappings().all()
        claimed += map(_stored, rows)
    return claimed


def finish(conn: Connection, outcomes: Sequence[HookResult], now: Micros) -> None:
    """Store the results of reading webhooks."""
    if outcomes:
        in_place = dialect.rewrites_rows(conn)
        results = [_result(one, now) for one in outcomes]
        conn.execute(
            _FINISH_IN_PLACE if in_place else _FINISH,
            [one | {"_length": _bytes_of(one)} for one in results] if in_place else results,
        )


def _result(one: HookResult, now: Micros) -> dict[str, Any]:
    warnings = orjson.dumps(one.warnings).decode() if one.warnings else None
    return {
        "_seq": one.seq,
        "state": one.state.value,
        "reason": one.reason,
        "warnings": warnings,
        "interpreted_at": now,
    }


def _bytes_of(result: Mapping[str, Any]) -> int:
    texts = (result["state"], result["reason"] or "", result["warnings"] or "")
    return sum(len(text.encode()) for text in texts) + _INSTANT


def count_attempt(conn: Connection, seq: int) -> None:
    """Count an attempt that failed."""
    conn.execute(_COUNT_ATTEMPT, {"_seq": seq})


def requeue(conn: Connection, desks: Desks = EVERY) -> int:
    """Make every webhook in the inbox pending again. Returns how many."""
    count = inbox_size(conn, desks)
    if count:
        conn.execute(_REQUEUE.where(in_desks(_hook.c.desk, desks)))
    return count


def inbox(conn: Connection, most: int, before: int, desks: Desks = EVERY) -> list[ListedHook]:
    """The latest webhooks before a place that are kept unread or have warnings."""
    query = _INBOX.where(in_desks(_hook.c.desk, desks))
    rows = conn.execute(query, {"most": most, "before": before}).mappings().all()
    return [_listed(row) for row in rows]


def latest(conn: Connection, desk: str, system: str, most: int) -> list[ListedHook]:
    """The latest webhooks of a connection that are still stored, in any state, the last one first."""
    rows = conn.execute(_LATEST, {"desk": desk, "system": system, "most": most}).mappings().all()
    return [_listed(row) for row in rows]


def inbox_counts(conn: Connection, desks: Desks = EVERY) -> dict[tuple[str, str, str], int]:
    """How many webhooks are in the inbox, by desk, system and state."""
    rows = conn.execute(_COUNTS.where(in_desks(_hook.c.desk, desks))).all()
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def inbox_size(conn: Connection, desks: Desks = EVERY) -> int:
    """How many webhooks are in the inbox."""
    return sum(inbox_counts(conn, desks).values())


def find(conn: Connection, hook_id: str) -> StoredHook | None:
    """A webhook by its id, if it is still stored."""
    row = conn.execute(_FIND, {"id": hook_id}).mappings().first()
    return None if row is None else _stored(row)


def waiting(conn: Connection) -> tuple[int, Micros | None]:
    """How many webhooks are pending, and when the oldest of them came."""
    count, since = conn.execute(_WAITING).one()
    return count, since


def stuck(conn: Connection, before: Micros) -> list[tuple[str, str, str]]:
    """(desk, system, id) of the webhooks that came before this instant and are still pending."""
    return [(row[0], row[1], row[2]) for row in conn.execute(_STUCK, {"before": before}).all()]


def prune(conn: Connection, before: Micros, most: int) -> list[str]:
    """Delete webhooks that came before this instant and were read without warnings. Returns their ids."""
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
