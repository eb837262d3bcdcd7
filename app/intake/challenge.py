"""What does a system read back that asks, before it sends, whether its secret is known here?

Some ask by a signed delivery and want to read what they said; GLPI asks by an address of its own and wants a signature.
The rule that it guards: only who has shown to know the secret is answered, since an answer to anybody could be the
signature of a delivery.
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
    """What a system wants to read, byte by byte."""

    body: bytes
    media_type: str

    @classmethod
    def of(cls, found: object) -> "Answer":
        """A text as it is, anything else as JSON."""
        if isinstance(found, str):
            return cls(found.encode("utf-8", "replace"), "text/plain")
        return cls(json.dumps(found).encode(), "application/json")


def answer_glpi(asked: InboundRequest, secrets: Sequence[str]) -> Answer:
    """The signature of GLPI's token, which is itself the signature of a word that never changes.

    Raises BadSignature for a token that is not so made with one of the secrets.
    """
    token = asked.query.get(GLPI_TOKEN)
    if not token:
        raise BadSignature(Refused.UNSIGNED)
    known = [secret for secret in secrets if any_equal([_signature(secret, _GLPI_WORD)], [token])]
    if not known:
        raise BadSignature(Refused.INVALID)
    return Answer.of(_signature(known[0], token.encode()))


def _signature(secret: str, signed: bytes) -> str:
    return hmac.digest(secret.encode(), signed, "sha256").hex()
