"""Claims due deliveries for an attempt and records its result. Delivery is at least once.

A claim moves `next_at` to the end of its lease, so a crash delays deliveries and loses none, and several processes
share the work. A delivery that is done schedules the next one of its ordering key. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import and_, bindparam, exists, func, literal_column, or_, select

from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.outbound.outbox import PARKED, PENDING, DeliveryState, OrderingKey
from app.store.outbound.subscriptions import Channel, SubscriptionState
from app.store.tables import delivery as _delivery
from app.store.tables import signal as _signal
from app.store.tables import subscription as _subscription


@dataclass(frozen=True, slots=True)
class EndpointSchedule:
    """When the next delivery of an active subscription is due."""

    subscription: str
    desk: str
    channel: Channel
    is_failing: bool
    """Whether its last attempt failed."""
    due_at: Micros


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery claimed for an attempt, with its signal. `claim` is the token of the attempt."""

    subscription: str
    signal: int
    claim: str
    attempts: int
    desk: str
    subject: Subject
    signal_id: str
    kind: str
    at: Micros
    detected_at: Micros
    body: bytes

    @property
    def ordering_key(self) -> OrderingKey:
        """Deliveries with the same key are made one after the other."""
        return self.subscription, self.desk, self.subject


@dataclass(frozen=True, slots=True)
class DeliveryUpdate:
    """The result of an attempt for one delivery. `next_at` is when to retry; None: delivered or parked."""

    claimed: Claimed
    state: DeliveryState
    next_at: Micros | None
    outcome: str
    reason: str
    status: int | None


_THIS: Final = (_delivery.c.subscription == bindparam("_subscription")) & (
    _delivery.c.signal == bindparam("_signal")
)
_DUE_AT: Final = (
    select(func.min(_delivery.c.next_at))
    .where(_delivery.c.subscription == _subscription.c.id, _delivery.c.next_at.is_not(None))
    .scalar_subquery()
)
_SCHEDULES: Final = select(
    _subscription.c.id,
    _subscription.c.desk,
    _subscription.c.channel,
    _subscription.c.failures,
    _subscription.c.quiet_until,
    _DUE_AT.label("due_at"),
).where(_subscription.c.state == SubscriptionState.ACTIVE.value)
_OF_SUBSCRIPTION: Final = (
    select(
        _delivery.c.signal,
        _delivery.c.attempts,
        _delivery.c.desk,
        _delivery.c.subject,
    )
    .where(_delivery.c.subscription == bindparam("subscription"), _delivery.c.next_at.is_not(None))
    .limit(bindparam("limit"))
)
_DUE: Final = _OF_SUBSCRIPTION.where(_delivery.c.next_at <= bindparam("now")).order_by(
    _delivery.c.next_at, _delivery.c.signal
)
# A message to people carries everything new once one signal is due; what failed before waits for its own retry.
_DUE_AS_BATCH: Final = _OF_SUBSCRIPTION.where(
    or_(
        _delivery.c.next_at <= bindparam("now"),
        and_(_delivery.c.attempts == 0, _delivery.c.claim.is_(None)),
    )
).order_by(_delivery.c.signal)
_SIGNALS: Final = select(
    _signal.c.seq,
    _signal.c.id,
    _signal.c.kind,
    _signal.c.at,
    _signal.c.detected_at,
    _signal.c.body,
).where(_signal.c.seq.in_(bindparam("signals", expanding=True)))
_CLAIM: Final = _delivery.update().where(_THIS).values(next_at=bindparam("until"), claim=bindparam("_claim"))
_RESULT: Final[dict[str, Any]] = {
    "state": bindparam("_state"),
    "next_at": bindparam("_next_at"),
    "attempts": bindparam("_attempts"),
    "attempted_at": bindparam("now"),
    "outcome": bindparam("_outcome"),
    "reason": bindparam("_reason"),
    "status": bindparam("_status"),
    "claim": None,
}
# Compare-and-set on the claim: after the lease another process may have claimed the delivery, and then its result
# counts, not our failure. A success is recorded in any case: the receiver has the signal.
_OWN_CLAIM: Final = _delivery.c.claim == bindparam("_claim")
_RECORD_FAILURE: Final = _delivery.update().where(_THIS, _OWN_CLAIM, PENDING).values(_RESULT)
_RECORD_SUCCESS: Final = (
    _delivery.update().where(_THIS, _delivery.c.state != DeliveryState.DELIVERED.value).values(_RESULT)
)
_RELEASE: Final = (
    _delivery.update().where(_THIS, _OWN_CLAIM, PENDING).values(next_at=bindparam("now"), claim=None)
)
_other = _delivery.alias("other")
_SAME_KEY: Final = and_(
    _other.c.state == literal_column("'pending'"),
    _other.c.subscription == bindparam("_subscription"),
    _other.c.desk == bindparam("_desk"),
    _other.c.subject == bindparam("_subject"),
)
_SCHEDULE_NEXT: Final = (
    _delivery.update()
    .where(
        _delivery.c.subscription == bindparam("_subscription"),
        _delivery.c.signal == select(func.min(_other.c.signal)).where(_SAME_KEY).scalar_subquery(),
        _delivery.c.next_at.is_(None),
        PENDING,
        ~exists().where(_SAME_KEY, _other.c.claim.is_not(None)),
    )
    .values(next_at=bindparam("now"))
)
_RETRY_NOW: Final = (
    _delivery.update()
    .where(
        _delivery.c.subscription == bindparam("_subscription"),
        _delivery.c.next_at > bindparam("now"),
        _delivery.c.claim.is_(None),
    )
    .values(next_at=bindparam("now"))
)
_COUNT_PENDING: Final = select(func.count()).where(PENDING)
_COUNT_PARKED: Final = select(func.count()).where(PARKED)


def schedules(conn: Connection) -> list[EndpointSchedule]:
    """The active subscriptions that have a delivery due now or later."""
    return [
        EndpointSchedule(
            row.id, row.desk, Channel(row.channel), row.failures > 0, max(row.due_at, row.quiet_until or 0)
        )
        for row in conn.execute(_SCHEDULES).all()
        if row.due_at is not None
    ]


def claim(
    conn: Connection,
    which: str,
    limit: int,
    now: Micros,
    until: Micros,
    token: str,
    *,
    as_batch: bool = False,
) -> list[Claimed]:
    """Claim up to `limit` due deliveries of a subscription, the longest due first, for an attempt that ends by `until`.

    `as_batch`: also those not attempted yet that are not due, in the order of the stream.
    """
    # FOR UPDATE SKIP LOCKED on PostgreSQL: two processes never claim the same row, and neither waits for the other.
    query = dialect.for_update_skip_locked(conn, _DUE_AS_BATCH if as_batch else _DUE)
    rows = conn.execute(query, {"subscription": which, "limit": limit, "now": now}).all()
    signals = _signals(conn, [row.signal for row in rows])
    if rows:
        conn.execute(
            _CLAIM,
            [
                {"_subscription": which, "_signal": row.signal, "until": until, "_claim": token}
                for row in rows
            ],
        )
    return [
        Claimed(which, row.signal, token, row.attempts, row.desk, row.subject, *signals[row.signal])
        for row in rows
    ]


def _signals(conn: Connection, places: Sequence[int]) -> dict[int, tuple[str, str, Micros, Micros, bytes]]:
    """(id, kind, at, detected_at, body) by place in the stream. The body is the stored JSON, not parsed."""
    return {
        row.seq: (row.id, row.kind, row.at, row.detected_at, row.body.encode())
        for part in parts(places)
        for row in conn.execute(_SIGNALS, {"signals": part}).all()
    }


def record(conn: Connection, updates: Sequence[DeliveryUpdate], now: Micros) -> None:
    """Record the results of attempts, and schedule what is next behind each delivery that is done."""
    # Lock order: by subscription and place in the stream, as `outbox.enqueue` locks the same rows, or the two deadlock.
    ordered = sorted(
        updates,
        key=lambda each: (each.claimed.subscription, each.claimed.signal),
    )
    for delivered, group in groupby(ordered, key=lambda each: each.state is DeliveryState.DELIVERED):
        statement = _RECORD_SUCCESS if delivered else _RECORD_FAILURE
        conn.execute(statement, [_result(each, now) for each in group])
    schedule_next(conn, {each.claimed.ordering_key for each in updates if each.next_at is None}, now)


def _result(update: DeliveryUpdate, now: Micros) -> dict[str, Any]:
    claimed = update.claimed
    return {
        "_subscription": claimed.subscription,
        "_signal": claimed.signal,
        "_claim": claimed.claim,
        "_state": update.state.value,
        "_next_at": update.next_at,
        "_attempts": claimed.attempts + 1,
        "_outcome": update.outcome,
        "_reason": update.reason,
        "_status": update.status,
        "now": now,
    }


def release(conn: Connection, unattempted: Sequence[Claimed], now: Micros) -> None:
    """Give up claims whose attempts did not finish: the deliveries are due again at once."""
    if unattempted:
        conn.execute(
            _RELEASE,
            [
                {"_subscription": c.subscription, "_signal": c.signal, "_claim": c.claim, "now": now}
                for c in unattempted
            ],
        )


def schedule_next(conn: Connection, keys: Iterable[OrderingKey], now: Micros) -> None:
    """Make the first pending delivery of each ordering key due now, unless one of the key is claimed."""
    rows = [
        {"_subscription": which, "_desk": desk, "_subject": subject, "now": now}
        for which, desk, subject in sorted(keys)
    ]
    if rows:
        conn.execute(_SCHEDULE_NEXT, rows)


def retry_now(conn: Connection, which: str, now: Micros) -> None:
    """Make the waiting retries of a subscription due now: its endpoint has changed or recovered."""
    conn.execute(_RETRY_NOW, {"_subscription": which, "now": now})


def overdue(conn: Connection, before: Micros) -> list[str]:
    """The active subscriptions with a delivery that was due before this instant."""
    return [each.subscription for each in schedules(conn) if each.due_at < before]


def counts(conn: Connection) -> tuple[int, int]:
    """The numbers of pending and of parked deliveries."""
    return conn.execute(_COUNT_PENDING).scalar() or 0, conn.execute(_COUNT_PARKED).scalar() or 0
