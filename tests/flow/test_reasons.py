"""Texts of reasons: every code has one, and the object beside it says what the code refers to."""

import pytest

from app.flow.query.reasons import detail, text
from app.sla.reason import Reason, ReasonCode

PARAMS: dict[str, object] = {
    "author": "Eva",
    "reason": "power cut",
    "into": "4712",
    "type": "status.changed",
    "text": "words of the file",
    "field": "priority",
    "value": None,
    "target": "gti",
    "level": "gold",
    "days": 5,
    "replies": 2,
    "notice_seconds": 86_399,
    "needed_seconds": 86_400,
}


@pytest.mark.parametrize("code", ReasonCode)
def test_every_code_has_a_text(code: ReasonCode) -> None:
    assert "{" not in text(Reason(code, "e1", PARAMS))


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            Reason(ReasonCode.EXCLUSION, "e1", {"author": "Eva", "reason": "power cut"}),
            "excluded by Eva: power cut",
        ),
        (Reason(ReasonCode.EXCLUSION, "e1", {"reason": "power cut"}), "excluded by power cut"),
        (Reason(ReasonCode.EXCLUSION, "e1"), "excluded"),
        (Reason(ReasonCode.MERGED_INTO, "e1"), "superseded: merged into another ticket"),
        (
            Reason(ReasonCode.NO_TARGET_FOR_VALUE, None, {"field": "priority", "value": None}),
            "no target for priority None",
        ),
        (
            Reason(ReasonCode.TOO_FEW_REPLIES, None, {"replies": 0, "days": 5}),
            "no reply in the last 5 working days",
        ),
        (
            Reason(ReasonCode.TOO_FEW_REPLIES, None, {"replies": 1, "days": 5}),
            "only 1 reply in the last 5 working days",
        ),
    ],
)
def test_a_text_says_what_the_reason_knows(reason: Reason, expected: str) -> None:
    assert text(reason) == expected


def test_the_object_beside_a_text_has_the_code_and_what_it_refers_to() -> None:
    assert detail(None) is None
    assert detail(Reason(ReasonCode.VERSION, 3)) == {"code": "version", "ref": 3, "params": {}}
    assert detail(Reason(ReasonCode.EXCLUSION, "e1", {"author": "Eva"})) == {
        "code": "exclusion",
        "ref": "e1",
        "params": {"author": "Eva"},
    }
