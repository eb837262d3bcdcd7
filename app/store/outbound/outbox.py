"""The outbox: deliveries are inserted in the transaction that records their signals, so neither exists alone.

Webhook deliveries are ordered per subscription and subject. Only the first pending one has a `next_at`; the next gets
its own when that one is done. This keeps the order, and finding what is due reads no row that must wait. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, literal_column, select

from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKey
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import EVERY_DESK, Connection
from app.store.outbound import subscriptions
from app.store.outbound.subscriptions import TICKET_FILTERS, Channel, FilterValues, Subscriber
from app.store.tables import delivery as _delivery
from app.store.tables import ticket as _ticket
from app.store.tickets.signals import Published


class DeliveryState(StrEnum):
    """Still to be attempted, delivered, or parked until an administrator retries it."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"


OrderingKey = tuple[str, str, Subject]
"""(subscription, desk, subject): deliveries with the same key are made in the order of the stream."""


# Literals, not bound parameters: the planner uses a partial index only when the query repeats its condition.
PENDING: Final[ColumnElement[bool]] = _delivery.c.state == literal_column("'pending'")
PARKED: Final[ColumnElement[bool]] = _delivery.c.state == literal_column("'parked'")

_INSERT: Final = _delivery.insert()
# Rows are locked in the order in which results are recorded, so that two transactions cannot deadlock.
_PENDING_BEFORE: Final = (
    select(_delivery.c.subscription, _delivery.c.desk, _delivery.c.subject)
    .where(
        PENDING,
        _delivery.c.subscription.in_(bindparam("subscriptions", expanding=True)),
        _delivery.c.subject.in_(bindparam("subjects", expanding=True)),
    )
    .order_by(_delivery.c.subscription, _delivery.c.signal)
)
_TICKET_VALUES: Final = select(
    _ticket.c.desk, _ticket.c.ticket, *(_ticket.c[name] for name in TICKET_FILTERS)
).where(_ticket.c.desk == bindparam("desk"), _ticket.c.ticket.in_(bindparam("tickets", expanding=True)))


def fill(conn: Connection, published: Sequence[Published], now: Micros, notice_wait: Micros = 0) -> int:
    """Insert the deliveries of new signals, in the transaction that records them. Returns how many.

    A message to people is due after `notice_wait`, so that signals close together share one message.
    """
    signals = [each for each in published if each.deliver]
    if not signals:
        return 0
    pairs = _pairs(conn, signals)
    tickets = ticket_values(
        conn, {(signal.desk, signal.subject) for who, signal in pairs if who.filter.needs_ticket}
    )
    rows = [
        _row(subscriber, signal, now, notice_wait)
        for subscriber, signal in pairs
        if subscriber.filter.matches(signal, tickets.get((signal.desk, signal.subject), {}))
    ]
    enqueue(conn, rows)
    return len(rows)


def _pairs(conn: Connection, signals: Sequence[Published]) -> list[tuple[Subscriber, Published]]:
    """Each signal with the subscriptions to its desk and kind. Those of other desks are not read."""
    by_place: dict[tuple[str, str], list[Published]] = {}
    for signal in signals:
        for desk in (signal.desk, EVERY_DESK):
            by_place.setdefault((desk, signal.kind), []).append(signal)
    return [
        (subscriber, signal)
        for subscriber in subscriptions.subscribers(conn, {desk for desk, _ in by_place})
        for (desk, kind), found in by_place.items()
        if desk == subscriber.desk and kind in subscriber.filter.kinds
        for signal in found
    ]


def _row(subscriber: Subscriber, signal: Published, now: Micros, notice_wait: Micros) -> dict[str, Any]:
    return {
        "subscription": subscriber.id,
        "signal": signal.seq,
        "desk": signal.desk,
        "subject": signal.subject,
        "state": DeliveryState.PENDING.value,
        "created_at": now,
        # A webhook delivery gets its `next_at` when it is the first of its ordering key.
        "next_at": now + notice_wait if subscriber.channel is Channel.NOTICE else None,
        "attempts": 0,
    }


def enqueue(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert deliveries. Of those without a `next_at`, the first of each ordering key is due at once."""
    if not rows:
        return
    ordered = [row for row in rows if row["next_at"] is None]
    pending = _keys_with_pending(conn, ordered)
    for row in sorted(ordered, key=lambda row: row["signal"]):
        key = (row["subscription"], row["desk"], row["subject"])
        if key not in pending:
            row["next_at"] = row["created_at"]
            pending.add(key)
    conn.execute(_INSERT, list(rows))


def _keys_with_pending(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> set[OrderingKey]:
    """The ordering keys that have a pending delivery already.

    The pending rows are locked until commit: a transaction that records the result of one waits for this one, and then
    finds the delivery inserted behind it.
    """
    found: set[OrderingKey] = set()
    which = sorted({row["subscription"] for row in rows})
    query = dialect.for_update(conn, _PENDING_BEFORE)
    for subscribed in parts(which):
        for subjects in parts(sorted({row["subject"] for row in rows})):
            values = {"subscriptions": subscribed, "subjects": subjects}
            found |= {(one, desk, subject) for one, desk, subject in conn.execute(query, values).all()}
    return found


def ticket_values(conn: Connection, subjects: Iterable[SubjectKey]) -> dict[SubjectKey, FilterValues]:
    """The fields that filters compare with, by (desk, subject), of those that are tickets, as of this transaction."""
    by_desk: dict[str, set[str]] = {}
    for desk, subject in subjects:
        if subject.ticket is not None:
            by_desk.setdefault(desk, set()).add(subject.ticket)
    found: dict[SubjectKey, FilterValues] = {}
    for desk, names in by_desk.items():
        for part in parts(sorted(names)):
            for row in conn.execute(_TICKET_VALUES, {"desk": desk, "tickets": part}).mappings():
                fields = {name: row[name] for name in TICKET_FILTERS}
                found[row["desk"], Subject.parse(row["ticket"])] = fields
    return found
