"""The mean wait of a month's calls: tables of what counts and how it is judged, and laws over random months."""

import random
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.agreement.average import AverageRule, MeanTarget
from app.sla.agreement.rule import Kind
from app.sla.average.call import LONGEST_WAIT, Call, call_of
from app.sla.average.month import AverageState, Month, calls_within, crossed_at, month_of, tally_of
from app.sla.average.signals import AverageSignal, average_signals
from app.sla.calendar import Calendar
from app.sla.calendar.zone import zone
from app.sla.clock.signals import RecordedSignal
from app.sla.event import Event
from app.sla.period import Months
from app.sla.span import DAY, HOUR, SECOND, Micros, micros

PARIS = Months(zone("Europe/Paris"))
MARCH = PARIS.named("2026-03")
PHONE = Calendar.parse(
    {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-12:00", "14:00-17:00"]}}, name="haisoft/phone"
)


def at(text: str) -> Micros:
    return micros(datetime.fromisoformat(text))


def rule(limit: int = 90, *, strict: bool = True, lines: tuple[str, ...] | None = None) -> AverageRule:
    target = MeanTarget("< 90s" if strict else "<= 90s", limit * SECOND, strict)
    chosen = None if lines is None else frozenset(lines)
    return AverageRule("phone-pickup", "Phone", Kind.GUARANTEE, PHONE, target, chosen)


def call(waited: int | None, offered_at: str = "2026-03-02T10:00:00+01:00", line: str | None = None) -> Call:
    """A call with its wait in micros."""
    offered = at(offered_at)
    return Call("c", offered, line, None if waited is None else offered + waited, waited)


def fact(kind: str, when: str, event_id: str = "", /, **data: object) -> Event:
    return Event(event_id or kind, kind, "call:1", at(when), data)


OFFERED = "2026-03-02T11:59:30+01:00"


# -- one call ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "waited"),
    [
        ({}, 60 * SECOND),
        ({"waited_seconds": 42}, 42 * SECOND),
        ({"waited_seconds": 0.1}, 100_000),
        ({"waited_seconds": 89.9999996}, 90 * SECOND),
        ({"waited_seconds": None}, 60 * SECOND),
        ({"waited_seconds": True}, 60 * SECOND),
        ({"waited_seconds": "42"}, 60 * SECOND),
        ({"waited_seconds": -1}, 60 * SECOND),
        ({"waited_seconds": -5}, 60 * SECOND),
        ({"waited_seconds": "NaN"}, 60 * SECOND),
        ({"waited_seconds": 1e300}, 60 * SECOND),
        ({"waited_seconds": 1e30}, 60 * SECOND),
        ({"waited_seconds": 10**5000}, 60 * SECOND),
        ({"waited_seconds": LONGEST_WAIT // SECOND + 0.001}, 60 * SECOND),
        ({"waited_seconds": float("inf")}, 60 * SECOND),
        ({"waited_seconds": float("nan")}, 60 * SECOND),
        ({"waited_seconds": LONGEST_WAIT // SECOND}, LONGEST_WAIT),
    ],
)
def test_a_wait_is_what_the_system_sends_or_the_time_between(data: dict[str, object], waited: int) -> None:
    answered = "2026-03-02T12:00:30+01:00"
    found = call_of([fact("call.offered", OFFERED), fact("call.answered", answered, "", **data)])
    assert found is not None
    assert (found.answered_at, found.waited) == (at(answered), waited)


def test_a_call_without_an_answer_has_no_wait() -> None:
    found = call_of([fact("call.offered", OFFERED, line="support", waited_seconds=300)])
    assert found == Call("call:1", at(OFFERED), "support")


def test_an_answer_without_an_offer_is_no_call() -> None:
    assert call_of([fact("call.answered", OFFERED)]) is None


def test_an_answer_before_the_offer_answers_nothing() -> None:
    early = "2026-03-02T11:59:00+01:00"
    found = call_of([fact("call.answered", early), fact("call.offered", OFFERED)])
    assert found is not None
    assert found.waited is None
    late = call_of(
        [
            fact("call.answered", early, "a1"),
            fact("call.offered", OFFERED),
            fact("call.answered", "2026-03-02T12:00:00+01:00", "a2", waited_seconds=-5),
        ]
    )
    assert late is not None
    assert late.waited == 30 * SECOND


def test_the_first_offer_and_the_first_answer_that_stand_make_the_call() -> None:
    events = [
        fact("call.offered", "2026-03-02T11:00:00+01:00", "o1", line="wrong"),
        fact("call.offered", OFFERED, "o2", line="support"),
        fact("call.answered", "2026-03-02T12:00:00+01:00", "a1"),
        fact("call.answered", "2026-03-02T12:30:00+01:00", "a2"),
        fact("event.withdrawn", "2026-03-02T13:00:00+01:00", "w", id="o1"),
    ]
    expected = Call("call:1", at(OFFERED), "support", at("2026-03-02T12:00:00+01:00"), 30 * SECOND)
    for seed in range(4):
        shuffled = random.Random(seed).sample(events, len(events)) + events[:2]
        assert call_of(shuffled) == expected


# -- which calls count -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "line", "counts"),
    [
        ("2026-03-02T09:00:00+01:00", "support", True),
        ("2026-03-02T08:59:59.999999+01:00", "support", False),
        ("2026-03-02T11:59:59.999999+01:00", "Support ", True),
        ("2026-03-02T12:00:00+01:00", "support", False),  # in the lunch break
        ("2026-03-07T10:00:00+01:00", "support", False),  # on a Saturday
        ("2026-03-02T10:00:00+01:00", None, True),
        ("2026-03-02T10:00:00+01:00", "emergency", False),
        ("2026-04-01T10:00:00+02:00", "support", False),  # in April
        ("2026-03-31T16:59:59+02:00", "support", True),  # after the clocks have changed
    ],
)
def test_a_call_counts_on_its_line_in_the_hours_and_month_of_its_offer(
    offered: str, line: str | None, counts: bool
) -> None:
    wanted = rule(lines=("support", ""))
    assert bool(calls_within(wanted, MARCH, [call(SECOND, offered, line)])) is counts


def test_an_answer_after_closing_counts_with_the_real_seconds() -> None:
    late = call(600 * SECOND, "2026-03-31T16:59:00+02:00")
    month = month_of(rule(), MARCH, calls_within(rule(), MARCH, [late]), MARCH.end)
    assert (month.state, month.mean_seconds) == (AverageState.BREACHED, 600)


# -- how a month is judged ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "strict", "state", "mean"),
    [
        ([90 * SECOND], True, "breached", 90.0),
        ([90 * SECOND], False, "kept", 90.0),
        ([90 * SECOND - 1], True, "kept", 89.999999),
        ([90 * SECOND + 1], False, "breached", 90.000001),
        # A third of a microsecond decides, and the figure reads as the month is judged.
        ([90 * SECOND, 90 * SECOND, 90 * SECOND - 1], True, "kept", 89.999999),
        ([90 * SECOND, 90 * SECOND, 90 * SECOND + 1], False, "breached", 90.000001),
        ([10 * SECOND, 170 * SECOND], True, "breached", 90.0),
        ([0], True, "kept", 0.0),
        ([], True, "none", None),
    ],
)
def test_a_month_is_judged_exactly(
    waits: Sequence[int], strict: bool, state: str, mean: float | None
) -> None:
    month = month_of(rule(strict=strict), MARCH, map(call, waits), MARCH.end)
    assert (month.state, month.mean_seconds and float(month.mean_seconds)) == (state, mean)
    assert month.breached_at == (MARCH.end if state == "breached" else None)


def test_a_month_runs_until_its_end() -> None:
    late = [call(100 * SECOND)]
    assert month_of(rule(), MARCH, late, MARCH.end - 1).state is AverageState.RUNNING
    assert month_of(rule(), MARCH, late, MARCH.end).state is AverageState.BREACHED


def test_calls_without_an_answer_stand_beside_the_mean() -> None:
    month = month_of(rule(), MARCH, [call(None), call(60 * SECOND), call(None)], MARCH.end)
    assert (month.tally.answered, month.tally.unanswered, month.mean_seconds) == (1, 2, 60)
    assert month_of(rule(), MARCH, [call(None)], MARCH.end).state is AverageState.NONE


def test_a_call_counts_as_not_answered_until_it_is() -> None:
    ringing = call(60 * SECOND)
    during = tally_of([ringing], ringing.offered_at + 30 * SECOND)
    assert (during.answered, during.unanswered) == (0, 1)
    assert tally_of([ringing], ringing.offered_at - 1) == tally_of([], 0)


@pytest.mark.parametrize(
    ("waits", "warned_after"),
    [
        ([100] * 9, None),
        ([100] * 10, 10),
        ([90] * 10, 10),  # at the target
        ([89] * 30, None),
        ([89] * 12 + [102], 13),
        ([1000] * 9 + [0] * 21, 10),  # the ninth is too early, the tenth is at 900
        ([100] * 5 + [0] * 20, None),
    ],
)
def test_a_warning_needs_ten_calls_and_a_mean_at_the_target(
    waits: list[int], warned_after: int | None
) -> None:
    answered = [(n * HOUR, waited * SECOND) for n, waited in enumerate(waits, start=1)]
    assert crossed_at(rule(), answered) == (None if warned_after is None else warned_after * HOUR)


def test_calls_that_are_answered_at_one_instant_warn_together_or_not_at_all() -> None:
    both = [(HOUR, 100 * SECOND)] * 10 + [(HOUR, 0)] * 2
    assert crossed_at(rule(), both) is None
    assert crossed_at(rule(), both[::-1]) is None


# -- signals -----------------------------------------------------------------------------------------------------------


def recorded(kind: str, generation: int = 0, *, retracted: bool = False) -> RecordedSignal:
    breached_at = MARCH.end
    made = f"{kind} {generation}"
    return RecordedSignal(made, "phone-pickup", MARCH.start, kind, "", generation, breached_at, retracted)


def judged(waits: Sequence[int], when: Micros = MARCH.end) -> Month:
    return month_of(rule(), MARCH, [call(wait * SECOND) for wait in waits], when)


BREACHED = recorded("average.breached")
RETRACTED = recorded("average.breached", retracted=True)


@pytest.mark.parametrize(
    ("waits", "known", "expected"),
    [
        ([89], [], []),
        ([], [], []),
        ([90], [], [AverageSignal("average.breached", MARCH.end)]),
        ([90], [BREACHED], []),
        ([89], [BREACHED], [AverageSignal("average.breach_retracted", MARCH.end, 0, BREACHED.id)]),
        ([], [BREACHED], [AverageSignal("average.breach_retracted", MARCH.end, 0, BREACHED.id)]),
        ([89], [RETRACTED], []),
        ([90], [RETRACTED], [AverageSignal("average.breached", MARCH.end, 1)]),
    ],
)
def test_what_is_recorded_follows_the_month(
    waits: Sequence[int], known: Sequence[RecordedSignal], expected: Sequence[AverageSignal]
) -> None:
    assert average_signals(judged(waits), known) == expected


def test_a_month_is_warned_of_once_and_only_while_it_runs() -> None:
    during = judged([100] * 10, MARCH.end - 1)
    (warned,) = average_signals(during, [])
    assert (warned.kind, warned.at) == ("average.warned", during.warned_at)
    assert average_signals(during, [recorded("average.warned")]) == []
    assert [s.kind for s in average_signals(judged([100] * 10), [])] == ["average.breached"]


def test_signals_of_other_months_and_averages_are_no_concern() -> None:
    other = RecordedSignal("x", "other", MARCH.start, "average.breached", "", 0, MARCH.end, False)
    april = RecordedSignal("y", "phone-pickup", MARCH.end, "average.breached", "", 0, MARCH.end, False)
    assert [s.kind for s in average_signals(judged([90]), [other, april])] == ["average.breached"]


# -- laws --------------------------------------------------------------------------------------------------------------

waits_of_a_month = st.lists(
    st.tuples(st.integers(0, 27), st.none() | st.integers(0, 200 * SECOND)), max_size=20
)


def calls_of(waits: Sequence[tuple[int, int | None]]) -> list[Call]:
    opens = MARCH.start + DAY
    return [
        Call(str(n), opens + day * DAY, None, None if w is None else opens + day * DAY + w, w)
        for n, (day, w) in enumerate(waits)
    ]


@given(waits_of_a_month, st.randoms(use_true_random=False), st.integers(0, 31))
@settings(max_examples=60)
def test_the_order_of_the_calls_changes_no_figure(
    waits: Sequence[tuple[int, int | None]], chance: random.Random, day: int
) -> None:
    calls, when = calls_of(waits), MARCH.start + day * DAY
    shuffled = chance.sample(calls, len(calls))
    one, other = month_of(rule(), MARCH, calls, when), month_of(rule(), MARCH, shuffled, when)
    assert (one.tally, one.state, one.warned_at) == (other.tally, other.state, other.warned_at)


@given(waits_of_a_month)
@settings(max_examples=60)
def test_a_month_is_breached_exactly_if_the_fraction_of_its_mean_misses(
    waits: Sequence[tuple[int, int | None]],
) -> None:
    lengths = [wait for _, wait in waits if wait is not None]
    month = month_of(rule(), MARCH, calls_of(waits), MARCH.end + DAY)
    mean = Fraction(sum(lengths), len(lengths)) if lengths else None
    assert (month.breached_at is not None) == (mean is not None and mean >= 90 * SECOND)
    assert month.tally.mean == mean


@given(st.lists(st.integers(0, 200 * SECOND), max_size=20), st.integers(0, 20))
@settings(max_examples=60)
def test_a_warning_that_goes_on_from_a_sum_equals_one_of_the_whole_month(
    lengths: list[int], cut: int
) -> None:
    answered = [(n, wait) for n, wait in enumerate(lengths)]
    whole = crossed_at(rule(), answered)
    if whole is not None and whole < cut:
        return  # it was recorded before
    before = tally_of([Call("", 0, None, 0, wait) for wait in lengths[:cut]], 0)
    assert crossed_at(rule(), answered[cut:], before) == whole
    sums = list(accumulate(lengths))
    naive = [n for n, total in enumerate(sums) if n >= 9 and Fraction(total, n + 1) >= 90 * SECOND]
    assert whole == (naive[0] if naive else None)
