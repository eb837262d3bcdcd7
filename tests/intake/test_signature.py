"""Every way of signing: what is signed is let in with any live secret, and one changed byte is refused."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.intake import signature
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES, BadSignature, Refused, Scheme, Stale, verify
from app.sla.span import DAY, HOUR, MINUTE, SECOND

SAMPLES = Path(__file__).parent / "samples"
NOW = 1_772_442_000 * SECOND
BODY = b'{"ticket": "4711", "title": "M\xc3\xbcnchen"}'
SECRET = "whsec_" + "c2xhdGltZXItc2lnbmF0dXJlcy0zMi1ieXRlcy1rZXk="
OTHER = "whsec_" + "b3V0Ym91bmQtT0xERVItc2VjcmV0LTMyLWJ5dGVzISE="
EVERY = list(SCHEMES.values())
SIGNED = [scheme for scheme in EVERY if scheme.name not in ("token", "url-secret")]
TIMED = [scheme for scheme in SIGNED if scheme.window is not None]

SAMPLE_SCHEMES = {
    "zendesk": "zendesk",
    "zendesk_trigger": "zendesk",
    "jira": "hub-sha256",
    "zammad": "hub-sha1",
    "glpi": "glpi",
    "freescout": "freescout",
    "helpscout": "helpscout",
    "chatwoot": "chatwoot",
    "frappe_helpdesk": "frappe",
    "pagerduty": "pagerduty",
    "front": "front",
    "intercom": "hub-sha1",
    "whmcs": "standard-webhooks",
    "osticket": "standard-webhooks",
}
"""How the composed deliveries of each system are signed; the others are not signed at all."""


def sent(scheme: Scheme, secret: str = SECRET, body: bytes = BODY, at: int = NOW) -> InboundRequest:
    query = {"secret": secret} if scheme.name == "url-secret" else {}
    return InboundRequest.of(scheme.sign(secret, body, at, "msg_1"), body, at, query)


def changed(text: str, place: int) -> str:
    """The text with another letter at a place."""
    other = "A" if text[place] != "A" else "B"
    return text[:place] + other + text[place + 1 :]


def as_written(system: str, body: Any) -> bytes:
    """The bytes that each system makes of a body."""
    if system == "glpi":
        return json.dumps(body, indent=4).replace("/", "\\/").encode()
    separators = None if system == "frappe_helpdesk" else (",", ":")
    return json.dumps(body, separators=separators, ensure_ascii=system != "frappe_helpdesk").encode()


def refusal(scheme: Scheme, delivery: InboundRequest, now: int = NOW, *secrets: str) -> Refused:
    with pytest.raises(BadSignature) as caught:
        verify(scheme, delivery, secrets or [SECRET], now)
    return caught.value.reason


@pytest.mark.parametrize("system", SAMPLE_SCHEMES)
def test_every_composed_delivery_is_let_in_with_the_secret_that_signed_it(system: str) -> None:
    scheme = SCHEMES[SAMPLE_SCHEMES[system]]
    paths = sorted((SAMPLES / system).glob("*.json"))
    assert paths
    for path in paths:
        kept = json.loads(path.read_text())
        body = as_written(system, kept["body"])
        delivery = InboundRequest.of(kept["request"]["headers"], body, NOW)
        signed = verify(scheme, delivery, [kept["meta"]["fixture_secret"]], NOW, 400 * DAY)
        assert (signed.at is None) == (scheme.window is None), path


def test_the_package_of_standard_webhooks_signs_what_is_let_in_here() -> None:
    scheme = SCHEMES["standard-webhooks"]
    at = datetime.fromtimestamp(NOW // SECOND, UTC)
    by_package = Webhook(SECRET).sign("msg_1", at, BODY.decode())
    assert scheme.sign(SECRET, BODY, NOW, "msg_1")["webhook-signature"] == by_package


def test_two_signatures_of_an_exchange_of_secrets_let_in_with_either() -> None:
    kept = json.loads((SAMPLES / "outbound" / "sla_breached_standard_webhooks.json").read_text())
    delivery = InboundRequest.of(kept["request"]["headers"], as_written("outbound", kept["body"]), NOW)
    for secret in kept["meta"]["fixture_secret"]:
        signed = verify(SCHEMES["standard-webhooks"], delivery, [secret], NOW, 400 * DAY)
        assert signed.at == int(kept["request"]["headers"]["webhook-timestamp"]) * SECOND


@pytest.mark.parametrize("scheme", EVERY, ids=lambda s: s.name)
def test_what_is_signed_is_let_in(scheme: Scheme) -> None:
    signed = verify(scheme, sent(scheme), [SECRET], NOW)
    assert signed.at == (NOW if scheme.window is not None else None)


@pytest.mark.parametrize("scheme", EVERY, ids=lambda s: s.name)
@pytest.mark.parametrize("secrets", [[OTHER, SECRET], [SECRET, OTHER], ["", SECRET]])
def test_any_live_secret_lets_in_while_they_are_exchanged(scheme: Scheme, secrets: list[str]) -> None:
    assert verify(scheme, sent(scheme), secrets, NOW) is not None


@pytest.mark.parametrize("scheme", EVERY, ids=lambda s: s.name)
def test_another_secret_lets_nobody_in(scheme: Scheme) -> None:
    assert refusal(scheme, sent(scheme), NOW, OTHER) is Refused.INVALID


@pytest.mark.parametrize("scheme", EVERY, ids=lambda s: s.name)
@pytest.mark.parametrize("secrets", [[], [""]])
def test_no_secret_and_an_empty_one_let_nobody_in(scheme: Scheme, secrets: list[str]) -> None:
    with pytest.raises(BadSignature):
        verify(scheme, sent(scheme, ""), secrets, NOW)


@pytest.mark.parametrize("scheme", SIGNED, ids=lambda s: s.name)
def test_one_changed_byte_of_the_body_is_refused(scheme: Scheme) -> None:
    right = sent(scheme)
    for place in range(len(BODY)):
        body = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        assert refusal(scheme, InboundRequest(right.headers, body, NOW)) is Refused.INVALID
    for body in (BODY + b" ", BODY[:-1], b"", BODY + b"\n"):
        assert refusal(scheme, InboundRequest(right.headers, body, NOW)) is Refused.INVALID


@pytest.mark.parametrize("scheme", SIGNED, ids=lambda s: s.name)
def test_one_changed_byte_of_the_signature_is_refused(scheme: Scheme) -> None:
    right = sent(scheme)
    given = right.headers[scheme.header]
    for place in range(len(given)):
        headers = {**right.headers, scheme.header: changed(given, place)}
        assert refusal(scheme, InboundRequest(headers, BODY, NOW)) is Refused.INVALID, place


@pytest.mark.parametrize("scheme", TIMED, ids=lambda s: s.name)
def test_one_changed_digit_of_the_signed_time_is_refused(scheme: Scheme) -> None:
    right = sent(scheme)
    name = next(name for name in right.headers if "timestamp" in name)
    given = right.headers[name]
    for place, letter in enumerate(given):
        if letter.isdigit():
            later = given[:place] + str((int(letter) + 1) % 10) + given[place + 1 :]
            with pytest.raises(BadSignature):
                verify(
                    scheme, InboundRequest({**right.headers, name: later}, BODY, NOW), [SECRET], NOW, 10**18
                )


def test_one_changed_byte_of_the_message_id_is_refused() -> None:
    scheme = SCHEMES["standard-webhooks"]
    headers = {**sent(scheme).headers, "webhook-id": "msg_2"}
    assert refusal(scheme, InboundRequest(headers, BODY, NOW)) is Refused.INVALID


@pytest.mark.parametrize("scheme", EVERY, ids=lambda s: s.name)
def test_a_delivery_without_any_of_its_signed_headers_is_unsigned(scheme: Scheme) -> None:
    right = sent(scheme)
    assert refusal(scheme, InboundRequest({}, BODY, NOW)) is Refused.UNSIGNED
    for name in right.headers:
        fewer = {key: value for key, value in right.headers.items() if key != name}
        assert refusal(scheme, InboundRequest(fewer, BODY, NOW)) is Refused.UNSIGNED


@pytest.mark.parametrize("scheme", TIMED, ids=lambda s: s.name)
def test_a_signed_time_may_be_as_far_from_now_as_the_window_and_no_further(scheme: Scheme) -> None:
    window = scheme.window
    assert window is not None
    for now in (NOW + window, NOW - window):
        assert verify(scheme, sent(scheme), [SECRET], now).at == NOW
    for now in (NOW + window + SECOND, NOW - window - SECOND):
        with pytest.raises(Stale) as caught:
            verify(scheme, sent(scheme), [SECRET], now)
        assert caught.value.reason is Refused.STALE


@pytest.mark.parametrize("scheme", TIMED, ids=lambda s: s.name)
@pytest.mark.parametrize(
    "time", ["", "soon", "-1", "1e9", "99999999999999999999", "٣", "2026-13-45T00:00:00Z"]
)
def test_a_signed_time_that_is_none_is_refused(scheme: Scheme, time: str) -> None:
    right = sent(scheme)
    name = next(name for name in right.headers if "timestamp" in name)
    assert refusal(scheme, InboundRequest({**right.headers, name: time}, BODY, NOW)) is not Refused.STALE


def test_windows_follow_how_a_system_signs() -> None:
    windows: Mapping[str, int | None] = {name: scheme.window for name, scheme in SCHEMES.items()}
    assert windows["chatwoot"] == windows["standard-webhooks"] == windows["front"] == 5 * MINUTE
    assert windows["zendesk"] == HOUR
    # The time of GLPI is that of the event; queues and retries take hours.
    assert (windows["glpi"] or 0) > DAY
    assert windows["hub-sha1"] is windows["hub-sha256"] is windows["pagerduty"] is None


def test_a_right_signature_is_found_among_several() -> None:
    for name, separator in (("pagerduty", ","), ("standard-webhooks", " ")):
        scheme = SCHEMES[name]
        mine, theirs = sent(scheme).headers, sent(scheme, OTHER).headers
        both = separator.join((theirs[scheme.header], mine[scheme.header]))
        assert (
            verify(scheme, InboundRequest({**mine, scheme.header: both}, BODY, NOW), [SECRET], NOW)
            is not None
        )


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": "bearer  " + SECRET},
        {"Authorization": "Basic c2xhdGltZXI6cGFzcw=="},
        {"Authorization": "Basic cGFzczpY"},
        {signature.TOKEN_HEADER: SECRET},
    ],
)
def test_a_shared_secret_may_come_in_any_of_the_usual_headers(headers: dict[str, str]) -> None:
    assert verify(SCHEMES["token"], InboundRequest.of(headers, BODY, NOW), [SECRET, "pass"], NOW).at is None


@pytest.mark.parametrize("given", ["Basic ???", "Basic gP8=", "Digest x", "Bearer", "", "Bearer wrong"])
def test_an_authorization_that_is_none_is_refused(given: str) -> None:
    delivery = InboundRequest.of({"Authorization": given}, BODY, NOW)
    assert refusal(SCHEMES["token"], delivery) in (Refused.UNSIGNED, Refused.INVALID)


def test_a_secret_in_the_address_is_read_from_its_query() -> None:
    delivery = InboundRequest.of({}, BODY, NOW, "secret=a%2Bb&x=1")
    assert verify(SCHEMES["url-secret"], delivery, ["a+b"], NOW).at is None
    assert refusal(SCHEMES["url-secret"], delivery, NOW, "a b") is Refused.INVALID


def test_a_refusal_does_not_tell_which_part_was_wrong() -> None:
    scheme = SCHEMES["zendesk"]
    right = sent(scheme)
    other_body = refusal(scheme, InboundRequest(right.headers, b"{}", NOW))
    other_secret = refusal(scheme, right, NOW, OTHER)
    assert str(other_body) == str(other_secret) == "invalid signature"


def test_a_secret_that_is_no_base64_lets_nobody_in_where_base64_is_asked_for() -> None:
    scheme = SCHEMES["standard-webhooks"]
    assert refusal(scheme, sent(scheme), NOW, "whsec_!") is Refused.INVALID
