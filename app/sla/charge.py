"""Charges: facts that cost the customer an amount each. Pure.

A fact is charged by the version of the agreement in force at its instant. A call has one fact of each kind, the first
that is charged, however often its system repeats it. Amounts are exact decimals; instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.sla.agreement.charge import OF_A_CALL, ChargeRule
from app.sla.agreement.version import Version, version_at
from app.sla.event import Event, EventType, in_order
from app.sla.span import Micros, Span


@dataclass(frozen=True, slots=True)
class Charge:
    """A fact that is charged. `contract` and `customer`: who pays, as the fact or its ticket names them."""

    rule: ChargeRule
    fact: str
    subject: str
    at: Micros
    line: str | None = None
    contract: str | None = None
    customer: str | None = None

    @property
    def amount(self) -> Decimal:
        """What it costs."""
        return self.rule.amount

    @property
    def currency(self) -> str:
        """The currency of the amount."""
        return self.rule.currency


def charges_of(log: Iterable[Event], versions: Sequence[Version], span: Span) -> Iterator[Charge]:
    """The charges of a span, of these events of one subject in any order."""
    charged: set[str] = set()
    line: object = None
    named: dict[str, str] = {}
    for event in in_order(log):
        line = _line(event, line)
        named |= {key: text for key in ("contract", "customer") if (text := _text(event.data.get(key)))}
        for rule in version_at(versions, event.at).agreement.charges:
            if rule.on != event.type or not rule.is_on_line(line):
                continue
            if event.type in OF_A_CALL and rule.id in charged:
                continue
            charged.add(rule.id)
            if event.at in span:
                shown = _text(line) if event.type in OF_A_CALL else None
                yield Charge(rule, event.id, event.subject, event.at, shown, **named)


def _line(event: Event, before: object) -> object:
    """The line of a call: its answer is on that of its offer unless it names another."""
    if event.type == EventType.CALL_OFFERED:
        return event.data.get("line")
    return event.data.get("line", before) if event.type == EventType.CALL_ANSWERED else before


def _text(value: object) -> str | None:
    return str(value).strip() or None if value is not None else None
