"""Lists a subscription's deliveries, with the result of their last attempt. Instants are microseconds UTC."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, bindparam, select

from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.outbound.outbox import PARKED, PENDING, DeliveryState
from app.store.tables import delivery as _delivery
from app.store.tables import signal as _signal
from app.store.tickets.board import cursor_of, key_of


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it is listed. Its id is the signal's; `signal` is the signal's place in the stream."""

    id: str
    kind: str
    desk: str
    subject: Subject
    at: Micros
    signal: int
    state: DeliveryState
    created_at: Micros
    next_at: Micros | None
    claim: str | None
    attempts: int
    attempted_at: Micros | None
    outcome: str | None
    reason: str | None
    status: int | None


_ALL: Final = (
    select(
        _signal.c.id,
        _signal.c.kind,
        _delivery.c.desk,
        _delivery.c.subject.label("subject"),
        _signal.c.at,
        _delivery.c.signal,
        _delivery.c.state,
        _delivery.c.created_at,
        _delivery.c.next_at,
        _delivery.c.claim,
        _delivery.c.attempts,
        _delivery.c.attempted_at,
        _delivery.c.outcome,
        _delivery.c.reason,
        _delivery.c.status,
    )
    .select_from(_delivery)
    .join(_signal, _signal.c.seq == _delivery.c.signal)
    .where(_delivery.c.subscription == bindparam("subscription"))
)
_ONE: Final = _ALL.where(_signal.c.id == bindparam("signal_id"))


def page(
    conn: Connection, which: str, state: DeliveryState | None, cursor: str | None, limit: int
) -> tuple[list[Delivery], str | None]:
    """A page of deliveries, latest signal first, and the cursor of the next page. Raises FaultyCursor."""
    query = _ALL.order_by(_delivery.c.signal.desc()).limit(limit + 1)
    match state:
        case None:
            pass
        case DeliveryState.PENDING:
            query = query.where(PENDING)
        case DeliveryState.PARKED:
            query = query.where(PARKED)
        case DeliveryState.DELIVERED:
            query = query.where(_delivery.c.state == state.value)
    if cursor is not None:
        query = query.where(_delivery.c.signal < key_of(cursor, int)[0])
    found = [_delivery_of(row) for row in conn.execute(query, {"subscription": which}).mappings()]
    return found[:limit], cursor_of(found[limit - 1].signal) if len(found) > limit else None


def find(conn: Connection, which: str, signal_id: str) -> Delivery | None:
    """One delivery of a subscription, by the id of its signal."""
    row = conn.execute(_ONE, {"subscription": which, "signal_id": signal_id}).mappings().first()
    return None if row is None else _delivery_of(row)


def _delivery_of(row: RowMapping) -> Delivery:
    read: dict[str, Any] = {**row, "state": DeliveryState(row["state"])}
    return Delivery(**read)
