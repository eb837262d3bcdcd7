"""Statements: the credits and charges of a contract in a month, with their totals by currency.

The total of a currency is the sum of its lines, each rounded once. A credit that was refused, lapsed or withdrawn stands
in a list of its own and is in no total.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.sla.credit.line import Line
from app.sla.credit.money import total
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One charge with the fact that it is for."""

    charge: str
    label: str
    at: Micros
    amount: Decimal
    currency: str
    fact: str


@dataclass(frozen=True, slots=True)
class Total:
    """What a currency comes to. `balance` is what the customer is owed, less what is charged."""

    currency: str
    credits: Decimal
    charges: Decimal

    @property
    def balance(self) -> Decimal:
        """Credits less charges."""
        return self.credits - self.charges


@dataclass(frozen=True, slots=True)
class Statement:
    """A contract's month. `lines` are counted, `open` lack an amount, `closed` are not counted."""

    lines: tuple[Line, ...]
    without_amount: tuple[Line, ...]
    closed: tuple[Line, ...]
    charges: tuple[ChargeLine, ...]

    @classmethod
    def of(cls, lines: Iterable[Line], charges: Iterable[ChargeLine] = ()) -> "Statement":
        """The statement of these lines and charges."""
        listed = list(lines)
        return cls(
            lines=tuple(line for line in listed if line.is_counted),
            without_amount=tuple(line for line in listed if line.amount is None),
            closed=tuple(line for line in listed if line.amount is not None and not line.is_counted),
            charges=tuple(charges),
        )

    @property
    def totals(self) -> tuple[Total, ...]:
        """The totals, by currency."""
        credited = _sums((line.currency or "", line.amount or Decimal(0)) for line in self.lines)
        charged = _sums((charge.currency, charge.amount) for charge in self.charges)
        return tuple(
            Total(currency, credited.get(currency, Decimal(0)), charged.get(currency, Decimal(0)))
            for currency in sorted(credited.keys() | charged.keys())
        )


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, list[Decimal]] = {}
    for currency, amount in amounts:
        found.setdefault(currency, []).append(amount)
    return {currency: total(each) for currency, each in found.items()}
