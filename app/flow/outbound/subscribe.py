"""Who is told, and who is told no more? Making, changing and ending subscriptions, one transaction each.

The rule it guards: a subscription that is switched off says so in the stream, so that no silence goes unnoticed.
Instants are microseconds UTC.
"""

import secrets as chance
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from app.delivery.outcome import Outcome
from app.delivery.signing import new_secret
from app.flow.judge.emit import encoded
from app.flow.query import serialize
from app.sla.clock.signals import CLOCK_SIGNALS
from app.sla.queue.signals import QueueKind
from app.sla.span import Micros
from app.sla.subject import THE_DESK
from app.store.engine.database import Connection
from app.store.outbound import deliveries, outbox, redelivery, subscriptions
from app.store.outbound.subscriptions import Channel, Secret, State, Subscription
from app.store.tickets import signals
from app.store.tickets.signals import QUEUE, NewSignal, Published

_log = structlog.stdlib.get_logger()

DISABLED: Final = "subscription.disabled"
TEST: Final = "subscription.test"
"""What a test delivery carries. It is not told: it is in no stream, and repeats with another id."""

KINDS: Final = (*CLOCK_SIGNALS, *(QUEUE + kind for kind in QueueKind), DISABLED)
"""Everything that can be subscribed to."""

_MOST_SECRETS: Final = 3
"""Secrets that sign at a time. Each makes the header longer for a receiver that must try them all."""
_ID_BYTES: Final = 9


class TooManySecrets(RuntimeError):
    """Two former secrets of this subscription still sign. Replace it again when the older one has ended."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: who is to be told what, where."""

    desk: str
    channel: Channel
    url: str
    kinds: tuple[str, ...]
    filter: Mapping[str, tuple[str, ...]]
    language: str
    description: str


def create(conn: Connection, wanted: Wanted, now: Micros) -> Subscription:
    """A new subscription. It hears of what is told from now on. A webhook's first secret is in it."""
    webhook = wanted.channel is Channel.WEBHOOK
    made = Subscription(
        id="sub_" + chance.token_hex(_ID_BYTES),
        desk=wanted.desk,
        channel=wanted.channel,
        url=wanted.url,
        kinds=wanted.kinds,
        filter=wanted.filter,
        secrets=(Secret(new_secret()),) if webhook else (),
        language=wanted.language,
        description=wanted.description,
        state=State.ACTIVE,
        created_at=now,
        wanted_since=now,
    )
    subscriptions.add(conn, made)
    return made


def change(conn: Connection, before: Subscription, after: Subscription, now: Micros) -> Subscription:
    """Keep a subscription as it is to be. Another address, or being active again, is a fresh start for its endpoint."""
    asks_otherwise = (before.kinds, before.filter) != (after.kinds, after.filter)
    was_off = before.state is State.DISABLED and after.state is not State.DISABLED
    afresh = before.url != after.url or (before.state is not State.ACTIVE and after.state is State.ACTIVE)
    if asks_otherwise or was_off:
        after = replace(after, wanted_since=now)
    if was_off:
        after = replace(after, disabled_reason=None)
    if afresh:
        after = replace(after, failures=0, failing_since=None, quiet_until=None)
    subscriptions.change(conn, after)
    if afresh and after.state is State.ACTIVE:
        deliveries.hurry(conn, after.id, now)
    return after


def replace_secret(
    conn: Connection, held: Subscription, overlap: Micros, now: Micros
) -> tuple[Subscription, str]:
    """A new secret, which signs first; the former go on signing for the overlap. Raises TooManySecrets."""
    live = [each for each in held.secrets if each.expires_at is None or each.expires_at > now]
    if len(live) >= _MOST_SECRETS:
        raise TooManySecrets(TooManySecrets.__doc__)
    former = [replace(each, expires_at=now + overlap) if each.expires_at is None else each for each in live]
    made = new_secret()
    after = replace(held, secrets=(Secret(made), *former))
    subscriptions.change(conn, after)
    return after, made


def switch_off(conn: Connection, held: Subscription, reason: str, now: Micros) -> Published:
    """Deliver nothing more to an endpoint, park what is on its way, and say so in the stream."""
    subscriptions.change(conn, replace(held, state=State.DISABLED, disabled_reason=reason))
    redelivery.park_all(
        conn, held.id, Outcome.SWITCHED_OFF.value, f"the subscription was switched off: {reason}"
    )
    recorded = _tell(conn, held, reason, now)
    # Others may want to hear of it; this one does not any more.
    outbox.fill(conn, [recorded], now)
    _log.warning("subscription switched off", subscription=held.id, desk=held.desk, reason=reason)
    return recorded


def _tell(conn: Connection, held: Subscription, reason: str, now: Micros) -> Published:
    new = NewSignal(
        desk=held.desk,
        subject=THE_DESK,
        kind=DISABLED,
        occurrence=f"{held.id} {now}",
        at=now,
        detected_at=now,
    )
    body = serialize.signal(new) | {"clock": None, "subscription": held.id, "reason": reason}
    return signals.append(conn, [encoded(new, body)])[0]


def about_no_ticket(signal_id: str, kind: str, desk: str, now: Micros) -> serialize.Json:
    """A signal about the desk itself, in the shape of all others."""
    new = NewSignal(desk=desk, subject=THE_DESK, kind=kind, occurrence="", at=now, detected_at=now)
    return serialize.signal(new) | {"id": signal_id, "clock": None}
