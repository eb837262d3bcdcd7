"""Laws that hold for every calendar, and a walk second by second around the odd days of six zones.

The walk knows nothing of the core: it asks `zoneinfo` what the wall shows at each second, and the definition whether
that is inside the hours of the date.
"""

import random
from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.sla.calendar import Calendar
from app.sla.calendar.compiled import CompiledYears, OpenTime
from app.sla.calendar.file import parse_rules
from app.sla.calendar.holiday import HolidaySet, HolidayYear
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.calendar.opening import Opening
from app.sla.calendar.zone import zone
from app.sla.span import DAY, HOUR, SECOND, instant, micros

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WINDOW = 2 * 86_400
Spec = dict[str, Any]


@dataclass(frozen=True)
class OddDays:
    """Two days around a change of the clock, and what happens there."""

    time_zone: str
    from_date: date
    what: str

    @property
    def start(self) -> datetime:
        return datetime(self.from_date.year, self.from_date.month, self.from_date.day, tzinfo=UTC)


ODD_DAYS = [
    OddDays("Europe/Paris", date(2026, 3, 28), "an hour is left out at 02:00"),
    OddDays("Europe/Paris", date(2026, 10, 24), "an hour comes twice at 03:00"),
    OddDays("America/New_York", date(2026, 3, 8), "an hour is left out"),
    OddDays("America/New_York", date(2026, 10, 31), "an hour comes twice"),
    OddDays("Australia/Lord_Howe", date(2026, 10, 2), "half an hour is left out"),
    OddDays("Australia/Lord_Howe", date(2026, 4, 3), "half an hour comes twice"),
    OddDays("America/Sao_Paulo", date(2018, 11, 3), "the day begins at 01:00"),
    OddDays("America/Sao_Paulo", date(2019, 2, 16), "midnight comes twice"),
    OddDays("Africa/Cairo", date(2026, 4, 23), "a Friday begins at 01:00"),
    OddDays("Africa/Cairo", date(2026, 10, 29), "Thursday has 25 hours"),
    OddDays("Pacific/Apia", date(2011, 12, 29), "Friday, 30 December 2011, does not exist"),
    OddDays("Pacific/Kwajalein", date(1969, 9, 29), "a date comes twice"),
]


@cache
def on_the_wall(odd: OddDays) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The date's ordinal and the second of the day that the wall shows, for every second of the window."""
    place, start = ZoneInfo(odd.time_zone), odd.start
    shown = [(start + timedelta(seconds=n)).astimezone(place) for n in range(WINDOW)]
    dates = np.array([at.toordinal() for at in shown], dtype=np.int64)
    seconds = np.array([at.hour * 3600 + at.minute * 60 + at.second for at in shown], dtype=np.int64)
    return dates, seconds


def walk(odd: OddDays, spec: Spec) -> NDArray[np.bool_]:
    """Whether each second of the window is open, straight from the definition."""
    dates, seconds = on_the_wall(odd)
    is_open = np.zeros(WINDOW, dtype=np.bool_)
    for ordinal in range(int(dates.min()) - 1, int(dates.max()) + 1):
        for opens, closes in hours_of(spec, date.fromordinal(ordinal)):
            is_open |= (dates == ordinal) & (seconds >= opens) & (seconds < closes)
            is_open |= (dates == ordinal + 1) & (seconds < closes - 86_400)
    return is_open


def hours_of(spec: Spec, on: date) -> list[tuple[int, int]]:
    overrides, added = spec["overrides"], spec["holidays"]["add"]
    keys = [on.isoformat(), f"*-{on:%m-%d}"]
    if on.weekday() == 4 and (on + timedelta(days=7)).month != on.month:
        keys.append(f"last friday of {on:%B}".lower())
    if (on - timedelta(days=1)).day == 30:
        keys.append("1 day after Thirtieth")
    ordinary = weekly_hours_of(spec, on)
    own = [key for key in keys if key in overrides]
    if own:
        texts = overrides[own[0]]
    elif set(keys) & added.keys() or on.day == 30:
        texts = []
    elif on.weekday() == 5 and ordinary:
        texts = spec["holidays"]["half_day_hours"]
    else:
        texts = ordinary
    return [pair_of(text) for text in texts]


def weekly_hours_of(spec: Spec, on: date) -> list[str]:
    """By the season of the date, and by alternate weeks."""
    day, plan = f"{on:%m-%d}", spec
    # The season of one year is last, and stands before the other.
    for season in sorted(spec["seasons"], key=lambda each: len(each["first"])):
        first, last = season["first"], season["last"]
        shown = day if len(first) == 5 else on.isoformat()
        inside = first <= shown <= last if first <= last else shown >= first or shown <= last
        plan = season if inside else plan
    for weeks in plan.get("alternate", []):
        first = date.fromisoformat(weeks["from"])
        monday = first - timedelta(days=first.weekday())
        apart = (on - timedelta(days=on.weekday()) - monday).days // 7
        if apart >= 0 and apart % weeks["every"] == 0 and WEEKDAYS[on.weekday()] in weeks["hours"]:
            return weeks["hours"][WEEKDAYS[on.weekday()]]
    return plan["hours"].get(WEEKDAYS[on.weekday()], [])


class Thirtieths:
    """A country whose Saturdays are half-days and whose 30ths are holidays, so that odd days have some."""

    def version(self, holiday_set: HolidaySet) -> str:
        return "thirtieths 1"

    def covered(self, holiday_set: HolidaySet) -> tuple[int, int]:
        return 1960, 2040

    def year(self, holiday_set: HolidaySet, year: int) -> HolidayYear:
        return thirtieths_of(year)


@cache
def thirtieths_of(year: int) -> HolidayYear:
    dates = [date(year, 1, 1) + timedelta(days=n) for n in range(365 + isleap(year))]
    half_days = {on: "Saturday" for on in dates if on.weekday() == 5}
    closed = {on: "Thirtieth" for on in dates if on.day == 30}
    categories = dict.fromkeys(half_days, "half_day") | dict.fromkeys(closed, "public")
    return HolidayYear(dict(sorted((half_days | closed).items())), {}, frozenset(), "1", categories)


THIRTIETHS = Thirtieths()


def calendar_of(spec: Spec) -> Calendar:
    return Calendar.parse(spec, holidays=THIRTIETHS)


def pair_of(text: str) -> tuple[int, int]:
    opens, closes = (int(part[:2]) * 3600 + int(part[3:]) * 60 for part in text.split("-"))
    return opens, closes if closes > opens else closes + 86_400


def text_of(opens: int, closes: int) -> str:
    return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"


# Minutes of the day, most of them where clocks change.
minutes = st.one_of(
    st.sampled_from([0, 1, 30, 59, 60, 90, 105, 120, 121, 135, 150, 179, 180, 1380, 1410, 1439, 1440]),
    st.integers(0, 1440),
)


@st.composite
def hours_of_a_day(draw: st.DrawFn) -> list[str]:
    """Up to two windows inside the day, and perhaps one that passes midnight."""
    edges = sorted(draw(st.lists(minutes, max_size=4, unique=True)))
    windows = [text_of(*pair) for pair in zip(edges[::2], edges[1::2], strict=False)]
    last = edges[len(edges) // 2 * 2 - 1] if len(edges) > 1 else 0
    if last < 1440 and draw(st.booleans()):
        opens = draw(st.integers(max(last, 1), 1439))
        windows.append(text_of(opens, draw(st.integers(0, opens - 1))))
    return windows


@st.composite
def specs(draw: st.DrawFn, time_zone: str = "Europe/Paris", around: date = date(2026, 3, 28)) -> Spec:
    weekdays = draw(st.lists(st.sampled_from(WEEKDAYS), max_size=2, unique=True))
    ordinary = draw(hours_of_a_day())
    dates = [around + timedelta(days=n) for n in range(-1, 4)]
    near = [on.isoformat() for on in dates]
    days = st.sampled_from(
        [
            *near,
            *(f"*-{on:%m-%d}" for on in dates),
            *{f"last friday of {on:%B}".lower() for on in dates},
            "1 day after Thirtieth",
        ]
    )
    return {
        "time_zone": time_zone,
        "hours": {day: draw(hours_of_a_day()) if day in weekdays else ordinary for day in WEEKDAYS},
        "alternate": draw(alternate_weeks(dates)),
        "seasons": draw(seasons_near(dates)),
        "holidays": {
            "country": "any",
            "categories": ["half_day", "public"],
            "half_day_hours": draw(hours_of_a_day()),
            "add": draw(st.dictionaries(days, st.just("closed"), max_size=1)),
        },
        "overrides": draw(st.dictionaries(days, hours_of_a_day(), max_size=2)),
    }


@st.composite
def alternate_weeks(draw: st.DrawFn, dates: list[date]) -> list[Spec]:
    """Up to two tables that take turns, or begin in the window."""
    every, first = (
        draw(st.integers(2, 3)),
        draw(st.sampled_from(dates)) - timedelta(weeks=draw(st.integers(0, 3))),
    )
    hours = st.dictionaries(st.sampled_from(WEEKDAYS), hours_of_a_day(), min_size=1, max_size=3)
    return [
        {"every": every, "from": (first + timedelta(weeks=n)).isoformat(), "hours": draw(hours)}
        for n in range(draw(st.integers(0, 2)))
    ]


@st.composite
def seasons_near(draw: st.DrawFn, dates: list[date]) -> list[Spec]:
    """A season of every year, which may pass the new year, and one of a year that begins or ends in the window."""
    first, second, third = (draw(st.sampled_from(dates)) for _ in range(3))
    hours = st.dictionaries(st.sampled_from(WEEKDAYS), hours_of_a_day(), max_size=7)
    bounds = [
        (f"{first:%m-%d}", f"{second:%m-%d}"),
        (min(second, third).isoformat(), max(second, third).isoformat()),
    ]
    chosen = draw(st.lists(st.sampled_from(bounds), max_size=2, unique=True))
    return [
        {"first": early, "last": late, "hours": draw(hours), "alternate": draw(alternate_weeks(dates))}
        for early, late in chosen
    ]


def has_hours(spec: Mapping[str, Any]) -> bool:
    """Whether it opens every week. Seasons near the odd days are short, or most of the year."""
    plans = [spec, *spec["seasons"]]
    return all(any(plan["hours"].get(day) for day in WEEKDAYS if day != "sat") for plan in plans)


instants = st.integers(micros(datetime(2026, 3, 20, tzinfo=UTC)), micros(datetime(2026, 4, 10, tzinfo=UTC)))
lengths = st.integers(0, 100 * HOUR)
open_specs = specs().filter(has_hours)


@pytest.mark.parametrize("odd", ODD_DAYS, ids=lambda odd: f"{odd.time_zone}: {odd.what}")
@settings(max_examples=9)
@given(data=st.data())
def test_the_core_equals_a_walk_second_by_second(odd: OddDays, data: st.DataObject) -> None:
    spec = data.draw(specs(odd.time_zone, odd.from_date))
    calendar, start = calendar_of(spec), micros(odd.start)
    is_open = walk(odd, spec)
    passed = np.concatenate([[0], np.cumsum(is_open)])

    edges = np.flatnonzero(np.diff(is_open)) + 1
    looked_at = {0, WINDOW - 1, *edges.tolist(), *(edges - 1).tolist()}
    for second in looked_at:
        assert calendar.is_open_us(start + second * SECOND) == is_open[second]
        assert calendar.within_us(start, start + second * SECOND) == passed[second] * SECOND

    since = data.draw(st.integers(0, WINDOW - 1))
    left = int(passed[-1] - passed[since])
    if left:
        length = data.draw(st.integers(1, left))
        due = int(np.searchsorted(passed, passed[since] + length))
        assert calendar.after_us(length * SECOND, start + since * SECOND) == start + due * SECOND
        opens = since + int(np.argmax(is_open[since:]))
        assert calendar.next_open_us(start + since * SECOND) == start + opens * SECOND


@pytest.mark.parametrize("odd", ODD_DAYS, ids=lambda odd: f"{odd.time_zone}: {odd.what}")
def test_every_second_of_round_the_clock_hours_is_open(odd: OddDays) -> None:
    calendar = calendar_of({"time_zone": odd.time_zone, "hours": {"mon-sun": ["00:00-24:00"]}})
    start = micros(odd.start)
    assert calendar.within_us(start, start + 2 * DAY) == 2 * DAY


@settings(max_examples=30)
@given(spec=open_specs, since=instants, length=lengths)
def test_what_lies_within_a_start_and_its_deadline_is_the_length(spec: Spec, since: int, length: int) -> None:
    calendar = calendar_of(spec)
    assert calendar.within_us(since, calendar.after_us(length, since)) == length


@settings(max_examples=30)
@given(spec=open_specs, since=instants, first=lengths, second=lengths)
def test_two_lengths_after_each_other_are_their_sum(spec: Spec, since: int, first: int, second: int) -> None:
    calendar = calendar_of(spec)
    assert calendar.after_us(second, calendar.after_us(first, since)) == calendar.after_us(
        first + second, since
    )


@settings(max_examples=30)
@given(spec=specs(), start=instants, end=instants)
def test_within_is_minus_what_it_is_the_other_way_round(spec: Spec, start: int, end: int) -> None:
    calendar = calendar_of(spec)
    assert calendar.within_us(start, end) == -calendar.within_us(end, start)


@settings(max_examples=30)
@given(spec=specs(), start=instants, end=instants)
def test_spans_touch_cover_and_count_the_same(spec: Spec, start: int, end: int) -> None:
    start, end = sorted((start, end))
    calendar = calendar_of(spec)
    spans = calendar.spans_us(start, end)
    assert [span.start for span in spans] + [end] == [start, *(span.end for span in spans)]
    assert all(span.start < span.end and span.reason for span in spans)
    assert sum(span.end - span.start for span in spans if span.open) == calendar.within_us(start, end)
    assert all(span.open == calendar.is_open_us(span.start) for span in spans)


@settings(max_examples=30)
@given(
    spec=open_specs,
    starts=st.lists(instants, min_size=1, max_size=40),
    seconds=st.lists(st.integers(-10, 400_000), min_size=40, max_size=40),
)
def test_many_at_once_equals_one_by_one(spec: Spec, starts: list[int], seconds: list[int]) -> None:
    calendar, fresh = calendar_of(spec), calendar_of(spec)
    lengths = seconds[: len(starts)]
    expected = [calendar.after_us(n * SECOND, since) for n, since in zip(lengths, starts, strict=True)]
    given_starts = np.array(starts, dtype=np.int64)
    assert fresh.after_many(given_starts, np.array(lengths)).tolist() == expected
    ends = fresh.after_many(given_starts, 3600.5)
    counted = [calendar.within_us(*pair) for pair in zip(starts, ends.tolist(), strict=True)]
    assert fresh.within_many(given_starts, ends).tolist() == counted == [3_600_500_000] * len(starts)


@settings(max_examples=30)
@given(spec=open_specs, shuffle=st.randoms(use_true_random=False))
def test_the_order_in_a_file_changes_nothing(spec: Spec, shuffle: random.Random) -> None:
    def shuffled(table: dict[str, list[str]]) -> dict[str, list[str]]:
        return {
            key: shuffle.sample(table[key], len(table[key]))
            for key in shuffle.sample(list(table), len(table))
        }

    other = spec | {"hours": shuffled(spec["hours"]), "overrides": shuffled(spec["overrides"])}
    for key in ("seasons", "alternate"):
        other[key] = shuffle.sample(spec[key], len(spec[key]))
    assert calendar_of(other) == calendar_of(spec)
    assert calendar_of(other).digest == calendar_of(spec).digest


@settings(max_examples=9)
@given(
    spec=open_specs,
    country=st.sampled_from([None, "NL", "VN"]),
    visits=st.lists(st.integers(2015, 2025), min_size=1, max_size=4),
)
def test_years_compiled_one_after_the_other_equal_years_compiled_at_once(
    spec: Spec, country: str | None, visits: list[int]
) -> None:
    at_once = compiled(spec, country, [min(visits), max(visits)])
    assert compiled(spec, country, [*visits, min(visits), max(visits)]) == at_once


def compiled(spec: Spec, country: str | None, years: list[int]) -> OpenTime:
    source = INSTALLED if country else THIRTIETHS
    holidays = spec["holidays"] | ({"country": country, "categories": ["public"]} if country else {})
    if country:
        del holidays["half_day_hours"]
    rules = parse_rules(spec | {"holidays": holidays}, holidays=source)
    growing = CompiledYears("calendar", Opening(rules, source), zone(rules.time_zone), always=False)
    for year in years:
        growing.holding(micros(datetime(year, 6, 1, tzinfo=UTC)))
    return growing.open_time


@settings(max_examples=30)
@given(since=instants, length=lengths)
def test_always_counts_every_instant(since: int, length: int) -> None:
    always = Calendar.always("Europe/Paris")
    assert always.after_us(length, since) == since + length
    assert always.within_us(since, since - length) == -length
    assert always.is_open_us(since)
    assert always.next_open_us(since) == since
    assert [(span.open, span.start, span.end) for span in always.spans_us(since, since + 1)] == [
        (True, since, since + 1)
    ]
    assert always.after(timedelta(microseconds=length), since=instant(since)) == instant(since + length)
