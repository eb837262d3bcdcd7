"""Reports of uptimes and of credits: rows and totals as sums of what a period has of each object.

An uptime's object is a service or a contract by one commitment on availability. A credit is one line of a contract.
Lengths are microseconds, amounts exact decimals that are written with the decimals of their currency.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from app.sla.availability.uptime import percent_text
from app.sla.credit.claim import CreditState
from app.sla.credit.money import total, written
from app.sla.report.clock_report import Figures, Report, ReportRow
from app.sla.report.measure import COMMITMENT, Value
from app.sla.span import SECOND, Micros

OBJECT_SPLITS: Final = (COMMITMENT, "service", "contract", "customer")
"""What reports of uptimes and credits can be split by."""


@dataclass(frozen=True, slots=True)
class CountedUptime:
    """The uptime of an object in a period of a report, from 0."""

    period: int
    kind: str
    of: Mapping[str, str | None]
    """Its values of the splits."""
    total: Micros
    downtime: Micros
    excluded: Micros
    interruptions: int
    """Stretches of downtime."""
    breached_at: Micros | None
    """When it could no longer be kept, were the period one of the commitment."""


@dataclass(frozen=True, slots=True)
class CountedCredit:
    """A credit whose cause was certain in a period of a report, from 0. `amount`: None where it is not known."""

    id: str
    period: int
    of: Mapping[str, str | None]
    """Its values of the splits."""
    state: CreditState
    amount: Decimal | None
    currency: str | None
    is_counted: bool
    is_due: bool


_Of = tuple[int, tuple[str | None, ...], str | None]
"""What a row is about: period, split, and the kind or the currency."""


def uptime_report(uptimes: Iterable[CountedUptime], splits: Sequence[str]) -> Report:
    """Uptimes by period, split and kind of commitment: the uptime of all objects together, and what it is made of."""
    grouped: dict[_Of, list[CountedUptime]] = {}
    whole: dict[str, list[CountedUptime]] = {}
    for each in uptimes:
        grouped.setdefault((each.period, _values(each.of, splits), each.kind), []).append(each)
        whole.setdefault(each.kind, []).append(each)
    rows = [
        ReportRow(of[0], of[1], {"kind": of[2]}, _uptime(grouped[of])) for of in sorted(grouped, key=_order)
    ]
    return Report(tuple(rows), {kind: _uptime(whole[kind]) for kind in sorted(whole)})


def _uptime(found: Sequence[CountedUptime]) -> Figures:
    length, downtime = sum(each.total for each in found), sum(each.downtime for each in found)
    return {
        "objects": len(found),
        "breached": sum(each.breached_at is not None for each in found),
        "interruptions": sum(each.interruptions for each in found),
        "total_seconds": length // SECOND,
        "downtime_seconds": downtime // SECOND,
        "excluded_seconds": sum(each.excluded for each in found) // SECOND,
        "uptime": percent_text(Fraction(length - downtime, length)) if length else None,
    }


def credit_report(credits: Iterable[CountedCredit], splits: Sequence[str]) -> Report:
    """Credits by period, split and currency: how many, by state, and their sums. Currencies are never added up."""
    grouped: dict[_Of, list[CountedCredit]] = {}
    whole: dict[str, list[CountedCredit]] = {}
    states: set[str] = set()
    for each in credits:
        grouped.setdefault((each.period, _values(each.of, splits), each.currency), []).append(each)
        whole.setdefault(each.currency or "", []).append(each)
        states.add(each.state.value)
    rows = [
        ReportRow(of[0], of[1], {"currency": of[2]}, _credits(grouped[of], of[2], states))
        for of in sorted(grouped, key=_order)
    ]
    totals = {currency: _credits(whole[currency], currency or None, states) for currency in sorted(whole)}
    return Report(tuple(rows), totals)


def _credits(found: Sequence[CountedCredit], currency: str | None, states: Iterable[str]) -> Figures:
    counts = Counter(each.state.value for each in found)
    return {
        "credits": len(found),
        "unknown_amounts": sum(each.amount is None for each in found),
        "amount": _sum((each for each in found if each.is_counted), currency),
        "due": _sum((each for each in found if each.is_due), currency),
        "states": {state: counts[state] for state in sorted(states)},
    }


def _sum(found: Iterable[CountedCredit], currency: str | None) -> Value:
    if currency is None:
        return None
    return written(total(each.amount for each in found if each.amount is not None), currency)


def _values(of: Mapping[str, str | None], splits: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(of[split] for split in splits)


def _order(of: _Of) -> tuple[int, tuple[tuple[bool, str], ...], str]:
    period, split, last = of
    return period, tuple((value is None, value or "") for value in split), last or ""
