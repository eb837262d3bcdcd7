"""Whom an identity provider names, a begun sign-in at one, and why it failed. `provider` speaks with it."""

from dataclasses import dataclass


class ProviderFailed(RuntimeError):
    """The identity provider does not answer, or not as OpenID Connect asks. The message says what is wrong."""


class ProviderRefused(ValueError):
    """The sign-in at the provider is not valid, or the person cancelled it. The message says why."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A begun sign-in: what its answer must fit to."""

    state: str
    nonce: str
    verifier: str
    next: str
    """Where the person wanted to go."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider names."""

    issuer: str
    subject: str
    name: str | None
    display_name: str | None
    groups: frozenset[str]
    id_token: str
