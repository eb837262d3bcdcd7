"""A system that asks for a proof before it sends is answered when its question proves as much, and never else."""

import pytest

from app.intake.challenge import GLPI_TOKEN, Answer
from app.intake.keyed import BadSignature, Refused
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES, answer, verify

GLPI = SCHEMES["glpi"]
SECRET, OTHER = "kJ3xq-glpi-secret", "another"
TOKEN = "3b51a0c7fba5afd81d545b2c6adcb5fd742a7443ebd4339a31ba0a1178ea91d4"
PROOF = "d904939b03f3ce48852f75d477eb8bf205012ae74063c3fd46943d537b5a8762"
"""Token and answer as `openssl dgst -sha256 -hmac` makes them."""


def asked(token: str) -> InboundRequest:
    return InboundRequest.of({}, b"", 0, {GLPI_TOKEN: token})


def refusal(question: InboundRequest, *secrets: str) -> Refused:
    with pytest.raises(BadSignature) as caught:
        answer(GLPI, question, secrets)
    return caught.value.reason


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET], [SECRET, OTHER], ["", SECRET]])
def test_glpi_reads_the_signature_of_its_token_by_the_secret_that_it_knows(secrets: list[str]) -> None:
    assert answer(GLPI, asked(TOKEN), secrets) == Answer(PROOF.encode(), "text/plain")


def test_a_token_that_glpi_would_not_send_is_not_signed() -> None:
    body, at = b'{"item": {"id": 1}}', 1_772_442_000_000_000
    signed = GLPI.sign(SECRET, body, at, "")
    for token in ("x", "ä", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), PROOF, signed[GLPI.header]):
        assert refusal(asked(token), SECRET) is Refused.INVALID
    # With an answer to this one, anybody could send that body.
    assert verify(GLPI, InboundRequest.of(signed, body, at), [SECRET], at).at == at
    assert refusal(asked(body.decode() + str(at // 1_000_000)), SECRET) is Refused.INVALID


def test_a_question_without_a_token_or_by_another_secret_is_refused() -> None:
    assert refusal(InboundRequest.of({}, b"", 0), SECRET) is Refused.UNSIGNED
    assert refusal(asked(""), SECRET) is Refused.UNSIGNED
    assert refusal(asked(TOKEN), OTHER) is Refused.INVALID


@pytest.mark.parametrize("secrets", [[], [""]])
def test_no_secret_and_an_empty_one_answer_nobody(secrets: list[str]) -> None:
    by_nothing = "26d04661fdc7481f8f669775c0429f4a34d5beb417ccb732cf70da4c4fdb2a56"
    assert refusal(asked(by_nothing), *secrets) is Refused.INVALID
    assert refusal(asked(TOKEN), *secrets) is Refused.INVALID


@pytest.mark.parametrize("name", sorted(SCHEMES.keys() - {"glpi"}))
def test_systems_that_ask_nothing_are_answered_nothing(name: str) -> None:
    with pytest.raises(BadSignature) as caught:
        answer(SCHEMES[name], asked(TOKEN), [SECRET])
    assert caught.value.reason is Refused.UNSIGNED
