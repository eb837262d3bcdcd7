"""The outcomes of a delivery attempt. Every way in which an attempt can end has a name here.

The name is stored with the delivery, beside a reason in words. Durations are microseconds.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.sla.span import Micros


class DeliveryOutcome(StrEnum):
    """How an attempt ended. All but `delivered` are failures."""

    DELIVERED = "delivered"
    STATUS = "status"
    """Answered with a status that is neither success nor one of those below."""
    THROTTLED = "throttled"
    """Answered 429, 502, 503 or 504: overloaded or temporarily unavailable."""
    GONE = "gone"
    """Answered 410: the receiver has removed the endpoint."""
    REDIRECT = "redirect"
    """Answered with a redirect, which is never followed."""
    REFUSED_ADDRESS = "refused_address"
    """The host is an address that the address policy forbids."""
    DNS = "dns"
    """The host name does not resolve, or to an address that the address policy forbids."""
    CONNECT = "connect"
    """The connection was refused, or the host is unreachable."""
    TLS = "tls"
    """The TLS handshake failed: certificate, host name or protocol."""
    TIMEOUT = "timeout"
    """Not completed within the time limit."""
    BROKEN = "broken"
    """The connection was lost, or the response is not valid HTTP."""
    UNSENT = "unsent"
    """The messaging service did not accept the message."""
    REFUSED_CHANNEL = "refused_channel"
    """Not attempted: the channel's URL has a scheme or a parameter that is not allowed. Never retried."""
    SWITCHED_OFF = "switched_off"
    """Not attempted: the subscription was disabled."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt. `retry_after` is the wait that the receiver asked for."""

    outcome: DeliveryOutcome
    reason: str
    status: int | None = None
    retry_after: Micros | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver accepted it."""
        return self.outcome is DeliveryOutcome.DELIVERED
