"""Claims due deliveries, as many per endpoint as its concurrency limit allows."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.outbound import deliveries, subscriptions
from app.store.outbound.deliveries import Claimed, EndpointSchedule
from app.store.outbound.subscriptions import Channel, Subscription

_PREFETCH: Final = 4
"""Deliveries claimed per concurrency slot, so that attempts go on while the next transaction runs. A failing endpoint
gets no prefetch: what was claimed for it is released unattempted."""
_MESSAGE_SIZE: Final = 1_000
"""Signals in one message to people. Ten are shown, the rest is counted."""
_TOKEN_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """The deliveries of one attempt: one signal to a webhook, any number to people."""

    subscription: Subscription
    claimed: Sequence[Claimed]


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many attempts each endpoint has in flight. A snapshot: claims run in a database thread, attempts do not."""

    limit: int
    in_flight: Mapping[str, int]

    def free(self, endpoint: EndpointSchedule) -> int:
        """How many more deliveries may be claimed for an endpoint. Messages to people are sent one at a time."""
        limit = self.limit if endpoint.is_failing else self.limit * _PREFETCH
        limit = 1 if endpoint.channel is Channel.NOTICE else limit
        return limit - self.in_flight.get(endpoint.subscription, 0)

    def due_at(self, endpoints: Sequence[EndpointSchedule]) -> Micros | None:
        """When the next delivery is due at an endpoint that has free capacity."""
        return min((each.due_at for each in endpoints if self.free(each) > 0), default=None)


def claim_due(conn: Connection, capacity: Capacity, lease: Micros, now: Micros) -> list[Batch]:
    """Claim what is due, for `lease`: an attempt without a result by then counts as lost, and is repeated."""
    token = secrets.token_hex(_TOKEN_BYTES)
    claimed: dict[str, list[Claimed]] = {}
    for each in deliveries.schedules(conn):
        free, as_batch = capacity.free(each), each.channel is Channel.NOTICE
        if each.due_at <= now and free > 0:
            limit = _MESSAGE_SIZE if as_batch else free
            claimed[each.subscription] = deliveries.claim(
                conn, each.subscription, limit, now, now + lease, token, as_batch=as_batch
            )
    found = subscriptions.some(conn, claimed) if claimed else {}
    return [batch for which, rows in claimed.items() if rows for batch in _batches(found[which], rows)]


def _batches(subscription: Subscription, claimed: list[Claimed]) -> list[Batch]:
    if subscription.channel is Channel.NOTICE:
        return [Batch(subscription, claimed)]
    return [Batch(subscription, [each]) for each in claimed]
