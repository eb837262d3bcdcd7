"""Records the results of attempts: the delivery is done, retried or parked; its endpoint healthy, failing or disabled.

All in one transaction. Instants are microseconds UTC.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.delivery.outcome import Attempt, DeliveryOutcome
from app.delivery.retry import RetryPolicy
from app.flow.outbound.claim import Batch
from app.flow.outbound.subscribe import disable
from app.settings import Settings
from app.sla.span import DAY, Micros, length_of
from app.store.engine.database import Connection
from app.store.outbound import deliveries, subscriptions
from app.store.outbound.deliveries import Claimed, DeliveryUpdate
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.subscriptions import Channel, Health, Subscription, SubscriptionState

_FINAL: Final = frozenset({DeliveryOutcome.GONE, DeliveryOutcome.REFUSED_CHANNEL})
"""Outcomes that no retry can change. They disable the subscription."""


@dataclass(frozen=True, slots=True)
class CompletedAttempt:
    """A batch and the result of its attempt; None: it was skipped or cancelled."""

    batch: Batch
    attempt: Attempt | None


def retry_policy(settings: Settings) -> RetryPolicy:
    """The retry policy of the settings."""
    return RetryPolicy(
        waits=tuple(map(length_of, settings.delivery_retry_schedule)),
        jitter=settings.delivery_retry_jitter,
        max_retry_after=length_of(settings.delivery_retry_after_max),
        failure_threshold=settings.endpoint_max_failures,
        downtime_threshold=length_of(settings.endpoint_max_downtime),
    )


class ResultRecorder:
    """Records results by the retry policy. `chance` returns random numbers from 0 up to 1, for the jitter."""

    def __init__(self, settings: Settings, chance: Callable[[], float]) -> None:
        self._policy, self._chance = retry_policy(settings), chance
        self._notice_gap = length_of(settings.notification_group_interval)

    def record(
        self, conn: Connection, completed: Sequence[CompletedAttempt], now: Micros
    ) -> list[DeliveryUpdate]:
        """Update deliveries and the health of their endpoints. Returns the updates of the deliveries."""
        # Locks the subscriptions (FOR UPDATE) first: no other process updates the health of these endpoints meanwhile.
        locked = subscriptions.some(conn, (each.batch.subscription.id for each in completed), lock=True)
        updates = [
            self._update(claimed, each.attempt, now)
            for each in completed
            if each.attempt is not None
            for claimed in each.batch.claimed
        ]
        deliveries.record(conn, updates, now)
        skipped = [claimed for each in completed if each.attempt is None for claimed in each.batch.claimed]
        deliveries.release(conn, skipped, now)
        for which, before in locked.items():
            attempts = [c.attempt for c in completed if c.batch.subscription.id == which and c.attempt]
            self._record_health(conn, before, attempts, now)
        return updates

    def _update(self, claimed: Claimed, attempt: Attempt, now: Micros) -> DeliveryUpdate:
        next_at = None
        if not attempt.delivered and attempt.outcome not in _FINAL:
            next_at = self._policy.next_at(claimed.attempts + 1, now, self._chance(), attempt.retry_after)
        state = DeliveryState.PENDING if next_at is not None else DeliveryState.PARKED
        if attempt.delivered:
            state = DeliveryState.DELIVERED
        return DeliveryUpdate(claimed, state, next_at, attempt.outcome.value, attempt.reason, attempt.status)

    def _record_health(
        self, conn: Connection, before: Subscription, attempts: Sequence[Attempt], now: Micros
    ) -> None:
        """Update an endpoint's health. One that was down and answers is retried at once; one may be disabled."""
        after = self._health_after(before, attempts, now)
        if after != Health(before.failures, before.failing_since, before.quiet_until):
            subscriptions.record_health(conn, before.id, after)
        if self._policy.is_down(before.failures) and any(each.delivered for each in attempts):
            deliveries.retry_now(conn, before.id, now)
        reason = self._reason_to_disable(after, attempts, now)
        if reason is not None and before.state is not SubscriptionState.DISABLED:
            disable(conn, subscriptions.some(conn, [before.id])[before.id], reason, now)

    def _health_after(self, before: Subscription, attempts: Sequence[Attempt], now: Micros) -> Health:
        failures, since, quiet_until = before.failures, before.failing_since, before.quiet_until
        for attempt in attempts:
            if attempt.delivered:
                failures, since = 0, None
                continue
            failures, since = failures + 1, now if since is None else since
            until = self._policy.quiet_until(now, attempt.retry_after)
            quiet_until = max(filter(None, (quiet_until, until)), default=None)
        if attempts and before.channel is Channel.NOTICE:
            quiet_until = now + self._notice_gap
        return Health(failures, since, quiet_until)

    def _reason_to_disable(self, health: Health, attempts: Sequence[Attempt], now: Micros) -> str | None:
        if any(each.outcome is DeliveryOutcome.GONE for each in attempts):
            return "the endpoint answered 410 Gone"
        refused = next((each for each in attempts if each.outcome is DeliveryOutcome.REFUSED_CHANNEL), None)
        if refused is not None:
            return refused.reason
        failures, since = health.failures, health.failing_since
        if since is None or not self._policy.should_disable(failures, since, now):
            return None
        days = (now - since) / DAY
        return f"{failures} failures in a row over {days:.1f} days, the last: {attempts[-1].reason}"
