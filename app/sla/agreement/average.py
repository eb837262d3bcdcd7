"""Commitments on the mean wait of a month's calls, as the `[[averages]]` tables of an agreement state them.

A mean is compared without dividing, in whole microseconds, so no rounding decides. Lines are compared without case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.sla.agreement.rule import Kind
from app.sla.calendar import Calendar
from app.sla.fields import casefolded
from app.sla.period import PeriodRule
from app.sla.span import Micros

WARN_AFTER: Final = 10
"""Calls after which the mean so far is worth a warning: the first two or three say little about a month."""


@dataclass(frozen=True, slots=True)
class MeanTarget:
    """The mean that must not be exceeded. `strict`: less than it ("<"), else at most it ("<=")."""

    written: str
    limit: Micros
    strict: bool

    def is_kept(self, total: Micros, count: int) -> bool:
        """Whether the mean of `count` waits that add up to `total` is within the target. Of none it is."""
        return total < self.limit * count if self.strict and count else total <= self.limit * count

    def is_reached(self, total: Micros, count: int) -> bool:
        """Whether that mean is at or above the target: what a warning is about."""
        return count > 0 and total >= self.limit * count


@dataclass(frozen=True, slots=True)
class AverageRule:
    """One commitment on a mean: of the answered calls that were offered in a period, within the calendar's hours."""

    id: str
    label: str
    kind: Kind
    calendar: Calendar
    target: MeanTarget
    lines: frozenset[str] | None = None
    """Casefolded; "" is a call without a line. None: every line."""
    from_fact: str = "call.offered"
    to_fact: str = "call.answered"
    period: PeriodRule = PeriodRule.CALENDAR_MONTH
    warn_after: int = WARN_AFTER
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def counts(self, line: object, offered_at: Micros) -> bool:
        """Whether a call is one of those that the mean is of. Raises UncoveredYear."""
        on_line = self.lines is None or casefolded(line) in self.lines
        return on_line and self.calendar.is_open_us(offered_at)
