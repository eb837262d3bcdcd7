"""Messages about subscribed reports: the figures that changed, in the reader's language, and the link."""

from typing import Any

import pytest

from app.delivery.markup import plain
from app.delivery.notice import Reported, notice

READY: dict[str, Any] = {
    "id": "sig_1",
    "kind": "report.ready",
    "desk": "haisoft",
    "ticket": None,
    "commitment": None,
    "by": "week",
    "period": "2026-W13",
    "label": "2026-W13",
    "figures": [
        {
            "report": "attainment",
            "of": "guarantee",
            "figure": "share",
            "value": "97.4358",
            "before": "95.1219",
        },
        {"report": "attainment", "of": "guarantee", "figure": "met", "value": 38, "before": 39},
        {"report": "attainment", "of": "guarantee", "figure": "missed", "value": 1, "before": 1},
        {
            "report": "availability",
            "of": "guarantee",
            "figure": "uptime",
            "value": "100.0000",
            "before": None,
        },
        {"report": "credits", "of": "EUR", "figure": "amount", "value": "1033.00", "before": "0.00"},
    ],
    "url": "https://sla.example.org/v1/reports/attainment?desk=haisoft",
    "clock": None,
}


def text(signal: dict[str, Any], language: str = "en") -> str:
    return plain(notice([Reported(signal)], language, lines=10))


@pytest.mark.parametrize(
    ("language", "figure"),
    [
        ("en", "guarantees in time: 97.4358 % (before: 95.1219 %)"),
        ("fr", "garanties respectées\N{NO-BREAK SPACE}: 97,4358 % (avant\N{NO-BREAK SPACE}: 95,1219 %)"),
        ("it", "garanzie rispettate: 97,4358 % (prima: 95,1219 %)"),
        ("nl", "garanties nagekomen: 97,4358 % (voorheen: 95,1219 %)"),
        ("vi", "cam kết đúng hạn: 97,4358 % (trước: 95,1219 %)"),
    ],
)
def test_the_figures_that_changed_are_shown_with_those_of_the_period_before(
    language: str, figure: str
) -> None:
    assert figure in text(READY, language)


def test_figures_that_are_as_before_are_left_out_and_the_report_is_linked() -> None:
    assert text(READY) == (
        "2026-W13: report ready · guarantees in time: 97.4358 % (before: 95.1219 %) · "
        "guaranteed uptime: 100.0000 % (before: -) · credits: 1,033.00 EUR (before: 0.00 EUR) · "
        "https://sla.example.org/v1/reports/attainment?desk=haisoft"
    )
    assert notice([Reported(READY)], "en", lines=10).subject == "[haisoft] 2026-W13: report ready"


def test_a_period_like_the_one_before_says_that_nothing_has_changed() -> None:
    same = READY | {"figures": READY["figures"][2:3], "url": None}
    assert text(same) == "2026-W13: report ready · no figure has changed"
