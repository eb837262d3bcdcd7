"""Makes one delivery attempt: a signed webhook with one signal, or one message to people about any number of them.

Knows both channels, and neither the schedule nor the database. Instants are microseconds UTC.
"""

import secrets
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import orjson

from app.delivery.address import AddressPolicy, FaultyUrl, check_url, endpoint
from app.delivery.client import Client, Limits, Resolve
from app.delivery.envelope import MEDIA_TYPE, cloud_event
from app.delivery.messenger import Messenger, masked
from app.delivery.notice import notice
from app.delivery.outcome import Attempt
from app.delivery.signing import signed_headers
from app.flow.outbound.subscribe import TEST, signal_without_ticket
from app.flow.query.serialize import instant_text
from app.settings import Settings
from app.sla.span import Micros
from app.store.outbound.deliveries import Claimed
from app.store.outbound.subscriptions import Channel, Subscription

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

    @cached_property
    def _client(self) -> Client:
        settings = self._settings
        limits = Limits(
            connect=settings.delivery_connect_timeout.total_seconds(),
            total=settings.delivery_timeout.total_seconds(),
            response_bytes=settings.delivery_max_response_size,
        )
        return Client(self._policy, limits, resolve=self._resolve)

    @cached_property
    def _messenger(self) -> Messenger:
        timeout = self._settings.delivery_timeout.total_seconds()
        return Messenger(self._policy, self._schemes, timeout, resolve=self._resolve)

    def check(self, channel: Channel, url: str) -> None:
        """Raise FaultyUrl for a URL that nothing can be delivered to. Does not resolve host names."""
        if channel is Channel.WEBHOOK:
            check_url(url, self._policy)
        else:
            self._messenger.check(url)

    def masked_url(self, subscription: Subscription) -> str:
        """A subscription's URL without the parts that may be secret."""
        if subscription.channel is Channel.NOTICE:
            return masked(subscription.url, self._schemes)
        try:
            return endpoint(subscription.url).origin + "/…"
        except FaultyUrl:
            return "…"

    async def attempt(self, subscription: Subscription, claimed: Sequence[Claimed], now: Micros) -> Attempt:
        """Attempt to deliver: exactly one signal to a webhook, any number to people."""
        if subscription.channel is Channel.NOTICE:
            return await self._send_message(subscription, [orjson.loads(each.body) for each in claimed])
        (each,) = claimed
        event = cloud_event(
            each.body,
            signal_id=each.signal_id,
            kind=each.kind,
            desk=each.desk,
            subject=each.subject.text,
            time=instant_text(each.at),
        )
        return await self._send_webhook(subscription, each.signal_id, event, now)

    async def send_test(self, subscription: Subscription, now: Micros) -> Attempt:
        """Deliver a test signal, which is not recorded, and return the result."""
        test_id = "test_" + secrets.token_hex(_ID_BYTES)
        signal = signal_without_ticket(test_id, TEST, subscription.desk, now)
        signal["subscription"] = subscription.id
        if subscription.channel is Channel.NOTICE:
            return await self._send_message(subscription, [signal])
        event = cloud_event(
            orjson.dumps(signal),
            signal_id=test_id,
            kind=TEST,
            desk=subscription.desk,
            subject="",
            time=instant_text(now),
        )
        return await self._send_webhook(subscription, test_id, event, now)

    async def _send_webhook(
        self, subscription: Subscription, signal_id: str, event: bytes, now: Micros
    ) -> Attempt:
        signed = signed_headers(signal_id, event, now, subscription.live_secrets(now))
        return await self._client.post(subscription.url, {**_HEADERS, **signed}, event, now)

    async def _send_message(
        self, subscription: Subscription, signals: Sequence[Mapping[str, Any]]
    ) -> Attempt:
        return await self._messenger.send(subscription.url, notice(signals, subscription.language))

    async def close(self) -> None:
        """Close all connections."""
        if "_client" in self.__dict__:
            await self._client.close()
        if "_messenger" in self.__dict__:
            self._messenger.close()
