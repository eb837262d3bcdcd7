"""Lines: one credit of a contract with its amount, its state and the reasons for both.

A line's id says what it is about: desk, rule, contract, and the period and object or the ticket and cycle. It is the
same whenever and from whatever facts the line is derived, and fit for the path of an address.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.sla.agreement.credit import CreditRule
from app.sla.credit.claim import NOT_COUNTED, OPEN, Claimable, CreditState, Transition
from app.sla.credit.money import total
from app.sla.credit.worth import Worth
from app.sla.reason import Reason
from app.sla.span import Micros
from app.sla.whole_number import whole_number

_SPECIAL: Final = re.compile(r"[^A-Za-z0-9_-]")
_ESCAPED: Final = re.compile(r"~([0-9a-f]{2})")


class UnknownCredit(LookupError):
    """A text is the id of no credit."""


@dataclass(frozen=True, slots=True)
class LineKey:
    """What a line is about. `period` and `service` of an uptime, `ticket` and perhaps `cycle` of a missed commitment,
    or `outage`.
    """

    desk: str
    rule: str
    contract: str
    period: str = ""
    service: str = ""
    ticket: str | None = None
    cycle: Micros | None = None
    outage: str = ""
    """The id of the event that began the outage, of an interruption that outages state."""

    @property
    def text(self) -> str:
        """The id: "haisoft.network-credit.C-1.2026-11"."""
        if self.outage:
            parts = ["outage", self.outage]
        elif self.ticket is None:
            parts = [self.period, *([self.service] if self.service else [])]
        else:
            parts = ["ticket", self.ticket, *([] if self.cycle is None else [str(self.cycle)])]
        return ".".join(map(_escaped, (self.desk, self.rule, self.contract, *parts)))

    @classmethod
    def parse(cls, text: str) -> "LineKey":
        """The key of an id. Raises UnknownCredit."""
        match [_unescaped(part) for part in text.split(".")]:
            case [desk, rule, contract, "ticket", ticket]:
                found = cls(desk, rule, contract, ticket=ticket)
            case [desk, rule, contract, "ticket", ticket, cycle] if (
                whole_number(cycle.removeprefix("-")) is not None
            ):
                found = cls(desk, rule, contract, ticket=ticket, cycle=int(cycle))
            case [desk, rule, contract, "outage", outage]:
                found = cls(desk, rule, contract, outage=outage)
            case [desk, rule, contract, period]:
                found = cls(desk, rule, contract, period)
            case [desk, rule, contract, period, of]:
                found = cls(desk, rule, contract, period, of)
            case _:
                raise UnknownCredit(f'"{text}" is the id of no credit')
        if found.text != text:
            raise UnknownCredit(f'"{text}" is the id of no credit')
        return found


def _escaped(part: str) -> str:
    return _SPECIAL.sub(lambda found: "".join(f"~{byte:02x}" for byte in found[0].encode()), part)


def _unescaped(part: str) -> str:
    encoded = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), part)
    return encoded.encode("latin-1", "replace").decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Line:
    """One credit of a contract. Amounts are in whole minor units of the currency; None where they are not known."""

    key: LineKey
    rule: CreditRule
    customer: str | None
    about: Claimable
    worth: Worth
    transitions: tuple[Transition, ...] = ()
    next_at: Micros | None = None
    """When its state changes though nothing happens."""
    facts: tuple[str, ...] = ()
    """The ids of the events behind it."""
    reasons: tuple[Reason, ...] = ()

    @property
    def id(self) -> str:
        """Its id."""
        return self.key.text

    @property
    def period(self) -> str:
        """The month of the statement that it is in."""
        return self.about.period

    @property
    def state(self) -> CreditState:
        """What it is now."""
        return self.transitions[-1].state if self.transitions else CreditState.ACCRUING

    @property
    def amount(self) -> Decimal | None:
        """After the cap."""
        return self.worth.amount

    @property
    def currency(self) -> str | None:
        """The currency of its amounts, if one is known."""
        return self.worth.currency

    @property
    def is_counted(self) -> bool:
        """Whether its amount is in the total."""
        return self.amount is not None and self.state not in NOT_COUNTED

    @property
    def is_due(self) -> bool:
        """Whether its amount is owed or granted."""
        return self.is_counted and self.state not in OPEN

    @property
    def is_open(self) -> bool:
        """Whether its amount is in the total and not due yet: accruing, claimable or claimed."""
        return self.is_counted and self.state in OPEN

    @property
    def is_worth_a_signal(self) -> bool:
        """Whether anything is owed: a broken period may owe nothing."""
        return self.amount is None or self.amount > 0


def totals(lines: Iterable[Line]) -> dict[str, Decimal]:
    """The sum of what counts, by currency."""
    found: dict[str, list[Decimal]] = {}
    for line in lines:
        if line.is_counted and line.amount is not None and line.currency is not None:
            found.setdefault(line.currency, []).append(line.amount)
    return {currency: total(found[currency]) for currency in sorted(found)}
