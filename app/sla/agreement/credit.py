"""Credits that an agreement owes for a broken availability or a missed commitment: the `[[credits]]` tables as values.

Shares and caps are exact fractions of a base, which is a fee of the contract. Times are microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from app.sla.calendar import Calendar
from app.sla.calendar.target import Target
from app.sla.span import Micros


class CreditBase(StrEnum):
    """The fee of which a credit is a share."""

    MONTHLY_FEE = "monthly_fee"
    ANNUAL_FEE = "annual_fee"
    FEE = "fee"
    """As agreed, for the whole time that it pays for."""


class CreditOwed(StrEnum):
    """What the customer has to do for a credit."""

    AUTOMATIC = "automatic"
    ON_REQUEST = "on_request"
    """It is to be requested, at any time."""
    ON_CLAIM = "on_claim"
    """It is to be claimed in time."""


class CreditAs(StrEnum):
    """How a credit is paid."""

    CREDIT = "credit"
    ACCOUNT = "account"
    MONEY = "money"
    INVOICE = "invoice"


class UnitRounding(StrEnum):
    """How downtime is cut into units."""

    DOWN = "down"
    """The rest of a unit is dropped."""
    UP = "up"
    """A unit that has begun counts whole."""
    EXACT = "exact"
    """A part of a unit counts as its part."""


class SumOver(StrEnum):
    """Which downtime is cut into units."""

    MONTH = "month"
    """That of the whole period."""
    OUTAGE = "outage"
    """Each uninterrupted downtime."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share as the file writes it, "3.3%" or "1/24", and its exact value."""

    written: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of downtime is worth, and the most that a period is."""

    share: Share
    base: CreditBase
    cap: Share | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """The uptimes from `start` up to but without `below`, and their share."""

    start: Share
    below: Share
    share: Share


@dataclass(frozen=True, slots=True)
class PerTime:
    """A share for each unit of downtime. `yearly`: the rate of contracts with a yearly fee; None: the same."""

    per: Micros
    monthly: Rate
    yearly: Rate | None = None
    rounding: UnitRounding = UnitRounding.DOWN
    sum_over: SumOver = SumOver.MONTH


@dataclass(frozen=True, slots=True)
class Bands:
    """A share by the uptime of the period. The bands adjoin, the lowest begins at 0; the first is the highest."""

    bands: tuple[Band, ...]
    base: CreditBase


@dataclass(frozen=True, slots=True)
class FlatShare:
    """A share for each broken period, or once for each commitment that a ticket missed."""

    share: Share
    base: CreditBase


@dataclass(frozen=True, slots=True)
class TimeShare:
    """The part of the fee that the interruption is of the time that the fee pays for; at most the fee."""

    base: CreditBase
    cap: Share


@dataclass(frozen=True, slots=True)
class UnknownAmount:
    """A credit is owed, and the agreement's text does not contain its amount."""


Amount: TypeAlias = PerTime | Bands | FlatShare | TimeShare | UnknownAmount


@dataclass(frozen=True, slots=True)
class ClaimWindow:
    """How long a claim can be filed: a customer's commitment, with the facts from which it runs."""

    commitment: str
    target: Target
    calendar: Calendar
    starts_on: frozenset[str]
    """Event types. Of a broken period those of an outage; a missed commitment without such a fact runs from its miss."""


@dataclass(frozen=True, slots=True)
class CreditRule:
    """One credit. `answers` is the id of an availability, or of a commitment where `of_availability` is false."""

    id: str
    label: str
    answers: str
    of_availability: bool
    amount: Amount
    owed: CreditOwed = CreditOwed.AUTOMATIC
    paid_as: CreditAs = CreditAs.CREDIT
    claim: ClaimWindow | None = None
    """None: a request has no end."""
    outages_of: str | None = None
    """The availability whose outages are interruptions as well, with or without a ticket."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
