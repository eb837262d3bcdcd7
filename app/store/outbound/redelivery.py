"""What became of a subscription's deliveries, and how is one sent again?

Parked deliveries stay until somebody asks for them. What was told while a subscription was switched off has no row at
all: sending again since an instant makes one from the stream, by what the tickets say now. Instants are microseconds
UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, bindparam, exists, select

from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.batch import pieces
from app.store.engine.database import EVERY_DESK, Connection
from app.store.outbound import deliveries, outbox
from app.store.outbound.outbox import PARKED, PENDING, DeliveryState, QueueOrder
from app.store.outbound.subscriptions import Channel, State, Subscription, listed
from app.store.tables import delivery as _delivery
from app.store.tables import signal as _signal
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.signals import LATE

MOST: Final = 5_000
"""Deliveries sent again by one call: about a second of the writer's time. Calling again takes the next."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A signal on its way to a subscription, as it is shown. Its id is the signal's."""

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


_SHOWN: Final = (
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
_ONE: Final = _SHOWN.where(_signal.c.id == bindparam("signal_id"))
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
# The later ones of a line step back behind what comes in before them, but for one that is under way.
_STEP_BACK: Final = (
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
_BEFORE: Final = (
    select(_signal.c.seq)
    .where(_signal.c.detected_at < bindparam("since"))
    .order_by(_signal.c.seq.desc())
    .limit(1)
)
_PARKED_SINCE: Final = (
    select(_delivery.c.signal, _delivery.c.desk, _delivery.c.subject)
    .where(
        _delivery.c.subscription == bindparam("subscription"), PARKED, _delivery.c.signal > bindparam("after")
    )
    .order_by(_delivery.c.signal)
    .limit(bindparam("most"))
)
_MISSING: Final = (
    select(_signal.c.seq, _signal.c.id, _signal.c.desk, _signal.c.subject, _signal.c.kind, _signal.c.body)
    .where(
        _signal.c.deliver,
        _signal.c.seq > bindparam("after"),
        _signal.c.kind.in_(bindparam("kinds", expanding=True)),
        ~exists().where(
            _delivery.c.subscription == bindparam("subscription"), _delivery.c.signal == _signal.c.seq
        ),
    )
    .order_by(_signal.c.seq)
    .limit(bindparam("most"))
)


def page(
    conn: Connection, which: str, state: DeliveryState | None, cursor: str | None, limit: int
) -> tuple[list[Delivery], str | None]:
    """A subscription's deliveries, the latest signal first, and the cursor of the next page. Raises FaultyCursor."""
    query = _SHOWN.order_by(_delivery.c.signal.desc()).limit(limit + 1)
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
    found = [_shown(row) for row in conn.execute(query, {"subscription": which}).mappings()]
    return found[:limit], cursor_of(found[limit - 1].signal) if len(found) > limit else None


def find(conn: Connection, which: str, signal_id: str) -> Delivery | None:
    """One delivery of a subscription, by the id of its signal."""
    row = conn.execute(_ONE, {"subscription": which, "signal_id": signal_id}).mappings().first()
    return None if row is None else _shown(row)


def _shown(row: RowMapping) -> Delivery:
    read: dict[str, Any] = {**row, "state": DeliveryState(row["state"])}
    return Delivery(**read)


def park_all(conn: Connection, which: str, outcome: str, reason: str) -> None:
    """Give up whatever is on its way, until somebody asks for it."""
    conn.execute(_PARK_ALL, {"_subscription": which, "_outcome": outcome, "_reason": reason})


def retry(conn: Connection, subscription: Subscription, parked: Delivery, now: Micros) -> None:
    """Send a parked delivery again, at once, on a fresh schedule."""
    _unpark(conn, subscription, [(parked.signal, parked.desk, parked.subject)], now)


def retry_since(
    conn: Connection, subscription: Subscription, since: Micros, now: Micros, most: int = MOST
) -> tuple[int, bool]:
    """Send again what was told from an instant on and was given up, or never written down though the subscription was
    there. Returns how many, and whether there is more."""
    before = _before(conn, since)
    asked = {"subscription": subscription.id, "after": before, "most": most}
    given_up = [(row[0], row[1], row[2]) for row in conn.execute(_PARKED_SINCE, asked).all()]
    _unpark(conn, subscription, given_up, now)
    if len(given_up) == most:
        return most, True
    # What was told at the very instant at which it was made was told before: all that came after has a row.
    made = _before(conn, max(since, subscription.created_at + 1))
    lost = _missing(conn, subscription, made, most - len(given_up))
    rows = [_row(subscription, seq, desk, subject, now) for seq, _, desk, subject in lost]
    lines = {(subscription.id, desk, subject) for _, _, desk, subject in lost}
    _step_back(conn, subscription, lines)
    outbox.enqueue(conn, rows)
    deliveries.go_on(conn, lines, now)
    count = len(given_up) + len(rows)
    return count, count == most


def _before(conn: Connection, since: Micros) -> int:
    """The place of the last signal that was told before an instant."""
    return conn.execute(_BEFORE, {"since": since}).scalar() or 0


def missing(conn: Connection, now: Micros) -> list[tuple[str, str]]:
    """(subscription, signal) of breaches that were told for delivery and have no row in the outbox.

    Asked of subscriptions whose wish can be judged by the signal alone: what a ticket said then is not kept.
    """
    found: list[tuple[str, str]] = []
    for each in listed(conn):
        if each.state is State.DISABLED or each.wish.asks_of_ticket or each.wanted_since >= now:
            continue
        before = _before(conn, each.wanted_since + 1)
        kinds = LATE & each.wish.kinds
        found += [(each.id, signal_id) for _, signal_id, *_ in _missing(conn, each, before, MOST, kinds)]
    return found


def _missing(
    conn: Connection, subscription: Subscription, after: int, most: int, kinds: Iterable[str] | None = None
) -> list[tuple[int, str, str, Subject]]:
    """(place, id, desk, subject) of the signals after a place that it wants and of which there is no delivery."""
    wish = subscription.wish
    wanted = sorted(wish.kinds if kinds is None else kinds)
    query = (
        _MISSING if subscription.desk == EVERY_DESK else _MISSING.where(_signal.c.desk == subscription.desk)
    )
    found: list[tuple[int, str, str, Subject]] = []
    while wanted and len(found) < most:
        asked = {"subscription": subscription.id, "after": after, "kinds": wanted, "most": MOST}
        rows = conn.execute(query, asked).all()
        read = [(row, orjson.loads(row[5])) for row in rows]
        of_tickets = outbox.ticket_values(conn, (body for _, body in read)) if wish.asks_of_ticket else {}
        found += [
            (row[0], row[1], row[2], row[3])
            for row, body in read
            if wish.covers(row[4], outbox.values_of(body, of_tickets))
        ]
        if len(rows) < MOST:
            break
        after = rows[-1][0]
    return found[:most]


def _unpark(
    conn: Connection, subscription: Subscription, given: Sequence[tuple[int, str, Subject]], now: Micros
) -> None:
    if not given:
        return
    notice = subscription.channel is Channel.NOTICE
    lines = {(subscription.id, desk, subject) for _, desk, subject in given}
    _step_back(conn, subscription, lines)
    for piece in pieces(given):
        conn.execute(
            _UNPARK,
            [
                {
                    "_subscription": subscription.id,
                    "_signal": place,
                    "_next_at": now if notice else None,
                    "now": now,
                }
                for place, _, _ in piece
            ],
        )
    deliveries.go_on(conn, lines, now)


def _step_back(conn: Connection, subscription: Subscription, lines: Iterable[QueueOrder]) -> None:
    rows = [
        {"_subscription": which, "_desk": desk, "_subject": subject} for which, desk, subject in sorted(lines)
    ]
    if rows and subscription.channel is Channel.WEBHOOK:
        conn.execute(_STEP_BACK, rows)


def _row(subscription: Subscription, place: int, desk: str, subject: Subject, now: Micros) -> dict[str, Any]:
    return {
        "subscription": subscription.id,
        "signal": place,
        "desk": desk,
        "subject": subject,
        "state": DeliveryState.PENDING.value,
        "created_at": now,
        "next_at": now if subscription.channel is Channel.NOTICE else None,
        "attempts": 0,
    }
