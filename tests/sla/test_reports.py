"""Figures of reports from plain clocks: shares, deciles, periods of a zone, causes of lateness."""

from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from app.sla.agreement.file import parse_agreement
from app.sla.calendar.zone import zone
from app.sla.clock.evaluation import AppliesTo, Version, evaluate
from app.sla.event import Event
from app.sla.queue.interval import WaitInterval
from app.sla.report.clock_report import BREAKDOWNS, attainment, breaches, heatmap, share_text, usage
from app.sla.report.cut import By, TooManyPeriods, cut, pieces
from app.sla.report.figures import ClockFigures, figures_of
from app.sla.report.measure import Cell, Measure, ReportedClock, cells_of, hour_of_week
from app.sla.report.queue_report import QueueTally, steps
from app.sla.span import HOUR, MINUTE, Micros, Span, micros

PARIS: Final = zone("Europe/Paris")


def at(written: str) -> Micros:
    return micros(datetime.fromisoformat(written))


def span(start: str, end: str) -> Span:
    return Span(at(start), at(end))


START: Final = at("2026-03-02T09:00:00+01:00")
MARCH: Final = span("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00")


def ended(outcome: str, count: int, kind: str = "guarantee", period: int = 0) -> Cell:
    return Cell(period, (), kind, (outcome,), count)


def test_a_share_is_of_those_that_were_met_or_missed() -> None:
    found = attainment([ended("met", 3), ended("missed", 1), ended("excluded", 5)], 1, (), is_split=False)
    assert found.rows[0].figures == {"met": 3, "missed": 1, "excluded": 5, "share": "75.0000"}
    assert found.totals == {"guarantee": found.rows[0].figures}


@pytest.mark.parametrize("cells", [[], [ended("excluded", 2)]])
def test_the_share_of_nothing_is_none_and_never_all(cells: list[Cell]) -> None:
    found = attainment(cells, 1, ["guarantee"], is_split=False)
    assert [row.figures["share"] for row in found.rows] == [None]
    assert found.totals["guarantee"]["share"] is None


def test_what_is_not_wholly_met_never_reads_as_all() -> None:
    assert share_text(9_999_999, 10_000_000) == "99.9999"
    assert share_text(10_000_000, 10_000_000) == "100.0000"


@given(st.integers(0, 10**6), st.integers(1, 10**6))
@examples(max_examples=50)
def test_a_share_is_the_exact_one_rounded_down(part: int, more: int) -> None:
    written = share_text(part, part + more)
    assert written is not None
    missing = Fraction(100 * part, part + more) - Fraction(written)
    assert 0 <= missing < Fraction(1, 10_000)


def test_objectives_are_never_added_to_guarantees() -> None:
    cells = [ended("met", 1), ended("missed", 1, "objective")]
    found = attainment(cells, 1, ["customer"], is_split=False)
    assert [(row.about["kind"], row.figures["share"]) for row in found.rows] == [
        ("customer", None),
        ("guarantee", "100.0000"),
        ("objective", "0.0000"),
    ]
    assert {kind: figures["met"] for kind, figures in found.totals.items()} == {
        "customer": 0,
        "guarantee": 1,
        "objective": 0,
    }


def test_every_period_has_a_row_unless_the_report_is_split() -> None:
    cells = [ended("met", 1, period=2)]
    assert [row.period for row in attainment(cells, 3, ["guarantee"], is_split=False).rows] == [0, 1, 2]
    assert [row.period for row in attainment(cells, 3, ["guarantee"], is_split=True).rows] == [2]


def used(*shares: int) -> list[Cell]:
    return [Cell(0, (), "guarantee", (share,), 1) for share in shares]


def test_tenths_add_up_and_all_of_the_target_is_the_last() -> None:
    figures = usage(used(0, 99, 100, 999, 1000, 2500), 1, (), is_split=False).rows[0].figures
    assert figures["tenths"] == (2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2)
    assert figures["clocks"] == 6


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=40))
@examples(max_examples=40)
def test_a_decile_is_the_smallest_share_that_so_many_tenths_do_not_exceed(shares: list[int]) -> None:
    deciles = usage(used(*shares), 1, (), is_split=False).rows[0].figures["deciles"]
    assert isinstance(deciles, tuple)
    for decile, written in enumerate(deciles, start=1):
        share = Fraction(str(written)) * 10
        assert share in shares
        assert sum(each <= share for each in shares) * 10 >= decile * len(shares)
        assert sum(each < share for each in shares) * 10 < decile * len(shares)


def test_a_heatmap_leaves_out_hours_without_either() -> None:
    starts = [Cell(0, (), "guarantee", (9,), 2), Cell(0, (), "guarantee", (167,), 1)]
    late = [Cell(0, (), "guarantee", (9,), 1)]
    found = heatmap(starts, late)
    assert [(dict(row.about), dict(row.figures)) for row in found.rows] == [
        ({"kind": "guarantee", "weekday": 1, "hour": 9}, {"starts": 2, "breaches": 1}),
        ({"kind": "guarantee", "weekday": 7, "hour": 23}, {"starts": 1, "breaches": 0}),
    ]
    assert found.totals == {"guarantee": {"starts": 3, "breaches": 1}}


@pytest.mark.parametrize(
    ("local", "weekday", "hour"),
    [("2026-03-02T00:00:00", 1, 0), ("2026-03-08T23:59:59", 7, 23), ("2026-03-05T09:30:00", 4, 9)],
)
def test_hours_of_the_week_begin_on_monday(local: str, weekday: int, hour: int) -> None:
    assert hour_of_week(at(f"{local}+00:00")) == (weekday - 1) * 24 + hour


def test_each_breakdown_of_breaches_adds_up_to_all() -> None:
    cells = [
        Cell(0, (), "guarantee", ("deadline", None, "Ann", 9), 2),
        Cell(0, (), "guarantee", ("merged", "pending", None, 17), 1),
    ]
    found = breaches(cells, names=True)
    sums: dict[str, int] = dict.fromkeys(BREAKDOWNS, 0)
    for row in found.rows:
        sums[str(row.about["breakdown"])] += int(str(row.figures["breaches"]))
    assert set(sums.values()) == {3}
    assert found.totals["guarantee"]["breaches"] == 3
    assert "assignee" not in {row.about["breakdown"] for row in breaches(cells, names=False).rows}


def test_a_day_with_a_clock_change_is_as_long_as_it_is() -> None:
    days = cut(PARIS, MARCH, By.DAY, 31)
    assert len(days) == 31
    assert {day.length // HOUR for day in days} == {23, 24}
    assert days[28] == span("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00")
    assert [(part.period, part.offset // HOUR) for part in pieces(PARIS, days[28:29])] == [(0, 1), (0, 2)]


def test_weeks_begin_on_monday_and_end_with_the_span() -> None:
    weeks = cut(PARIS, MARCH, By.WEEK, 6)
    assert [(week.start, week.end) for week in weeks[:2]] == [
        (MARCH.start, at("2026-03-02T00:00:00+01:00")),
        (at("2026-03-02T00:00:00+01:00"), at("2026-03-09T00:00:00+01:00")),
    ]
    assert weeks[-1].end == MARCH.end


def test_a_date_that_the_zone_skips_is_in_no_period_twice() -> None:
    apia = zone("Pacific/Apia")
    around = span("2011-12-29T00:00:00-10:00", "2012-01-02T00:00:00+14:00")
    days = cut(apia, around, By.DAY, 9)
    assert sum(day.length for day in days) == around.length
    assert all(day.length == 24 * HOUR for day in days)


@given(
    st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.integers(0, 40 * 365 * 24 * 60),
    st.integers(1, 400 * 24 * 60),
    st.sampled_from([None, *By]),
)
@examples(max_examples=40)
def test_periods_and_their_pieces_cover_the_span_once(
    name: str, start: int, minutes: int, by: By | None
) -> None:
    whole = Span(start * MINUTE, (start + minutes) * MINUTE)
    periods = cut(zone(name), whole, by, 500)
    parts = pieces(zone(name), periods)
    for spans in (periods, [part.span for part in parts]):
        assert (spans[0].start, spans[-1].end) == (whole.start, whole.end)
        assert all(one.end == other.start for one, other in pairwise(spans))
    assert all(
        part.offset == zone(name).offset(at) for part in parts for at in (part.span.start, part.span.end - 1)
    )


def test_too_many_periods_are_refused() -> None:
    with pytest.raises(TooManyPeriods, match="more than 30 periods by day"):
        cut(PARIS, MARCH, By.DAY, 30)


# -- queues ---------------------------------------------------------------------------------------------------------


def wait(start: int, end: int | None, queue: str, cause: str, ended_by: str | None) -> WaitInterval:
    to_at = None if end is None else START + end * MINUTE
    return WaitInterval("1", START + start * MINUTE, to_at, 0, START, START, cause, queue, ended_by)


WAITS: Final = (
    wait(0, 10, "support", "created", "repeat_message"),
    wait(10, 30, "support", "repeat_message", "queue"),
    wait(30, 60, "sales", "queue", "answered"),
    wait(90, None, "sales", "message", None),
)


def test_a_wait_is_the_time_in_one_queue_however_often_the_ticket_moves() -> None:
    found = [
        ((step.at - START) // MINUTE, step.step.value, step.queue, step.cause, step.waited)
        for step in steps(WAITS)
    ]
    assert found == [
        (0, "joined", "support", "created", None),
        (10, "moved", "support", "repeat_message", None),
        (30, "left", "support", "queue", 30 * MINUTE),
        (30, "joined", "sales", "queue", None),
        (60, "left", "sales", "answered", 30 * MINUTE),
        (90, "joined", "sales", "message", None),
    ]


def test_the_report_of_queues_counts_waits_where_they_end_and_replies_by_open_hour() -> None:
    tally = QueueTally(pieces(PARIS, cut(PARIS, MARCH, None, 1)))
    tally.add(steps(WAITS))
    report = tally.report({0: 3 * HOUR})
    by_queue = {str(row.about["queue"]): row.figures for row in report.rows}
    assert by_queue["support"] == {
        "waits": 1,
        "waited_seconds": 1800,
        "mean_seconds": 1800,
        "longest_seconds": 1800,
        "joined": {"created": 1, "message": 0, "queue": 0},
        "moved": {"repeat_message": 1},
        "left": {"answered": 0, "queue": 1},
        "replies": 0,
        "replies_an_hour": "0.0000",
    }
    assert (by_queue["sales"]["replies"], by_queue["sales"]["replies_an_hour"]) == (1, "0.3333")
    assert report.totals == by_queue


def test_without_a_calendar_or_an_end_there_is_no_rate_and_no_mean() -> None:
    tally = QueueTally(pieces(PARIS, cut(PARIS, MARCH, None, 1)))
    tally.add(steps(WAITS[3:]))
    figures = tally.report({0: None}).rows[0].figures
    assert (figures["mean_seconds"], figures["longest_seconds"], figures["replies_an_hour"]) == (
        None,
        None,
        None,
    )


# -- the figures of a clock ----------------------------------------------------------------------------------------

AGREEMENT: Final = parse_agreement(
    {
        "desk": "d",
        "time_zone": "Europe/Paris",
        "commitments": [
            {
                "id": "response",
                "label": "First response",
                "kind": "guarantee",
                "measure": "response",
                "starts_on": ["ticket.created"],
                "stops_on": ["agent.replied"],
                "pauses_while": ["pending", "on_hold"],
                "target": {"by": "priority", "high": "1h", "low": "4h", "else": "4h"},
                "calendar": "always",
                "applies_to": {"category": ["", "x"]},
            }
        ],
    },
    calendars={},
)


def fact(minutes: int, kind: str, **data: Any) -> Event:
    return Event(f"e{minutes}{kind}", kind, "1", START + minutes * MINUTE, data, minutes)


def figures(*happened: Event, category: str = "") -> ClockFigures:
    born = fact(0, "ticket.created", priority="low", category=category)
    version = Version(1, AGREEMENT, 0, AppliesTo.NEW)
    found = evaluate([born, *happened], [version], START + 100 * HOUR)
    return figures_of(found.histories["response", found.clocks[0].cycle_id])


REPLY: Final = fact(300, "agent.replied", author="agent")


@pytest.mark.parametrize(
    ("happened", "cause", "first_pause"),
    [
        ((), "deadline", None),
        ((fact(120, "ticket.updated", priority="high"),), "target_changed", None),
        (
            (fact(10, "status.changed", status="on_hold"), fact(20, "status.changed", status="open")),
            "deadline",
            "on_hold",
        ),
        ((fact(250, "status.changed", status="pending"),), "deadline", None),
    ],
)
def test_a_late_clock_has_a_cause_and_the_first_pause_before(
    happened: tuple[Event, ...], cause: str, first_pause: str | None
) -> None:
    found = figures(*happened, REPLY)
    assert (found.late_cause, found.first_pause) == (cause, first_pause)
    assert found.ended_at == REPLY.at


def test_a_commitment_that_came_to_apply_after_its_time_was_late_for_that() -> None:
    found = figures(fact(260, "ticket.updated", category="x"), REPLY, category="y")
    assert (found.started_at, found.late_cause) == (START, "applied_later")


def test_a_clock_that_goes_on_has_counted_nothing_for_reports_yet() -> None:
    found = figures()
    assert (found.ended_at, found.counted, found.target_length) == (None, None, None)
    assert found.late_cause == "deadline"


def test_a_clock_in_time_has_neither_cause_nor_pause() -> None:
    found = figures(fact(10, "status.changed", status="pending"), fact(30, "agent.replied", author="agent"))
    assert found == ClockFigures(START, START + 30 * MINUTE, 10 * MINUTE, 4 * HOUR)


def test_a_clock_falls_into_the_period_of_its_end() -> None:
    clock = ReportedClock("1", "response", 0, "guarantee", True, None, figures(fact(30, "agent.replied")), {})
    parts = pieces(PARIS, cut(PARIS, MARCH, By.DAY, 31))
    assert cells_of([clock], Measure.OUTCOMES, parts, ["plan"]) == [
        Cell(1, (None,), "guarantee", ("met",), 1)
    ]
    assert timedelta(microseconds=parts[1].span.length) == timedelta(days=1)
