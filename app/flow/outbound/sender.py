"""Makes one delivery attempt: a signed webhook with one signal, or one message to people about any number of them.

Knows both channels, and neither the schedule nor the database. Instants are microseconds UTC.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import orjson

from app.delivery.address import AddressPolicy, FaultyUrl, check_url, endpoint
from app.delivery.envelope import MEDIA_TYPE, cloud_event
from app.delivery.messenger import MessageLimits, Messenger, masked
from app.delivery.notice import Notice, Reported, notice, trial_notice
from app.delivery.outcome import Attempt
from app.delivery.resolver import ACTING_DESK, Resolve
from app.delivery.signing import signed_headers
from app.flow.outbound.claim import Batch
from app.flow.outbound.subscribe import TEST, signal_without_ticket
from app.flow.query.serialize import instant_text
from app.principal import EVERY_DESK
from app.settings import Settings
from app.sla.span import Micros
from app.store.outbound.subscriptions import Channel, Subscription

if TYPE_CHECKING:
    from app.delivery.client import Client

_HEADERS: Final[Mapping[str, str]] = {
    "content-type": f"{MEDIA_TYPE}; charset=utf-8",
    "accept": "*/*",
    "user-agent": "slatimer",
}
_ID_BYTES: Final = 15


class Sender:
    """Sends signals to the endpoints of subscriptions. Connections are opened on first use."""

    def __init__(self, settings: Settings, *, resolve: Resolve | None = None) -> None:
        self._settings, self._resolve = settings, resolve
        self._policy = AddressPolicy(settings.allow_networks)
        self._schemes = frozenset(settings.notification_schemes)
        self._tests: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(settings.delivery_concurrency)
        )

    @cached_property
    def _client(self) -> "Client":
        from app.delivery.client import Client, Limits  # nothing is delivered without a subscription

        settings = self._settings
        limits = Limits(
            connect=settings.delivery_connect_timeout.total_seconds(),
            total=settings.delivery_timeout.total_seconds(),
            response_bytes=settings.delivery_max_response_size,
            lookups=settings.delivery_lookups,
            desk_lookups=settings.delivery_desk_lookups,
        )
        return Client(self._policy, limits, resolve=self._resolve)

    @cached_property
    def _messenger(self) -> Messenger:
        settings = self._settings
        limits = MessageLimits(settings.notification_max_recipients, settings.notification_concurrency)
        return Messenger(self._client, self._schemes, limits)

    def check(self, channel: Channel, url: str) -> None:
        """Raise FaultyUrl for a URL that nothing can be delivered to. Does not resolve host names."""
        if channel is Channel.WEBHOOK:
            check_url(url, self._policy)
        else:
            self._messenger.check(url)

    def refusal(self, subscription: Subscription) -> str | None:
        """Why the URL of a subscription is not allowed, which it may have been when it was stored; None if it is."""
        try:
            self.check(subscription.channel, subscription.url)
        except FaultyUrl as error:
            return f"the URL {error}"
        return None

    def masked_url(self, subscription: Subscription) -> str:
        """A subscription's URL without the parts that may be secret."""
        if subscription.channel is Channel.NOTICE:
            return masked(subscription.url, self._schemes, self._settings.notification_max_recipients)
        try:
            return endpoint(subscription.url).origin + "/…"
        except FaultyUrl:
            return "…"

    async def attempt(self, batch: Batch, now: Micros) -> Attempt:
        """Attempt to deliver: exactly one signal to a webhook, any number to people."""
        subscription = batch.subscription
        ACTING_DESK.set(subscription.desk)
        if subscription.channel is Channel.NOTICE:
            # Parsing and rendering a thousand signals takes long enough to be felt in the event loop.
            message = await asyncio.to_thread(self._message, batch)
            return await self._messenger.send(subscription.url, message, now)
        (each,) = batch.claimed
        event = cloud_event(
            each.body,
            signal_id=each.signal_id,
            kind=each.kind,
            desk=each.desk,
            subject=each.subject.text,
            time=instant_text(each.at),
            details=batch.shown.details(each, subscription.omit),
        )
        return await self._send_webhook(subscription, each.signal_id, event, now)

    def _message(self, batch: Batch) -> Notice:
        subscription, shown = batch.subscription, batch.shown
        reported: list[Reported] = []
        for each in batch.claimed:
            signal: Mapping[str, Any] = orjson.loads(each.body)
            labels = shown.labels.get(each.desk, {}).get(signal.get("commitment") or "", {})
            reported.append(Reported(signal, shown.details(each, subscription.omit), labels))
        return notice(
            reported,
            subscription.language,
            lines=self._settings.notification_max_tickets,
            every_desk=subscription.desk == EVERY_DESK,
        )

    async def send_test(self, subscription: Subscription, now: Micros, *, sent_by: str) -> Attempt:
        """Deliver a test signal, which is not recorded, and return the result. `sent_by` is named in a message."""
        ACTING_DESK.set(subscription.desk)
        async with self._tests[subscription.desk]:
            if subscription.channel is Channel.NOTICE:
                return await self._send_test_message(subscription, now, sent_by)
            test_id = "test_" + secrets.token_hex(_ID_BYTES)
            signal = signal_without_ticket(test_id, TEST, subscription.desk, now)
            signal["subscription"] = subscription.id
            event = cloud_event(
                orjson.dumps(signal),
                signal_id=test_id,
                kind=TEST,
                desk=subscription.desk,
                subject="",
                time=instant_text(now),
            )
            return await self._send_webhook(subscription, test_id, event, now)

    async def _send_test_message(self, subscription: Subscription, now: Micros, sent_by: str) -> Attempt:
        described = f" ({subscription.description})" if subscription.description else ""
        message = trial_notice(
            name=f"{subscription.id}{described}",
            desk=None if subscription.desk == EVERY_DESK else subscription.desk,
            sender=sent_by,
            language=subscription.language,
        )
        return await self._messenger.send(subscription.url, message, now)

    async def _send_webhook(
        self, subscription: Subscription, signal_id: str, event: bytes, now: Micros
    ) -> Attempt:
        signed = signed_headers(signal_id, event, now, subscription.live_secrets(now))
        return await self._client.post(subscription.url, {**_HEADERS, **signed}, event, now)

    async def close(self) -> None:
        """Close all connections."""
        if "_client" in self.__dict__:
            await self._client.close()
        if "_messenger" in self.__dict__:
            self._messenger.close()
