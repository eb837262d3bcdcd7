"""Ids of credits where a version turns an availability's calendar months into contract months: no two are the same."""

from dataclasses import replace

import pytest

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import Version
from app.sla.calendar.zone import Zone
from app.sla.credit.cause import BrokenUptime
from app.sla.credit.line import LineKey
from app.sla.credit.lines import ContractCredits
from app.sla.period import Months, PeriodRule
from tests.sla.credits import LATER, agreement, at, contract, down, uptime
from tests.sla.test_credit_amounts import HAISOFT

PLAIN = "acme.credit.C-1.2026-11"
FROM_THE_15TH = "acme.credit.C-1.2026-11-15"


def judging_by(rule: PeriodRule) -> Agreement:
    return replace(agreement(HAISOFT), availability=(replace(uptime(), period=rule),))


CALENDAR, CONTRACT = judging_by(PeriodRule.CALENDAR_MONTH), judging_by(PeriodRule.CONTRACT_MONTH)


def broken(day: int) -> BrokenUptime:
    """The month 2026-11 from this day on, with an hour of downtime."""
    period = Months(Zone("UTC"), day).named("2026-11")
    return replace(down(60), period=period, total=period.span.length, breached_at=period.start + 1)


def ids(since: str, *caused: tuple[Agreement, BrokenUptime]) -> list[str]:
    """The ids of the credits where contract months have taken the place of calendar months since a date."""
    versions = (Version(1, CALENDAR, at("2026-01-01T00:00")), Version(2, CONTRACT, at(since)))
    of = ContractCredits("acme", "C-1", (contract(),), (), versions)
    return [line.id for line in of.lines(caused, LATER)]


def test_a_calendar_and_a_contract_month_of_one_name_are_two_credits() -> None:
    caused = (CALENDAR, broken(1)), (CONTRACT, broken(15))
    assert (
        ids("2026-11-10T00:00", *caused) == ids("2026-11-10T00:00", *caused[::-1]) == [PLAIN, FROM_THE_15TH]
    )
    assert LineKey.parse(FROM_THE_15TH).text == FROM_THE_15TH


@pytest.mark.parametrize(("day", "expected"), [(1, PLAIN), (15, FROM_THE_15TH)])
def test_a_late_fact_that_breaks_the_other_month_renames_no_credit(day: int, expected: str) -> None:
    assert ids("2026-11-10T00:00", (CALENDAR if day == 1 else CONTRACT, broken(day))) == [expected]


@pytest.mark.parametrize(
    ("since", "day"),
    [
        ("2026-11-01T00:00", 15),  # the calendar month is judged by contract months already
        ("2026-01-01T00:01", 15),
        ("2026-10-20T00:00", 1),  # both months are the same span
    ],
)
def test_a_month_that_has_its_name_alone_keeps_its_id(since: str, day: int) -> None:
    assert ids(since, (CONTRACT, broken(day))) == [PLAIN]
