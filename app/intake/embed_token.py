"""Tokens of embedded tickets: `EXPIRY.SIGNATURE`, which opens the clocks of one ticket and nothing else. Pure.

The expiry is in seconds since 1970, and the signature is the HMAC-SHA256, in hexadecimal, of the text

    slatimer-embed
    EXPIRY
    DESK
    TICKET

in lines that end with a line feed, the last one without, by the desk's secret as it is written. So every template
language with an HMAC can write one, without asking the service. The first line keeps a signature from being one of
anything else.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from typing import Final

_PURPOSE: Final = "slatimer-embed"
_TOKEN: Final = re.compile(r"([1-9][0-9]{0,11})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class EmbedToken:
    """A token as it was sent. `expires_at` is in seconds since 1970; whether it is signed is not known yet."""

    expires_at: int
    signature: str

    def is_signed(self, desk: str, ticket: str, secrets: Iterable[str]) -> bool:
        """Whether one of the desk's secrets has signed it for this ticket. The time it takes says nothing of them."""
        found = [
            compare_digest(self.signature, _signature(secret, desk, ticket, self.expires_at))
            for secret in secrets
        ]
        return any(found)


def embed_token(secret: str, desk: str, ticket: str, expires_at: int) -> str:
    """The token of a ticket; `expires_at` in seconds since 1970."""
    return f"{expires_at}.{_signature(secret, desk, ticket, expires_at)}"


def read_embed_token(text: str) -> EmbedToken | None:
    """A token by its text; none for another text."""
    found = _TOKEN.fullmatch(text)
    return None if found is None else EmbedToken(int(found[1]), found[2])


def _signature(secret: str, desk: str, ticket: str, expires_at: int) -> str:
    text = "\n".join((_PURPOSE, str(expires_at), desk, ticket))
    return hmac(secret.encode(), text.encode(errors="surrogatepass"), sha256).hexdigest()
