"""Sends messages to people: mail by SMTP, chat and paging by the HTTP client of webhooks.

The URL of a channel contains credentials, so it is shown masked. Only kinds that the operator lists are used, each with
the parameters that it documents. No connection is made to an address that the policy has not checked, no redirect is
followed, and no proxy of the environment is used. SMTP blocks, so it runs in threads.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from app.delivery.address import (
    MAX_URL_LENGTH,
    FaultyUrl,
    NoSuchHost,
    RefusedAddress,
    check_literal,
    check_resolved,
)
from app.delivery.channels.channel_url import parse_channel_url, scheme_of
from app.delivery.channels.chat import KINDS, ChatTarget
from app.delivery.notice import Notice
from app.delivery.outcome import Attempt, DeliveryOutcome
from app.sla.span import Micros, instant

if TYPE_CHECKING:
    from app.delivery.channels.mail import MailTarget
    from app.delivery.client import Client

MAIL: Final = frozenset({"mailto", "mailtos"})
CHANNELS: Final = frozenset(MAIL | KINDS.keys())
"""Every kind of channel that there is."""
_VENDOR_MAIL: Final = frozenset(
    {"mailgun", "sendgrid", "ses", "sparkpost", "smtp2go", "sendpulse", "brevo", "resend"}
)
_OPEN: Final = frozenset({"json", "jsons"})
"""Kinds whose URL names any host: their answers are not shown."""
_PLAIN: Final = "json"
"""The kind that is sent by http."""
_HEADERS: Final = {"accept": "*/*", "user-agent": "slatimer"}


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """Recipients of a mail, and mails sent at the same time."""

    recipients: int
    concurrency: int


class Messenger:
    """Sends messages to people, over the client of the webhooks."""

    def __init__(self, client: "Client", schemes: frozenset[str], limits: MessageLimits) -> None:
        self._client, self._schemes, self._limits = client, schemes, limits
        self._threads = ThreadPoolExecutor(limits.concurrency, "messenger")

    def target(self, url: str) -> "MailTarget | ChatTarget":
        """Where a URL leads. Raises FaultyUrl for one that no message can be sent to, or only in part."""
        return target_of(url, self._schemes, self._limits.recipients)

    def check(self, url: str) -> None:
        """Raise FaultyUrl for a URL that no message can be sent to. Resolves no name."""
        target = self.target(url)
        if target.host is not None:
            check_literal(target.host, self._client.policy, public=scheme_of(url) != _PLAIN)

    async def send(self, url: str, message: Notice, now: Micros) -> Attempt:
        """Send a message and return the result."""
        try:
            target = self.target(url)
        except FaultyUrl as error:
            return Attempt(DeliveryOutcome.REFUSED_CHANNEL, f"the channel's URL {error}")
        seconds = self._client.limits.total
        try:
            async with asyncio.timeout(seconds):
                if isinstance(target, ChatTarget):
                    return await self._post(target, message, now, explain=scheme_of(url) not in _OPEN)
                return await self._mail(target, message, now)
        except TimeoutError:
            return Attempt(DeliveryOutcome.TIMEOUT, f"not sent within {seconds:g} s")
        except NoSuchHost as error:
            return Attempt(DeliveryOutcome.DNS, str(error))
        except RefusedAddress as error:
            return Attempt(DeliveryOutcome.REFUSED_ADDRESS, str(error))

    async def _post(self, target: ChatTarget, message: Notice, now: Micros, *, explain: bool) -> Attempt:
        """Post to each chat in turn, up to the first refusal."""
        attempt = Attempt(DeliveryOutcome.DELIVERED, "")
        for each in target.requests(message):
            headers = {**_HEADERS, **each.headers}
            attempt = await self._client.post(each.url, headers, each.body, now, explain=explain)
            if not attempt.delivered:
                break
        return attempt

    async def _mail(self, target: "MailTarget", message: Notice, now: Micros) -> Attempt:
        from app.delivery.channels.mail import compose
        from app.delivery.channels.smtp import SmtpAttempt

        server, policy = target.server, self._client.policy
        addresses = await self._client.addresses(server.host, server.port or 0)
        tls = not (server.plain_allowed and all(map(policy.allows, addresses)))
        check_resolved(policy, server.host, addresses)
        limits = self._client.limits
        attempt = SmtpAttempt(target, addresses[0], tls, limits.total, self._client.tls)
        mail = compose(target, message, instant(now))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, attempt.send, mail)
        except asyncio.CancelledError:
            attempt.cancel()
            raise

    def close(self) -> None:
        """Cancel queued mails and stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


# Cached: lists of subscriptions mask every URL, and there are few.
@lru_cache(maxsize=1024)
def target_of(url: str, schemes: frozenset[str], max_recipients: int) -> "MailTarget | ChatTarget":
    """Where a channel's URL leads. Raises FaultyUrl with what to write instead."""
    scheme = scheme_of(url)
    if scheme not in schemes or scheme not in CHANNELS:
        raise FaultyUrl(_refusal(scheme, schemes))
    parsed = parse_channel_url(url)
    if scheme not in MAIL:
        return KINDS[scheme](parsed)
    from app.delivery.channels.mail import mail_target  # many desks send no mail

    return mail_target(parsed, max_recipients)


def refusal(url: str) -> str | None:
    """Why a stored URL is refused whatever the operator allows; None if it is not."""
    try:
        target_of(url, CHANNELS, MAX_URL_LENGTH)
    except FaultyUrl as error:
        return str(error)
    return None


def _refusal(scheme: str, schemes: frozenset[str]) -> str:
    allowed = ", ".join(sorted(schemes & CHANNELS))
    if scheme in _VENDOR_MAIL:
        return f"has a scheme that is not allowed, {scheme}://; send by the SMTP server of that service: mailtos://"
    if scheme in CHANNELS:
        return f"has a scheme that the operator does not allow, {scheme}://; allowed are: {allowed}"
    return f"has a scheme that is not allowed, {scheme[:20]}://; allowed are: {allowed}"


def masked(url: str, schemes: frozenset[str], max_recipients: int) -> str:
    """A URL without its secrets."""
    try:
        return target_of(url, schemes, max_recipients).shown
    except FaultyUrl:
        return f"{scheme_of(url)}://…"
