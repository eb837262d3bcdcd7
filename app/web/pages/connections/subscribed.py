"""Subscriptions and their last deliveries, as their page lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import HAPPENED, N_
from app.store.engine.database import Connection
from app.store.outbound import delivery_list, subscriptions
from app.store.outbound.delivery_list import Delivery
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.subscriptions import Subscription, SubscriptionState
from app.web.pages.connections.reading import Writing
from app.web.pages.frame.reader import Reader

SHOWN: Final = 5
"""Deliveries that are shown of each subscription: the API lists the others."""

STATES: Final[Mapping[SubscriptionState, str]] = {
    SubscriptionState.ACTIVE: N_("active"),
    SubscriptionState.PAUSED: N_("paused"),
    SubscriptionState.DISABLED: N_("disabled"),
}
DELIVERY_STATES: Final[Mapping[DeliveryState, str]] = {
    DeliveryState.PENDING: N_("waiting"),
    DeliveryState.DELIVERED: N_("delivered"),
    DeliveryState.PARKED: N_("given up"),
}

_JUDGED: Final = ("clock", "availability", "average")
_BREACHES: Final = (
    *(f"{each}.{change}" for each in _JUDGED for change in ("breached", "breach_retracted")),
    "clock.missed",
    "clock.miss_retracted",
)
CONTENTS: Final[Mapping[str, tuple[str, ...]]] = {
    N_("Breaches and warnings"): (*(f"{each}.warned" for each in _JUDGED), *_BREACHES),
    N_("Breaches only"): _BREACHES,
    N_("Finished reports"): ("report.ready",),
    N_("Everything"): tuple(HAPPENED),
}
"""What a new subscription of the page sends. The API has every choice."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery: what it is about, how it stands, and how its last attempt ended."""

    id: str
    kind: str
    ticket: str | None
    desk: str
    when: str
    state: str
    tries: int
    outcome: str
    is_parked: bool


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription with its last deliveries. `trouble`: why it is disabled, refused or failing."""

    id: str
    desk: str
    url: str
    description: str
    kinds: str
    state: str
    is_active: bool
    is_disabled: bool
    trouble: str | None
    attempts: tuple[Attempt, ...]


def read_subscribed(
    conn: Connection, reader: Reader, desk: str | None
) -> list[tuple[Subscription, list[Delivery]]]:
    """The subscriptions that the reader may see, each with its last deliveries."""
    desks = reader.caller.desks if desk is None else frozenset({desk})
    return [
        (each, delivery_list.page(conn, each.id, None, None, SHOWN)[0])
        for each in subscriptions.listed(conn, desks)
    ]


def subscribed(
    found: Sequence[tuple[Subscription, list[Delivery]]], reader: Reader, writing: Writing
) -> list[Subscribed]:
    """The subscriptions as they are listed. Addresses are masked: they may contain secrets."""
    sender = reader.runtime.deliverer.sender
    return [
        Subscribed(
            each.id,
            each.desk,
            sender.masked_url(each),
            each.description,
            ", ".join(each.kinds),
            writing.words.say(STATES[each.state]),
            each.state is SubscriptionState.ACTIVE,
            each.state is SubscriptionState.DISABLED,
            each.disabled_reason or sender.refusal(each) or _failing(each, writing),
            tuple(_attempt(delivery, writing) for delivery in deliveries),
        )
        for each, deliveries in found
    ]


def _failing(subscription: Subscription, writing: Writing) -> str | None:
    if subscription.failing_since is None:
        return None
    return writing.words.say(N_("failing since {when}"), when=writing.when(subscription.failing_since))


def _attempt(delivery: Delivery, writing: Writing) -> Attempt:
    outcome = ": ".join(each for each in (delivery.outcome, delivery.reason) if each)
    return Attempt(
        delivery.id,
        delivery.kind,
        delivery.subject.ticket,
        delivery.desk,
        writing.when(delivery.attempted_at or delivery.created_at),
        writing.words.say(DELIVERY_STATES[delivery.state]),
        delivery.attempts,
        outcome,
        delivery.state is DeliveryState.PARKED,
    )
