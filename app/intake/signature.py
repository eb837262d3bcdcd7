"""Signature schemes: how each ticket system proves that it knows the secret.

A signature is compared over the raw bytes, in constant time, with every live secret, and a refusal never shows which
part was wrong. How old a signed time may be differs by system: some sign each attempt anew, others sign once and send
hours later. Instants and windows are microseconds UTC.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.intake.challenge import Answer, answer_glpi
from app.intake.keyed import (
    BadSignature,
    Keyed,
    Refused,
    Signed,
    Stale,
    any_equal,
    in_base64,
    iso,
    standard_key,
    unix,
    unix_millis,
)
from app.intake.request import InboundRequest
from app.sla.span import DAY, HOUR, MINUTE, Micros

Verify = Callable[[InboundRequest, Sequence[str]], Signed]
Sign = Callable[[str, bytes, Micros, str], dict[str, str]]
Challenge = Callable[[InboundRequest, Sequence[str]], Answer]


@dataclass(frozen=True, slots=True)
class Scheme:
    """One signature scheme. `header` (lower case) carries the signature; "" when it is in the address.

    `verify` raises BadSignature. `sign(secret, body, at, id)` returns the headers of a request, as the system itself
    sends them: for samples and tests. `window` is how far the signed time may be from now; None: no limit. `challenge`
    answers a system that requests, before it sends, a proof that its secret is known here; it raises BadSignature
    unless the request proves that too. None: the system sends no challenge, or a signed request.
    """

    name: str
    header: str
    verify: Verify
    sign: Sign
    window: Micros | None = None
    challenge: Challenge | None = None


def verify(
    scheme: Scheme, request: InboundRequest, secrets: Sequence[str], now: Micros, window: Micros | None = None
) -> Signed:
    """Verify a request with every live secret. `window` replaces the scheme's own.

    Raises BadSignature, or Stale when the signed time lies further from now than the window.
    """
    signed = scheme.verify(request, _not_empty(secrets))
    limit = scheme.window if window is None else window
    if limit is not None and signed.at is not None and abs(now - signed.at) > limit:
        raise Stale
    return signed


def answer(scheme: Scheme, request: InboundRequest, secrets: Sequence[str]) -> Answer:
    """The answer to a challenge, with the live secret that it was made with.

    Raises BadSignature, also when systems of this scheme send no challenge.
    """
    if scheme.challenge is None:
        raise BadSignature(Refused.UNSIGNED)
    return scheme.challenge(request, _not_empty(secrets))


def _not_empty(secrets: Sequence[str]) -> list[str]:
    live = [secret for secret in secrets if secret]
    if not live:
        # Everybody knows an empty key.
        raise BadSignature(Refused.INVALID)
    return live


# -- shared secrets -----------------------------------------------------------------------------------------------

TOKEN_HEADER: Final = "x-slatimer-token"
"""Where a system that can set a header of any name sends its secret."""

URL_PARAMETER: Final = "secret"


def _verify_token(request: InboundRequest, secrets: Sequence[str]) -> Signed:
    """A secret in a header of its own, as a bearer token, or as user or password of HTTP Basic."""
    sent = [request.header(TOKEN_HEADER)] if request.header(TOKEN_HEADER) else []
    kind, _, rest = (request.header("authorization") or "").partition(" ")
    if kind.lower() == "bearer":
        sent.append(rest.strip())
    elif kind.lower() == "basic":
        sent += _basic(rest)
    given = [one for one in sent if one]
    if not given:
        raise BadSignature(Refused.UNSIGNED)
    if not any_equal(secrets, given):
        raise BadSignature(Refused.INVALID)
    return Signed(None)


def _basic(encoded: str) -> list[str]:
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return []
    return [password, user]


def _verify_url(request: InboundRequest, secrets: Sequence[str]) -> Signed:
    """A secret in the address, for systems that can do nothing else."""
    given = request.query.get(URL_PARAMETER)
    if not given:
        raise BadSignature(Refused.UNSIGNED)
    if not any_equal(secrets, [given]):
        raise BadSignature(Refused.INVALID)
    return Signed(None)


# -- the table ----------------------------------------------------------------------------------------------------


def _scheme(
    name: str, keyed: Keyed, window: Micros | None = None, challenge: Challenge | None = None
) -> Scheme:
    return Scheme(name, keyed.header, keyed.verify, keyed.sign, window, challenge)


RESIGNED: Final[Micros] = 5 * MINUTE
"""For systems that sign each attempt anew."""

_ZENDESK_WINDOW: Final[Micros] = HOUR
"""Wide: whether a retry gets a new time is not documented. Repeats are caught by their ids."""

_GLPI_WINDOW: Final[Micros] = 7 * DAY
"""The time is that of the event; a queue, a delay of the entity and retries lie between it and the request."""

_STANDARD: Final = Keyed(
    "webhook-signature",
    text=in_base64,
    prefix="v1,",
    separator=" ",
    time=unix("webhook-timestamp"),
    id_header="webhook-id",
    layout=lambda time, message_id, body: b".".join((message_id, time, body)),
    key=standard_key,
)

SCHEMES: Final[Mapping[str, Scheme]] = {
    scheme.name: scheme
    for scheme in (
        _scheme(
            "zendesk",
            Keyed(
                "x-zendesk-webhook-signature",
                text=in_base64,
                time=iso("x-zendesk-webhook-signature-timestamp"),
                layout=lambda time, _id, body: time + body,
            ),
            _ZENDESK_WINDOW,
        ),
        _scheme("hub-sha256", Keyed("x-hub-signature", prefix="sha256=")),
        _scheme("hub-sha1", Keyed("x-hub-signature", "sha1", prefix="sha1=")),
        _scheme(
            "glpi",
            Keyed(
                "x-glpi-signature",
                time=unix("x-glpi-timestamp"),
                layout=lambda time, _id, body: body + time,
            ),
            _GLPI_WINDOW,
            answer_glpi,
        ),
        _scheme("standard-webhooks", _STANDARD, RESIGNED),
        _scheme("freescout", Keyed("x-freescout-signature", "sha1", in_base64)),
        _scheme("helpscout", Keyed("x-helpscout-signature", "sha1", in_base64)),
        _scheme(
            "chatwoot",
            Keyed(
                "x-chatwoot-signature",
                prefix="sha256=",
                time=unix("x-chatwoot-timestamp"),
                layout=lambda time, _id, body: time + b"." + body,
            ),
            RESIGNED,
        ),
        _scheme("frappe", Keyed("x-frappe-webhook-signature", text=in_base64)),
        _scheme("pagerduty", Keyed("x-pagerduty-signature", prefix="v1=", separator=",")),
        _scheme("grafana", Keyed("x-grafana-alerting-signature")),
        _scheme(
            "grafana-timed",
            Keyed(
                "x-grafana-alerting-signature",
                time=unix("x-grafana-alerting-timestamp"),
                layout=lambda time, _id, body: time + b":" + body,
            ),
            RESIGNED,
        ),
        _scheme(
            "front",
            Keyed(
                "x-front-signature",
                text=in_base64,
                time=unix_millis("x-front-request-timestamp"),
                layout=lambda time, _id, body: time + b":" + body,
            ),
            RESIGNED,
        ),
        _scheme("front-rule", Keyed("x-front-signature", "sha1", in_base64)),
        Scheme("token", TOKEN_HEADER, _verify_token, lambda secret, _body, _at, _id: {TOKEN_HEADER: secret}),
        Scheme("url-secret", "", _verify_url, lambda _secret, _body, _at, _id: {}),
    )
}
"""Every scheme by its name, as a source file names it."""
