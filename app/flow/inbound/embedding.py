"""Embedding: who may show a desk's tickets inside other pages, and the tokens that open one ticket each.

A token is made here, or computed by the ticket system with the desk's secret. Instants are microseconds UTC.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.intake.embed_token import embed_token, read_embed_token
from app.settings import Settings
from app.sla.span import SECOND, Micros, length_of
from app.store.engine.database import Connection
from app.store.inbound import embedding
from app.store.inbound.embedding import Embedding

_PREFIX: Final = "sle_"
_SECRET_BYTES: Final = 32
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ORIGIN: Final = re.compile(rf"https?://(?:\*\.)?{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?")
"""Scheme, host and port, as `frame-ancestors` takes them: nothing in it can end the directive."""

_OF_REGISTRIES: Final = "ac|co|com|edu|go|gob|gouv|gov|ltd|mil|ne|net|nom|or|org|plc|sch"
_TOO_WIDE: Final = re.compile(
    rf"https?://\*\.(?:{_LABEL}|(?:{_OF_REGISTRIES})\.[a-z]{{2}})(?::[0-9]{{1,5}})?"
)
"""A wildcard over a top-level domain, or over what registries of countries sell names below, as co.uk and com.vn."""


class FaultyOrigins(ValueError):
    """Not origins, or too many of them. Write scheme and host, as in https://example.zendesk.com."""


class TooWideOrigins(FaultyOrigins):
    """A wildcard over a public suffix, as `https://*.com` and `https://*.co.uk`: anybody can have a host there."""


class NotEmbedded(LookupError):
    """Tickets of this desk are not embedded: it has no secret yet."""


class TokenRefused(LookupError):
    """The token does not open this ticket: it is for another one, not signed by a live secret, or valid for too long."""


class TokenExpired(LookupError):
    """The token was right and has expired. `frame_ancestors`: the pages that may show so."""

    def __init__(self, frame_ancestors: tuple[str, ...]) -> None:
        super().__init__("the token has expired")
        self.frame_ancestors = frame_ancestors


@dataclass(frozen=True, slots=True)
class Opened:
    """A ticket that a token has opened: until when, and which pages may frame it."""

    desk: str
    ticket: str
    expires_at: Micros
    frame_ancestors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token."""

    text: str
    expires_at: Micros


def origins(given: Iterable[str], most: int) -> tuple[str, ...]:
    """Origins as they are stored: in lower case, without a slash at the end, each once.

    Raises FaultyOrigins, TooWideOrigins.
    """
    found = tuple(dict.fromkeys(each.strip().lower().rstrip("/") for each in given))
    for each in found:
        if not _ORIGIN.fullmatch(each):
            raise FaultyOrigins(
                f"{each!r} is no origin. Write scheme and host only, as in https://example.zendesk.com"
            )
        if _TOO_WIDE.fullmatch(each):
            raise TooWideOrigins(
                f"{each!r} lets everybody who has a domain there frame the tickets. Name the domain, as in "
                "https://*.example.com"
            )
    if len(found) > most:
        raise FaultyOrigins(f"{len(found)} origins are more than SLATIMER_EMBED_FRAME_ANCESTORS_MAX, {most}")
    return found


def allow(conn: Connection, now: Micros, desk: str, ancestors: tuple[str, ...]) -> tuple[Embedding, bool]:
    """Let pages of these origins embed the desk's tickets. Returns whether the secret is new: it is the first time."""
    is_new = embedding.find(conn, desk) is None
    secret = _new_secret() if is_new else None
    return embedding.put(conn, desk, now, frame_ancestors=ancestors, secret=secret), is_new


def rotate(conn: Connection, now: Micros, desk: str, overlap: Micros) -> Embedding:
    """Make another secret; the one before stays valid for `overlap`. Raises NotEmbedded."""
    _embedding(conn, desk)
    return embedding.put(conn, desk, now, secret=_new_secret(), overlap=overlap)


def make_token(conn: Connection, now: Micros, desk: str, ticket: str, lifetime: timedelta) -> MadeToken:
    """A token of a ticket by the newest secret. Raises NotEmbedded."""
    expires_at = (now + length_of(lifetime)) // SECOND
    newest = _embedding(conn, desk).secrets[0].text
    return MadeToken(embed_token(newest, desk, ticket, expires_at), expires_at * SECOND)


def opened(conn: Connection, now: Micros, settings: Settings, desk: str, ticket: str, token: str) -> Opened:
    """What a token opens. Raises TokenRefused and TokenExpired."""
    read, found = read_embed_token(token), embedding.find(conn, desk)
    if read is None or found is None or not read.is_signed(desk, ticket, found.live(now)):
        raise TokenRefused("the token does not open this ticket")
    expires_at = read.expires_at * SECOND
    if expires_at <= now:
        raise TokenExpired(found.frame_ancestors)
    # The clock of the ticket system may be ahead by `max_skew`, as that of events.
    if expires_at > now + length_of(settings.embed_token_max_lifetime) + length_of(settings.max_skew):
        raise TokenRefused("the token is valid for longer than SLATIMER_EMBED_TOKEN_MAX_LIFETIME")
    return Opened(desk, ticket, expires_at, found.frame_ancestors)


def _embedding(conn: Connection, desk: str) -> Embedding:
    found = embedding.find(conn, desk)
    if found is None:
        raise NotEmbedded(
            f"tickets of the desk {desk!r} are not embedded. Allow it with: PUT /v1/embedding/{desk}"
        )
    return found


def _new_secret() -> str:
    return _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
