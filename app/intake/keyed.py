"""Keyed digests (HMAC): how nearly every ticket system signs.

Systems differ in which bytes are signed, how the digest is written and where the time stands. The comparison is over the
raw bytes, in constant time, with every live secret to the end. Instants are microseconds UTC.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from app.intake.mapping.value import instant
from app.intake.request import InboundRequest
from app.sla.span import SECOND, Micros


class Refused(StrEnum):
    """Why a request was refused."""

    UNSIGNED = "unsigned"
    INVALID = "invalid signature"
    STALE = "signed too long ago, or ahead of now"


class BadSignature(ValueError):
    """The request is not signed, or not with a secret of this connection."""

    def __init__(self, reason: Refused) -> None:
        self.reason = reason
        super().__init__(str(reason))


class Stale(BadSignature):
    """The signature is valid but its time is too far from now."""

    def __init__(self) -> None:
        super().__init__(Refused.STALE)


@dataclass(frozen=True, slots=True)
class Signed:
    """The request is signed with a live secret; `at` is the signed time, where the scheme signs one."""

    at: Micros | None


Layout = Callable[[bytes, bytes, bytes], bytes]
"""The signed bytes, from the time and the id as they stand in their headers, and the body."""


@dataclass(frozen=True, slots=True)
class SignedTime:
    """Where the signed time stands and how it is written: unix seconds, unix milliseconds or ISO 8601."""

    header: str
    write: Callable[[Micros], str]
    read: Callable[[str], Micros | None]


@dataclass(frozen=True, slots=True)
class Keyed:
    """HMAC of a layout, written in base64 or hexadecimal after a prefix; some systems send several, separated."""

    header: str
    algorithm: str = "sha256"
    text: Callable[[bytes], str] = bytes.hex
    prefix: str = ""
    separator: str | None = None
    time: SignedTime | None = None
    id_header: str | None = None
    layout: Layout = lambda _time, _id, body: body
    key: Callable[[str], bytes | None] = str.encode

    def verify(self, request: InboundRequest, secrets: Sequence[str]) -> Signed:
        given = request.header(self.header)
        at, written = self._time_of(request)
        message_id = None if self.id_header is None else request.header(self.id_header)
        if given is None or (self.id_header is not None and message_id is None):
            raise BadSignature(Refused.UNSIGNED)
        signed = self.layout(written.encode(), (message_id or "").encode(), request.body)
        expected = [self.prefix + text for secret in secrets if (text := self._text(secret, signed))]
        sent = [given] if self.separator is None else given.split(self.separator)
        if not any_equal(expected, map(str.strip, sent)):
            raise BadSignature(Refused.INVALID)
        return Signed(at)

    def sign(self, secret: str, body: bytes, at: Micros, message_id: str) -> dict[str, str]:
        written = "" if self.time is None else self.time.write(at)
        signature = self._text(secret, self.layout(written.encode(), message_id.encode(), body))
        headers = {self.header: f"{self.prefix}{signature}"}
        if self.time is not None:
            headers[self.time.header] = written
        if self.id_header is not None:
            headers[self.id_header] = message_id
        return headers

    def _time_of(self, request: InboundRequest) -> tuple[Micros | None, str]:
        if self.time is None:
            return None, ""
        written = request.header(self.time.header)
        if written is None:
            raise BadSignature(Refused.UNSIGNED)
        if (at := self.time.read(written)) is None:
            raise BadSignature(Refused.INVALID)
        return at, written

    def _text(self, secret: str, signed: bytes) -> str | None:
        key = self.key(secret)
        return self.text(hmac.digest(key, signed, self.algorithm)) if key else None


def any_equal(expected: Iterable[str], sent: Iterable[str]) -> bool:
    """Whether one of each are equal, compared to the end in constant time whatever was found before."""
    given = [one.encode("utf-8", "replace") for one in sent]
    # A list and no generator: `any` would stop at the first that is equal.
    equal = [hmac.compare_digest(right.encode(), one) for right in expected for one in given]
    return any(equal)


def in_base64(digest: bytes) -> str:
    """A digest in base64, with its padding."""
    return base64.b64encode(digest).decode()


def _number(written: str) -> Micros | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 15 else None


def _seconds(written: str) -> Micros | None:
    return None if (found := _number(written)) is None else found * SECOND


def _millis(written: str) -> Micros | None:
    return None if (found := _number(written)) is None else found * 1000


def unix(header: str) -> SignedTime:
    """Seconds since 1970."""
    return SignedTime(header, lambda at: str(at // SECOND), _seconds)


def unix_millis(header: str) -> SignedTime:
    """Milliseconds since 1970."""
    return SignedTime(header, lambda at: str(at // 1000), _millis)


def iso(header: str) -> SignedTime:
    """ISO 8601, as "2026-03-02T09:00:02Z"."""
    return SignedTime(header, iso_second, instant)


def iso_second(at: Micros) -> str:
    """An instant as RFC 3339 in UTC, cut to the second."""
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


_SECRET_PREFIX: Final = "whsec_"


def standard_key(secret: str) -> bytes | None:
    """A Standard Webhooks secret is base64, with or without its prefix; padding may lack."""
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX) + "==", validate=False)
    except (binascii.Error, ValueError):
        return None
