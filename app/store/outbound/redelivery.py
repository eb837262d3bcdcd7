"""Parks deliveries, retries parked ones, and delivers signals that have no delivery.

A parked delivery stays until an administrator retries it. A signal recorded while the subscription was disabled has no
delivery at all: retrying since an instant inserts one from the stream, filtered by the tickets as they are now.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, exists, select

from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.batch import pieces
from app.store.engine.database import EVERY_DESK, Connection
from app.store.outbound import deliveries, outbox
from app.store.outbound.delivery_list import Delivery
from app.store.outbound.outbox import PARKED, PENDING, DeliveryState, OrderingKey
from app.store.outbound.subscriptions import Channel, Subscription, SubscriptionState, listed
from app.store.tables import delivery as _delivery
from app.store.tables import signal as _signal
from app.store.tickets.signals import LATE

BATCH_SIZE: Final = 5_000
"""Deliveries retried by one call: about a second of the write transaction. Another call continues."""


@dataclass(frozen=True, slots=True)
class _Undelivered:
    """A signal without a delivery to a subscription, with what filters compare."""

    seq: int
    id: str
    desk: str
    subject: Subject
    kind: str
    commitment: str
    commitment_kind: str | None
    queue: str


_PARK_ALL: Final = (
    _delivery.update()
    .where(_delivery.c.subscription == bindparam("_subscription"), PENDING)
    .values(
        state=DeliveryState.PARKED.value,
        next_at=None,
        claim=None,
        outcome=bindparam("_outcome"),
        reason=bindparam("_reason"),
    )
)
_UNPARK: Final = (
    _delivery.update()
    .where(
        _delivery.c.subscription == bindparam("_subscription"),
        _delivery.c.signal == bindparam("_signal"),
        PARKED,
    )
    .values(
        state=DeliveryState.PENDING.value,
        next_at=bindparam("_next_at"),
        created_at=bindparam("now"),
        attempts=0,
    )
)
# Before earlier deliveries of the same ordering key become pending, the later ones lose their `next_at`. One that is
# claimed keeps it: its attempt has begun.
_UNSCHEDULE: Final = (
    _delivery.update()
    .where(
        PENDING,
        _delivery.c.subscription == bindparam("_subscription"),
        _delivery.c.desk == bindparam("_desk"),
        _delivery.c.subject == bindparam("_subject"),
        _delivery.c.claim.is_(None),
    )
    .values(next_at=None)
)
_LAST_BEFORE: Final = (
    select(_signal.c.seq)
    .where(_signal.c.detected_at < bindparam("since"))
    .order_by(_signal.c.seq.desc())
    .limit(1)
)
_PARKED_AFTER: Final = (
    select(_delivery.c.signal, _delivery.c.desk, _delivery.c.subject)
    .where(
        _delivery.c.subscription == bindparam("subscription"), PARKED, _delivery.c.signal > bindparam("after")
    )
    .order_by(_delivery.c.signal)
    .limit(bindparam("limit"))
)
_UNDELIVERED: Final = (
    select(
        _signal.c.seq,
        _signal.c.id,
        _signal.c.desk,
        _signal.c.subject,
        _signal.c.kind,
        _signal.c.commitment,
        _signal.c.commitment_kind,
        _signal.c.queue,
    )
    .where(
        _signal.c.deliver,
        _signal.c.seq > bindparam("after"),
        _signal.c.kind.in_(bindparam("kinds", expanding=True)),
        ~exists().where(
            _delivery.c.subscription == bindparam("subscription"), _delivery.c.signal == _signal.c.seq
        ),
    )
    .order_by(_signal.c.seq)
    .limit(bindparam("limit"))
)


def park_all(conn: Connection, which: str, outcome: str, reason: str) -> None:
    """Park all pending deliveries of a subscription."""
    conn.execute(_PARK_ALL, {"_subscription": which, "_outcome": outcome, "_reason": reason})


def retry(conn: Connection, subscription: Subscription, parked: Delivery, now: Micros) -> None:
    """Make a parked delivery pending again, due now, with its attempts reset."""
    _unpark(conn, subscription, [(parked.signal, parked.desk, parked.subject)], now)


def retry_since(
    conn: Connection, subscription: Subscription, since: Micros, now: Micros, limit: int = BATCH_SIZE
) -> tuple[int, bool]:
    """Retry the parked deliveries of signals recorded from `since` on, and deliver those that have no delivery.

    Signals from before the subscription was created are never sent. Returns how many, and whether more remain.
    """
    values = {"subscription": subscription.id, "after": _place_before(conn, since), "limit": limit}
    parked = [(row.signal, row.desk, row.subject) for row in conn.execute(_PARKED_AFTER, values).all()]
    _unpark(conn, subscription, parked, now)
    if len(parked) == limit:
        return limit, True
    # A signal recorded in the microsecond of the subscription came before it; all later ones have a delivery.
    after = _place_before(conn, max(since, subscription.created_at + 1))
    undelivered = _undelivered(conn, subscription, after, limit - len(parked))
    rows = [_row(subscription, each, now) for each in undelivered]
    keys = {(subscription.id, each.desk, each.subject) for each in undelivered}
    _unschedule(conn, subscription, keys)
    outbox.enqueue(conn, rows)
    deliveries.schedule_next(conn, keys, now)
    count = len(parked) + len(rows)
    return count, count == limit


def _place_before(conn: Connection, since: Micros) -> int:
    """The place of the last signal recorded before an instant, 0 for none."""
    return conn.execute(_LAST_BEFORE, {"since": since}).scalar() or 0


def missing(conn: Connection, now: Micros) -> list[tuple[str, str]]:
    """(subscription, signal) of breaches that match a subscription and have no delivery; none while the outbox is sound.

    Subscriptions that filter by ticket fields are left out: the fields as of then are not stored.
    """
    found: list[tuple[str, str]] = []
    for each in listed(conn):
        matching = each.signal_filter
        disabled = each.state is SubscriptionState.DISABLED
        if disabled or matching.needs_ticket or each.wanted_since >= now:
            continue
        after = _place_before(conn, each.wanted_since + 1)
        late = _undelivered(conn, each, after, BATCH_SIZE, LATE & matching.kinds)
        found += [(each.id, signal.id) for signal in late]
    return found


def _undelivered(
    conn: Connection, subscription: Subscription, after: int, limit: int, kinds: Iterable[str] | None = None
) -> list[_Undelivered]:
    """The signals after a place in the stream that match the subscription and have no delivery to it."""
    matching = subscription.signal_filter
    selected = sorted(matching.kinds if kinds is None else kinds)
    every_desk = subscription.desk == EVERY_DESK
    query = _UNDELIVERED if every_desk else _UNDELIVERED.where(_signal.c.desk == subscription.desk)
    found: list[_Undelivered] = []
    while selected and len(found) < limit:
        values = {"subscription": subscription.id, "after": after, "kinds": selected, "limit": BATCH_SIZE}
        rows = [_Undelivered(*row) for row in conn.execute(query, values).all()]
        tickets = outbox.ticket_values(
            conn, ((row.desk, row.subject) for row in rows if matching.needs_ticket)
        )
        found += [row for row in rows if matching.matches(row, tickets.get((row.desk, row.subject), {}))]
        if len(rows) < BATCH_SIZE:
            break
        after = rows[-1].seq
    return found[:limit]


def _unpark(
    conn: Connection, subscription: Subscription, parked: Sequence[tuple[int, str, Subject]], now: Micros
) -> None:
    """Make parked deliveries, (signal, desk, subject), pending again, in the order of the stream."""
    if not parked:
        return
    keys = {(subscription.id, desk, subject) for _, desk, subject in parked}
    _unschedule(conn, subscription, keys)
    due_at = _first_due_at(subscription, now)
    for piece in pieces(parked):
        conn.execute(
            _UNPARK,
            [
                {"_subscription": subscription.id, "_signal": signal, "_next_at": due_at, "now": now}
                for signal, _, _ in piece
            ],
        )
    deliveries.schedule_next(conn, keys, now)


def _unschedule(conn: Connection, subscription: Subscription, keys: Iterable[OrderingKey]) -> None:
    rows = [
        {"_subscription": which, "_desk": desk, "_subject": subject} for which, desk, subject in sorted(keys)
    ]
    if rows and subscription.channel is Channel.WEBHOOK:
        conn.execute(_UNSCHEDULE, rows)


def _first_due_at(subscription: Subscription, now: Micros) -> Micros | None:
    """Messages to people are all due now; a webhook delivery when it is the first of its ordering key."""
    return now if subscription.channel is Channel.NOTICE else None


def _row(subscription: Subscription, signal: _Undelivered, now: Micros) -> dict[str, Any]:
    return {
        "subscription": subscription.id,
        "signal": signal.seq,
        "desk": signal.desk,
        "subject": signal.subject,
        "state": DeliveryState.PENDING.value,
        "created_at": now,
        "next_at": _first_due_at(subscription, now),
        "attempts": 0,
    }
