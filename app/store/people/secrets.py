"""Secrets of keys and sessions: made here, and known by their hash afterwards.

A secret is 256 random bits, shown once. A fast hash is enough, since a random secret cannot be guessed.
"""

import secrets
from hashlib import sha256
from typing import Final

KEY_PREFIX: Final = "slt_"
SESSION_PREFIX: Final = "sls_"
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 8


def new_secret(prefix: str) -> str:
    """A new secret."""
    return prefix + secrets.token_urlsafe(_SECRET_BYTES)


def new_id() -> str:
    """A new id of a key or a session."""
    return secrets.token_hex(_ID_BYTES)


def hash_of(secret: str) -> str:
    """What is stored of a secret."""
    return sha256(secret.encode()).hexdigest()
