"""How does a receiver know that it was us? By Standard Webhooks: HMAC-SHA256 over id, time of the attempt and body.

Every secret that is still good signs, the newest first, so that a receiver can change over at its leisure. The time is
that of the attempt, in whole seconds since 1970: it protects against replays, and is not the time of the signal.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Final

from app.sla.span import SECOND, Micros

PREFIX: Final = "whsec_"
_BYTES: Final = 32
"""Standard Webhooks allows 24 to 64 bytes; as many as the hash has are what it can use."""


def new_secret() -> str:
    """A secret of an endpoint's own."""
    return PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def signed_headers(message_id: str, body: bytes, attempted_at: Micros, live: Iterable[str]) -> dict[str, str]:
    """The three headers that go with a body, signed with each of these secrets."""
    second = str(attempted_at // SECOND)
    content = b".".join((message_id.encode(), second.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": second,
        "webhook-signature": " ".join(_signature(secret, content) for secret in live),
    }


def _signature(secret: str, content: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return "v1," + b64encode(hmac.digest(key, content, "sha256")).decode()
