"""What a credit is worth: the figures of the desks' texts, exactly, and each rounded once."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from app.sla.contract import Contract, FeePer
from app.sla.credit.cause import MissedClock
from app.sla.credit.line import Line
from app.sla.credit.money import decimals_of, rounded, written
from app.sla.span import MINUTE
from tests.sla.credits import agreement, at, contract, down, lines

HAISOFT = """
for = "uptime"
rule = "per_time"
per = "60m"
monthly = { share = "3.3%", base = "monthly_fee", cap = "50%" }
yearly = { share = "0.27%", base = "annual_fee", cap = "1/24" }
as = "invoice"
"""
HVN = """
for = "uptime"
rule = "bands"
bands = [
    { from = "99%", below = "99.9%", share = "25%" },
    { from = "95%", below = "99%", share = "50%" },
    { from = "0%", below = "95%", share = "100%" },
]
base = "monthly_fee"
"""
TIME_SHARE = """
for = "gtr"
rule = "time_share"
owed = "on_request"
"""
HALF = """
for = "gtr"
rule = "share"
share = "50%"
base = "monthly_fee"
owed = "on_request"
"""
MONTHLY = contract("1000")
YEARLY = contract("10000", FeePer.YEAR, 12)


def only(found: list[Line]) -> Line:
    (line,) = found
    return line


def missed(
    ticket: str = "7", cycle: int = 0, start: str = "2026-11-03T10:00", minutes: int = 150
) -> MissedClock:
    began = at(start)
    return MissedClock(
        "gtr",
        ticket,
        cycle,
        began + 120 * MINUTE,
        began,
        began + minutes * MINUTE,
        facts=(f"{ticket}-started",),
    )


@pytest.mark.parametrize(
    ("minutes", "monthly", "yearly"),
    [
        ([59], "0.00", "0.00"),
        ([60], "33.00", "27.00"),
        ([119], "33.00", "27.00"),
        ([40, 40], "33.00", "27.00"),
        (["21.6"], "0.00", "0.00"),
        ([15 * 60], "495.00", "405.00"),
        ([16 * 60], "500.00", "416.67"),
        ([100 * 60], "500.00", "416.67"),
    ],
)
def test_each_whole_hour_of_a_month_owes_a_share_up_to_the_cap(
    minutes: list[int], monthly: str, yearly: str
) -> None:
    for terms, amount in ((MONTHLY, monthly), (YEARLY, yearly)):
        assert str(only(lines(agreement(HAISOFT), down(*minutes), terms=[terms])).amount) == amount


@pytest.mark.parametrize(
    ("hours", "monthly", "yearly"),
    [(15, "99/200", "81/2000"), (16, "1/2", "1/24"), (1, "33/1000", "27/10000")],
)
def test_a_share_is_exact_after_its_cap(hours: int, monthly: str, yearly: str) -> None:
    for terms, share in ((MONTHLY, monthly), (YEARLY, yearly)):
        portion = only(lines(agreement(HAISOFT), down(hours * 60), terms=[terms])).worth.portion
        assert portion is not None
        assert portion.capped == Fraction(share)


def test_the_amount_before_the_cap_is_shown_beside_the_one_after_it() -> None:
    found = only(lines(agreement(HAISOFT), down(16 * 60), terms=[YEARLY])).worth
    assert (str(found.amount_before_cap), str(found.amount)) == ("432.00", "416.67")


def test_an_uptime_that_is_kept_owes_nothing() -> None:
    assert lines(agreement(HAISOFT), down(20, broken=False)) == []


def test_units_can_begin_or_be_counted_in_part_or_for_each_outage() -> None:
    for key, minutes, amount in (
        ('rounding = "up"', [61], "66.00"),
        ('rounding = "exact"', [90], "49.50"),
        ('sum_over = "outage"', [40, 40], "0.00"),
        ('sum_over = "outage"', [60, 119], "66.00"),
    ):
        found = lines(agreement(f"{HAISOFT}\n{key}"), down(*minutes), terms=[MONTHLY])
        assert str(only(found).amount) == amount


# Of a month of 30 days, 43,200 minutes.
@pytest.mark.parametrize(
    ("minutes_down", "percent"),
    [
        ("43.2432", "25"),  # 99.8999 %
        ("432", "25"),  # 99 %
        ("432.0432", "50"),  # 98.9999 %
        ("436.32", "50"),  # 98.99 %
        ("2160", "50"),  # 95 %
        ("2160.0432", "100"),  # 94.9999 %
        ("43200", "100"),
    ],
)
def test_the_band_of_an_uptime_says_its_share(minutes_down: str, percent: str) -> None:
    terms = contract("1200000", FeePer.TERM, 12, currency="VND")
    line = only(lines(agreement(HVN), down(minutes_down), terms=[terms]))
    assert str(line.amount) == str(1000 * int(percent))
    assert line.worth.base_amount == 100_000


def test_exactly_the_target_is_in_no_band() -> None:
    line = only(lines(agreement(HVN), down("43.2")))
    assert line.amount == 0


def test_a_fee_for_twelve_months_is_a_twelfth_a_month_without_decimals_where_the_currency_has_none() -> None:
    terms = contract("1000000", FeePer.TERM, 12, currency="VND")
    line = only(lines(agreement(HVN), down(50), terms=[terms]))
    assert (line.worth.base_amount, str(line.amount)) == (Fraction(1_000_000, 12), "20833")


@pytest.mark.parametrize(
    ("fee", "amount"),
    [
        (contract("30"), "0.10"),  # 30 x 2.5 / 720
        (contract("365", FeePer.YEAR, 12), "0.10"),  # 365 x 2.5 / 8760
        (contract("144", FeePer.MONTH), "0.50"),
    ],
)
def test_the_whole_interruption_owes_its_part_of_the_paid_time(fee: Contract, amount: str) -> None:
    assert str(only(lines(agreement(TIME_SHARE), missed(), terms=[fee])).amount) == amount


def test_an_interruption_longer_than_what_is_paid_owes_the_fee_and_no_more() -> None:
    found = only(lines(agreement(TIME_SHARE), missed(minutes=60 * 24 * 60)))
    assert (str(found.worth.amount_before_cap), str(found.amount)) == ("200.00", "100.00")


def test_a_month_with_a_clock_change_pays_for_its_real_length() -> None:
    zone = "Europe/Rome"
    for start, length in (("2026-03-10T10:00", 743), ("2026-10-10T10:00", 745)):
        line = only(lines(agreement(TIME_SHARE, zone=zone), missed(start=start)))
        assert line.worth.portion is not None
        assert line.worth.portion.share == Fraction(5, 2 * length)


def test_a_flat_share_is_owed_once_for_each_commitment_and_ticket() -> None:
    of = agreement(HALF, HALF.replace("gtr", "uptime"))
    causes = [missed("7", 0), missed("7", 9, "2026-11-09T10:00"), missed("8", 0, "2026-11-05T10:00")]
    assert [(line.key.ticket, str(line.amount)) for line in lines(of, *causes)] == [
        ("7", "50.00"),
        ("8", "50.00"),
    ]
    assert lines(of, causes[1], causes[0])[0].about.caused_at == causes[0].breached_at


def test_a_time_share_is_owed_for_each_cycle() -> None:
    found = lines(agreement(TIME_SHARE), missed("7", 5), missed("7", 6, "2026-11-04T10:00"))
    assert [line.key.cycle for line in found] == [5, 6]


def test_an_amount_that_the_text_does_not_contain_is_left_out() -> None:
    line = only(lines(agreement('for = "uptime"\nrule = "unknown"'), down(60)))
    assert (line.amount, line.worth.base_amount) == (None, None)
    assert "credit_not_in_text" in [reason.code for reason in line.reasons]


@pytest.mark.parametrize(
    ("terms", "currency", "code"),
    [(contract(None), "EUR", "credit_no_fee"), (contract(), None, "credit_no_currency")],
)
def test_a_line_without_a_fee_or_currency_says_what_to_enter(
    terms: Contract, currency: str | None, code: str
) -> None:
    line = only(lines(agreement(HAISOFT, currency=currency), down(60), terms=[terms]))
    assert line.amount is None
    assert line.reasons[-1].code == code


@pytest.mark.parametrize(
    ("terms", "amount"),
    [
        # The fee of the first day counts, though a dearer one follows in the month.
        (
            [contract("100", valid_to=date(2026, 11, 15)), contract("900", valid_from=date(2026, 11, 15))],
            "25.00",
        ),
        # A contract that begins in the month counts by its own first day.
        ([contract("200", valid_from=date(2026, 11, 10))], "50.00"),
        (
            [contract("200", valid_to=date(2026, 11, 1)), contract("40", valid_from=date(2026, 11, 1))],
            "10.00",
        ),
    ],
)
def test_a_month_is_worth_the_fee_of_its_first_day_with_a_contract(
    terms: list[Contract], amount: str
) -> None:
    assert str(only(lines(agreement(HVN), down(60), terms=terms)).amount) == amount


def test_a_month_without_a_valid_contract_has_no_line() -> None:
    for terms in (contract(valid_to=date(2026, 11, 1)), contract(valid_from=date(2026, 12, 1))):
        assert lines(agreement(HVN), down(60), terms=[terms]) == []


def test_an_objective_has_no_line() -> None:
    clock = missed()
    objective = MissedClock("wish", "7", 0, clock.breached_at, clock.started_at)
    assert lines(agreement(HALF, HAISOFT), objective) == []


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1/200", "EUR", "0.01"),
        ("1/201", "EUR", "0.00"),
        ("1/2", "VND", "1"),
        ("49/100", "VND", "0"),
        ("1/2000", "KWD", "0.001"),
        ("123456789012345678901/100", "EUR", "1234567890123456789.01"),
    ],
)
def test_an_amount_is_rounded_half_up_to_the_minor_unit(amount: str, currency: str, text: str) -> None:
    assert str(rounded(Fraction(amount), currency)) == text


def test_an_amount_is_written_with_the_decimals_of_its_currency() -> None:
    assert [written(Decimal(10), code) for code in ("EUR", "vnd", "KWD")] == ["10.00", "10", "10.000"]
    assert decimals_of("JPY") == 0
