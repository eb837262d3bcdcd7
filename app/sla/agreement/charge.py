"""Charges: facts that cost the customer an amount each, as the `[[charges]]` tables of an agreement state them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from app.sla.fields import casefolded

CHARGEABLE: Final = frozenset(
    {"call.answered", "call.offered", "call.registered", "intervention.started", "part.replaced"}
)
"""The facts that can be charged. An index finds those of a month."""
OF_A_CALL: Final = frozenset({"call.answered", "call.offered"})
"""Those whose data names a line. A call has one of each kind, however often a system repeats it."""


@dataclass(frozen=True, slots=True)
class ChargeRule:
    """One charge: `amount`, in the agreement's currency, for each fact of the type `on`."""

    id: str
    label: str
    on: str
    amount: Decimal
    currency: str
    line: str | None = None
    """Of calls only those on this line, casefolded; "" is a call without a line. None: any."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def is_on_line(self, line: object) -> bool:
        """Whether a call on this line is charged."""
        return self.line is None or casefolded(line) == self.line
