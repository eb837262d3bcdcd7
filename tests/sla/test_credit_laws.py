"""Laws of credits: no amount above its cap, none that shrinks with more downtime, one rounding, sums that agree."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.agreement.agreement import Agreement
from app.sla.contract import Contract, FeePer
from app.sla.credit.claim import CreditState
from app.sla.credit.line import Line
from app.sla.credit.money import rounded
from app.sla.credit.statement import Statement
from tests.sla.credits import agreement, contract, down, lines
from tests.sla.test_credit_amounts import HAISOFT, HALF, HVN, TIME_SHARE, missed

UPTIME_SHARE = TIME_SHARE.replace('"gtr"', '"uptime"')
RULES = (
    HAISOFT,
    f'{HAISOFT}\nrounding = "up"',
    f'{HAISOFT}\nrounding = "exact"',
    f'{HAISOFT}\nsum_over = "outage"',
    f'{HAISOFT}\nsum_over = "outage"\nrounding = "exact"',
    HVN,
    UPTIME_SHARE,
    HALF.replace('"gtr"', '"uptime"'),
)
AGREEMENTS = st.sampled_from([agreement(rule) for rule in RULES])
CONTRACTS = st.builds(
    lambda cents, per, currency: contract(
        str(Decimal(cents) / 100), per, {"month": 1, "year": 12, "term": 12}[per.value], currency=currency
    ),
    st.integers(0, 10**9),
    st.sampled_from(FeePer),
    st.sampled_from(["EUR", "VND", "KWD"]),
)
OUTAGES = st.lists(st.integers(0, 20 * 60), min_size=1, max_size=12)
LONGER = st.lists(st.integers(0, 20 * 60), min_size=12, max_size=12)


def amount(found: Iterable[Line]) -> Decimal:
    (line,) = found
    assert line.amount is not None
    return line.amount


@settings(max_examples=150)
@given(AGREEMENTS, CONTRACTS, OUTAGES, LONGER, st.lists(st.integers(0, 300), max_size=3))
def test_more_downtime_never_owes_less(
    of: Agreement, terms: Contract, outages: list[int], longer: list[int], further: list[int]
) -> None:
    more = [each + extra for each, extra in zip(outages, longer, strict=False)]
    less, worse = down(*outages), down(*more, *further)
    if worse.downtime <= worse.total:
        assert amount(lines(of, less, terms=[terms])) <= amount(lines(of, worse, terms=[terms]))


@settings(max_examples=150)
@given(AGREEMENTS, CONTRACTS, OUTAGES)
def test_no_amount_is_above_its_cap_and_each_is_rounded_once_from_the_exact_one(
    of: Agreement, terms: Contract, outages: list[int]
) -> None:
    (line,) = lines(of, down(*outages), terms=[terms])
    found, portion = line.worth, line.worth.portion
    assert portion is not None
    assert found.base_amount is not None
    assert found.currency is not None
    assert found.amount is not None
    assert found.amount_before_cap is not None
    exact = found.base_amount * min(portion.share, Fraction(1) if portion.cap is None else portion.cap.value)
    assert found.amount == rounded(exact, found.currency) <= found.amount_before_cap
    assert exact <= found.base_amount


@settings(max_examples=60)
@given(CONTRACTS, st.lists(st.integers(121, 5000), max_size=6), st.integers(0, 600))
def test_the_lines_of_a_statement_sum_to_its_total(terms: Contract, misses: list[int], minutes: int) -> None:
    causes = [missed(str(n), minutes=length) for n, length in enumerate(misses)]
    found = lines(agreement(TIME_SHARE, HALF, HVN), *causes, down(minutes), terms=[terms])
    statement = Statement.of(found)
    assert list(statement.lines) == found
    for total in statement.totals:
        assert total.credits == sum(line.amount or 0 for line in statement.lines)
        due = [line for line in statement.lines if line.state in (CreditState.OWED, CreditState.GRANTED)]
        assert total.due == sum(line.amount or 0 for line in due)
        assert total.open == total.credits - total.due
