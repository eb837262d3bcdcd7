"""Limits of a desk's files, and the time budget of a computation: by counts and by steps, never by seconds."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app.sla.budget import Budget, Pauses, TooExpensive, charge, spending
from app.sla.calendar import Calendar
from app.sla.document.faults import line_of, lines_of_tables
from app.sla.limits import Limits
from app.sla.span import DAY, micros

SINCE = micros(datetime(2026, 3, 2, tzinfo=UTC))
UNTIL = micros(datetime(2027, 3, 2, tzinfo=UTC))


def minutes(count: int) -> list[str]:
    """Windows of a minute each, with a minute between them."""
    return [f"{n // 60:02}:{n % 60:02}-{n // 60:02}:{n % 60 + 1:02}" for n in range(0, 2 * count, 2)]


def busy() -> Calendar:
    return Calendar.parse({"time_zone": "UTC", "hours": {"mon-sun": minutes(300)}})


class Ticks:
    """A clock that moves by a second with every look."""

    def __init__(self) -> None:
        self.looks: Iterator[float] = iter(range(1_000_000))

    def __call__(self) -> float:
        return next(self.looks)


def test_a_computation_ends_when_its_budget_is_spent() -> None:
    calendar, clock = busy(), Ticks()
    with spending(Budget(3, clock, name="THE_LIMIT")), pytest.raises(TooExpensive, match="THE_LIMIT"):
        calendar.spans_us(SINCE, UNTIL)
    assert next(clock.looks) == 5  # the first step, and then one for each 32 of the steps


def test_a_calendar_whose_computation_was_given_up_counts_on_as_if_it_had_not_been() -> None:
    calendar = busy()
    with spending(Budget(0, Ticks(), name="x")), pytest.raises(TooExpensive):
        calendar.within_us(SINCE, UNTIL)
    assert calendar.within_us(SINCE, UNTIL) == busy().within_us(SINCE, UNTIL)


def test_a_long_computation_pauses_in_proportion_to_what_it_computed() -> None:
    waited: list[float] = []
    pauses = Pauses(after=2, duty=0.25, pause=waited.append)
    with spending(Budget(5, Ticks(), name="x", pauses=pauses)), pytest.raises(TooExpensive):
        busy().spans_us(SINCE, UNTIL)
    assert waited == [3.0, 3.0, 3.0]  # of the third second on, each for three


def test_without_a_budget_everything_is_computed() -> None:
    assert len(busy().spans_us(SINCE, SINCE + 10 * DAY)) > 5_000
    charge()


def test_a_budget_ends_with_its_computation() -> None:
    with spending(Budget(0, Ticks(), name="x")):
        charge()
    for _ in range(100):
        charge()


def test_the_first_spans_are_those_of_all() -> None:
    calendar = busy()
    whole = calendar.spans_us(SINCE, SINCE + 10 * DAY)
    assert calendar.spans_us(SINCE, UNTIL, 500) == whole[:500]
    assert calendar.spans_us(whole[500].start, UNTIL, 500) == whole[500:1000]


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ({"hours": {"mon-fri": minutes(25)}}, "hours.mon-fri"),
        ({"overrides": {"2026-12-24": minutes(25)}}, "overrides.2026-12-24"),
        ({"overrides": {"2026-12-24": {"hours": minutes(25)}}}, "overrides.2026-12-24.hours"),
        ({"seasons": [{"hours": {"sat": minutes(25)}}]}, "seasons[0].hours.sat"),
        ({"hours": {"mon": [7, *minutes(24)]}}, "hours.mon"),
    ],
)
def test_a_day_with_too_many_windows_is_found_wherever_hours_are_written(
    table: dict[str, object], place: str
) -> None:
    (fault,) = Limits(calendar_windows_max=24).faults_of_calendar(table)
    assert fault.place == place
    assert "SLATIMER_CALENDAR_WINDOWS_MAX" in fault.wrong


def test_lists_that_are_no_windows_are_not_counted_as_windows() -> None:
    days = [f"2026-01-{day:02}" for day in range(1, 31)]
    assert not list(Limits().faults_of_calendar({"holidays": {"add": days}, "hours": {"mon": minutes(24)}}))


def test_commitments_and_warnings_are_counted() -> None:
    limits = Limits(agreement_commitments_max=2, commitment_warnings_max=1)
    warned = {"id": "response", "warn_at": ["50%", "75%"]}
    (fault,) = limits.faults_of_agreement({"commitments": [warned, {"id": "b", "warn_at": ["50%"]}]})
    assert (fault.place, "SLATIMER_COMMITMENT_WARNINGS_MAX" in fault.wrong) == (
        "commitments.response.warn_at",
        True,
    )
    (fault,) = limits.faults_of_agreement({"commitments": [warned] * 3})
    assert (fault.place, "SLATIMER_AGREEMENT_COMMITMENTS_MAX" in fault.wrong) == ("commitments", True)


@pytest.mark.parametrize("document", [{}, {"commitments": 7}, {"commitments": [7, {"warn_at": "75%"}]}])
def test_what_is_no_agreement_is_left_to_its_reader(document: dict[str, object]) -> None:
    assert not list(Limits().faults_of_agreement(document))


def test_the_lines_of_all_tables_are_found_in_one_pass_and_as_one_by_one() -> None:
    text = '[[contracts]]\nid = "a"\n[[contracts]]\ncustomer = "x"\nid = "b"\n[contracts.c]\n'
    found = lines_of_tables(text, "contracts")
    assert found == {"0": 1, "a": 1, "1": 3, "b": 3, "c": 6}
    assert found == {step: line_of(text, f"contracts.{step}") for step in found}
    many = "".join(f"[contracts.{number}]\n" for number in range(20_000))
    assert len(lines_of_tables(many, "contracts")) == 20_000
