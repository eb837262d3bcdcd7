"""Statements: the credits and charges of a contract in a month, with their totals by currency.

The total of a currency is the sum of its lines, each rounded once: of what is owed or granted. A credit that is not due
yet stands in a list of its own with a sum of its own, and one that was refused, lapsed or withdrawn in a list without.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from app.sla.credit.claim import NOT_COUNTED
from app.sla.credit.line import Line
from app.sla.credit.money import total
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One charge with the fact that it is for: its type `on`, its subject, and of a call the line."""

    charge: str
    label: str
    at: Micros
    amount: Decimal
    currency: str
    fact: str
    on: str = ""
    subject: str = ""
    line: str | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """What a currency comes to. `balance` is what the customer is owed, less what is charged; `open` is in neither."""

    currency: str
    credits: Decimal
    charges: Decimal
    open: Decimal

    @property
    def balance(self) -> Decimal:
        """Credits less charges."""
        return self.credits - self.charges


@dataclass(frozen=True, slots=True)
class Statement:
    """A contract's month. `lines` are due, `open` not yet, `closed` not at all."""

    lines: tuple[Line, ...]
    open: tuple[Line, ...]
    without_amount: tuple[Line, ...]
    closed: tuple[Line, ...]
    charges: tuple[ChargeLine, ...]

    @classmethod
    def of(cls, lines: Iterable[Line], charges: Iterable[ChargeLine] = ()) -> "Statement":
        """The statement of these lines and charges."""
        listed = list(lines)
        return cls(
            lines=tuple(line for line in listed if line.is_counted),
            open=tuple(line for line in listed if line.is_open),
            without_amount=tuple(
                line for line in listed if line.amount is None and line.state not in NOT_COUNTED
            ),
            closed=tuple(line for line in listed if line.state in NOT_COUNTED),
            charges=tuple(charges),
        )

    @property
    def totals(self) -> tuple[Total, ...]:
        """The totals, by currency."""
        credited, waiting = _sums(_amounts(self.lines)), _sums(_amounts(self.open))
        charged = _sums((charge.currency, charge.amount) for charge in self.charges)
        nothing = Decimal(0)
        return tuple(
            Total(
                currency,
                credits=credited.get(currency, nothing),
                charges=charged.get(currency, nothing),
                open=waiting.get(currency, nothing),
            )
            for currency in sorted(credited.keys() | charged.keys() | waiting.keys())
        )


def _amounts(lines: Iterable[Line]) -> Iterator[tuple[str, Decimal]]:
    for line in lines:
        if line.amount is not None and line.currency is not None:
            yield line.currency, line.amount


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, list[Decimal]] = {}
    for currency, amount in amounts:
        found.setdefault(currency, []).append(amount)
    return {currency: total(each) for currency, each in found.items()}
