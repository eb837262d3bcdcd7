"""Commitments on the uptime of services, as the `[[availability]]` tables of an agreement state them.

Shares are exact fractions, times are microseconds, names are compared without case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from app.sla.agreement.rule import Kind
from app.sla.period import PeriodRule
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class UptimeTarget:
    """The share of a period in which the service must be up. `strict`: more than it (">"), else at least it (">=")."""

    written: str
    share: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class MaintenanceNotice:
    """How long before its beginning a maintenance must be announced so that its window does not count.

    `emergency` is the notice of maintenance that is marked as an emergency; None: the same as of any other.
    """

    normal: Micros
    emergency: Micros | None = None

    def needed(self, *, emergency: bool) -> Micros:
        """The notice that maintenance needs."""
        return self.normal if self.emergency is None or not emergency else self.emergency


@dataclass(frozen=True, slots=True)
class AvailabilityRule:
    """One commitment on uptime. Each of its services is judged for itself."""

    id: str
    label: str
    kind: Kind
    services: tuple[str, ...]
    target: UptimeTarget
    period: PeriodRule = PeriodRule.CALENDAR_MONTH
    excluded_causes: frozenset[str] = frozenset()
    """Casefolded."""
    maintenance: MaintenanceNotice | None = None
    """None: announced maintenance counts like any other outage."""
    warn_at: tuple[int, ...] = ()
    """Per cent of the downtime that a period may have."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
