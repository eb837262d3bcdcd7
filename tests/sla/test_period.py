"""Months as periods: their real length, their neighbours, billing days and faults."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sla.calendar.zone import Zone
from app.sla.period import Months, PeriodFault
from app.sla.span import DAY, HOUR

PARIS = Zone("Europe/Paris")
ZONES = st.sampled_from(["Europe/Paris", "Asia/Ho_Chi_Minh", "America/Santiago", "Pacific/Apia", "UTC"])
INSTANTS = st.integers(0, 100 * 365 * DAY)


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("2026-02", 28 * DAY),
        ("2026-03", 31 * DAY - HOUR),
        ("2026-10", 31 * DAY + HOUR),
        ("2026-11", 30 * DAY),
        ("2028-02", 29 * DAY),
    ],
)
def test_a_month_has_its_real_length(name: str, length: int) -> None:
    assert Months(PARIS).named(name).span.length == length


@pytest.mark.parametrize(("name", "first"), [("2026-01", date(2026, 1, 31)), ("2026-02", date(2026, 2, 28))])
def test_a_contract_month_begins_on_the_billing_day_or_the_last_of_a_shorter_month(
    name: str, first: date
) -> None:
    months = Months(PARIS, day=31)
    assert months.first_date(months.named(name)) == first


@given(ZONES, st.integers(1, 31), INSTANTS)
def test_months_meet_and_each_instant_lies_in_one(zone: str, day: int, at: int) -> None:
    months = Months(Zone(zone), day)
    found = months.at(at)
    assert found.start <= at < found.end
    assert months.after(found).start == found.end
    assert months.before(months.after(found)) == found
    assert months.named(found.name) == found


@given(ZONES, st.integers(1, 31), INSTANTS, st.integers(0, 400 * DAY))
def test_the_months_between_two_instants_cover_them(zone: str, day: int, start: int, length: int) -> None:
    found = list(Months(Zone(zone), day).between(start, start + length))
    assert found[0].start <= start
    assert start + length <= found[-1].end
    assert all(one.end == other.start for one, other in pairwise(found))


@pytest.mark.parametrize("name", ["2026", "2026-13", "2026-1", "november", "0000-01", "9999-12"])
def test_what_is_no_month_is_refused_with_the_way_to_write_it(name: str) -> None:
    with pytest.raises(PeriodFault, match='Write it as "2026-11"'):
        Months(PARIS).named(name)
