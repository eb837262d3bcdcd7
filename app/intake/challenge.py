"""Answers to challenges: requests by which a system checks, before it sends, that its secret is known here.

Some systems send a signed request and expect a part of it back; GLPI uses an address of its own and expects a signature.
Only a request that proves knowledge of the secret is answered, since an answer to anybody could serve as the signature
of a webhook.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.intake.keyed import BadSignature, Refused, any_equal
from app.intake.request import InboundRequest

GLPI_TOKEN: Final = "crc_token"
_GLPI_WORD: Final = b"validate_cra_challenge"


@dataclass(frozen=True, slots=True)
class Answer:
    """The body and the media type of an answer."""

    body: bytes
    media_type: str

    @classmethod
    def of(cls, found: object) -> "Answer":
        """A text as it is, anything else as JSON."""
        if isinstance(found, str):
            return cls(found.encode("utf-8", "replace"), "text/plain")
        return cls(json.dumps(found).encode(), "application/json")


def answer_glpi(request: InboundRequest, secrets: Sequence[str]) -> Answer:
    """The signature of GLPI's token, which is itself the signature of a fixed word.

    Raises BadSignature for a token that was not made with one of the secrets.
    """
    token = request.query.get(GLPI_TOKEN)
    if not token:
        raise BadSignature(Refused.UNSIGNED)
    known = [secret for secret in secrets if any_equal([_signature(secret, _GLPI_WORD)], [token])]
    if not known:
        raise BadSignature(Refused.INVALID)
    return Answer.of(_signature(known[0], token.encode()))


def _signature(secret: str, signed: bytes) -> str:
    return hmac.digest(secret.encode(), signed, "sha256").hex()
