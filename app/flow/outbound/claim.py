"""Claims due deliveries, as many per endpoint as its concurrency limit allows."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.flow.outbound.beside import NOTHING_BESIDE, ShownBeside, shown_beside
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.outbound import deliveries, subscriptions
from app.store.outbound.deliveries import Claimed, EndpointSchedule
from app.store.outbound.subscriptions import Channel, Subscription

_PREFETCH: Final = 4
"""Deliveries claimed per concurrency slot, so that attempts go on while the next transaction runs. A failing endpoint
gets no prefetch: what was claimed for it is released unattempted."""
_MESSAGE_SIZE: Final = 1_000
"""Signals in one message to people. Few are shown, the rest is counted."""
_TOKEN_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """The deliveries of one attempt: one signal to a webhook, any number to people. And what they show beside it."""

    subscription: Subscription
    claimed: Sequence[Claimed]
    shown: ShownBeside = NOTHING_BESIDE


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many attempts each endpoint has in flight. A snapshot: claims run in a database thread, attempts do not."""

    limit: int
    in_flight: Mapping[str, int]
    desk_limit: int
    """Of one desk, at all of its endpoints together: a desk with many slow ones leaves connections to the others."""
    of_desk: Mapping[str, int]

    def free(self, endpoint: EndpointSchedule) -> int:
        """How many more deliveries may be claimed for an endpoint. Messages to people are sent one at a time."""
        limit = self.limit if endpoint.is_failing else self.limit * _PREFETCH
        limit = 1 if endpoint.channel is Channel.NOTICE else limit
        of_desk = self.desk_limit - self.of_desk.get(endpoint.desk, 0)
        return min(limit - self.in_flight.get(endpoint.subscription, 0), of_desk)

    def after(self, claimed: Mapping[str, int]) -> "Capacity":
        """The capacity after claims of so many attempts, by desk."""
        return replace(self, of_desk={**self.of_desk, **claimed})

    def due_at(self, endpoints: Sequence[EndpointSchedule]) -> Micros | None:
        """When the next delivery is due at an endpoint that has free capacity."""
        return min((each.due_at for each in endpoints if self.free(each) > 0), default=None)


def claim_due(
    conn: Connection, catalogue: Catalogue, capacity: Capacity, lease: Micros, now: Micros
) -> list[Batch]:
    """Claim what is due, for `lease`: an attempt without a result by then counts as lost, and is repeated.

    The longest due endpoint comes first, so that the endpoints of a desk at its limit take turns.
    """
    token = secrets.token_hex(_TOKEN_BYTES)
    claimed: dict[str, list[Claimed]] = {}
    of_desk = Counter(capacity.of_desk)
    for each in sorted(deliveries.schedules(conn), key=lambda schedule: schedule.due_at):
        free, as_batch = capacity.after(of_desk).free(each), each.channel is Channel.NOTICE
        if each.due_at <= now and free > 0:
            limit = _MESSAGE_SIZE if as_batch else free
            claimed[each.subscription] = deliveries.claim(
                conn, each.subscription, limit, now, now + lease, token, as_batch=as_batch
            )
            of_desk[each.desk] += min(len(claimed[each.subscription]), free)
    found = subscriptions.some(conn, claimed) if claimed else {}
    shown = shown_beside(conn, catalogue, (each for rows in claimed.values() for each in rows), now)
    return [batch for which, rows in claimed.items() if rows for batch in _batches(found[which], rows, shown)]


def _batches(subscription: Subscription, claimed: list[Claimed], shown: ShownBeside) -> list[Batch]:
    if subscription.channel is Channel.NOTICE:
        return [Batch(subscription, claimed, shown)]
    return [Batch(subscription, [each], shown) for each in claimed]
