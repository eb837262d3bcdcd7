"""How does a subscription get what is due to it? A webhook each signal by itself, people one message about them all.

Knows both channels and neither the schedule nor the database. Instants are microseconds UTC.
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
from app.flow.outbound.subscribe import TEST, about_no_ticket
from app.flow.query.serialize import moment
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
    """Carries signals to where subscriptions say. Connections are opened when first needed."""

    def __init__(self, settings: Settings, *, resolve: Resolve | None = None) -> None:
        self._settings, self._resolve = settings, resolve
        self._gate = AddressPolicy(settings.allow_networks)
        self._schemes = frozenset(settings.notification_schemes)

    @cached_property
    def _client(self) -> Client:
        settings = self._settings
        limits = Limits(
            settings.delivery_connect_timeout.total_seconds(),
            settings.delivery_timeout.total_seconds(),
            settings.delivery_max_response_size,
        )
        return Client(self._gate, limits, resolve=self._resolve)

    @cached_property
    def _messenger(self) -> Messenger:
        seconds = self._settings.delivery_timeout.total_seconds()
        return Messenger(self._gate, self._schemes, seconds, resolve=self._resolve)

    def check(self, channel: Channel, url: str) -> None:
        """Raise FaultyUrl for an address that nothing can be delivered to. Names are not resolved here."""
        if channel is Channel.WEBHOOK:
            check_url(url, self._gate)
        else:
            self._messenger.check(url)

    def shown(self, subscription: Subscription) -> str:
        """A subscription's address without what may be secret in it."""
        if subscription.channel is Channel.NOTICE:
            return masked(subscription.url, self._schemes)
        try:
            return endpoint(subscription.url).origin + "/…"
        except FaultyUrl:
            return "…"

    async def carry(self, subscription: Subscription, claimed: Sequence[Claimed], now: Micros) -> Attempt:
        """Attempt to deliver: one signal to a webhook, any number to people."""
        if subscription.channel is Channel.NOTICE:
            return await self._tell(subscription, [orjson.loads(each.body) for each in claimed])
        (each,) = claimed
        event = cloud_event(
            each.body,
            signal_id=each.signal_id,
            kind=each.kind,
            desk=each.desk,
            ticket=each.ticket,
            time=moment(each.at),
        )
        return await self._send(subscription, each.signal_id, event, now)

    async def test(self, subscription: Subscription, now: Micros) -> Attempt:
        """Deliver a test, which is neither told nor kept, and say what became of it."""
        test_id = "test_" + secrets.token_hex(_ID_BYTES)
        body = about_no_ticket(test_id, TEST, subscription.desk, now) | {"subscription": subscription.id}
        if subscription.channel is Channel.NOTICE:
            return await self._tell(subscription, [body])
        event = cloud_event(
            orjson.dumps(body),
            signal_id=test_id,
            kind=TEST,
            desk=subscription.desk,
            ticket="",
            time=moment(now),
        )
        return await self._send(subscription, test_id, event, now)

    async def _send(self, subscription: Subscription, signal_id: str, event: bytes, now: Micros) -> Attempt:
        signed = signed_headers(signal_id, event, now, subscription.live_secrets(now))
        return await self._client.post(subscription.url, {**_HEADERS, **signed}, event, now)

    async def _tell(self, subscription: Subscription, signals: Sequence[Mapping[str, Any]]) -> Attempt:
        return await self._messenger.send(subscription.url, notice(signals, subscription.language))

    async def close(self) -> None:
        """Let go of all connections."""
        if "_client" in self.__dict__:
            await self._client.close()
        if "_messenger" in self.__dict__:
            self._messenger.close()
