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
    "at": "2026-11-03T10:00:00+00:00",
    "ticket": "4711",
    "period": "2026-11",
    "uptime": "719/720",
    "downtime_seconds": "3600",
    "total_seconds": "2592000",
    "units": "1",
    "per_seconds": "3600",
    "rounding": "down",
    "from": "99%",
    "below": "99.9%",
    "seconds": "9000.5",
    "paid_seconds": "2592000",
    "share": "1/24",
    "cap": "1/24",
    "base": "annual_fee",
    "state": "granted",
    "notice_seconds": 86_399,
    "needed_seconds": 86_400,
    "limit": 5,
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
        (
            Reason(ReasonCode.SHORT_NOTICE, "m", {"notice_seconds": 86399.999999, "needed_seconds": 86400.0}),
            "maintenance announced 23 h 59 min 59.999999 s ahead; the agreement asks for 24 h",
        ),
        (
            Reason(ReasonCode.SHORT_NOTICE, "m", {"notice_seconds": -600.0, "needed_seconds": 3600.0}),
            "maintenance announced 10 min after its beginning; the agreement asks for 1 h",
        ),
        (
            Reason(ReasonCode.CREDIT_CLAIMED, "e1", {"ticket": "K-1", "author": "customer"}),
            "claimed by ticket K-1",
        ),
        (
            Reason(
                ReasonCode.CREDIT_CLAIMED, "e1", {"ticket": None, "author": "Eva", "reason": "by telephone"}
            ),
            "claimed by Eva: by telephone",
        ),
        (Reason(ReasonCode.CREDIT_CLAIMED, "e1"), "claimed by e1"),
        (
            Reason(ReasonCode.CREDIT_UPTIME, "uptime", PARAMS | {"target": "> 99.95%"}),
            "the uptime (uptime) was 99.8611 % in 2026-11, with 1 h of downtime in 720 h; the target is > 99.95%",
        ),
        (
            Reason(ReasonCode.CREDIT_UNITS, None, PARAMS),
            "1 whole unit of 1 h; the rest does not count",
        ),
        (
            Reason(ReasonCode.CREDIT_UNITS, None, PARAMS | {"units": "0"}),
            "the downtime has no whole unit of 1 h",
        ),
        (Reason(ReasonCode.CREDIT_UNITS, None, PARAMS | {"rounding": "up"}), "1 unit of 1 h begun"),
        (
            Reason(ReasonCode.CREDIT_UNITS, None, PARAMS | {"rounding": "exact", "units": "1/2"}),
            "50 % of a unit of 1 h",
        ),
        (Reason(ReasonCode.CREDIT_SHARE, None, PARAMS), "4.166666… % of the annual fee"),
        (
            Reason(ReasonCode.CREDIT_SHARE, None, PARAMS | {"share": "99/200"}),
            "49.5 % of the annual fee",
        ),
        (
            Reason(ReasonCode.CREDIT_INTERRUPTION, None, PARAMS),
            "the interruption of 2 h 30 min 0.5 s is its part of the 720 h that the fee pays for",
        ),
        (Reason(ReasonCode.CREDIT_DECIDED, "e1", {"state": "granted"}), "granted"),
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
