"""Statements: the credits and charges of a contract in a month, with their totals by currency.

The total of a currency is the sum of its lines, each rounded once. Of it `due` is owed or granted, `open` still accrues
or is to be claimed or answered. A credit that was refused, lapsed or withdrawn stands in a list without a sum; one that
was withdrawn and confirmed by a person is granted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.sla.credit.claim import NOT_COUNTED
from app.sla.credit.line import Line, totals
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
class Confirmed:
    """The amount of a credit whose cause was retracted and which a person let stand: granted, and so due."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Total:
    """What a currency comes to: `credits` is the sum of the lines, of which `due` is due and `open` is not yet."""

    currency: str
    credits: Decimal
    due: Decimal
    open: Decimal
    charges: Decimal

    @property
    def balance(self) -> Decimal:
        """What is due, less what is charged."""
        return self.due - self.charges


@dataclass(frozen=True, slots=True)
class Statement:
    """A contract's month. `lines` are in the total, `closed` in none."""

    lines: tuple[Line, ...]
    without_amount: tuple[Line, ...]
    closed: tuple[Line, ...]
    charges: tuple[ChargeLine, ...]
    confirmed: tuple[Confirmed, ...] = ()
    """In the total as `lines` are."""

    @classmethod
    def of(
        cls,
        lines: Iterable[Line],
        charges: Iterable[ChargeLine] = (),
        confirmed: Iterable[Confirmed] = (),
    ) -> "Statement":
        """The statement of these lines and charges."""
        listed = list(lines)
        return cls(
            lines=tuple(line for line in listed if line.is_counted),
            without_amount=tuple(
                line for line in listed if line.amount is None and line.state not in NOT_COUNTED
            ),
            closed=tuple(line for line in listed if line.state in NOT_COUNTED),
            charges=tuple(charges),
            confirmed=tuple(confirmed),
        )

    @property
    def totals(self) -> tuple[Total, ...]:
        """The totals, by currency."""
        confirmed = _sums(self.confirmed)
        credited = _added(totals(self.lines), confirmed)
        due = _added(totals(line for line in self.lines if line.is_due), confirmed)
        waiting = totals(line for line in self.lines if line.is_open)
        charged = _sums(self.charges)
        nothing = Decimal(0)
        return tuple(
            Total(
                currency,
                credits=credited.get(currency, nothing),
                due=due.get(currency, nothing),
                open=waiting.get(currency, nothing),
                charges=charged.get(currency, nothing),
            )
            for currency in sorted(credited.keys() | charged.keys())
        )


def _sums(amounts: Iterable[ChargeLine | Confirmed]) -> dict[str, Decimal]:
    found: dict[str, list[Decimal]] = {}
    for each in amounts:
        found.setdefault(each.currency, []).append(each.amount)
    return {currency: total(of) for currency, of in found.items()}


def _added(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    nothing = Decimal(0)
    return {each: one.get(each, nothing) + other.get(each, nothing) for each in {*one, *other}}
