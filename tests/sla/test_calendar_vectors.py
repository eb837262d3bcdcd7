"""Calendar cases with answers that others worked out: two independent references, and the tests of nine projects.

The cases are data, and the counts are asserted, so that a lost file cannot pass as a file without faults.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.sla.calendar import Calendar
from app.sla.span import SECOND, micros
from tests.sla.vector import VECTORS, Case, calendar_of, lines

PEERS = sorted(path.name for path in (VECTORS / "peers").glob("*.jsonl") if not path.stem.endswith("_sla"))
"""The calendar cases; the cases of whole tickets beside them are `test_peer_sla`'s."""

# working_hours' own tests write the end of a day as 23:59:59.999; by our definition it is 24:00, a millisecond later.
LAST_MILLISECOND = {"wh-068", "wh-069", "wh-070"}
# biz, business_time and working_hours first move a start on a closed date, or after closing, to the next working day
# and then count; here the date of receipt never counts, so that Friday 18:00, Saturday and Sunday give the same day.
ROLLS_THE_START = {"biz-035", "bt-005", "bt-012", "bt-024", "bt-032", "wh-005", "wh-008", "wh-176"}
LEFT_OUT = LAST_MILLISECOND | ROLLS_THE_START

EXPECTED_CASES = {
    "add": 476,
    "between": 155,
    "is_open": 133,
    "next_open": 72,
    "next_close": 19,
    "add_business_days": 58,
    "is_business_day": 31,
}


def instant_of(text: str, time_zone: str = "UTC") -> datetime:
    """The instant; a bare date, as some projects' tests have it, is its midnight in the calendar's zone."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(time_zone))


def working_date(calendar: Calendar, case: Case) -> str:
    """The date of the n-th working day: its closing may be 24:00, which is already the next date."""
    start = instant_of(case["start"], calendar.time_zone)
    closing = calendar.close_of_working_day_us(case["days"], micros(start))
    return calendar.local_date(closing - 1).isoformat()


def is_working_day(calendar: Calendar, start: datetime) -> bool:
    on = calendar.local_date(micros(start))
    return calendar.next_working_day(on) == on


ANSWERS: dict[str, Callable[[Calendar, Case, datetime], object]] = {
    "add": lambda calendar, case, start: calendar.after(timedelta(seconds=case["seconds"]), since=start),
    "between": lambda calendar, case, start: calendar.within(start, instant_of(case["end"])).total_seconds(),
    "is_open": lambda calendar, case, start: calendar.is_open(start),
    "next_open": lambda calendar, case, start: calendar.next_open(start),
    "next_close": lambda calendar, case, start: calendar.next_close(start),
    "add_business_days": lambda calendar, case, start: working_date(calendar, case),
    "is_business_day": lambda calendar, case, start: is_working_day(calendar, start),
}


def expected(case: Case) -> object:
    match case["op"]:
        case "add" | "next_open" | "next_close":
            return instant_of(case["expect"])
        case "add_business_days":
            return case["expect"][:10]
        case _:
            return case["expect"]


def cases(name: str) -> Iterator[Case]:
    for case in lines(name):
        # No working days, or so many back, is no deadline.
        if case["id"] not in LEFT_OUT and case.get("days", 1) > 0:
            yield case


def wrong_answers(name: str) -> list[tuple[str, object, object]]:
    answers = ((case, answer(case)) for case in cases(name))
    return [(case["id"], given, expected(case)) for case, given in answers if given != expected(case)]


def answer(case: Case) -> object:
    calendar = calendar_of(case["calendar"])
    return ANSWERS[case["op"]](calendar, case, instant_of(case["start"], calendar.time_zone))


@pytest.mark.parametrize("name", ["public_calendar.jsonl", "ambiguous_calendar.jsonl"])
def test_all_three_hundred_cases_come_out(name: str) -> None:
    assert len(list(cases(name))) == 300
    assert wrong_answers(name) == []


@pytest.mark.parametrize("name", PEERS)
def test_cases_of_other_projects_come_out_where_the_definition_is_the_same(name: str) -> None:
    assert wrong_answers(f"peers/{name}") == []


def test_no_case_is_lost() -> None:
    names = ["public_calendar.jsonl", "ambiguous_calendar.jsonl", *(f"peers/{name}" for name in PEERS)]
    assert Counter(case["op"] for name in names for case in cases(name)) == EXPECTED_CASES


def test_many_at_once_gives_what_one_by_one_gives() -> None:
    import numpy as np

    for case in cases("public_calendar.jsonl"):
        if case["op"] == "add":
            start = micros(instant_of(case["start"]))
            due = calendar_of(case["calendar"]).after_many(np.array([start]), case["seconds"])
            assert due.tolist() == [micros(instant_of(case["expect"]))], case["id"]


def test_every_explained_case_sums_to_its_target() -> None:
    for case in cases("ambiguous_calendar.jsonl"):
        if case["op"] == "add":
            spans = calendar_of(case["calendar"]).spans(instant_of(case["start"]), instant_of(case["expect"]))
            counted = sum(span.end - span.start for span in spans if span.open)
            assert counted == case["seconds"] * SECOND, case["id"]
