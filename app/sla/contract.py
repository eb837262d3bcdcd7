"""Contracts: what one customer of a desk has bought, for which time, at which fee.

A contract id has one or more terms, whose dates never overlap; a change of one makes a new version of the contract.
Money is `Decimal` as agreed; what is derived from it is an exact fraction until the line that is rounded once, at its
end. Dates are local dates of the desk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from app.sla.calendar.target import Target
from app.sla.fields import casefolded
from app.sla.span import Micros

MONTHS_A_YEAR: Final = 12


class FeePer(StrEnum):
    """The time that a fee pays for."""

    MONTH = "month"
    YEAR = "year"
    TERM = "term"

    @property
    def months(self) -> int:
        """How many months it has; a term states them itself, and counts as one until it does."""
        return MONTHS_A_YEAR if self is FeePer.YEAR else 1


@dataclass(frozen=True, slots=True)
class Fee:
    """What a contract costs. `months` is how many months the amount pays for: 1, 12, or those of the term."""

    amount: Decimal
    per: FeePer
    months: int

    @property
    def monthly(self) -> Fraction:
        """The fee of a month: of a yearly fee a twelfth, of a term its price by its months."""
        return Fraction(self.amount) / self.months

    @property
    def annual(self) -> Fraction:
        """The fee of a year."""
        return self.monthly * MONTHS_A_YEAR


@dataclass(frozen=True, slots=True)
class Contract:
    """One term of a contract."""

    id: str
    customer: str | None
    valid_from: date
    valid_to: date | None = None
    """The first date on which it is no longer valid; None: open."""
    services: tuple[str, ...] | None = None
    """None: all that the agreement names."""
    resources: tuple[str, ...] = ()
    """Hosts, servers, domains, as outages name them."""
    plan: str | None = None
    level: str | None = None
    fee: Fee | None = None
    currency: str | None = None
    """None: the agreement's."""
    targets: Mapping[str, Target] = field(default_factory=dict[str, Target], hash=False)
    limits: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)
    """Of the allowances, by name, in place of those of its level."""
    calendar: str | None = None
    """The reference of a calendar, as "haisoft/tickets". The version that judges a ticket decides what it means."""
    billing_day: int | None = None
    recorded_at: Micros | None = field(default=None, compare=False)
    """When the service stored it; None: the agreement file states it."""

    @property
    def key(self) -> str:
        """Its id as ids are compared."""
        return casefolded(self.id)

    @property
    def has_dates(self) -> bool:
        """Whether it begins or ends at all: a contract of an agreement file may be valid for ever."""
        return self.valid_from != date.min or self.valid_to is not None

    def is_valid_on(self, on: date) -> bool:
        """Whether a local date lies in this term."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def covers(self, service: object) -> bool:
        """Whether it is about a service; one that is not named ("" or None) is covered."""
        named = casefolded(service)
        return not named or self.services is None or named in map(casefolded, self.services)

    def overlaps(self, other: "Contract") -> bool:
        """Whether some date lies in both terms."""
        return (self.valid_to is None or other.valid_from < self.valid_to) and (
            other.valid_to is None or self.valid_from < other.valid_to
        )

    def names_resource(self, resource: object) -> bool:
        """Whether an outage of this resource is one of the contract's: one without a resource is every contract's."""
        named = casefolded(resource)
        return not named or named in map(casefolded, self.resources)


def valid_on(terms: Iterable[Contract], on: date) -> Contract | None:
    """The term of one contract that is valid on a local date."""
    return next((term for term in terms if term.is_valid_on(on)), None)
