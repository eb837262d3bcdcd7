"""What goes next, who takes it, and what became of it?

A claim puts a delivery's `next_at` to when its attempt counts as lost, so a crash delays and nothing more, and several
processes share. What is done with lets the next of its ticket go. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, bindparam, exists, func, literal_column, or_, select

from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.outbound.outbox import PARKED, PENDING, DeliveryState, QueueOrder
from app.store.outbound.subscriptions import Channel, State
from app.store.tables import delivery as _delivery
from app.store.tables import signal as _signal
from app.store.tables import subscription as _subscription


@dataclass(frozen=True, slots=True)
class Outlook:
    """When something is due at an endpoint, or will be."""

    subscription: str
    channel: Channel
    fails: bool
    """Whether its last attempt failed."""
    due_at: Micros


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery whose attempt is under way, with what it carries."""

    subscription: str
    signal: int
    claim: str
    attempts: int
    desk: str
    subject: Subject
    signal_id: str
    kind: str
    detected_at: Micros
    body: bytes

    @property
    def line(self) -> QueueOrder:
        """What it keeps its place in."""
        return self.subscription, self.desk, self.subject


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an attempt. `next_at` is when to try again, none when it is done with."""

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
_OUTLOOK: Final = select(
    _subscription.c.id,
    _subscription.c.channel,
    _subscription.c.failures,
    _subscription.c.quiet_until,
    _DUE_AT,
).where(_subscription.c.state == State.ACTIVE.value)
_BODY: Final = (
    _signal.c.id,
    _signal.c.kind,
    _signal.c.detected_at,
    _signal.c.body,
)
_OF_SUBSCRIPTION: Final = (
    select(
        _delivery.c.subscription,
        _delivery.c.signal,
        _delivery.c.attempts,
        _delivery.c.desk,
        _delivery.c.subject,
    )
    .where(_delivery.c.subscription == bindparam("subscription"), _delivery.c.next_at.is_not(None))
    .limit(bindparam("most"))
)
_DUE: Final = _OF_SUBSCRIPTION.where(_delivery.c.next_at <= bindparam("now")).order_by(
    _delivery.c.next_at, _delivery.c.signal
)
# Once one is due, everything new goes with it; what failed before waits for its own time.
_DUE_TOGETHER: Final = _OF_SUBSCRIPTION.where(
    or_(
        _delivery.c.next_at <= bindparam("now"),
        and_(_delivery.c.attempts == 0, _delivery.c.claim.is_(None)),
    )
).order_by(_delivery.c.signal)
_BODIES: Final = select(_signal.c.seq, *_BODY).where(_signal.c.seq.in_(bindparam("signals", expanding=True)))
_CLAIM: Final = _delivery.update().where(_THIS).values(next_at=bindparam("until"), claim=bindparam("_claim"))
_SETTLED: Final[dict[str, Any]] = {
    "state": bindparam("_state"),
    "next_at": bindparam("_next_at"),
    "attempts": bindparam("_attempts"),
    "attempted_at": bindparam("now"),
    "outcome": bindparam("_outcome"),
    "reason": bindparam("_reason"),
    "status": bindparam("_status"),
    "claim": None,
}
# Another process may have taken the delivery over meanwhile: a failure is then its matter. An arrival stands.
_MINE: Final = _delivery.c.claim == bindparam("_claim")
_SETTLE_FAILED: Final = _delivery.update().where(_THIS, _MINE, PENDING).values(_SETTLED)
_SETTLE_DONE: Final = (
    _delivery.update().where(_THIS, _delivery.c.state != DeliveryState.DELIVERED.value).values(_SETTLED)
)
_RELEASE: Final = _delivery.update().where(_THIS, _MINE, PENDING).values(next_at=bindparam("now"), claim=None)
_other = _delivery.alias("other")
_IN_LINE: Final = and_(
    _other.c.state == literal_column("'pending'"),
    _other.c.subscription == bindparam("_subscription"),
    _other.c.desk == bindparam("_desk"),
    _other.c.subject == bindparam("_subject"),
)
_GO_ON: Final = (
    _delivery.update()
    .where(
        _delivery.c.subscription == bindparam("_subscription"),
        _delivery.c.signal == select(func.min(_other.c.signal)).where(_IN_LINE).scalar_subquery(),
        _delivery.c.next_at.is_(None),
        PENDING,
        ~exists().where(_IN_LINE, _other.c.claim.is_not(None)),
    )
    .values(next_at=bindparam("now"))
)
_HURRY: Final = (
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


def outlook(conn: Connection) -> list[Outlook]:
    """The active subscriptions that have something due, now or later."""
    return [
        Outlook(which, Channel(channel), failures > 0, max(due_at, quiet_until or 0))
        for which, channel, failures, quiet_until, due_at in conn.execute(_OUTLOOK).all()
        if due_at is not None
    ]


def claim(
    conn: Connection, which: str, most: int, now: Micros, until: Micros, mark: str, *, together: bool = False
) -> list[Claimed]:
    """Take up to `most` due deliveries of a subscription, the longest due first. They are this caller's until then.

    `together`: everything that has not been tried yet comes along, in the order of the stream.
    """
    query = dialect.claimed(conn, _DUE_TOGETHER if together else _DUE)
    rows = conn.execute(query, {"subscription": which, "most": most, "now": now}).all()
    bodies = _bodies(conn, [row.signal for row in rows])
    if rows:
        conn.execute(
            _CLAIM,
            [{"_subscription": which, "_signal": row.signal, "until": until, "_claim": mark} for row in rows],
        )
    return [
        Claimed(which, signal, mark, attempts, desk, subject, *bodies[signal])
        for _, signal, attempts, desk, subject in rows
    ]


def _bodies(conn: Connection, places: Sequence[int]) -> dict[int, tuple[str, str, Micros, bytes]]:
    return {
        seq: (signal_id, kind, detected_at, body.encode())
        for part in parts(places)
        for seq, signal_id, kind, detected_at, body in conn.execute(_BODIES, {"signals": part}).all()
    }


def settle(conn: Connection, settlements: Sequence[Settlement], now: Micros) -> None:
    """Write down what became of attempts, and let those behind go on where one is done with."""
    ordered = sorted(settlements, key=lambda each: (each.claimed.subscription, each.claimed.signal))
    failed = [_settled(each, now) for each in ordered if each.state is not DeliveryState.DELIVERED]
    done = [_settled(each, now) for each in ordered if each.state is DeliveryState.DELIVERED]
    if failed:
        conn.execute(_SETTLE_FAILED, failed)
    if done:
        conn.execute(_SETTLE_DONE, done)
    go_on(conn, {each.claimed.line for each in settlements if each.next_at is None}, now)


def _settled(settlement: Settlement, now: Micros) -> dict[str, Any]:
    claimed = settlement.claimed
    return {
        "_subscription": claimed.subscription,
        "_signal": claimed.signal,
        "_claim": claimed.claim,
        "_state": settlement.state.value,
        "_next_at": settlement.next_at,
        "_attempts": claimed.attempts + 1,
        "_outcome": settlement.outcome,
        "_reason": settlement.reason,
        "_status": settlement.status,
        "now": now,
    }


def release(conn: Connection, unfinished: Sequence[Claimed], now: Micros) -> None:
    """Give back what was claimed and not attempted to the end: it is due again at once."""
    if unfinished:
        conn.execute(
            _RELEASE,
            [
                {"_subscription": c.subscription, "_signal": c.signal, "_claim": c.claim, "now": now}
                for c in unfinished
            ],
        )


def go_on(conn: Connection, lines: Iterable[QueueOrder], now: Micros) -> None:
    """Let the first that waits in each of these lines go, unless one of the line is under way."""
    rows = [
        {"_subscription": which, "_desk": desk, "_subject": subject, "now": now}
        for which, desk, subject in sorted(lines)
    ]
    if rows:
        conn.execute(_GO_ON, rows)


def hurry(conn: Connection, which: str, now: Micros) -> None:
    """What waits for its next attempt at this endpoint is tried now: the endpoint is another, or back."""
    conn.execute(_HURRY, {"_subscription": which, "now": now})


def long_due(conn: Connection, before: Micros) -> list[str]:
    """The subscriptions of which something should have gone out before this instant, and nobody asked to wait."""
    rows = conn.execute(_OUTLOOK).all()
    return [
        subscription
        for subscription, _, _, quiet_until, due_at in rows
        if due_at is not None and max(due_at, quiet_until or 0) < before
    ]


def counts(conn: Connection) -> tuple[int, int]:
    """How many deliveries are pending, and how many are parked."""
    return conn.execute(_COUNT_PENDING).scalar() or 0, conn.execute(_COUNT_PARKED).scalar() or 0
