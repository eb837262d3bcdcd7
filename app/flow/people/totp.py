"""Codes of an authenticator app: time-based one-time passwords (RFC 6238) of six digits every thirty seconds.

Pure, apart from the randomness of a new secret. Instants are microseconds UTC.
"""

from hmac import compare_digest
from typing import Final

from pyotp import random_base32
from pyotp.totp import TOTP

from app.sla.span import SECOND, Micros

STEP: Final = 30
"""Seconds of a time step, which every app assumes."""
_AROUND: Final = (0, -1, 1)
"""The steps that are accepted: a clock may be half a minute off, and typing takes time."""
ISSUER: Final = "slatimer"


def new_secret() -> str:
    """A new secret: 160 bits in base 32, as apps read it."""
    return random_base32()


def address_of(secret: str, name: str) -> str:
    """The `otpauth://` address that an app takes over."""
    return TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def picture_of(secret: str, name: str) -> str:
    """That address as a QR code, an SVG element without styles of its own."""
    import segno  # only who sets up a second factor needs it

    code = segno.make(address_of(secret, name), error="m")
    return code.svg_inline(scale=4, border=2, omitsize=True, svgclass="qr", lineclass=None, title=None)


def step_of(secret: str, code: str, now: Micros) -> int | None:
    """The time step of a code that is right around an instant; none for a wrong one."""
    digits = "".join(code.split())
    present = now // SECOND // STEP
    totp = TOTP(secret)
    steps = [present + offset for offset in _AROUND if present + offset >= 0]
    right = [step for step in steps if compare_digest(totp.generate_otp(step).encode(), digits.encode())]
    return right[0] if right else None
