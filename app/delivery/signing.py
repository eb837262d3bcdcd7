"""Signs webhooks by Standard Webhooks: HMAC-SHA256 over message id, attempt time and body.

Every secret that has not expired signs, newest first, so that a receiver can rotate without loss. The timestamp is the
attempt's, in whole seconds since 1970: it limits replay and is not the time of the signal.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Final

from app.sla.span import SECOND, Micros

PREFIX: Final = "whsec_"
_BYTES: Final = 32
"""Standard Webhooks allows 24 to 64 bytes; more than the size of the hash adds nothing."""


def new_secret() -> str:
    """A random secret for one endpoint."""
    return PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def signed_headers(message_id: str, body: bytes, attempted_at: Micros, live: Iterable[str]) -> dict[str, str]:
    """The three Standard Webhooks headers for a body, signed with each of these secrets."""
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
