"""What became of one attempt to deliver? Everything that can happen has a name here, and nothing else can happen.

The name is kept with the delivery, beside a reason in words. Durations are micros.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.sla.span import Micros


class DeliveryOutcome(StrEnum):
    """How an attempt ended. All but the first are failures."""

    DELIVERED = "delivered"
    STATUS = "status"
    """Answered, with a status that is no success."""
    THROTTLED = "throttled"
    """Answered with a status that asks for patience: 429, 502, 503, 504."""
    GONE = "gone"
    """Answered 410: nobody wants anything here any more."""
    REDIRECT = "redirect"
    """Answered with a redirection, which is never followed."""
    REFUSED_ADDRESS = "refused_address"
    """The name leads to an address that this service may not reach."""
    DNS = "dns"
    """The name leads nowhere."""
    CONNECT = "connect"
    """Nobody listens there, or the way there is cut."""
    TLS = "tls"
    """No secure connection: certificate, name or protocol."""
    TIMEOUT = "timeout"
    """Not done within the time limit."""
    BROKEN = "broken"
    """The connection broke, or what came back is no HTTP."""
    UNSENT = "unsent"
    """The channel to people did not take the message."""
    SWITCHED_OFF = "switched_off"
    """Not tried any more, since the subscription was switched off."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended, and why, in words. `retry_after` is the wait that the receiver asked for."""

    outcome: DeliveryOutcome
    reason: str
    status: int | None = None
    retry_after: Micros | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.outcome is DeliveryOutcome.DELIVERED
