"""What follows from an attempt? The delivery is done, tried again or parked; its endpoint well, failing or given up.

All of it in one transaction with what the attempt came to. Instants are microseconds UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.delivery.outcome import Attempt, DeliveryOutcome
from app.delivery.retry import RetryRules
from app.flow.outbound.subscribe import switch_off
from app.settings import Settings
from app.sla.span import DAY, Micros, length_of
from app.store.engine.database import Connection
from app.store.outbound import deliveries, subscriptions
from app.store.outbound.deliveries import Claimed, DeliveryUpdate
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.subscriptions import Channel, Health, Subscription, SubscriptionState


@dataclass(frozen=True, slots=True)
class CompletedAttempt:
    """Deliveries that were attempted together, and how that ended. No attempt: it was broken off."""

    subscription: str
    claimed: Sequence[Claimed]
    attempt: Attempt | None


def rules_of(settings: Settings) -> RetryRules:
    """How patient the service is set to be."""
    return RetryRules(
        waits=tuple(map(length_of, settings.delivery_retry_schedule)),
        spread=settings.delivery_retry_jitter,
        most_asked=length_of(settings.delivery_retry_after_max),
        failures=settings.endpoint_max_failures,
        downtime=length_of(settings.endpoint_max_downtime),
    )


class ResultRecorder:
    """Writes down what attempts came to. `chance` gives numbers from 0 up to 1."""

    def __init__(self, settings: Settings, chance: Callable[[], float]) -> None:
        self._rules, self._chance = rules_of(settings), chance
        self._notice_gap = length_of(settings.notification_group_interval)

    def settle(
        self, conn: Connection, finished: Sequence[CompletedAttempt], now: Micros
    ) -> list[DeliveryUpdate]:
        """Write down what became of deliveries and of their endpoints."""
        held = subscriptions.some(conn, (each.subscription for each in finished), lock=True)
        settlements = [
            self._settlement(claimed, each.attempt, now)
            for each in finished
            if each.attempt is not None
            for claimed in each.claimed
        ]
        deliveries.settle(conn, settlements, now)
        broken_off = [claimed for each in finished if each.attempt is None for claimed in each.claimed]
        deliveries.release(conn, broken_off, now)
        self._note(conn, held, finished, now)
        return settlements

    def _settlement(self, claimed: Claimed, attempt: Attempt, now: Micros) -> DeliveryUpdate:
        next_at = None
        if not attempt.delivered and attempt.outcome is not DeliveryOutcome.GONE:
            next_at = self._rules.next_at(claimed.attempts + 1, now, self._chance(), attempt.retry_after)
        state = DeliveryState.PENDING if next_at is not None else DeliveryState.PARKED
        if attempt.delivered:
            state = DeliveryState.DELIVERED
        return DeliveryUpdate(claimed, state, next_at, attempt.outcome.value, attempt.reason, attempt.status)

    def _note(
        self,
        conn: Connection,
        held: Mapping[str, Subscription],
        finished: Sequence[CompletedAttempt],
        now: Micros,
    ) -> None:
        for which, before in held.items():
            attempts = [each.attempt for each in finished if each.subscription == which and each.attempt]
            after = self._health_after(before, attempts, now)
            if after != Health(before.failures, before.failing_since, before.quiet_until):
                subscriptions.note(conn, which, after)
            if self._rules.is_down(before.failures) and any(each.delivered for each in attempts):
                deliveries.hurry(conn, which, now)
            reason = self._why_off(after, attempts, now)
            if reason is not None and before.state is not SubscriptionState.DISABLED:
                switch_off(conn, subscriptions.some(conn, [which])[which], reason, now)

    def _health_after(self, before: Subscription, attempts: Sequence[Attempt], now: Micros) -> Health:
        failures, since, quiet_until = before.failures, before.failing_since, before.quiet_until
        for attempt in attempts:
            if attempt.delivered:
                failures, since = 0, None
                continue
            failures, since = failures + 1, now if since is None else since
            asked = self._rules.quiet_until(now, attempt.retry_after)
            quiet_until = max(filter(None, (quiet_until, asked)), default=None)
        if attempts and before.channel is Channel.NOTICE:
            quiet_until = now + self._notice_gap
        return Health(failures, since, quiet_until)

    def _why_off(self, health: Health, attempts: Sequence[Attempt], now: Micros) -> str | None:
        if any(each.outcome is DeliveryOutcome.GONE for each in attempts):
            return "the endpoint answered 410 Gone"
        if health.failing_since is None or not self._rules.gives_up(
            health.failures, health.failing_since, now
        ):
            return None
        days = (now - health.failing_since) / DAY
        return f"{health.failures} failures in a row over {days:.1f} days, the last: {attempts[-1].reason}"
