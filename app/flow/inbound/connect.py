"""Connecting a ticket system to a desk: its address, its secret, and what to enter in the system.

A connection is a desk, a system and its secrets. Connecting again shows the connection; only rotating makes another
secret, and the one before stays valid for a while. Instants are microseconds UTC.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from app.flow.inbound.sources import ConfiguredSource, Sources
from app.intake.adapter import TEST_BODY
from app.intake.signature import TOKEN_HEADER, URL_PARAMETER, Scheme
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.inbound import connections
from app.store.inbound.connections import Secret, StoredConnection

_STANDARD: Final = "standard-webhooks"
_IN_ADDRESS: Final = "url-secret"
_TOKEN: Final = "token"

PLACEHOLDER: Final = "SECRET"
"""In place of a secret that was shown already."""

_SECRET_BYTES: Final = 24
"""192 random bits: 32 characters; the shortest field for a secret holds 40."""

_STANDARD_BYTES: Final = 32
"""Standard Webhooks require 24 to 64."""


class UnknownSystem(LookupError):
    """No ticket system of that name is known. The desk's file of sources may describe it."""


@dataclass(frozen=True, slots=True)
class ConnectionDetails:
    """A connection as it is entered in the ticket system. `scheme` is the usual one of those that are accepted."""

    configured: ConfiguredSource
    connection: StoredConnection
    scheme: Scheme

    @property
    def secret(self) -> str:
        """The newest secret."""
        return self.connection.secrets[0].text

    def url(self, base: str) -> str:
        """The address to enter; some systems can send their secret in it only."""
        path = f"/v1/hooks/{quote(self.connection.desk, safe='')}/{quote(self.connection.system, safe='')}"
        query = f"?{urlencode({URL_PARAMETER: self.secret})}" if self.scheme.name == _IN_ADDRESS else ""
        return base.rstrip("/") + path + query

    @property
    def headers(self) -> dict[str, str]:
        """Headers to enter by hand; the system computes signatures itself."""
        return {TOKEN_HEADER: self.secret} if self.scheme.name == _TOKEN else {}

    @property
    def masked(self) -> "ConnectionDetails":
        """The same with a placeholder for the secret, for those who have seen it already."""
        placeholder = replace(self.connection, secrets=(Secret(PLACEHOLDER),))
        return replace(self, connection=placeholder)

    def test(self, now: Micros) -> tuple[Mapping[str, str], bytes]:
        """Headers and body of a signed request that reports nothing."""
        headers = self.scheme.sign(self.secret, TEST_BODY, now, f"test-{secrets.token_hex(8)}")
        return headers | {"content-type": "application/json"}, TEST_BODY

    def template(self, base: str) -> str | None:
        """The template to paste there, filled in with the address and the secret."""
        written = self.configured.adapter.template
        return written and written.replace("<URL>", self.url(base)).replace("<SECRET>", self.secret)

    def as_json(self, base: str) -> dict[str, Any]:
        """The connection as other programs read it."""
        return {
            "url": self.url(base),
            "secret": self.secret,
            "headers": self.headers,
            "events": list(self.configured.adapter.events_to_tick),
            "template": self.template(base),
        }


def connect(
    conn: Connection,
    now: Micros,
    sources: Sources,
    desk: str,
    system: str,
    *,
    overlap: Micros,
    rotate: bool = False,
    given: str | None = None,
) -> tuple[ConnectionDetails, bool]:
    """The connection of a system to a desk, created if there is none, and whether its secret is new.

    `given` is a secret that the system made itself; `rotate` makes a new one. Those before stay valid for `overlap`.
    Raises UnknownSystem.
    """
    configured = sources.configured(conn, desk, system)
    if configured is None:
        known = ", ".join(sources.known(conn, desk))
        raise UnknownSystem(
            f"no ticket system {system!r} is known. Known: {known}. Any other is described in sources/{desk}.toml"
        )
    scheme = configured.schemes[0]
    stored = connections.find(conn, desk, system)
    known_already = stored is not None and given is not None and given == stored.secrets[0].text
    if stored is not None and (known_already or not (rotate or given)):
        return ConnectionDetails(configured, stored, scheme), False
    secret = given or new_secret(scheme.name)
    made = connections.add_secret(conn, desk, system, secret, now, overlap=overlap)
    return ConnectionDetails(configured, made, scheme), True


def new_secret(scheme: str) -> str:
    """A secret in the form that this scheme needs."""
    if scheme == _STANDARD:
        return "whsec_" + base64.b64encode(secrets.token_bytes(_STANDARD_BYTES)).decode()
    return secrets.token_urlsafe(_SECRET_BYTES)
