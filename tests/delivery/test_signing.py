"""Signatures, verified by the package that receivers use."""

import base64
from time import time_ns

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.delivery.signing import new_secret, signed_headers

BODY = '{"name":"Réponse"}'.encode()


def now() -> int:
    return time_ns() // 1000


def test_the_package_that_receivers_use_accepts_the_signature() -> None:
    secret = new_secret()
    headers = signed_headers("sig_1", BODY, now(), [secret])
    assert Webhook(secret).verify(BODY, headers) == {"name": "Réponse"}
    assert headers["webhook-id"] == "sig_1"


@pytest.mark.parametrize("part", ["body", "id", "time", "secret"])
def test_a_change_of_any_part_invalidates_the_signature(part: str) -> None:
    secret, at = new_secret(), now()
    headers = signed_headers("sig_1", BODY, at, [secret])
    body = BODY
    match part:
        case "body":
            body = BODY.replace(b"n", b"m", 1)
        case "id":
            headers["webhook-id"] = "sig_2"
        case "time":
            headers["webhook-timestamp"] = str(at // 1_000_000 + 1)
        case _:
            secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_both_secrets_verify_during_the_overlap() -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers("sig_1", BODY, now(), [new, old])
    assert Webhook(old).verify(BODY, headers)
    assert Webhook(new).verify(BODY, headers)
    assert headers["webhook-signature"].count("v1,") == 2


def test_secrets_are_random_and_as_long_as_the_standard_requires() -> None:
    made = [new_secret() for _ in range(20)]
    assert len(set(made)) == 20
    assert {len(base64.b64decode(each.removeprefix("whsec_"))) for each in made} == {32}
