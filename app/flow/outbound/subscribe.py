"""Creates, changes and disables subscriptions, one transaction each.

Disabling a subscription records a signal, so that an endpoint never stops receiving unnoticed. Instants are
microseconds UTC.
"""

import secrets as chance
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from app.delivery.outcome import DeliveryOutcome
from app.delivery.signing import new_secret
from app.flow.agreement.applied_signals import APPLIED_KINDS
from app.flow.agreement.contracts import APPLIED as CONTRACT_APPLIED
from app.flow.judge.emit import encoded
from app.flow.query import serialize
from app.sla.allowance import ALLOWANCE_SIGNALS
from app.sla.availability.signals import AVAILABILITY_SIGNALS
from app.sla.average.signals import AVERAGE_SIGNALS
from app.sla.clock.signals import CLOCK_SIGNALS
from app.sla.credit.changes import CREDIT_SIGNALS
from app.sla.queue.signals import QueueKind
from app.sla.report.subscribed import REPORT_READY
from app.sla.span import Micros
from app.sla.subject import THE_DESK
from app.store.engine.database import Connection
from app.store.outbound import deliveries, outbox, redelivery, subscriptions
from app.store.outbound.subscriptions import Channel, Secret, Subscription, SubscriptionState
from app.store.tickets import signals
from app.store.tickets.signals import QUEUE, NewSignal, Published

_log = structlog.stdlib.get_logger()

DISABLED: Final = "subscription.disabled"
TEST: Final = "subscription.test"
"""The kind of a test delivery. It is not recorded: it is not in the stream, and each test has its own id."""

KINDS: Final = (
    *CLOCK_SIGNALS,
    *(QUEUE + kind for kind in QueueKind),
    *APPLIED_KINDS,
    *AVERAGE_SIGNALS,
    *ALLOWANCE_SIGNALS,
    *AVAILABILITY_SIGNALS,
    *CREDIT_SIGNALS,
    CONTRACT_APPLIED,
    REPORT_READY,
    DISABLED,
)
"""All kinds that can be subscribed to."""

_MAX_SECRETS: Final = 3
"""Secrets that sign at the same time. A receiver tries the signatures one after the other."""
_ID_BYTES: Final = 9


class TooManySecrets(RuntimeError):
    """Two former secrets of this subscription still sign. Replace it again when the older one has expired."""


class TooManySubscriptions(RuntimeError):
    """The desk has as many subscriptions as it may have. Delete one first."""


@dataclass(frozen=True, slots=True)
class SubscriptionSpec:
    """The fields that a new subscription is created from."""

    desk: str
    channel: Channel
    url: str
    kinds: tuple[str, ...]
    filter: Mapping[str, tuple[str, ...]]
    language: str
    description: str
    omit: tuple[str, ...] = ()
    reports: tuple[str, ...] = subscriptions.CADENCES


def create(
    conn: Connection, spec: SubscriptionSpec, now: Micros, *, limit: int | None = None
) -> Subscription:
    """Create a subscription to the signals recorded from now on. A webhook gets its first secret.

    Raises TooManySubscriptions for a desk that has `limit` of them.
    """
    if limit is not None and (have := subscriptions.count(conn, spec.desk)) >= limit:
        raise TooManySubscriptions(
            f"desk {spec.desk} has {have} subscriptions, and {limit} is the limit "
            "SLATIMER_DESK_SUBSCRIPTIONS_MAX. Delete one that is not needed, or raise the limit"
        )
    webhook = spec.channel is Channel.WEBHOOK
    made = Subscription(
        id="sub_" + chance.token_hex(_ID_BYTES),
        desk=spec.desk,
        channel=spec.channel,
        url=spec.url,
        kinds=spec.kinds,
        filter=spec.filter,
        secrets=(Secret(new_secret()),) if webhook else (),
        language=spec.language,
        description=spec.description,
        omit=spec.omit,
        reports=spec.reports,
        state=SubscriptionState.ACTIVE,
        created_at=now,
        wanted_since=now,
    )
    subscriptions.add(conn, made)
    return made


def change(conn: Connection, before: Subscription, after: Subscription, now: Micros) -> Subscription:
    """Save a changed subscription. A new URL, or activation, resets the endpoint's health and retries at once."""
    filter_changed = (before.kinds, before.filter, before.reports) != (
        after.kinds,
        after.filter,
        after.reports,
    )
    state_changed = before.state is not after.state
    was_disabled = state_changed and before.state is SubscriptionState.DISABLED
    reset = before.url != after.url or (state_changed and after.state is SubscriptionState.ACTIVE)
    if filter_changed or was_disabled:
        after = replace(after, wanted_since=now)
    if was_disabled:
        after = replace(after, disabled_reason=None)
    if reset:
        after = replace(after, failures=0, failing_since=None, quiet_until=None)
    subscriptions.change(conn, after)
    if reset and after.state is SubscriptionState.ACTIVE:
        deliveries.retry_now(conn, after.id, now)
    return after


def replace_secret(
    conn: Connection, before: Subscription, overlap: Micros, now: Micros
) -> tuple[Subscription, str]:
    """Add a secret; the former ones keep signing for the overlap. Raises TooManySecrets."""
    live = [each for each in before.secrets if each.expires_at is None or each.expires_at > now]
    if len(live) >= _MAX_SECRETS:
        raise TooManySecrets(TooManySecrets.__doc__)
    former = [replace(each, expires_at=now + overlap) if each.expires_at is None else each for each in live]
    made = new_secret()
    after = replace(before, secrets=(Secret(made), *former))
    subscriptions.change(conn, after)
    return after, made


def disable(conn: Connection, subscription: Subscription, reason: str, now: Micros) -> Published:
    """Disable a subscription, park its pending deliveries, and record a signal about it."""
    subscriptions.change(
        conn, replace(subscription, state=SubscriptionState.DISABLED, disabled_reason=reason)
    )
    redelivery.park_all(
        conn, subscription.id, DeliveryOutcome.SWITCHED_OFF.value, f"the subscription was disabled: {reason}"
    )
    recorded = _record_disabled(conn, subscription, reason, now)
    # For other subscriptions: this one is disabled by now and gets no delivery.
    outbox.fill(conn, [recorded], now)
    _log.warning("subscription disabled", subscription=subscription.id, desk=subscription.desk, reason=reason)
    return recorded


def _record_disabled(conn: Connection, subscription: Subscription, reason: str, now: Micros) -> Published:
    signal = NewSignal(
        desk=subscription.desk,
        subject=THE_DESK,
        kind=DISABLED,
        occurrence=f"{subscription.id} {now}",
        at=now,
        detected_at=now,
    )
    body = serialize.signal(signal) | {"clock": None, "subscription": subscription.id, "reason": reason}
    return signals.append(conn, [encoded(signal, body)])[0]


def signal_without_ticket(signal_id: str, kind: str, desk: str, now: Micros) -> serialize.Json:
    """The JSON of a signal about the desk itself, with the fields of all signals."""
    signal = NewSignal(desk=desk, subject=THE_DESK, kind=kind, occurrence="", at=now, detected_at=now)
    return serialize.signal(signal) | {"id": signal_id, "clock": None}
