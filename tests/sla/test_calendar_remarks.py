"""Remarks on calendar files: what is seldom meant, and what lapses as years pass."""

from datetime import date
from typing import Any

import pytest

from app.sla.calendar import Calendar
from app.sla.calendar.remarks import remarks_on

TODAY = date(2027, 1, 1)
DESK: dict[str, Any] = {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:00"]}}
HALF: dict[str, Any] = {"first": "06-01", "last": "08-31", "hours": {"sat": ["08:00 - 23:59"]}}


def remarks(change: dict[str, Any]) -> list[tuple[str, str]]:
    table = DESK | change
    Calendar.parse(table)
    return [
        (each.place, f"{each.text}. {each.advice}") for each in remarks_on({"calendars": {"d": table}}, TODAY)
    ]


@pytest.mark.parametrize(
    ("change", "place", "text"),
    [
        ({"hours": {"sun": ["00:30-23:59"]}}, "hours.sun[0]", 'Write "00:30-24:00"'),
        ({"seasons": [HALF]}, "seasons[0].hours.sat[0]", 'Write "08:00-24:00"'),
        ({"overrides": {"*-12-31": {"hours": ["00:00-23:59"]}}}, "overrides.*-12-31.hours[0]", "last minute"),
        (
            {"holidays": {"add": {"2025-05-02": "a", "2026-12-24": "b"}}},
            "holidays.add",
            "the last date is 2026-12-24",
        ),
        ({"holidays": {"add": {"2026-05-02": "a", "*-12-24": "b"}}}, "holidays.add", "2026-05-02"),
        ({"holidays": {"add": {date(2026, 12, 24): "b"}}}, "holidays.add", "none is of 2027 or later"),
        ({"holidays": {"country": "NL", "remove": ["2026-04-03"]}}, "holidays.remove", "2026-04-03"),
        ({"overrides": {"2026-12-24": []}}, "overrides", "every year"),
        (
            {"seasons": [HALF | {"first": "2026-06-01", "last": "2026-08-31", "hours": {}}]},
            "seasons",
            "2026-08-31",
        ),
        ({"years": [2020, 2027]}, "years", "nothing after 2027"),
        (
            {"holidays": {"country": "KN", "categories": ["workday"]}},
            "holidays.categories",
            "are worked in the country",
        ),
    ],
)
def test_what_is_seldom_meant_or_lapses_has_a_remark(change: dict[str, Any], place: str, text: str) -> None:
    ((found, sentence),) = remarks(change)
    assert found == f"calendars.d.{place}"
    assert text in sentence


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"hours": {"mon-sun": ["00:00-24:00"]}},
        {"holidays": {"add": {"2026-12-24": "a", "2027-12-24": "a"}}},
        {"holidays": {"add": {"2028-05-02": "a", "*-12-24": "b"}}},
        {"overrides": {"2028-12-24": []}},
        {"years": [2020, 2028]},
    ],
)
def test_what_is_usual_has_none(change: dict[str, Any]) -> None:
    assert remarks(change) == []
