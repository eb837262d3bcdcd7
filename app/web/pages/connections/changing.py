"""What the forms of the page of deliveries change: a delivery is retried, a subscription paused, resumed or tested."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.outbound import subscribe
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.outbound import delivery_list, redelivery, subscriptions
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.subscriptions import Subscription, SubscriptionState
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader

RETRY, TEST = "retry", "test"
STATES: Final[Mapping[str, SubscriptionState]] = {
    "pause": SubscriptionState.PAUSED,
    "resume": SubscriptionState.ACTIVE,
}
DONE: Final[Mapping[str, str]] = {
    RETRY: N_("The delivery is tried again."),
    "pause": N_("The subscription is paused."),
    "resume": N_("The subscription is active again."),
}
"""What was done, by the name in the address."""


class IsDisabled(ValueError):
    """A delivery of a disabled subscription is retried once it is enabled."""


async def test(reader: Reader, which: str) -> str:
    """Send a test. Returns what came of it, as the API names it."""
    parts, who = reader.runtime, reader.caller.principal
    target = await reader.read(lambda conn: _found(conn, reader, which))
    attempt = await parts.deliverer.sender.send_test(target, reader.now, sent_by=who.signs(who.id))
    return ": ".join(each for each in (attempt.outcome.value, attempt.reason) if each)


async def change(reader: Reader, which: str, action: str, delivery: str) -> None:
    """Retry a parked delivery, or pause or resume a subscription. Raises IsDisabled and the 404 problem."""

    def work(conn: Connection, now: Micros) -> None:
        target = _found(conn, reader, which)
        if action == RETRY:
            _retry(conn, target, delivery, now)
        elif action in STATES:
            subscribe.change(conn, target, replace(target, state=STATES[action]), now)

    await reader.runtime.database.write(work, reader.caller.desks)
    reader.runtime.deliverer.wake()


def _retry(conn: Connection, target: Subscription, delivery: str, now: Micros) -> None:
    if target.state is SubscriptionState.DISABLED:
        raise IsDisabled
    found = delivery_list.find(conn, target.id, delivery)
    if found is None:
        raise not_found("delivery", delivery[:100])
    if found.state is DeliveryState.PARKED:
        redelivery.retry(conn, target, found, now)


def _found(conn: Connection, reader: Reader, which: str) -> Subscription:
    """A subscription that the reader may change. Raises the 404 problem."""
    found = subscriptions.find(conn, which)
    if found is None or not reader.caller.sees(found.desk):
        raise not_found("subscription", which[:100])
    return found
