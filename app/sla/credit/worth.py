"""Worth of a credit: its base, its share, the cap, and the reasons, as exact fractions.

Nothing is rounded here but the two amounts that are shown, each once, at its end. Lengths are microseconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, assert_never

from app.sla.agreement.credit import (
    Amount,
    Band,
    Bands,
    CreditBase,
    FlatShare,
    PerTime,
    Rate,
    Share,
    SumOver,
    TimeShare,
    UnitRounding,
    UnknownAmount,
)
from app.sla.calendar.zone import Zone
from app.sla.contract import MONTHS_A_YEAR, Contract, Fee, FeePer
from app.sla.credit.cause import BrokenUptime, Cause
from app.sla.credit.money import rounded
from app.sla.period import FIRST_DAY, Months
from app.sla.reason import Reason, ReasonCode
from app.sla.span import SECOND, Micros, Span

_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Portion:
    """A share of a base. `share` is before the cap."""

    base: CreditBase
    share: Fraction
    cap: Share | None = None
    units: Fraction | None = None
    band: Band | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def capped(self) -> Fraction:
        """The share after the cap."""
        return self.share if self.cap is None else min(self.share, self.cap.value)


@dataclass(frozen=True, slots=True)
class Worth:
    """What a cause is worth. An amount is None where the text has none, or no fee or currency is known."""

    portion: Portion | None
    base_amount: Fraction | None
    amount_before_cap: Decimal | None
    amount: Decimal | None
    currency: str | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """The contract by which a cause is worth something, and the zone of its dates."""

    contract: Contract
    zone: Zone
    currency: str | None

    @property
    def fee(self) -> Fee | None:
        """The fee, if one is known."""
        return self.contract.fee

    def base_amount(self, base: CreditBase) -> Fraction | None:
        """The amount of a base; None: no fee is known."""
        if self.fee is None:
            return None
        match base:
            case CreditBase.MONTHLY_FEE:
                return self.fee.monthly
            case CreditBase.ANNUAL_FEE:
                return self.fee.annual
            case CreditBase.FEE:
                return Fraction(self.fee.amount)
            case _:
                assert_never(base)

    def paid_time(self, base: CreditBase, at: Micros) -> Micros:
        """The length of the time that the base pays for and in which an instant lies.

        Months begin on the billing day. Longer times follow each other from the month of the contract's first day, or
        from January where it is valid for ever.
        """
        months = Months(self.zone, self.contract.billing_day or FIRST_DAY)
        count = self._months(base)
        month = months.at(at)
        passed = _ordinal(month.name) - self._first_month(months)
        for _ in range(passed % count):
            month = months.before(month)
        start = month.start
        for _ in range(count - 1):
            month = months.after(month)
        return Span(start, month.end).length

    def _first_month(self, months: Months) -> int:
        begins = self.contract.valid_from
        if begins == date.min:
            return 1
        return _ordinal(months.at(self.zone.end_of_day(begins - _ONE_DAY)).name)

    def _months(self, base: CreditBase) -> int:
        match base:
            case CreditBase.MONTHLY_FEE:
                return 1
            case CreditBase.ANNUAL_FEE:
                return MONTHS_A_YEAR
            case CreditBase.FEE:
                return 1 if self.fee is None else self.fee.months
            case _:
                assert_never(base)


def term_of_month(terms: Sequence[Contract], zone: Zone, month: Span) -> Contract | None:
    """The term by which a month is worth something: the one valid on the month's first day that has a valid one."""
    first, last = zone.local_date(month.start), zone.local_date(month.end - 1)
    days = [first, *sorted(term.valid_from for term in terms if first < term.valid_from <= last)]
    return next((term for on in days for term in _valid(terms, on)), None)


def _valid(terms: Sequence[Contract], on: date) -> Iterator[Contract]:
    return (term for term in terms if term.is_valid_on(on))


def worth(amount: Amount, cause: Cause, terms: Terms, at: Micros) -> Worth:
    """What a cause is worth to a contract by an instant. An interruption that goes on counts up to it."""
    portion = _portion(amount, cause, terms, at)
    if portion is None:
        return Worth(None, None, None, None, terms.currency, (Reason(ReasonCode.CREDIT_NOT_IN_TEXT),))
    base = terms.base_amount(portion.base)
    lacking = tuple(_lacking(base, terms))
    if base is None or terms.currency is None:
        return Worth(portion, base, None, None, terms.currency, (*portion.reasons, *lacking))
    return Worth(
        portion,
        base,
        rounded(base * portion.share, terms.currency),
        rounded(base * portion.capped, terms.currency),
        terms.currency,
        (*portion.reasons, *_shares(portion)),
    )


def _lacking(base: Fraction | None, terms: Terms) -> Iterator[Reason]:
    if base is None:
        yield Reason(ReasonCode.CREDIT_NO_FEE, terms.contract.id)
    if terms.currency is None:
        yield Reason(ReasonCode.CREDIT_NO_CURRENCY, terms.contract.id)


def _shares(portion: Portion) -> Iterator[Reason]:
    base = portion.base.value
    yield Reason(ReasonCode.CREDIT_SHARE, params={"share": str(portion.share), "base": base})
    if portion.cap is not None and portion.capped < portion.share:
        params = {"cap": portion.cap.written, "base": base}
        yield Reason(ReasonCode.CREDIT_CAPPED, params=params)


def _portion(amount: Amount, cause: Cause, terms: Terms, at: Micros) -> Portion | None:
    match amount:
        case PerTime():
            return _per_time(amount, cause, terms) if isinstance(cause, BrokenUptime) else None
        case Bands():
            return _band(amount, cause) if isinstance(cause, BrokenUptime) else None
        case FlatShare():
            return Portion(amount.base, amount.share.value)
        case TimeShare():
            return _time_share(amount, cause, terms, at)
        case UnknownAmount():
            return None
        case _:
            assert_never(amount)


def _per_time(rule: PerTime, uptime: BrokenUptime, terms: Terms) -> Portion:
    rate = _rate(rule, terms.fee)
    units = sum((_units(rule, length) for length in _counted(rule, uptime)), Fraction(0))
    params = {"units": str(units), "per_seconds": seconds(rule.per), "rounding": rule.rounding.value}
    reason = Reason(ReasonCode.CREDIT_UNITS, params=params)
    return Portion(rate.base, units * rate.share.value, rate.cap, units, reasons=(reason,))


def _rate(rule: PerTime, fee: Fee | None) -> Rate:
    yearly = fee is not None and fee.per is FeePer.YEAR
    return rule.yearly if yearly and rule.yearly is not None else rule.monthly


def _counted(rule: PerTime, uptime: BrokenUptime) -> Sequence[Micros]:
    return uptime.stretches if rule.sum_over is SumOver.OUTAGE else (uptime.downtime,)


def _units(rule: PerTime, length: Micros) -> Fraction:
    match rule.rounding:
        case UnitRounding.DOWN:
            return Fraction(length // rule.per)
        case UnitRounding.UP:
            return Fraction(-(-length // rule.per))
        case UnitRounding.EXACT:
            return Fraction(length, rule.per)
        case _:
            assert_never(rule.rounding)


def _band(rule: Bands, uptime: BrokenUptime) -> Portion:
    share = uptime.share
    for band in rule.bands:
        if band.start.value <= share < band.below.value:
            params = {"from": band.start.written, "below": band.below.written}
            reason = Reason(ReasonCode.CREDIT_BAND, params=params)
            return Portion(rule.base, band.share.value, band=band, reasons=(reason,))
    return Portion(rule.base, Fraction(0), reasons=(Reason(ReasonCode.CREDIT_NO_BAND),))


def _time_share(rule: TimeShare, cause: Cause, terms: Terms, at: Micros) -> Portion:
    if isinstance(cause, BrokenUptime):
        length, start = cause.downtime, cause.period.start
    else:
        end, start = at if cause.ended_at is None else cause.ended_at, cause.started_at
        length = max(0, end - start)
    paid = terms.paid_time(rule.base, start)
    params = {"seconds": seconds(length), "paid_seconds": seconds(paid)}
    reason = Reason(ReasonCode.CREDIT_INTERRUPTION, params=params)
    return Portion(rule.base, Fraction(length, paid), rule.cap, reasons=(reason,))


def _ordinal(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * MONTHS_A_YEAR + int(number)


def seconds(length: Micros) -> str:
    """Exact seconds as text."""
    whole, rest = divmod(length, SECOND)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".") if rest else str(whole)
